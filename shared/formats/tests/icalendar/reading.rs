//! What is an object, and what is none and why.

use penfold_formats::icalendar::{Fault, Kind, Limits, Object, What};

fn calendar(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\n{lines}\nEND:VCALENDAR\n")
}

fn fault(text: &str) -> (What, u32) {
    let Fault { what, line, .. } = Object::read(text.as_bytes()).unwrap_err();
    (what, line)
}

const EVENT: &str = "BEGIN:VEVENT\nUID:1\nDTSTART:20260101T120000Z\nEND:VEVENT";

#[test]
fn objects_are_read_and_keep_their_bytes() {
    for (kind, lines) in [
        (Kind::Event, EVENT),
        (Kind::Todo, "BEGIN:VTODO\nUID:1\nEND:VTODO"),
        (Kind::Journal, "BEGIN:VJOURNAL\nUID:1\nEND:VJOURNAL"),
        (Kind::FreeBusy, "BEGIN:VFREEBUSY\nUID:1\nEND:VFREEBUSY"),
        (
            Kind::Availability,
            "BEGIN:VAVAILABILITY\nUID:1\nBEGIN:AVAILABLE\nUID:2\nDTSTART:20260101T120000Z\nEND:AVAILABLE\nEND:VAVAILABILITY",
        ),
        (Kind::Event, "begin:vevent\r\nuid:1\r\nX-JUNK;=;a:\r\ndtstart:20260101T120000Z\r\nend:vevent\nBEGIN:X-OWN\nA:b\nEND:X-OWN\n\n"),
    ] {
        let text = format!("\u{feff}{}", calendar(lines));
        let object = Object::read(text.as_bytes()).unwrap();
        assert_eq!((object.kind(), object.uid()), (kind, "1"));
        assert_eq!(object.bytes(), text.as_bytes());
        let (_, part) = object.master().unwrap();
        let shown = &text[part.range.clone()];
        assert!(shown.to_uppercase().starts_with("BEGIN:V") && shown.trim_end().to_uppercase().ends_with(kind.name()), "{shown}");
    }
}

#[test]
fn what_is_no_object_says_where_and_why() {
    use What::*;
    let two = |second: &str| calendar(&format!("{EVENT}\n{second}"));
    for (text, what) in [
        (String::new(), (ValidCalendarData, 1)),
        ("BEGIN:VCARD\nEND:VCARD".into(), (ValidCalendarData, 1)),
        (format!("BEGIN:VCALENDAR\n{EVENT}\nEND:VCALENDAR"), (ValidCalendarData, 1)),
        (calendar(EVENT).replace("2.0", "1.0"), (ValidCalendarData, 2)),
        (calendar(&format!("METHOD:REQUEST\n{EVENT}")), (ValidCalendarObjectResource, 3)),
        (calendar(""), (ValidCalendarObjectResource, 1)),
        (format!("{}{}", calendar(EVENT), calendar(EVENT)), (ValidCalendarObjectResource, 8)),
        (two("BEGIN:VTODO\nUID:1\nEND:VTODO"), (ValidCalendarObjectResource, 7)),
        (
            two("BEGIN:VEVENT\nUID:2\nRECURRENCE-ID:20260101T120000Z\nDTSTART:20260101T120000Z\nEND:VEVENT"),
            (ValidCalendarObjectResource, 7),
        ),
        (two(EVENT), (ValidCalendarObjectResource, 7)),
        (calendar(&EVENT.replace("UID:1", "X:1")), (ValidCalendarObjectResource, 3)),
        (calendar("BEGIN:VPOLL\nUID:1\nEND:VPOLL"), (SupportedCalendarComponent, 3)),
        (calendar(&EVENT.replace("DTSTART:20260101T120000Z", "A:b")), (ValidCalendarData, 3)),
        (calendar(&EVENT.replace("20260101T120000Z", "20260230T120000Z")), (ValidCalendarData, 5)),
        (calendar(&EVENT.replace("DTSTART:20260101T120000Z", "DTSTART;TZID=Nowhere:20260101T120000")), (ValidCalendarData, 5)),
        (calendar(&EVENT.replace("END:VEVENT", "RRULE:FREQ=NEVER\nEND:VEVENT")), (ValidCalendarData, 6)),
        (calendar(&EVENT.replace("END:VEVENT", "RRULE:RSCALE=HEBREW;FREQ=YEARLY\nEND:VEVENT")), (SupportedRscale, 6)),
        (calendar(&EVENT.replace("END:VEVENT", "RRULE:FREQ=SECONDLY;BYHOUR=3;COUNT=99999999\nEND:VEVENT")), (MaxInstances, 6)),
        (calendar(&EVENT.replace("END:VEVENT", "EXDATE:tomorrow\nEND:VEVENT")), (ValidCalendarData, 6)),
        (calendar(&EVENT.replace("END:VEVENT", "DURATION:-PT1H\nEND:VEVENT")), (ValidCalendarData, 6)),
        (calendar(&EVENT.replace("UID:1", "UID:1\nthis is no line")), (ValidCalendarData, 5)),
        (calendar(&EVENT.replace("END:VEVENT", "END:VTODO")), (ValidCalendarData, 6)),
        (calendar(EVENT).replace("END:VCALENDAR\n", ""), (ValidCalendarData, 1)),
        (
            calendar(&EVENT.replace("END:VEVENT", &format!("{}END:VEVENT", "ATTENDEE:mailto:a@x.test\n".repeat(1001)))),
            (MaxAttendeesPerInstance, 1006),
        ),
        (calendar(&format!("{}{EVENT}", "BEGIN:X-A\n".repeat(20))), (ValidCalendarData, 10)),
        (calendar(&EVENT.replace("UID:1", &format!("UID:1\nX-A:{}", "a".repeat(1 << 20)))), (MaxResourceSize, 1)),
    ] {
        assert_eq!(fault(&text), what, "{}", &text[..text.len().min(300)]);
    }
    assert!(Object::read(b"BEGIN:VCALENDAR\nVERSION:2.0\nX:\xff\nEND:VCALENDAR").is_err());
    let much = calendar(&EVENT.replace("UID:1", &format!("UID:1\nX-A:{}", "a".repeat(1 << 20))));
    assert!(Object::read_within(much.as_bytes(), &Limits { octets: 10 << 20, ..Limits::default() }).is_ok());
}
