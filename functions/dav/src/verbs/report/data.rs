//! The bytes of an object as a report wants them.

use crate::wrong::Wrong;
use crate::xml::wanted::Wanted;
use bytes::Bytes;
use penfold_formats::xml::{CALDAV, CARDDAV, Element, Name};

/// The element of a name that stands for the bytes; `None` where it is none of those, or not of this sort.
pub fn shaped(name: &Name, wanted: &Wanted, bytes: &Bytes) -> Result<Option<Element>, Wrong> {
    let text = match name.key() {
        (CALDAV, "calendar-data") | (CARDDAV, "address-data") => String::from_utf8_lossy(bytes),
        _ => return Ok(None),
    };
    let _ = wanted;
    Ok(Some(Element::new(name.clone()).with_text(&text)))
}
