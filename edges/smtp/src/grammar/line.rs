//! Command lines out of the input buffer.

use bytes::BytesMut;
use memchr::{memchr, memchr2};

/// RFC 5321 §4.5.3.1.4 asks for 512 octets at least, and every extension of MAIL and RCPT adds to them (RFC 1870 §3,
/// RFC 3461 §5, RFC 4954 §5, RFC 6531 §3.4).
const COMMAND: usize = 2048;
/// RFC 4954 §4.
const AUTH: usize = 12_288;
/// How much of one endless line is skipped before the connection is given up.
const SKIPPED: usize = 1024 * 1024;

#[derive(PartialEq, Eq, Debug)]
pub(crate) enum Line {
    /// No end of line yet.
    Partial,
    /// Without its CRLF.
    Whole(String),
    /// Ends with a bare LF, holds a bare CR or a NUL, or is not UTF-8.
    Bad,
    TooLong,
    /// So long that the peer is not speaking SMTP.
    Endless,
}

/// Finds lines; remembers how far it looked, so that a slow sender does not make us look again.
#[derive(Default, Debug)]
pub(crate) struct Lines {
    searched: usize,
    skipped: usize,
}

impl Lines {
    /// For when the input was thrown away.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// The next line, taken out of `input`. `auth`: a line of a SASL exchange.
    pub fn take(&mut self, input: &mut BytesMut, auth: bool) -> Line {
        let Some(found) = memchr(b'\n', input.get(self.searched..).unwrap_or_default()) else {
            return self.wait(input, auth);
        };
        let line = input.split_to(self.searched + found + 1);
        self.searched = 0;
        if std::mem::take(&mut self.skipped) > 0 || line.len() > limit(&line, auth) {
            return Line::TooLong;
        }
        let Some(text) = line.strip_suffix(b"\r\n") else { return Line::Bad };
        if memchr2(b'\r', 0, text).is_some() {
            return Line::Bad;
        }
        std::str::from_utf8(text).map_or(Line::Bad, |text| Line::Whole(text.to_owned()))
    }

    fn wait(&mut self, input: &mut BytesMut, auth: bool) -> Line {
        self.searched = input.len();
        if input.len() > limit(input, auth) {
            self.skipped += input.len();
            self.searched = 0;
            input.clear();
        }
        if self.skipped > SKIPPED { Line::Endless } else { Line::Partial }
    }
}

fn limit(line: &[u8], auth: bool) -> usize {
    let begins_auth = line.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
    if auth || begins_auth { AUTH } else { COMMAND }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<Line> {
        let (mut lines, mut input, mut out) = (Lines::default(), BytesMut::new(), Vec::new());
        // Byte by byte, as the worst network would bring it.
        for byte in bytes {
            input.extend_from_slice(&[*byte]);
            match lines.take(&mut input, false) {
                Line::Partial => (),
                line => out.push(line),
            }
        }
        out
    }

    #[test]
    fn lines_end_with_crlf_only() {
        assert_eq!(all(b"NOOP\r\n"), [Line::Whole("NOOP".into())]);
        assert_eq!(all(b"NOOP\nRSET\r\n"), [Line::Bad, Line::Whole("RSET".into())]);
        assert_eq!(all(b"NO\rOP\r\n"), [Line::Bad]);
        assert_eq!(all(b"NO\0OP\r\n"), [Line::Bad]);
        assert_eq!(all(b"\xff\r\n"), [Line::Bad]);
        assert_eq!(all(b"\r\n"), [Line::Whole(String::new())]);
    }

    #[test]
    fn a_long_line_is_skipped_and_the_next_is_read() {
        let mut bytes = vec![b'a'; 10_000];
        bytes.extend_from_slice(b"\r\nNOOP\r\n");
        assert_eq!(all(&bytes), [Line::TooLong, Line::Whole("NOOP".into())]);
        let auth = [b"AUTH PLAIN ".as_slice(), &[b'a'; 10_000], b"\r\n"].concat();
        assert!(matches!(all(&auth).as_slice(), [Line::Whole(_)]));
    }

    #[test]
    fn an_endless_line_is_given_up() {
        let (mut lines, mut input) = (Lines::default(), BytesMut::new());
        for _ in 0..1000 {
            input.extend_from_slice(&[b'a'; 4096]);
            match lines.take(&mut input, false) {
                Line::Partial => assert!(input.len() <= 4096),
                Line::Endless => return,
                other => panic!("{other:?}"),
            }
        }
        panic!("never given up");
    }
}
