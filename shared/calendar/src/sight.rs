//! What of an object somebody is shown: of what its owner keeps to themselves (CLASS, RFC 5545 §3.8.1.3) others see when it is, and
//! no more.

use crate::object::component;
use bytes::Bytes;
use penfold_formats::icalendar::{Component, Object, SelectedProp, Selection, select_bare};
use penfold_mailbox::Kind;

/// How much of what is in a folder somebody sees.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sight {
    /// Its owner does.
    All,
    /// All but of what is private.
    Shared,
    /// When things are, what they are called and where.
    Titles,
    /// When things are.
    Times,
}

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

/// What says beside it what it is.
const TITLES: [&str; 2] = ["SUMMARY", "LOCATION"];

/// Whether any part of an object is not for everybody who may read the folder.
pub fn is_private(kind: Kind, bytes: &[u8]) -> bool {
    component(kind).is_some() && Object::read(bytes).is_ok_and(|object| private(&object))
}

fn private(object: &Object) -> bool {
    // What is neither public nor known is private (RFC 5545 §3.8.1.3).
    object.components().any(|(_, part)| part.property("CLASS").is_some_and(|line| !line.value.trim().eq_ignore_ascii_case("PUBLIC")))
}

/// An object as somebody sees it. Nothing is left of what cannot be read and may not be shown whole.
pub fn seen(kind: Kind, bytes: Bytes, sight: Sight) -> Bytes {
    if sight == Sight::All {
        return bytes;
    }
    if component(kind).is_none() {
        return if sight == Sight::Shared { bytes } else { Bytes::new() };
    }
    match Object::read(&bytes) {
        Ok(object) if sight == Sight::Times || private(&object) => times(&object).into(),
        Ok(object) if sight == Sight::Titles => only(&object, &[&TIMES[..], &TITLES].concat()).into(),
        Ok(_) => bytes,
        Err(_) => Bytes::new(),
    }
}

