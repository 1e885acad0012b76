use super::*;
use crate::icalendar::{occurrences::event, value::clock};

fn at(text: &str) -> i64 {
    clock(text).unwrap().local
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap().replace("\r\n", "\n")
}

fn in_calendar(lines: &str) -> String {
    format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{lines}\nEND:VCALENDAR\n")
}

/// RFC 4791 §7.8.3 with the event of Appendix B.
#[test]
fn instances_in_utc_without_zone() {
    let zone = "BEGIN:VTIMEZONE\nTZID:US/Eastern\nBEGIN:STANDARD\nDTSTART:20001026T020000\nTZOFFSETFROM:-0400\nTZOFFSETTO:-0500\nEND:STANDARD\nEND:VTIMEZONE";
    let object = event(&format!(
        "{zone}\nBEGIN:VEVENT\nDTSTAMP:20060206T001121Z\nDTSTART;TZID=US/Eastern:20060102T120000\nDURATION:PT1H\nRRULE:FREQ=DAILY;COUNT=5
SUMMARY:Event #2\nUID:00959BC664CA650E933C892C@example.com\nEND:VEVENT
BEGIN:VEVENT\nDTSTAMP:20060206T001121Z\nDTSTART;TZID=US/Eastern:20060104T140000\nDURATION:PT1H\nRECURRENCE-ID;TZID=US/Eastern:20060104T120000
SUMMARY:Event #2 bis\nUID:00959BC664CA650E933C892C@example.com\nEND:VEVENT"
    ));
    let got = object.expand(at("20060103T000000Z")..at("20060105T000000Z"), &Zone::UTC, 10).unwrap();
    let wanted = in_calendar(
        "BEGIN:VEVENT\nDTSTAMP:20060206T001121Z\nDTSTART:20060103T170000Z\nRECURRENCE-ID:20060103T170000Z\nDURATION:PT1H
SUMMARY:Event #2\nUID:00959BC664CA650E933C892C@example.com\nEND:VEVENT
BEGIN:VEVENT\nDTSTAMP:20060206T001121Z\nDTSTART:20060104T190000Z\nRECURRENCE-ID:20060104T170000Z\nDURATION:PT1H
SUMMARY:Event #2 bis\nUID:00959BC664CA650E933C892C@example.com\nEND:VEVENT",
    );
    assert_eq!(text(got), wanted);
}

#[test]
fn instances_have_the_ends_that_they_have() {
    let expand = |lines: &str, from, to| text(event(lines).expand(at(from)..at(to), &Zone::UTC, 10).unwrap());
    let dates = expand(
        "BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260105\nDTEND;VALUE=DATE:20260107\nRRULE:FREQ=WEEKLY\nEND:VEVENT",
        "20260112",
        "20260113",
    );
    let instance = "DTSTART;VALUE=DATE:20260112\nRECURRENCE-ID;VALUE=DATE:20260112\nDTEND;VALUE=DATE:20260114";
    assert_eq!(dates, in_calendar(&format!("BEGIN:VEVENT\nUID:1\n{instance}\nEND:VEVENT")));
    // A day by the clock that has 23 hours.
    let short = expand("BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20260328T120000\nDURATION:P1D\nEND:VEVENT", "20260328", "20260329");
    assert_eq!(short, in_calendar("BEGIN:VEVENT\nUID:1\nDTSTART:20260328T110000Z\nDTEND:20260329T100000Z\nEND:VEVENT"));
    let period = expand(
        "BEGIN:VEVENT\nUID:1\nDTSTART:20260101T120000Z\nRDATE;VALUE=PERIOD:20260102T120000Z/PT2H\nEND:VEVENT",
        "20260102",
        "20260103",
    );
    let instance = "DTSTART:20260102T120000Z\nRECURRENCE-ID:20260102T120000Z\nDTEND:20260102T140000Z";
    assert_eq!(period, in_calendar(&format!("BEGIN:VEVENT\nUID:1\n{instance}\nEND:VEVENT")));
    let floating = expand("BEGIN:VEVENT\nUID:1\nDTSTART:20260101T120000\nRRULE:FREQ=DAILY\nEND:VEVENT", "20260102", "20260103");
    assert_eq!(floating, in_calendar("BEGIN:VEVENT\nUID:1\nDTSTART:20260102T120000\nRECURRENCE-ID:20260102T120000\nEND:VEVENT"));
    let task = "BEGIN:VTODO\nUID:1\nSUMMARY:some day\nEND:VTODO";
    assert_eq!(expand(task, "20260102", "20260103"), in_calendar(task));
    let due = expand("BEGIN:VTODO\nUID:1\nDUE;TZID=Europe/Berlin:20260101T120000\nEND:VTODO", "20260101", "20260103");
    let one = expand(
        "BEGIN:VTODO\nUID:1\nRECURRENCE-ID;TZID=Europe/Berlin:20260101T110000\nDUE;TZID=Europe/Berlin:20260101T120000\nEND:VTODO",
        "20260101",
        "20260103",
    );
    assert_eq!(one, in_calendar("BEGIN:VTODO\nUID:1\nRECURRENCE-ID:20260101T100000Z\nDUE:20260101T110000Z\nEND:VTODO"));
    assert_eq!(due, in_calendar("BEGIN:VTODO\nUID:1\nDUE:20260101T110000Z\nEND:VTODO"));
}

