//! What others see of what somebody keeps to themselves (CLASS, RFC 5545 §3.8.1.3): when it is, and no more.

use crate::object::component;
use bytes::Bytes;
use penfold_formats::icalendar::{Object, SelectedProp, Selection, select};
use penfold_mailbox::Kind;

/// What says when something is.
const TIMES: [&str; 16] = [
    "UID",
    "DTSTAMP",
    "DTSTART",
    "DTEND",
    "DURATION",
    "DUE",
    "RRULE",
    "EXRULE",
    "RDATE",
    "EXDATE",
    "RECURRENCE-ID",
    "SEQUENCE",
    "TRANSP",
    "STATUS",
    "CLASS",
    "X-MICROSOFT-CDO-BUSYSTATUS",
];

/// Whether any part of an object is not for everybody who may read the folder.
pub fn is_private(kind: Kind, bytes: &[u8]) -> bool {
    component(kind).is_some() && Object::read(bytes).is_ok_and(|object| private(&object))
}

fn private(object: &Object) -> bool {
    // What is neither public nor known is private (RFC 5545 §3.8.1.3).
    object.components().any(|(_, part)| part.property("CLASS").is_some_and(|line| !line.value.trim().eq_ignore_ascii_case("PUBLIC")))
}

/// An object as somebody sees it who is not its owner.
pub fn for_others(kind: Kind, bytes: Bytes) -> Bytes {
    if component(kind).is_none() {
        return bytes;
    }
    match Object::read(&bytes) {
        Ok(object) if private(&object) => masked(&object).into(),
        Ok(_) => bytes,
        // What cannot be read cannot be shown in part.
        Err(_) => Bytes::new(),
    }
}

fn masked(object: &Object) -> Vec<u8> {
    let named = |names: &[&str]| Some(names.iter().map(|name| SelectedProp { name: (*name).to_owned(), novalue: false }).collect());
    let part = Selection { name: object.kind().name().to_owned(), props: named(&TIMES), comps: Some(Vec::new()) };
    let zone = Selection { name: "VTIMEZONE".to_owned(), props: None, comps: None };
    let whole = Selection { name: "VCALENDAR".to_owned(), props: named(&["VERSION", "PRODID", "CALSCALE"]), comps: Some(vec![zone, part]) };
    let mut shown = select(object.bytes(), &whole).unwrap_or_default();
    let parts: Vec<usize> = object.components().map(|(at, _)| at).collect();
    for at in parts {
        if let Ok(read) = Object::read(&shown) {
            shown = read.with_property(at, "SUMMARY", Some("SUMMARY:Busy"));
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(class: &str) -> Bytes {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nX-WR-CALNAME:secret\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\n\
             DTSTART:20260102T100000Z\r\nDURATION:PT1H\r\nRRULE:FREQ=DAILY\r\nSUMMARY:secret\r\nLOCATION:secret\r\n{class}ATTENDEE:mailto:secret@a.test\r\n\
             BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:secret\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20260103T100000Z\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260103T120000Z\r\n\
             SUMMARY:secret\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        Bytes::from(text)
    }

    #[test]
    fn of_what_is_private_only_the_times_are_seen() {
        for class in ["CLASS:PRIVATE\r\n", "CLASS:CONFIDENTIAL\r\n", "class:x-unknown\r\n"] {
            let shown = for_others(Kind::Events, event(class));
            let text = std::str::from_utf8(&shown).unwrap();
            assert!(!text.contains("secret"), "{text}");
            assert_eq!(text.matches("SUMMARY:Busy").count(), 2, "{text}");
            for kept in [
                "DTSTART:20260102T100000Z",
                "DURATION:PT1H",
                "RRULE:FREQ=DAILY",
                "RECURRENCE-ID:20260103T100000Z",
                "DTSTART:20260103T120000Z",
            ] {
                assert!(text.contains(kept), "{kept} in {text}");
            }
            assert!(Object::read(&shown).is_ok());
        }
        for class in ["", "CLASS:PUBLIC\r\n"] {
            assert_eq!(for_others(Kind::Events, event(class)), event(class));
        }
        assert_eq!(for_others(Kind::Events, Bytes::from_static(b"damaged")), Bytes::new());
    }
}
