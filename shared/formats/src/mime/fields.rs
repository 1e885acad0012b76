//! Splitting a header into its fields (RFC 5322 §2.2). Any junk is a field too, with an empty name.

use memchr::{memchr, memchr2};

/// The fields of a header: (name, whole field with its line breaks, value between colon and last line break).
/// Ends at the empty line. A line without a colon has an empty name and is all value. Linear.
pub fn header_fields(header: &[u8]) -> Fields<'_> {
    Fields { rest: header }
}

#[derive(Debug, Clone)]
pub struct Fields<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Fields<'a> {
    type Item = (&'a [u8], &'a [u8], &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        if self.rest.is_empty() || is_empty_line(self.rest) {
            return None;
        }
        let mut end = line_length(self.rest);
        while matches!(self.rest.get(end), Some(b' ' | b'\t')) {
            end += line_length(self.rest.get(end..).unwrap_or_default());
        }
        let (whole, rest) = self.rest.split_at_checked(end)?;
        self.rest = rest;
        let content = without_line_break(whole);
        let first_line = content.get(..line_length(content)).unwrap_or(content);
        let (name, value) = match memchr(b':', first_line) {
            Some(colon) if !matches!(content.first(), Some(b' ' | b'\t')) => {
                (content.get(..colon)?.trim_ascii_end(), content.get(colon + 1..)?)
            }
            _ => (&[][..], content),
        };
        Some((name, whole, value))
    }
}

/// The length of the first line with its line break. A bare LF ends a line; a bare CR does not.
pub(super) fn line_length(bytes: &[u8]) -> usize {
    memchr(b'\n', bytes).map_or(bytes.len(), |at| at + 1)
}

/// The empty line that ends a header, with CRLF or a bare LF.
pub(super) fn is_empty_line(bytes: &[u8]) -> bool {
    matches!(bytes, [b'\n', ..] | [b'\r', b'\n', ..])
}

fn without_line_break(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// RFC 5322 §2.2.3: the value on one line, without the white space around it.
pub fn unfold(value: &[u8]) -> Vec<u8> {
    let value = value.trim_ascii();
    if memchr2(b'\r', b'\n', value).is_none() {
        return value.to_vec();
    }
    value.iter().copied().filter(|byte| !matches!(byte, b'\r' | b'\n')).collect()
}
