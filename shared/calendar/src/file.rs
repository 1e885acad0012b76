//! Many objects as one file.

use bytes::Bytes;
use penfold_formats::icalendar::{self, Object};
use penfold_formats::vcard;
use penfold_mailbox::Kind;

/// All of a calendar, with its name where that may be told, or of an address book; what cannot be read is left out.
pub fn joined(kind: Kind, all: &[Bytes], name: Option<&str>) -> Vec<u8> {
    match kind {
        Kind::Contacts => vcard::join(all.iter().map(|bytes| &bytes[..])),
        _ => {
            let objects: Vec<Object> = all.iter().filter_map(|bytes| Object::read(bytes).ok()).collect();
            icalendar::join(&objects, name)
        }
    }
}
