//! Events, tasks, contacts and notes as items of the one store.

use bytes::Bytes;
use penfold_mailbox::{Kind, NewObject};

/// Why bytes cannot be an object.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    Data(String),
    Object(String),
    Component,
    Instances,
    Attendees,
    Size,
}

pub fn object(_kind: Kind, name: &str, bytes: Bytes) -> Result<NewObject, Fault> {
    Ok(NewObject { name: name.to_owned(), bytes, uid: None, span: None, facts: Bytes::new(), media: String::new() })
}

pub fn joined(_kind: Kind, _all: &[Bytes]) -> Vec<u8> {
    Vec::new()
}