/// What of a zone says how its clocks go; the rest is whatever somebody wrote beside it.
const CLOCKS: [&str; 7] = ["DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "TZNAME", "RRULE", "RDATE", "EXDATE"];
/// Parameters without which a value would be another one. All others may tell more: ALTREP where the whole text is, X- anything.
const PARAMETERS: [&str; 4] = ["VALUE", "TZID", "RANGE", "LANGUAGE"];

/// An object with these of its properties, and without alarms.
fn only(object: &Object, names: &[&str]) -> Vec<u8> {
    let named = |names: &[&str]| Some(names.iter().map(|name| SelectedProp { name: (*name).to_owned(), novalue: false }).collect());
    let part = |name: &str, props: &[&str], comps| Selection { name: name.to_owned(), props: named(props), comps: Some(comps) };
    let clocks = ["STANDARD", "DAYLIGHT"].map(|name| part(name, &CLOCKS, Vec::new())).to_vec();
    let inner = vec![part("VTIMEZONE", &["TZID"], clocks), part(object.kind().name(), names, Vec::new())];
    let whole = part("VCALENDAR", &["VERSION", "PRODID", "CALSCALE"], inner);
    select_bare(object.bytes(), &whole, &PARAMETERS).unwrap_or_default()
}

fn times(object: &Object) -> Vec<u8> {
    let shown = only(object, &TIMES);
    Object::read(&shown).map(|read| read.with_property_of_each(title)).unwrap_or_default()
}

/// What stands where the title would.
fn title(part: &Component) -> &'static str {
    let is = |name, value: &str| part.property(name).is_some_and(|line| line.value.trim().eq_ignore_ascii_case(value));
    if is("TRANSP", "TRANSPARENT") {
        "SUMMARY:Free"
    } else if is("STATUS", "TENTATIVE") {
        "SUMMARY:Tentative"
    } else {
        "SUMMARY:Busy"
    }
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
    fn titles_and_places_are_told_to_who_may_know_them_and_nothing_else() {
        let public = String::from_utf8(event("").to_vec())
            .unwrap()
            .replacen("SUMMARY:secret", "SUMMARY:lunch", 2)
            .replace("LOCATION:secret", "LOCATION:roof");
        let titles = seen(Kind::Events, Bytes::from(public.clone()), Sight::Titles);
        let text = std::str::from_utf8(&titles).unwrap();
        assert!(!text.contains("secret") && !text.contains("VALARM"), "{text}");
        assert_eq!(text.matches("SUMMARY:lunch").count(), 2, "{text}");
        assert!(text.contains("LOCATION:roof") && Object::read(&titles).is_ok(), "{text}");
        let free = public.replace("RRULE:FREQ=DAILY\r\n", "RRULE:FREQ=DAILY\r\nTRANSP:TRANSPARENT\r\n");
        let times = seen(Kind::Events, Bytes::from(free), Sight::Times);
        let text = std::str::from_utf8(&times).unwrap();
        assert!(!text.contains("lunch") && !text.contains("roof") && !text.contains("secret"), "{text}");
        assert!(text.contains("SUMMARY:Free") && text.contains("SUMMARY:Busy"), "{text}");
        let private = seen(Kind::Events, event("CLASS:PRIVATE\r\n"), Sight::Titles);
        assert!(!std::str::from_utf8(&private).unwrap().contains("secret"));
        assert_eq!(seen(Kind::Contacts, Bytes::from_static(b"card"), Sight::Titles), Bytes::new());
    }

    #[test]
    fn no_parameter_and_no_zone_tells_more_than_what_it_stands_at() {
        let zone = "BEGIN:VTIMEZONE\r\nTZID:Own\r\nX-LIC-LOCATION:secret\r\nCOMMENT:secret\r\nTZURL:https://secret.test/\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\n\
                    TZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nCOMMENT:secret\r\nEND:STANDARD\r\nX-MORE:secret\r\nEND:VTIMEZONE\r\n";
        let lines = "BEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20260101T000000Z\r\nDTSTART;X-NOTE=secret;TZID=Own:20260102T100000\r\nRRULE:FREQ=DAILY\r\n\
                     SUMMARY;ALTREP=\"https://secret.test/?a;b\";LANGUAGE=de:Mittag\\, Dach\r\nLOCATION;X-PIN=\"sec\r\n ret\":Dach\r\nEND:VEVENT\r\n\
                     BEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID;RANGE=THISANDFUTURE;X-NOTE=secret;TZID=Own:20260103T100000\r\nDTSTART;VALUE=DATE-TIME;TZID=Own:20260103T120000\r\n\
                     END:VEVENT\r\n";
        let event = Bytes::from(format!("BEGIN:VCALENDAR\r\nVERSION;X-NOTE=secret:2.0\r\n{zone}{lines}END:VCALENDAR\r\n"));
        for sight in [Sight::Titles, Sight::Times] {
            let shown = seen(Kind::Events, event.clone(), sight);
            let text = String::from_utf8(shown.to_vec()).unwrap().replace("\r\n ", "");
            assert!(!text.contains("secret") && !text.contains("ALTREP"), "{text}");
            let read = Object::read(&shown).unwrap();
            let when =
                |object: &Object| object.occurrences(1_767_300_000..1_767_700_000, &penfold_formats::icalendar::Zone::UTC, 100).unwrap();
            assert_eq!(when(&read), when(&Object::read(&event).unwrap()), "{text}");
            assert_eq!(text.contains("SUMMARY;LANGUAGE=de:Mittag\\, Dach\r\nLOCATION:Dach\r\n"), sight == Sight::Titles, "{text}");
        }
    }

    #[test]
    fn of_what_is_private_only_the_times_are_seen() {
        for class in ["CLASS:PRIVATE\r\n", "CLASS:CONFIDENTIAL\r\n", "class:x-unknown\r\n"] {
            let shown = seen(Kind::Events, event(class), Sight::Shared);
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
            assert_eq!(seen(Kind::Events, event(class), Sight::Shared), event(class));
        }
        assert_eq!(seen(Kind::Events, Bytes::from_static(b"damaged"), Sight::Shared), Bytes::new());
    }
}
