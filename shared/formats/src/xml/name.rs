use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Deref;
use std::sync::Arc;

use super::chars::{is_char, is_ncname};
use super::limits::MAX_NAMESPACE;

/// RFC 4918 §14.
pub const DAV: &str = "DAV:";
/// RFC 4791 §4.
pub const CALDAV: &str = "urn:ietf:params:xml:ns:caldav";
/// RFC 6352 §4.
pub const CARDDAV: &str = "urn:ietf:params:xml:ns:carddav";
/// What Apple's Calendar Server added: getctag, sharing.
pub const CALENDARSERVER: &str = "http://calendarserver.org/ns/";
/// What Apple's clients add: calendar-color, calendar-order.
pub const APPLE: &str = "http://apple.com/ns/ical/";
/// Where `xml:` of xml:lang and xml:space is.
pub const XML: &str = "http://www.w3.org/XML/1998/namespace";

const KNOWN: [&str; 6] = [DAV, CALDAV, CARDDAV, CALENDARSERVER, APPLE, XML];

/// Text that is a constant of ours or is shared by all names of a document, so that a long namespace is kept once.
#[derive(Clone)]
pub struct Word(Kept);

#[derive(Clone)]
enum Kept {
    Known(&'static str),
    Read(Arc<str>),
}

impl Word {
    pub const fn known(text: &'static str) -> Self {
        Self(Kept::Known(text))
    }

    pub(super) fn read(text: &str) -> Self {
        match KNOWN.iter().find(|known| **known == text) {
            Some(known) => Self::known(known),
            None => Self(Kept::Read(text.into())),
        }
    }

    pub fn as_str(&self) -> &str {
        match &self.0 {
            Kept::Known(text) => text,
            Kept::Read(text) => text,
        }
    }
}

impl Deref for Word {
    type Target = str;

    fn deref(&self) -> &str {
        self.as_str()
    }
}

impl Borrow<str> for Word {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Word {}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Word {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Word {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

/// An expanded name (Namespaces in XML 1.0 §2.1). `ns` is empty where there is none. Both parts can be written as XML.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name {
    ns: Word,
    local: Word,
}

impl Name {
    /// A name of ours: `local` has to be an NCName.
    pub const fn known(ns: &'static str, local: &'static str) -> Self {
        Self { ns: Word::known(ns), local: Word::known(local) }
    }

    /// `None` where `local` is no NCName, or `ns` is too long or holds what XML cannot.
    pub fn new(ns: &str, local: &str) -> Option<Self> {
        Self::of(Word::read(ns), local).filter(|_| ns.len() <= MAX_NAMESPACE && ns.chars().all(is_char))
    }

    /// `ns` has been checked.
    pub(super) fn of(ns: Word, local: &str) -> Option<Self> {
        is_ncname(local).then(|| Self { ns, local: Word::read(local) })
    }

    pub fn ns(&self) -> &str {
        &self.ns
    }

    pub fn local(&self) -> &str {
        &self.local
    }

    /// Both parts, to be matched on: `match name.key() { (DAV, "prop") => ... }`.
    pub fn key(&self) -> (&str, &str) {
        (&self.ns, &self.local)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{{{}}}{}", self.ns(), self.local())
    }
}
