//! Tag lists: `name=value; name=value` (RFC 6376 §3.2), in header fields and in DNS records.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// More tags than this are no list that anybody would write.
const TAGS: usize = 64;

/// The tags of a list by name. Names are compared as they stand; values have no white space around them.
#[derive(Debug)]
pub(crate) struct Tags<'a>(Vec<(&'a [u8], &'a [u8])>);

impl<'a> Tags<'a> {
    /// `None` where it is no tag list, or one that names a tag twice.
    pub fn read(text: &'a [u8]) -> Option<Self> {
        let mut tags: Vec<(&[u8], &[u8])> = Vec::new();
        // An empty one in the middle is an error that many a published key has.
        for part in text.split(|byte| *byte == b';').map(trim).filter(|part| !part.is_empty()) {
            let equals = part.iter().position(|byte| *byte == b'=')?;
            let (name, value) = (trim(part.get(..equals)?), trim(part.get(equals + 1..)?));
            let valid = name.first().is_some_and(u8::is_ascii_alphabetic) && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_');
            if !valid || tags.len() == TAGS || tags.iter().any(|(other, _)| *other == name) {
                return None;
            }
            tags.push((name, value));
        }
        Some(Self(tags))
    }

    pub fn get(&self, name: &str) -> Option<&'a [u8]> {
        self.0.iter().find(|(own, _)| *own == name.as_bytes()).map(|(_, value)| *value)
    }

    pub fn text(&self, name: &str) -> Option<&'a str> {
        self.get(name).and_then(|value| std::str::from_utf8(value).ok())
    }

    pub fn first(&self) -> Option<(&'a [u8], &'a [u8])> {
        self.0.first().copied()
    }

    /// The parts of a list with colons, without white space around them.
    pub fn list(&self, name: &str) -> Option<impl Iterator<Item = &'a [u8]> + use<'a>> {
        self.get(name).map(|value| value.split(|byte| *byte == b':').map(trim))
    }
}

/// Without folding white space at both ends.
pub(crate) fn trim(bytes: &[u8]) -> &[u8] {
    bytes.trim_ascii()
}

/// Base64 with folding white space anywhere in it (RFC 6376 §2.10), and with or without its padding.
pub(crate) fn base64(text: &[u8]) -> Option<Vec<u8>> {
    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true);
    let compact: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    GeneralPurpose::new(&STANDARD, LENIENT).decode(compact).ok()
}

/// A number of at most 18 digits.
pub(crate) fn number(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 18 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists() {
        let tags = Tags::read(b" v=1; h = a : B :c;\r\n\tb=\r\n x y; ").unwrap();
        assert_eq!((tags.get("v"), tags.get("b"), tags.get("V")), (Some(b"1".as_slice()), Some(b"x y".as_slice()), None));
        assert_eq!(tags.list("h").unwrap().collect::<Vec<_>>(), [b"a", b"B", b"c"]);
        assert!(Tags::read(b"").unwrap().first().is_none());
        for bad in ["a", "=1", "1=2", "a=1;a=2", "a b=1"] {
            assert!(Tags::read(bad.as_bytes()).is_none(), "{bad}");
        }
        let many: String = (0..65).map(|n| format!("a{n}=;")).collect();
        assert!(Tags::read(many.as_bytes()).is_none());
    }

    #[test]
    fn values() {
        assert_eq!((base64(b"aG\r\n k="), base64(b"aGk")), (Some(b"hi".to_vec()), Some(b"hi".to_vec())));
        assert_eq!(
            (base64(b"?"), number(b"12"), number(b""), number(b"-1"), number(b"9999999999999999999")),
            (None, Some(12), None, None, None)
        );
    }
}
