//! DATA: RFC 5321 §4.1.1.4 and §4.5.2. Whole runs of lines are copied at once; only a line that begins with a dot ends
//! a run.

use super::{Body, Fault};
use bytes::{Buf, BytesMut};
use memchr::memchr;

/// Longer lines are taken piece by piece, so that one without end does not fill the input buffer. RFC 5321 §4.5.3.1.6
/// allows 1,000 octets; longer ones are common in the wild and kept as they came.
const PIECE: usize = 1024;

#[derive(Default, Debug)]
pub(crate) struct Dots {
    /// The input goes on inside a line.
    inside: bool,
}

impl Dots {
    /// Moves what it can from `input` to `body`; true once the end of the message was read.
    pub fn take(&mut self, input: &mut BytesMut, body: &mut Body) -> bool {
        let bytes: &[u8] = input;
        // From `kept` on nothing is copied yet; at `at` begins a line, or the rest of one.
        let (mut kept, mut at) = (0, 0);
        while let Some(found) = memchr(b'\n', &bytes[at..]) {
            let end = at + found + 1;
            let line = &bytes[at..end];
            if !self.inside && line[0] == b'.' {
                body.push(&bytes[kept..at]);
                if line == b".\r\n" {
                    input.advance(end);
                    return true;
                }
                kept = at + 1;
            }
            let (proper, text) = match line.strip_suffix(b"\r\n") {
                Some(text) => (true, text),
                None => (false, line),
            };
            if !proper || memchr(b'\r', text).is_some() {
                body.fail(Fault::BareLine);
            }
            // A bare LF ends no line: a lone dot behind one does not end the message.
            self.inside = !proper;
            at = end;
        }
        let rest = &bytes[at..];
        if rest.len() >= PIECE {
            // A CR at the end may belong to a CRLF.
            let piece = rest.strip_suffix(b"\r").unwrap_or(rest);
            if !self.inside && piece.first() == Some(&b'.') {
                body.push(&bytes[kept..at]);
                kept = at + 1;
            }
            if memchr(b'\r', piece).is_some() {
                body.fail(Fault::BareLine);
            }
            self.inside = true;
            at += piece.len();
        }
        body.push(&bytes[kept..at]);
        input.advance(at);
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Budget;

    /// A message, and what is left behind it.
    type Ended = (Result<Vec<u8>, Fault>, Vec<u8>);

    /// Fed in pieces of `step` bytes; `None` where the end was not found.
    fn receive(bytes: &[u8], step: usize) -> Option<Ended> {
        let (mut dots, mut input) = (Dots::default(), BytesMut::new());
        let mut body = Body::begin(&Budget::new(1 << 30), 0, 1 << 30).unwrap();
        for (number, piece) in bytes.chunks(step).enumerate() {
            input.extend_from_slice(piece);
            if dots.take(&mut input, &mut body) {
                input.extend_from_slice(&bytes[((number + 1) * step).min(bytes.len())..]);
                return Some((body.finish().map(|(bytes, _)| bytes.to_vec()), input.to_vec()));
            }
        }
        None
    }

    fn check(bytes: &[u8], message: Result<&[u8], Fault>, left: &[u8]) {
        for step in [1, 2, 3, 7, 64, 1 << 20] {
            let (got, rest) = receive(bytes, step).unwrap();
            assert_eq!(got.as_deref().map_err(|f| *f), message, "in pieces of {step}");
            assert_eq!(rest, left, "in pieces of {step}");
        }
    }

    #[test]
    fn ends_at_a_lone_dot_and_takes_one_dot_off() {
        check(b".\r\nNOOP\r\n", Ok(b""), b"NOOP\r\n");
        check(b"a\r\n..\r\n.b\r\n...c\r\n.\r\n", Ok(b"a\r\n.\r\nb\r\n..c\r\n"), b"");
        check(b"a\0\xff\r\n\r\n.\r\nQUIT\r\n", Ok(b"a\0\xff\r\n\r\n"), b"QUIT\r\n");
    }

    #[test]
    fn nothing_but_crlf_dot_crlf_ends_a_message() {
        for smuggled in
            ["a\n.\r\nb", "a\n.\nb", "a\r\n.\nb", "a\r.\r\nb", "a\r.\rb", "a\r\n.\rb", "a\r\r\n.\nb", "a\nb", "a\rb", "a\r\n.\r\r\nb"]
        {
            let bytes = format!("{smuggled}\r\n.\r\nNOOP\r\n");
            check(bytes.as_bytes(), Err(Fault::BareLine), b"NOOP\r\n");
        }
        assert_eq!(receive(b"a\n.\n", 1), None);
    }

    #[test]
    fn long_lines_are_kept() {
        let long = vec![b'x'; 100_000];
        let mut bytes = [b"a\r\n..".as_slice(), &long, b"\r\n.\r\n"].concat();
        let message = [b"a\r\n.".as_slice(), &long, b"\r\n"].concat();
        check(&bytes, Ok(&message), b"");
        bytes[50_000] = b'\r';
        check(&bytes, Err(Fault::BareLine), b"");
    }

    #[test]
    fn a_line_without_end_does_not_fill_the_input() {
        let (mut dots, mut input) = (Dots::default(), BytesMut::new());
        let mut body = Body::begin(&Budget::new(1 << 30), 0, 10_000).unwrap();
        for _ in 0..100 {
            input.extend_from_slice(&[b'a'; 1000]);
            assert!(!dots.take(&mut input, &mut body));
            assert!(input.len() < PIECE);
        }
        assert_eq!(body.fault(), Some(Fault::TooLarge));
    }
}