#[test]
fn overrides_that_a_window_needs() {
    let master = "BEGIN:VEVENT\nUID:1\nDTSTART:20260101T120000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEND:VEVENT\n";
    let one = |of: &str, at: &str| format!("BEGIN:VEVENT\nUID:1\nRECURRENCE-ID{of}:{at}\nDTSTART:20260301T120000Z\nEND:VEVENT\n");
    let (was, is_not, future) = (one("", "20260105T120000Z"), one("", "20260106T120000Z"), one(";RANGE=THISANDFUTURE", "20260104T120000Z"));
    let object = event(&format!("{master}{was}{is_not}{future}X-END:1"));
    let limited = |from, to| text(object.limit_recurrence_set(at(from)..at(to), &Zone::UTC));
    assert_eq!(limited("20260105", "20260106"), in_calendar(&format!("{master}{was}{future}X-END:1")));
    assert_eq!(limited("20260301", "20260302"), in_calendar(&format!("{master}{was}{is_not}{future}X-END:1")));
}

#[test]
fn busy_periods_that_a_window_needs() {
    let object = event(
        "BEGIN:VFREEBUSY\nUID:1\nFREEBUSY;FBTYPE=BUSY-TENTATIVE;X=\"a;b\":20260101T100000Z/PT1H,20260102T100000Z/PT1H\nFREEBUSY:20260103T100000Z/PT1H\nEND:VFREEBUSY",
    );
    let limited = text(object.limit_freebusy_set(at("20260102")..at("20260103"), &Zone::UTC));
    assert_eq!(
        limited,
        in_calendar("BEGIN:VFREEBUSY\nUID:1\nFREEBUSY;FBTYPE=BUSY-TENTATIVE;X=\"a;b\":20260102T100000Z/PT1H\nEND:VFREEBUSY")
    );
}

/// RFC 4791 §7.8.1.
#[test]
fn parts_of_components() {
    let object = event(
        "BEGIN:VTIMEZONE\nTZID:US/Eastern\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nDTSTART:20260101T120000Z\nSUMMARY:Event\nX-ABC:1\nBEGIN:VALARM\nTRIGGER:PT0S\nEND:VALARM\nEND:VEVENT",
    );
    let props = |names: &[(&str, bool)]| {
        Some(names.iter().map(|(name, novalue)| SelectedProp { name: (*name).into(), novalue: *novalue }).collect())
    };
    let wanted = Selection {
        name: "VCALENDAR".into(),
        props: props(&[]),
        comps: Some(vec![
            Selection { name: "VEVENT".into(), props: props(&[("UID", false), ("SUMMARY", true)]), comps: Some(vec![]) },
            Selection { name: "VTIMEZONE".into(), props: None, comps: None },
        ]),
    };
    let got = text(select(object.bytes(), &wanted).unwrap());
    assert_eq!(
        got,
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VTIMEZONE\nTZID:US/Eastern\nEND:VTIMEZONE\nBEGIN:VEVENT\nUID:1\nSUMMARY:\nEND:VEVENT\nEND:VCALENDAR\n"
    );
    let all = Selection { name: "VCALENDAR".into(), props: None, comps: None };
    assert_eq!(select(object.bytes(), &all).unwrap(), object.bytes());
}
