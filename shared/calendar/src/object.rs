//! Bytes that a client wrote, judged and described for the store; they are kept as they came.

use crate::facts::Facts;
use bytes::Bytes;
use penfold_formats::icalendar::{self, Object, What, Zone};
use penfold_formats::vcard::{self, Card};
use penfold_mailbox::{Kind, NewObject, Span, uid_hash};

/// Why bytes cannot be an object of a folder. The client has to send others.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fault {
    Calendar(icalendar::Fault),
    Card(vcard::Fault),
    /// It is one, and the folder holds other components.
    Component,
}

impl From<icalendar::Fault> for Fault {
    fn from(fault: icalendar::Fault) -> Self {
        Self::Calendar(fault)
    }
}

/// The component that objects of a folder are.
pub(crate) fn component(kind: Kind) -> Option<icalendar::Kind> {
    match kind {
        Kind::Events => Some(icalendar::Kind::Event),
        Kind::Tasks => Some(icalendar::Kind::Todo),
        Kind::Notes => Some(icalendar::Kind::Journal),
        Kind::Mail | Kind::Contacts | Kind::Files | Kind::Attachments => None,
    }
}

/// What the bytes are to be under this name in a folder of this kind.
pub fn object(kind: Kind, name: &str, bytes: Bytes) -> Result<NewObject, Fault> {
    let new = NewObject { name: name.to_owned(), bytes, uid: None, span: None, facts: Bytes::new(), media: String::new(), note: None };
    match component(kind) {
        Some(component) => timed(component, new),
        None => card(new),
    }
}

fn timed(component: icalendar::Kind, new: NewObject) -> Result<NewObject, Fault> {
    let read = Object::read(&new.bytes)?;
    if read.kind() != component {
        return Err(Fault::Component);
    }
    judge(&read)?;
    let span = read.span(&Zone::fixed(0));
    // What no search by time finds has no place in the index.
    let found = span.first != i64::MAX && span.last != Some(i64::MIN);
    let facts = Facts::of(&read, span.recurring).encode().into();
    Ok(NewObject { uid: Some(uid_hash(read.uid())), span: found.then_some(Span { first: span.first, last: span.last }), facts, ..new })
}

/// Properties that a component has once at most (RFC 5545 §3.6.1 to §3.6.3).
const SINGLE: [&str; 12] =
    ["UID", "DTSTAMP", "DTSTART", "DTEND", "DUE", "DURATION", "RECURRENCE-ID", "SEQUENCE", "STATUS", "TRANSP", "CLASS", "ORGANIZER"];

/// What the reader tolerates, and no client that reads it again should have to.
fn judge(object: &Object) -> Result<(), Fault> {
    let wrong = |line: u32, text: String| Fault::Calendar(icalendar::Fault { what: What::ValidCalendarData, line, text });
    if object.bytes().contains(&0) {
        return Err(wrong(0, "a NUL".to_owned()));
    }
    for (_, part) in object.components() {
        for name in SINGLE {
            if let Some(second) = part.all(name).nth(1) {
                return Err(wrong(second.number, format!("{name} stands there twice")));
            }
        }
    }
    Ok(())
}

fn card(new: NewObject) -> Result<NewObject, Fault> {
    if new.bytes.contains(&0) {
        return Err(Fault::Card(vcard::Fault { what: vcard::What::Syntax, line: 0 }));
    }
    let uid = Card::read(&new.bytes, vcard::Limits::default()).map_err(Fault::Card)?.uid();
    Ok(NewObject { uid: uid.as_deref().map(uid_hash), ..new })
}
