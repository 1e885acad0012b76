use super::*;
use crate::icalendar::{fault::Limits, rule::Budget, tree, value::clock};

fn at(text: &str) -> i64 {
    clock(text).unwrap().local
}

fn embedded(text: &str) -> Zone {
    let lines = text.replace('\n', "\r\n");
    Zone::embedded(Embedded::read(&tree::read(lines.as_bytes(), &Limits::default()).unwrap()[0], &mut Budget::new(STEPS)).unwrap())
}

/// RFC 5545 §3.6.5, New York since 1967.
const NEW_YORK: &str = "BEGIN:VTIMEZONE
TZID:America/New_York
BEGIN:DAYLIGHT
DTSTART:19670430T020000
RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=-1SU;UNTIL=19730429T070000Z
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19671029T020000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU;UNTIL=20061029T060000Z
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19740106T020000
RDATE:19750223T020000
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:DAYLIGHT
DTSTART:19760425T020000
RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=-1SU;UNTIL=19860427T070000Z
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:DAYLIGHT
DTSTART:19870405T020000
RRULE:FREQ=YEARLY;BYMONTH=4;BYDAY=1SU;UNTIL=20060402T070000Z
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:DAYLIGHT
DTSTART:20070311T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU
TZOFFSETFROM:-0500
TZOFFSETTO:-0400
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:20071104T020000
RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU
TZOFFSETFROM:-0400
TZOFFSETTO:-0500
END:STANDARD
END:VTIMEZONE
";

#[test]
fn names_with_prefixes_and_of_windows() {
    let berlin = Zone::named("Europe/Berlin").unwrap();
    for name in [
        "/freeassociation.sourceforge.net/Europe/Berlin",
        "/freeassociation.sourceforge.net/Tzfile/Europe/Berlin",
        "/citadel.org/20210210_1/Europe/Berlin",
        "/softwarestudio.org/Olson_20011030_5/Europe/Berlin",
        "W. Europe Standard Time",
        "europe/berlin",
    ] {
        assert_eq!(Zone::named(name).map(|zone| zone.offset(at("20260701T000000"))), Some(7200), "{name}");
    }
    assert_eq!(berlin.name(), Some("Europe/Berlin"));
    assert_eq!(Zone::named("/x.test/1/America/Argentina/Buenos_Aires").unwrap().offset(0), -3 * 3600);
    assert!(Zone::named("UTC").unwrap().is_utc());
    for unknown in ["", "Customized Time Zone", "Etc/Unknown", "/", "///"] {
        assert_eq!(Zone::named(unknown), None, "{unknown}");
    }
}

#[test]
fn the_clock_is_changed() {
    // RFC 5545 §3.3.5: America/New_York, 2007-11-04T01:30:00 is the first of two, 2007-03-11T02:30:00 is 03:30.
    for zone in [Zone::named("America/New_York").unwrap(), embedded(NEW_YORK)] {
        assert_eq!(zone.utc(at("20071104T013000")), at("20071104T053000"), "{zone:?}");
        assert_eq!(zone.utc(at("20070311T023000")), at("20070311T073000"), "{zone:?}");
        assert_eq!(zone.local(at("20070311T073000")), at("20070311T033000"), "{zone:?}");
    }
}

#[test]
fn an_embedded_zone_agrees_with_the_database() {
    let (known, embedded) = (Zone::named("America/New_York").unwrap(), embedded(NEW_YORK));
    let mut time = at("19670501T000000");
    while time < at("20371231T000000") {
        assert_eq!(known.offset(time), embedded.offset(time), "{time}");
        let local = known.local(time);
        assert_eq!(known.utc(local), embedded.utc(local), "{local}");
        time += 1801 * 7;
    }
    for year in [2400, 2479, 2480, 2600, 3500, 9990] {
        for day in 0..365 {
            let time = (crate::icalendar::civil::day_of(year, 1, 1) + day) * DAY + 43_200;
            assert_eq!(known.offset(time), embedded.offset(time), "{year} {day}");
        }
    }
}
