//! CALDAV:text-match (RFC 4791 §9.7.5) and the collations of §7.5.

use std::borrow::Cow;

/// RFC 4790 §9.2 and §9.3, RFC 5051. All of them look for a part of the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Collation {
    #[default]
    AsciiCasemap,
    Octet,
    /// Letters by their simple case; characters that can be written in two ways are not made one.
    UnicodeCasemap,
}

impl Collation {
    /// By its name in XML; `default` is the first.
    pub fn named(name: &str) -> Option<Self> {
        Some(match name.trim() {
            "i;ascii-casemap" | "default" => Self::AsciiCasemap,
            "i;octet" => Self::Octet,
            "i;unicode-casemap" => Self::UnicodeCasemap,
            _ => return None,
        })
    }

    fn fold(self, text: &str) -> Cow<'_, str> {
        match self {
            Self::Octet => Cow::Borrowed(text),
            Self::AsciiCasemap if text.bytes().any(|byte| byte.is_ascii_uppercase()) => Cow::Owned(text.to_ascii_lowercase()),
            Self::AsciiCasemap => Cow::Borrowed(text),
            Self::UnicodeCasemap => Cow::Owned(text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect()),
        }
    }
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TextMatch {
    pub text: String,
    pub collation: Collation,
    pub negate: bool,
}

impl TextMatch {
    pub fn matches(&self, value: &str) -> bool {
        self.contained(value) != self.negate
    }

    /// Of several values one has it; with `negate` none has.
    pub(super) fn matches_any(&self, values: &[Cow<'_, str>]) -> bool {
        values.iter().any(|value| self.contained(value)) != self.negate
    }

    fn contained(&self, value: &str) -> bool {
        let wanted = self.collation.fold(&self.text);
        memchr::memmem::find(self.collation.fold(value).as_bytes(), wanted.as_bytes()).is_some()
    }
}
