use std::fmt;

/// Why some bytes are no vCard that is taken. The client has to send another one (RFC 6352 §6.3.2.1: valid-address-data).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    pub what: What,
    /// Counted from 1.
    pub line: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Octets, lines or parameters: CARDDAV:max-resource-size.
    TooLarge,
    /// It does not begin with BEGIN:VCARD, or END:VCARD is missing.
    NoCard,
    /// RFC 6352 §5.1: an address object is one card.
    SeveralCards,
    NotUtf8,
    /// A line that is none.
    Syntax,
    /// VERSION is missing, or not one that is taken: CARDDAV:supported-address-data.
    Version,
    /// RFC 6350 §6.2.1.
    NoName,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.what {
            What::TooLarge => "the vCard is too large",
            What::NoCard => "BEGIN:VCARD or END:VCARD is missing",
            What::SeveralCards => "there is more than one vCard",
            What::NotUtf8 => "the text is not UTF-8",
            What::Syntax => "this is no line of a vCard",
            What::Version => "VERSION is neither 3.0 nor 4.0",
            What::NoName => "FN is missing",
        };
        write!(f, "line {}: {what}", self.line)
    }
}

impl std::error::Error for Fault {}
