use super::*;

const SERIES: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nX-JUNK;A=\"b\":c\r\nBEGIN:VEVENT\r\nUID:1\r\nSUMMARY:a very long line of text that its client folded wh\r\n  ere it liked\r\nDTSTART:20260105T100000Z\nRRULE:FREQ=DAILY\r\nBEGIN:VALARM\r\nTRIGGER:-PT5M\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:1\r\nRECURRENCE-ID:20260107T100000Z\r\nDTSTART:20260107T120000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
const ALARM: &str = "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nACTION:DISPLAY\r\nEND:VALARM\r\n";

fn read(text: &str) -> Object {
    Object::read(text.as_bytes()).unwrap()
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap()
}

#[test]
fn alarms_go_and_come() {
    let object = read(SERIES);
    assert_eq!(object.bytes(), SERIES.as_bytes());
    let without = SERIES.replace(ALARM, "");
    assert_eq!(text(object.without_alarms()), without);
    // Back into the same components, though the instance is written in another way.
    let zoned = without.replace("RECURRENCE-ID:20260107T100000Z", "RECURRENCE-ID;TZID=Europe/Berlin:20260107T110000");
    let both = SERIES.replace("DTSTART:20260107T120000Z\r\n", &format!("DTSTART:20260107T120000Z\r\n{}", ALARM.replace("PT5M", "PT7M")));
    let wanted = zoned.replace("RRULE:FREQ=DAILY\r\n", &format!("RRULE:FREQ=DAILY\r\n{ALARM}"));
    let wanted = wanted.replace("DTSTART:20260107T120000Z\r\n", &format!("DTSTART:20260107T120000Z\r\n{}", ALARM.replace("PT5M", "PT7M")));
    assert_eq!(text(read(&zoned).with_alarms_of(&read(&both))), wanted);
    assert_eq!(text(object.with_alarms_of(&read(&without))), without);
}

#[test]
fn one_property_changes_and_all_else_stays() {
    let object = read(SERIES);
    let folded = "SUMMARY:a very long line of text that its client folded wh\r\n  ere it liked\r\n";
    assert_eq!(text(object.with_property(0, "summary", Some("SUMMARY:short"))), SERIES.replace(folded, "SUMMARY:short\r\n"));
    assert_eq!(text(object.with_property(0, "SUMMARY", None)), SERIES.replace(folded, ""));
    let added = text(object.with_property(0, "SEQUENCE", Some("SEQUENCE:2")));
    assert_eq!(added, SERIES.replace(ALARM, &format!("SEQUENCE:2\r\n{ALARM}")));
    assert_eq!(text(object.with_property(1, "SEQUENCE", Some("SEQUENCE:2"))), SERIES.replace("T120000Z\r\n", "T120000Z\r\nSEQUENCE:2\r\n"));
    assert_eq!(text(object.with_property(9, "SEQUENCE", Some("SEQUENCE:2"))), SERIES);
}
