//! How much of a message is kept. The sum is built so that an encoded summary never passes 64 KB, whatever came in:
//! 24,000 for the envelope + 6,500 for msg-ids and preview + 32 for each of 1,000 parts + the rest for their strings.

/// Multiparts and messages inside each other. What lies deeper is one application/octet-stream.
pub const MAX_DEPTH: usize = 32;
/// Parts of one message, all levels together. The last one has the remaining bytes.
pub const MAX_PARTS: usize = 1000;
/// The longest encoding of a [`super::Summary`].
pub const MAX_ENCODED: usize = 64 * 1024;

/// Any one string of an envelope or of a part.
pub(super) const MAX_TEXT: usize = 2000;
/// Parameters of one field, languages of one part.
pub(super) const MAX_PARAMS: usize = 50;
/// RFC 2046 §5.1.1 says 70; some generators write more.
pub(super) const MAX_BOUNDARY: usize = 256;

pub(super) const ENVELOPE_BYTES: usize = 24_000;
pub(super) const REFERENCE_BYTES: usize = 5_800;
const SMALL_BYTES: usize = 6_500;
const PART_BYTES: usize = 32;

/// What is left of the 64 KB for strings. The envelope of the root is counted first, so structure cannot starve it.
#[derive(Debug)]
pub(super) struct Budget {
    left: usize,
    pub(super) cut: bool,
}

impl Budget {
    /// For the envelope of the root.
    pub(super) fn envelope() -> Self {
        Self::of(ENVELOPE_BYTES)
    }

    pub(super) fn of(left: usize) -> Self {
        Self { left, cut: false }
    }

    /// For the strings of the parts, after the root's envelope took what `self` says.
    pub(super) fn into_parts(self) -> Self {
        let used = ENVELOPE_BYTES.saturating_sub(self.left);
        let left = MAX_ENCODED.saturating_sub(SMALL_BYTES + PART_BYTES * MAX_PARTS + used);
        Self { left, cut: self.cut }
    }

    /// Pays for a string, or says that it has to be left out.
    pub(super) fn pay(&mut self, bytes: usize) -> bool {
        // Three bytes is the longest length prefix of a string that fits.
        let cost = bytes.saturating_add(3);
        if cost <= self.left {
            self.left -= cost;
            return true;
        }
        self.cut = true;
        false
    }

    /// A string that has been paid for, cut to `MAX_TEXT`.
    pub(super) fn text(&mut self, mut bytes: Vec<u8>) -> Option<Box<[u8]>> {
        if bytes.len() > MAX_TEXT {
            bytes.truncate(MAX_TEXT);
            self.cut = true;
        }
        self.pay(bytes.len()).then(|| bytes.into_boxed_slice())
    }
}
