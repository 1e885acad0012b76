//! DATA as it goes out: RFC 5321 §4.5.2, and §2.3.8: a CR or LF that stands alone is written as a line break, so that
//! nothing can end the message early for a peer that takes either for one.

use memchr::memchr2;

#[derive(Debug)]
pub(crate) struct Dots {
    at_start: bool,
    /// The last byte was a CR that is not written yet.
    cr: bool,
}

impl Dots {
    pub fn new() -> Self {
        Self { at_start: true, cr: false }
    }

    pub fn push(&mut self, mut bytes: &[u8], out: &mut Vec<u8>) {
        while let Some(first) = bytes.first() {
            if self.cr {
                self.end_line(out);
                if *first == b'\n' {
                    bytes = bytes.get(1..).unwrap_or_default();
                    continue;
                }
            }
            if self.at_start && *first == b'.' {
                out.push(b'.');
            }
            let run = memchr2(b'\r', b'\n', bytes).unwrap_or(bytes.len());
            let (text, rest) = bytes.split_at(run);
            out.extend_from_slice(text);
            self.at_start &= text.is_empty();
            match rest.first() {
                Some(b'\n') => self.end_line(out),
                Some(_) => self.cr = true,
                None => {}
            }
            bytes = rest.get(1..).unwrap_or_default();
        }
    }

    /// The lone dot.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if self.cr || !self.at_start {
            self.end_line(out);
        }
        out.extend_from_slice(b".\r\n");
    }

    fn end_line(&mut self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"\r\n");
        (self.at_start, self.cr) = (true, false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dotted(message: &[u8], step: usize) -> String {
        let (mut dots, mut out) = (Dots::new(), Vec::new());
        for piece in message.chunks(step) {
            dots.push(piece, &mut out);
        }
        dots.finish(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn dots_are_doubled_at_the_start_of_lines_and_nothing_ends_early() {
        for step in 1..5 {
            assert_eq!(dotted(b"", step), ".\r\n");
            assert_eq!(dotted(b"a\r\n.\r\n..b\r\n", step), "a\r\n..\r\n...b\r\n.\r\n");
            assert_eq!(dotted(b".", step), "..\r\n.\r\n");
            for smuggled in ["a\n.\r\nb\r\n", "a\n.\nb\r\n", "a\r.\rb\r\n", "a\r.\r\nb\r\n", "a\r\n.\nb\r\n", "a\r\n.\nb\r"] {
                assert_eq!(dotted(smuggled.as_bytes(), step), "a\r\n..\r\nb\r\n.\r\n", "{smuggled:?}");
            }
            assert_eq!(dotted(b"a\r\r\n.\r\n", step), "a\r\n\r\n..\r\n.\r\n");
        }
    }
}
