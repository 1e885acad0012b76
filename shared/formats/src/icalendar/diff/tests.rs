use super::*;
use crate::icalendar::{civil::write_utc, occurrences::event};

const SERIES: &str = "BEGIN:VEVENT\nUID:1\nDTSTAMP:20260101T000000Z\nSUMMARY:Plan\nDTSTART;TZID=Europe/Berlin:20260105T100000\nDURATION:PT1H\nRRULE:FREQ=WEEKLY
ORGANIZER:mailto:ann@x.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.test\nATTENDEE:mailto:eve@x.test\nEND:VEVENT";

/// Short lines of what changed.
fn told(old: Option<&str>, new: Option<&str>) -> Vec<String> {
    let (old, new) = (old.map(event), new.map(event));
    let show = |change: Change| {
        let instance = change.instance.map_or("all".to_owned(), |instance| write_utc(instance.utc));
        let status = |attendee: Option<Attendee>| attendee.map_or("-".to_owned(), |attendee| attendee.status);
        let people: Vec<String> =
            change.attendees.into_iter().map(|one| format!("{} {}>{}", one.address, status(one.was), status(one.is))).collect();
        format!("{instance} {:?} [{}] [{}]", change.what, change.properties.join(" "), people.join(", "))
    };
    diff(old.as_ref(), new.as_ref()).into_iter().map(show).collect()
}

fn with(part: &str) -> String {
    format!("{SERIES}\n{part}")
}

#[test]
fn a_series_comes_changes_and_goes() {
    let people = "[mailto:bob@x.test ->ACCEPTED, mailto:eve@x.test ->NEEDS-ACTION]";
    assert_eq!(told(None, Some(SERIES)), [format!("all Added [] {people}")]);
    assert_eq!(told(Some(SERIES), None), ["all Removed [] [mailto:bob@x.test ACCEPTED>-, mailto:eve@x.test NEEDS-ACTION>-]"]);
    assert!(told(Some(SERIES), Some(&SERIES.replace("DTSTAMP:20260101", "DTSTAMP:20260202"))).is_empty());
    let moved = SERIES.replace("T100000", "T110000").replace("mailto:eve", "MAILTO:Eve").replace("mailto:bob", "mailto:joe");
    assert_eq!(told(Some(SERIES), Some(&moved)), ["all Changed [DTSTART] [mailto:joe@x.test ->ACCEPTED, mailto:bob@x.test ACCEPTED>-]"]);
    let answered = SERIES.replace("ATTENDEE:mailto:eve", "ATTENDEE;PARTSTAT=declined:mailto:eve");
    assert_eq!(told(Some(SERIES), Some(&answered)), ["all Changed [] [mailto:eve@x.test NEEDS-ACTION>DECLINED]"]);
}

#[test]
fn instances_are_moved_cancelled_and_answered() {
    let body =
        "SUMMARY:Plan\nORGANIZER:mailto:ann@x.test\nATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@x.test\nATTENDEE:mailto:eve@x.test\nEND:VEVENT";
    let own = |start: &str| with(&format!("BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260112T090000Z\nDTSTART:{start}\nDURATION:PT1H\n{body}"));
    let (same, moved) = (own("20260112T090000Z"), own("20260112T120000Z"));
    assert!(told(Some(SERIES), Some(&same)).is_empty());
    assert_eq!(told(Some(SERIES), Some(&moved)), ["20260112T090000Z Changed [DTSTART] []"]);
    assert_eq!(told(Some(&moved), Some(SERIES)), ["20260112T090000Z Changed [DTSTART] []"]);
    let answered = same.replacen("ATTENDEE:mailto:eve", "ATTENDEE;PARTSTAT=DECLINED:mailto:eve", 2).replacen(
        "PARTSTAT=DECLINED",
        "PARTSTAT=NEEDS-ACTION",
        1,
    );
    assert_eq!(told(Some(SERIES), Some(&answered)), ["20260112T090000Z Changed [] [mailto:eve@x.test NEEDS-ACTION>DECLINED]"]);
    let excepted = SERIES.replace("RRULE", "EXDATE;TZID=Europe/Berlin:20260119T100000\nRRULE");
    let gone = "20260119T090000Z Removed [] [mailto:bob@x.test ACCEPTED>-, mailto:eve@x.test NEEDS-ACTION>-]";
    assert_eq!(told(Some(SERIES), Some(&excepted)), [gone]);
    let back = "20260119T090000Z Added [] [mailto:bob@x.test ->ACCEPTED, mailto:eve@x.test ->NEEDS-ACTION]";
    assert_eq!(told(Some(&excepted), Some(SERIES)), [back]);
    assert_eq!(told(None, Some(&excepted)).len(), 1);
}
