use std::fmt;

/// Why a document was not read. `at` is the octet where reading stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// A limit was passed; the peer has to send less (413).
    TooLarge { what: &'static str },
    /// No document of XML with namespaces; the peer has to mend it (400).
    Malformed { at: u64, why: &'static str },
    /// There is a document type: RFC 4918 §17 lets servers refuse what it could declare (403, DAV:no-external-entities).
    Doctype { at: u64 },
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge { what } => write!(f, "the XML has too many {what}: send less"),
            Self::Malformed { at, why } => write!(f, "the XML is wrong at octet {at}: {why}"),
            Self::Doctype { at } => write!(f, "the XML has a document type at octet {at}: leave it out"),
        }
    }
}

impl std::error::Error for Fault {}
