//! Objects: items that have a name of their own in their folder and are replaced as a whole, such as events, contacts and
//! files. Each version is an item whose content never changes; the row under the name says which version it is now.
//!
//! | row | what |
//! |---|---|
//! | `n#F#name` | the object as it is now |
//! | `i#I` | one version, with its bytes where they are few |
//! | `u#hash(UID)F` | the name of the object with that UID in that folder |
//! | `x#F#level start object` | when it is: see [`Span`] |
//! | `y#F#name 0 viewer property` | what clients keep beside it, or beside the folder |

mod changes;
mod check;
mod collections;
mod copy;
mod feed;
mod properties;
mod put;
mod read;
mod relocate;
mod remove;
mod row;
mod span;
mod store;

pub use changes::{Became, Changes, Since};
pub(crate) use check::Objects;
pub use collections::NewCollection;
pub use feed::FED_TOGETHER;
pub use properties::{PROPERTIES, PROPERTIES_OF_OBJECT, PROPERTY_BYTES, Property, USES_OF_ATTACHMENT};
pub use put::{NewObject, Note, Put};
pub(crate) use read::in_part;
pub use relocate::Relocated;
pub use remove::Removal;
pub use row::{Mark, NAME_LIMIT, Object};
pub use span::{Hit, Span};

use penfold_types::{Error, Result};

/// The first 16 bytes of a UID's hash.
pub type UidHash = [u8; 16];

/// The hash under which a UID is looked up.
pub fn uid_hash(uid: &str) -> UidHash {
    crate::verbs::first_16(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, uid.as_bytes()).as_ref())
}

/// Whether an object, as it is when the commit is decided on, may be changed; `None`: there is none of that name.
pub type Check<'a> = &'a (dyn Fn(Option<&Object>) -> bool + Send + Sync);

/// Refuses what no object can be called.
pub(crate) fn check_object_name(name: &str) -> Result<()> {
    let fits = !name.is_empty() && name.len() <= NAME_LIMIT && name != "." && name != "..";
    if fits && !name.chars().any(|c| c.is_control() || c == '/') {
        Ok(())
    } else {
        Err(Error::invalid("an object's name has 1 to 255 bytes, no slash and no control characters"))
    }
}

pub(crate) fn no_folder() -> Error {
    Error::not_found("no such folder")
}
