use super::*;
use crate::icalendar::{
    civil::{write_local, write_utc},
    value::clock,
};

pub(crate) fn event(lines: &str) -> Object {
    let text = format!("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:test\n{lines}\nEND:VCALENDAR\n").replace('\n', "\r\n");
    Object::read(text.as_bytes()).unwrap()
}

fn at(text: &str) -> i64 {
    clock(text).unwrap().local
}

/// Starts in UTC, with the original where it is another one, and the component.
fn starts(object: &Object, from: &str, to: &str, floating: &Zone) -> Vec<String> {
    let found = object.occurrences(at(from)..at(to), floating, 1000).unwrap();
    let span = object.span(floating);
    for one in &found {
        assert!(span.first <= one.start && span.last.is_none_or(|last| one.end <= last), "{one:?} {span:?}");
    }
    let show = |one: &Occurrence| {
        let moved =
            one.recurrence_id.filter(|instance| instance.utc != one.start).map(|instance| format!(" of {}", write_utc(instance.utc)));
        format!("{}{} {}", write_utc(one.start), moved.unwrap_or_default(), one.component)
    };
    found.iter().map(show).collect()
}

#[test]
fn a_series_follows_the_clock_of_its_zone() {
    let object = event("BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20260326T100000\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEND:VEVENT");
    let found = starts(&object, "20260328T000000Z", "20260331T000000Z", &Zone::UTC);
    assert_eq!(found, ["20260328T090000Z 0", "20260329T080000Z 0", "20260330T080000Z 0"]);
    let late = object.occurrences(at("20600101")..at("20600102"), &Zone::UTC, 5).unwrap();
    assert_eq!((late.len(), write_local(late[0].start_local)), (1, "20600101T100000".to_owned()));
    assert_eq!(object.span(&Zone::UTC), Span { first: at("20260326T090000"), last: None, recurring: true });
}

#[test]
fn a_time_that_the_clock_skips_or_has_twice() {
    let object = event("BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20260328T023000\nRRULE:FREQ=DAILY\nEND:VEVENT");
    let found = starts(&object, "20260328T000000Z", "20260331T000000Z", &Zone::UTC);
    assert_eq!(found, ["20260328T013000Z 0", "20260329T013000Z 0", "20260330T003000Z 0"]);
    // The window begins exactly at the one that the clock skips.
    assert_eq!(starts(&object, "20260329T013000Z", "20260329T013001Z", &Zone::UTC), ["20260329T013000Z 0"]);
    let object =
        event("BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20261024T023000\nRRULE:FREQ=DAILY;UNTIL=20261025T003000Z\nEND:VEVENT");
    assert_eq!(starts(&object, "20261024T000000Z", "20261030T000000Z", &Zone::UTC), ["20261024T003000Z 0", "20261025T003000Z 0"]);
    // Hours that are one hour by UTC are one instance.
    let object = event("BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20260329T010000\nRRULE:FREQ=HOURLY;COUNT=4\nEND:VEVENT");
    let found = starts(&object, "20260328T000000Z", "20260331T000000Z", &Zone::UTC);
    assert_eq!(found, ["20260329T000000Z 0", "20260329T010000Z 0", "20260329T020000Z 0"]);
}

#[test]
fn a_whole_day_is_where_the_reader_is() {
    let object = event("BEGIN:VEVENT\nUID:1\nDTSTART;VALUE=DATE:20260329\nRRULE:FREQ=WEEKLY;COUNT=2\nEND:VEVENT");
    let berlin = Zone::named("Europe/Berlin").unwrap();
    let found = object.occurrences(at("20260328")..at("20260410"), &berlin, 10).unwrap();
    // The day on which the clock is changed has 23 hours.
    assert_eq!((found[0].start, found[0].end - found[0].start), (at("20260328T230000"), 23 * 3600));
    assert_eq!((found[1].start, found[1].end - found[1].start), (at("20260404T220000"), DAY));
    assert!(found[0].all_day && found[0].floating);
}

#[test]
fn days_are_nominal_and_ends_are_exact() {
    let length = |how: &str| {
        let object =
            event(&format!("BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20260321T120000\n{how}\nRRULE:FREQ=WEEKLY\nEND:VEVENT"));
        let found = object.occurrences(at("20260328T120000")..at("20260328T130000"), &Zone::UTC, 10).unwrap();
        found[0].end - found[0].start
    };
    assert_eq!(length("DURATION:P1D"), 23 * 3600);
    assert_eq!(length("DTEND;TZID=Europe/Berlin:20260322T120000"), DAY);
    assert_eq!(length("DURATION:PT24H"), DAY);
}

