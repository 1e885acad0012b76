//! Whatever comes in becomes an object or a fault, and whatever is asked of the object is answered.

use penfold_formats::{
    icalendar::{
        Limits, Object, Zone,
        filter::{CompFilter, TimeRange, matches},
        split,
    },
    lines::{Bounds, Lines},
};
use proptest::prelude::*;

/// Everything that can be asked of some bytes.
fn ask(bytes: &[u8]) {
    for line in Lines::new(bytes, Bounds::default()) {
        let range = line.map_or_else(|broken| broken.range, |line| line.range);
        assert!(range.end <= bytes.len() && range.start <= range.end);
    }
    let mut objects = split(bytes, &Limits::file(1 << 20)).objects;
    objects.extend(Object::read(bytes));
    let zone = Zone::named("America/New_York").unwrap();
    for object in &objects {
        let span = object.span(&zone);
        for window in [1_767_225_600..1_767_312_000, i64::MIN..i64::MAX, 5..5, span.first..span.last.unwrap_or(i64::MAX)] {
            let found = object.occurrences(window.clone(), &zone, 50).unwrap_or_default();
            assert!(found.iter().all(|one| span.first <= one.start && span.last.is_none_or(|last| one.end <= last)), "{span:?} {found:?}");
            let _ = (object.busy(window.clone(), &zone, 50), object.expand(window.clone(), &zone, 50));
            object.limit_recurrence_set(window.clone(), &zone);
            object.limit_freebusy_set(window.clone(), &zone);
            let comps = vec![CompFilter {
                name: object.kind().name().into(),
                time_range: Some(TimeRange { start: Some(window.start), end: Some(window.end) }),
                comps: vec![CompFilter { name: "VALARM".into(), time_range: Some(TimeRange::default()), ..CompFilter::default() }],
                ..CompFilter::default()
            }];
            matches(object, &CompFilter { name: "VCALENDAR".into(), comps, ..CompFilter::default() }, &zone);
        }
        // What is changed is an object again.
        assert!(Object::read(&object.without_alarms()).is_ok());
        assert!(Object::read(&object.with_alarms_of(object)).is_ok());
        assert!(Object::read(&object.with_property(0, "X-NEW", Some("X-NEW:1"))).is_ok());
    }
}

fn words() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("BEGIN:VEVENT\r\n"),
        Just("END:VEVENT\r\n"),
        Just("UID:1\r\n"),
        Just("DTSTART:20260101T120000\r\n"),
        Just("DTSTART;VALUE=DATE:20260101\r\n"),
        Just("DTSTART;TZID=Own:00010101T000000\r\n"),
        Just("DTSTART;TZID=America/New_York:99991231T235959\r\n"),
        Just("DTEND:99991231T235959Z\r\n"),
        Just("DURATION:P3999999D\r\n"),
        Just("DURATION:PT0S\r\n"),
        Just("RRULE:FREQ=DAILY\r\n"),
        Just("RRULE:FREQ=YEARLY;INTERVAL=999999999;COUNT=999999999\r\n"),
        Just("RRULE:FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD;RSCALE=GREGORIAN;UNTIL=00010101\r\n"),
        Just("RRULE:FREQ=SECONDLY;BYSETPOS=-1;INTERVAL=999999999\r\n"),
        Just("RRULE:FREQ=WEEKLY;BYDAY=SU;WKST=SU;COUNT=3\r\n"),
        Just("EXRULE:FREQ=DAILY;INTERVAL=2\r\n"),
        Just("RDATE;VALUE=PERIOD:00010101T000000Z/P3999999D,20260101T120000Z/20260101T110000Z\r\n"),
        Just("EXDATE;VALUE=DATE:20260102\r\n"),
        Just("RECURRENCE-ID;RANGE=THISANDFUTURE:20260103T120000\r\n"),
        Just("RECURRENCE-ID;VALUE=DATE:99991231\r\n"),
        Just("BEGIN:VALARM\r\nTRIGGER;RELATED=END:-P3999999D\r\nREPEAT:4294967295\r\nDURATION:P3999999D\r\nEND:VALARM\r\n"),
        Just(
            "BEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:00010101T000000\r\nRRULE:FREQ=MONTHLY\r\nTZOFFSETFROM:+2359\r\nTZOFFSETTO:-2359\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        ),
        Just("X;A=\"^n\":\r\n \r\n"),
    ];
    proptest::collection::vec(word, 1..14).prop_map(|words| words.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        ask(&bytes);
    }

    #[test]
    fn lines_by_chance(words in words()) {
        ask(format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{words}END:VCALENDAR\r\n").as_bytes());
        ask(format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n{words}END:VEVENT\r\nEND:VCALENDAR\r\n").as_bytes());
    }
}
