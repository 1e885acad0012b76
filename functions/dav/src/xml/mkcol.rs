use penfold_formats::xml::{CALDAV, DAV, Element, Name};

use super::body::tree;
use super::proppatch::values;
use super::refused::Refused;

#[cfg(test)]
mod tests;

/// The properties that a new collection gets. All are set, or there is no collection (RFC 5689 §3, RFC 4791 §5.3.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mkcol {
    /// DAV:resourcetype among them, where it was given.
    pub values: Vec<Element>,
}

impl Mkcol {
    /// What DAV:resourcetype names, DAV:collection too. `None` where the body does not say: a plain collection.
    pub fn resourcetype(&self) -> Option<Vec<Name>> {
        let value = self.values.iter().find(|value| value.is(DAV, "resourcetype"))?;
        Some(value.elements().map(|element| element.name.clone()).collect())
    }
}

/// The body of an extended MKCOL (RFC 5689 §3). Any other body has to be refused with 415 (RFC 4918 §9.3).
pub fn read(bytes: &[u8]) -> Result<Mkcol, Refused> {
    of(bytes, DAV, "mkcol")
}

/// The body of MKCALENDAR (RFC 4791 §5.3.1, §9.2).
pub fn read_calendar(bytes: &[u8]) -> Result<Mkcol, Refused> {
    of(bytes, CALDAV, "mkcalendar")
}

fn of(bytes: &[u8], ns: &str, local: &str) -> Result<Mkcol, Refused> {
    let Some(root) = tree(bytes)? else { return Ok(Mkcol::default()) };
    if !root.is(ns, local) {
        return Err(Refused::Unsupported);
    }
    Ok(Mkcol { values: values(&root)? })
}