#[test]
fn lists_exceptions_and_overrides() {
    let object = event(
        "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20260105T100000\nDTEND;TZID=Europe/Berlin:20260105T110000
RRULE:FREQ=WEEKLY;COUNT=5\nEXDATE;TZID=Europe/Berlin:20260112T100000\nRDATE;VALUE=PERIOD:20260107T080000Z/PT3H\nRDATE:20260105T090000Z\nEND:VEVENT
BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260119T090000Z\nDTSTART:20260301T120000Z\nDURATION:PT5M\nEND:VEVENT",
    );
    let found = starts(&object, "20260101T000000Z", "20270101T000000Z", &Zone::UTC);
    assert_eq!(
        found,
        ["20260105T090000Z 0", "20260107T080000Z 0", "20260126T090000Z 0", "20260202T090000Z 0", "20260301T120000Z of 20260119T090000Z 1"]
    );
    // The override is found where it went, and not where it was.
    assert_eq!(starts(&object, "20260301T120400Z", "20260301T120500Z", &Zone::UTC).len(), 1);
    assert!(starts(&object, "20260119T000000Z", "20260120T000000Z", &Zone::UTC).is_empty());
    // A period of the list has its own length.
    assert_eq!(starts(&object, "20260107T105959Z", "20260107T110000Z", &Zone::UTC).len(), 1);
    let dates = event(
        "BEGIN:VEVENT\nUID:1\nDTSTART:20260105T100000Z\nRRULE:FREQ=DAILY;COUNT=4\nEXDATE;VALUE=DATE:20260106\nEND:VEVENT
BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;VALUE=DATE:20260107\nDTSTART:20260107T120000Z\nEND:VEVENT",
    );
    let found = starts(&dates, "20260101T000000Z", "20270101T000000Z", &Zone::UTC);
    assert_eq!(found, ["20260105T100000Z 0", "20260107T120000Z of 20260107T000000Z 1", "20260108T100000Z 0"]);
}

#[test]
fn this_and_all_that_follow() {
    let object = event(
        "BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Europe/Berlin:20260302T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY;COUNT=6\nEND:VEVENT
BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;RANGE=THISANDFUTURE:20260316T090000Z\nDTSTART;TZID=Europe/Berlin:20260317T150000\nDURATION:PT2H\nEND:VEVENT
BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260330T080000Z\nDTSTART:20260330T080000Z\nDURATION:PT1H\nEND:VEVENT",
    );
    let found = starts(&object, "20260101T000000Z", "20270101T000000Z", &Zone::UTC);
    assert_eq!(
        found,
        [
            "20260302T090000Z 0",
            "20260309T090000Z 0",
            "20260317T140000Z of 20260316T090000Z 1",
            "20260324T140000Z of 20260323T090000Z 1",
            "20260330T080000Z 2",
            "20260407T130000Z of 20260406T080000Z 1",
        ]
    );
    assert_eq!(starts(&object, "20260407T145900Z", "20260408T000000Z", &Zone::UTC).len(), 1);
}

#[test]
fn of_two_overrides_the_last_counts() {
    let own = |start: &str| format!("BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260119T090000Z\nDTSTART:{start}\nEND:VEVENT");
    let object = event(&format!("{}\n{}", own("20260119T100000Z"), own("20260119T110000Z")));
    assert_eq!(starts(&object, "20260101T000000Z", "20270101T000000Z", &Zone::UTC), ["20260119T110000Z of 20260119T090000Z 1"]);
}

#[test]
fn a_guest_of_one_instance_has_no_master() {
    let object = event("BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260119T090000Z\nDTSTART:20260119T100000Z\nEND:VEVENT");
    assert_eq!(starts(&object, "20260101T000000Z", "20270101T000000Z", &Zone::UTC), ["20260119T100000Z of 20260119T090000Z 0"]);
}

#[test]
fn tasks() {
    let due = event("BEGIN:VTODO\nUID:1\nDUE:20260119T090000Z\nEND:VTODO");
    assert_eq!(starts(&due, "20260101T000000Z", "20270101T000000Z", &Zone::UTC), ["20260119T090000Z 0"]);
    let recurring = event("BEGIN:VTODO\nUID:1\nDTSTART:20260119T090000Z\nDUE:20260119T100000Z\nRRULE:FREQ=DAILY;COUNT=2\nEND:VTODO");
    assert_eq!(starts(&recurring, "20260119T093000Z", "20260119T093001Z", &Zone::UTC), ["20260119T090000Z 0"]);
    let never = event("BEGIN:VTODO\nUID:1\nSUMMARY:some day\nEND:VTODO");
    assert_eq!(never.span(&Zone::UTC), Span { first: i64::MIN, last: None, recurring: false });
    assert!(never.occurrences(0..i64::MAX, &Zone::UTC, 10).unwrap().is_empty());
}

#[test]
fn too_many_are_refused() {
    let object = event("BEGIN:VEVENT\nUID:1\nDTSTART:19900101T000000Z\nRRULE:FREQ=SECONDLY\nEND:VEVENT");
    assert_eq!(object.occurrences(0..i64::MAX, &Zone::UTC, 100), Err(TooMany));
    assert_eq!(object.occurrences(at("20600101")..at("20600101") + 100, &Zone::UTC, 100).unwrap().len(), 100);
    assert_eq!(object.occurrences(at("20600101")..at("20600101") + 101, &Zone::UTC, 100), Err(TooMany));
    assert!(object.occurrences(i64::MIN..i64::MAX, &Zone::UTC, 100).is_err());
    assert!(object.occurrences(i64::MIN..0, &Zone::UTC, 100).unwrap().is_empty());
}
