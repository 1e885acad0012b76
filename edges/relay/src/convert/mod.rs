//! Bodies made fit for a peer that takes fewer kinds of octets: RFC 6152 §3, RFC 3030 §3, RFC 2045 §6. Leaves are encoded
//! anew, and the header fields that say so are set; everything else stays as it is, to the byte.

mod encode;
mod header;
#[cfg(test)]
mod tests;

use header::Encoding;
use penfold_formats::mime::{Part, summarise};
use std::ops::Range;

/// What the peer takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Octets {
    SevenBit,
    EightBit,
}

/// Why a message must stay as it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Unfit {
    #[error("converting it would break its signature")]
    Signed,
    #[error("a part of it must not be converted")]
    Fixed,
    #[error("it has octets where none can be converted")]
    Octets,
}

/// The converted message; `None` where it is fit already.
pub fn convert(message: &[u8], to: Octets) -> Result<Option<Vec<u8>>, Unfit> {
    if is_fit(message, to) {
        return Ok(None);
    }
    let summary = summarise(message);
    let mut edits = Edits { message, to, list: Vec::new() };
    edits.part(&summary.root, true)?;
    let out = edits.apply();
    // What the parser did not see as a part, or could not be changed.
    if is_fit(&out, to) { Ok(Some(out)) } else { Err(Unfit::Octets) }
}

/// RFC 2045 §2.7 and §2.8. Long lines alone are let through: they are common, and peers take them.
fn is_fit(bytes: &[u8], to: Octets) -> bool {
    if to == Octets::SevenBit && !bytes.is_ascii() {
        return false;
    }
    !bytes.contains(&0) && !has_bare_breaks(bytes)
}

fn has_bare_breaks(bytes: &[u8]) -> bool {
    let mut before = 0;
    for &byte in bytes {
        if (byte == b'\n') != (before == b'\r') {
            return true;
        }
        before = byte;
    }
    before == b'\r'
}

struct Edits<'m> {
    message: &'m [u8],
    to: Octets,
    /// In the order of the message.
    list: Vec<(Range<usize>, Vec<u8>)>,
}

impl Edits<'_> {
    fn bytes(&self, range: &Range<u32>) -> &[u8] {
        self.message.get(range.start as usize..range.end as usize).unwrap_or_default()
    }

    /// `top`: its header is the message's own.
    fn part(&mut self, part: &Part, top: bool) -> Result<(), Unfit> {
        let whole = part.header.start..part.body.end;
        let identity = matches!(part.encoding.as_str(), "7bit" | "8bit" | "binary");
        if is_fit(self.bytes(&whole), self.to) && !self.claims_more(part) {
            return Ok(());
        }
        match (part.kind.as_str(), part.subtype.as_str()) {
            ("multipart", "signed" | "encrypted") => Err(Unfit::Signed),
            _ if part.is_multipart() => self.container(part, top),
            ("message", "rfc822") if part.message.is_some() => self.container(part, top),
            // RFC 2046 §5.2, RFC 6532 §3.7: these are never encoded, or hold headers that cannot be.
            ("message" | "multipart", _) => Err(Unfit::Fixed),
            _ if !identity => Err(Unfit::Octets),
            (kind, _) => {
                let body = self.bytes(&part.body);
                let (encoding, body) = match kind {
                    "text" if !has_bare_breaks(body) => (Encoding::QuotedPrintable, encode::quoted_printable(body)),
                    _ => (Encoding::Base64, encode::base64(body)),
                };
                self.header(part, encoding, top);
                self.list.push((part.body.start as usize..part.body.end as usize, body));
                Ok(())
            }
        }
    }

    /// A container says what is inside it; a leaf that says too much is harmless.
    fn claims_more(&self, part: &Part) -> bool {
        let container = part.is_multipart() || part.message.is_some();
        let more = part.encoding == "binary" || (part.encoding == "8bit" && self.to == Octets::SevenBit);
        container && more
    }

    fn container(&mut self, part: &Part, top: bool) -> Result<(), Unfit> {
        if self.claims_more(part) {
            let encoding = if self.to == Octets::SevenBit { Encoding::SevenBit } else { Encoding::EightBit };
            self.header(part, encoding, top);
        }
        part.children.iter().try_for_each(|child| self.part(child, false))
    }

    fn header(&mut self, part: &Part, encoding: Encoding, top: bool) {
        let header = header::rewrite(self.bytes(&part.header), encoding, top);
        self.list.push((part.header.start as usize..part.header.end as usize, header));
    }

    fn apply(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.message.len() + self.message.len() / 4);
        let mut at = 0;
        for (range, bytes) in self.list {
            out.extend_from_slice(self.message.get(at..range.start).unwrap_or_default());
            out.extend_from_slice(&bytes);
            at = range.end;
        }
        out.extend_from_slice(self.message.get(at..).unwrap_or_default());
        out
    }
}
