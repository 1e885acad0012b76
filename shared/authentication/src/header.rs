//! A message as signatures see it: header fields with their bytes as they stand, and a body.

use penfold_formats::mime::header_fields;
use std::ops::Range;

/// What lies behind this much header is not read; acceptance refuses such messages.
const HEADER_LIMIT: usize = 1024 * 1024;

#[derive(Clone, Copy, Debug)]
pub(crate) struct Field<'a> {
    pub name: &'a [u8],
    /// With its name and its last line break.
    pub whole: &'a [u8],
    pub value: &'a [u8],
    /// Where `whole` begins in the message.
    pub at: usize,
}

impl Field<'_> {
    pub fn is(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name.as_bytes())
    }

    pub fn range(&self) -> Range<usize> {
        self.at..self.at + self.whole.len()
    }
}

#[derive(Debug)]
pub(crate) struct Message<'a> {
    pub fields: Vec<Field<'a>>,
    pub body: &'a [u8],
}

impl<'a> Message<'a> {
    pub fn read(message: &'a [u8]) -> Self {
        let header = message.get(..HEADER_LIMIT).unwrap_or(message);
        let (mut fields, mut at) = (Vec::new(), 0);
        for (name, whole, value) in header_fields(header) {
            fields.push(Field { name, whole, value, at });
            at += whole.len();
        }
        let rest = message.get(at..).unwrap_or_default();
        let body = rest.strip_prefix(b"\r\n").or_else(|| rest.strip_prefix(b"\n")).unwrap_or(rest);
        Self { fields, body }
    }

    pub fn named(&self, name: &'static str) -> impl Iterator<Item = &Field<'a>> {
        self.fields.iter().filter(move |field| field.is(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_cover_the_header() {
        let bytes = b"A: 1\r\n b\r\nno colon\r\nb : 2\r\n\r\nC: body\r\n";
        let message = Message::read(bytes);
        assert_eq!(
            message.fields.iter().map(|f| (f.name, f.range())).collect::<Vec<_>>(),
            [(b"A".as_slice(), 0..10), (b"".as_slice(), 10..20), (b"b".as_slice(), 20..27)]
        );
        assert_eq!(message.body, b"C: body\r\n");
    }

    #[test]
    fn odd_messages() {
        for (odd, fields, body) in [("", 0, ""), ("\r\n", 0, ""), ("\nx", 0, "x"), ("A: 1", 1, ""), (" x\r\n\r\ny", 1, "y")] {
            let message = Message::read(odd.as_bytes());
            assert_eq!((message.fields.len(), message.body), (fields, body.as_bytes()), "{odd:?}");
        }
    }
}
