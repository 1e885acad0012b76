//! BDAT: RFC 3030 §2. Counted octets, but of text all the same: BINARYMIME is not offered, so lines end with CRLF
//! (RFC 3030 §3), and what DATA would refuse is refused here too.

use super::{Body, Fault};
use bytes::{Buf, BytesMut};
use memchr::memchr2_iter;

/// One chunk, as far as it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Chunk {
    left: u64,
    pub last: bool,
}

impl Chunk {
    pub fn new(size: u64, last: bool) -> Self {
        Self { left: size, last }
    }

    pub fn left(&self) -> u64 {
        self.left
    }

    /// Moves what it can from `input`; true once the chunk is complete. Without a body it is thrown away.
    pub fn take(&mut self, input: &mut BytesMut, body: Option<(&mut Body, &mut Ends)>) -> bool {
        let here = usize::try_from(self.left).unwrap_or(usize::MAX).min(input.len());
        let part = &input[..here];
        if let Some((body, ends)) = body {
            if !ends.check(part) {
                body.fail(Fault::BareLine);
            }
            body.push(part);
        }
        input.advance(here);
        self.left -= here as u64;
        self.left == 0
    }
}

/// Follows line ends over the borders of chunks.
#[derive(Default, Debug)]
pub(crate) struct Ends {
    after_cr: bool,
}

impl Ends {
    /// False where a CR or LF stands alone.
    fn check(&mut self, part: &[u8]) -> bool {
        if part.is_empty() {
            return true;
        }
        if self.after_cr && part.first() != Some(&b'\n') {
            return false;
        }
        let mut before = if self.after_cr { Some(0) } else { None };
        // `before`: where the LF of the last CR must stand.
        for at in memchr2_iter(b'\r', b'\n', part) {
            let is_cr = part.get(at) == Some(&b'\r');
            match before {
                None if is_cr => before = Some(at + 1),
                Some(due) if !is_cr && due == at => before = None,
                _ => return false,
            }
        }
        self.after_cr = before.is_some();
        before.is_none_or(|due| due == part.len())
    }

    /// At the end of the message: no CR is left alone.
    pub fn is_whole(&self) -> bool {
        !self.after_cr
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good(bytes: &[u8], step: usize) -> bool {
        let mut ends = Ends::default();
        bytes.chunks(step).all(|part| ends.check(part)) && ends.is_whole()
    }

    #[test]
    fn line_ends_are_followed_over_borders() {
        for step in 1..6 {
            for text in ["", "a", "a\r\n", "\r\n\r\n", "a\r\n.\r\nb\r\n"] {
                assert!(good(text.as_bytes(), step), "{text:?} by {step}");
            }
            for text in ["\r", "\n", "a\rb", "a\nb", "\r\r\n", "\n\r", "a\r\n\n"] {
                assert!(!good(text.as_bytes(), step), "{text:?} by {step}");
            }
        }
    }
}
