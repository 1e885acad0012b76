//! Canonicalization (RFC 6376 §3.4). Lines end in CRLF; a bare LF is read as one, as whoever stored the message so would
//! have to send it.

use memchr::memchr;

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Form {
    #[default]
    Simple,
    Relaxed,
}

/// The lines of a body without their line breaks, and whether each had one.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = match memchr(b'\n', rest) {
            Some(at) => (rest.get(..at)?, rest.get(at + 1..)?),
            None => (rest, &[][..]),
        };
        rest = after;
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}

/// Gives the canonical body to `out` piece by piece.
pub(crate) fn body(body: &[u8], form: Form, mut out: impl FnMut(&[u8])) {
    // Empty lines at the end do not count, so they are held back until another line comes.
    let (mut empty, mut any) = (0_usize, false);
    let mut buffer = Vec::new();
    for line in lines(body) {
        let line = match form {
            Form::Simple => line,
            Form::Relaxed => {
                relax(line, &mut buffer);
                buffer.as_slice()
            }
        };
        if line.is_empty() {
            empty += 1;
            continue;
        }
        for _ in 0..std::mem::take(&mut empty) {
            out(b"\r\n");
        }
        out(line);
        out(b"\r\n");
        any = true;
    }
    if !any && form == Form::Simple {
        out(b"\r\n");
    }
}

/// White space runs become one space, and none stands at the end (RFC 6376 §3.4.4).
fn relax(line: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut space = false;
    for byte in line {
        if matches!(byte, b' ' | b'\t') {
            space = true;
            continue;
        }
        if std::mem::take(&mut space) {
            out.push(b' ');
        }
        out.push(*byte);
    }
}

/// Appends a canonical header field with CRLF at its end. `whole` is the field with its name.
pub(crate) fn field(whole: &[u8], form: Form, out: &mut Vec<u8>) {
    match form {
        Form::Simple => {
            for (at, line) in lines(whole).enumerate() {
                if at > 0 {
                    out.extend_from_slice(b"\r\n");
                }
                out.extend_from_slice(line);
            }
        }
        Form::Relaxed => relax_field(whole, out),
    }
    out.extend_from_slice(b"\r\n");
}

/// RFC 6376 §3.4.2.
fn relax_field(whole: &[u8], out: &mut Vec<u8>) {
    let colon = memchr(b':', whole).unwrap_or(whole.len());
    let (name, value) = whole.split_at(colon);
    out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
    out.push(b':');
    let (begin, mut space) = (out.len(), false);
    for byte in value.get(1..).unwrap_or_default() {
        match byte {
            b' ' | b'\t' => space = true,
            // Unfolding: the white space behind the line break is what remains of it.
            b'\r' | b'\n' => (),
            _ => {
                if std::mem::take(&mut space) && out.len() > begin {
                    out.push(b' ');
                }
                out.push(*byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bodied(text: &str, form: Form) -> String {
        let mut out = Vec::new();
        body(text.as_bytes(), form, |piece| out.extend_from_slice(piece));
        String::from_utf8(out).unwrap()
    }

    fn fielded(text: &str, form: Form) -> String {
        let mut out = Vec::new();
        field(text.as_bytes(), form, &mut out);
        String::from_utf8(out).unwrap()
    }

    /// RFC 6376 §3.4.5.
    #[test]
    fn examples_of_the_standard() {
        assert_eq!(fielded("A: X\r\n", Form::Relaxed) + &fielded("B : Y\t\r\n\tZ  \r\n", Form::Relaxed), "a:X\r\nb:Y Z\r\n");
        assert_eq!(bodied(" C \r\nD \t E\r\n\r\n\r\n", Form::Relaxed), " C\r\nD E\r\n");
        assert_eq!(fielded("B : Y\t\r\n\tZ  \r\n", Form::Simple), "B : Y\t\r\n\tZ  \r\n");
        assert_eq!(bodied(" C \r\nD \t E\r\n\r\n\r\n", Form::Simple), " C \r\nD \t E\r\n");
    }

    #[test]
    fn ends_of_bodies() {
        for (text, simple, relaxed) in [
            ("", "\r\n", ""),
            ("\r\n\r\n", "\r\n", ""),
            (" \r\n", " \r\n", ""),
            ("a", "a\r\n", "a\r\n"),
            ("a\n\nb\n \n", "a\r\n\r\nb\r\n \r\n", "a\r\n\r\nb\r\n"),
            ("a\r\rb\r\n", "a\r\rb\r\n", "a\r\rb\r\n"),
        ] {
            assert_eq!((bodied(text, Form::Simple).as_str(), bodied(text, Form::Relaxed).as_str()), (simple, relaxed), "{text:?}");
        }
    }

    #[test]
    fn fields_at_their_edges() {
        assert_eq!(fielded("Subject:\r\n", Form::Relaxed), "subject:\r\n");
        assert_eq!(fielded("SUBJect :  a\r\n  b\t c", Form::Relaxed), "subject:a b c\r\n");
        assert_eq!(fielded("a: b\n c\n", Form::Simple), "a: b\r\n c\r\n");
    }
}
