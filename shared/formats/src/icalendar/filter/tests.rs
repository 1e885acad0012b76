use super::*;
use crate::icalendar::{occurrences::event, value::clock};

fn range(text: &str) -> TimeRange {
    let (start, end) = text.split_once('/').unwrap();
    TimeRange { start: clock(start).map(|clock| clock.local), end: clock(end).map(|clock| clock.local) }
}

fn calendar(comp: CompFilter) -> CompFilter {
    CompFilter { name: "VCALENDAR".into(), comps: vec![comp], ..CompFilter::default() }
}

fn named(name: &str) -> CompFilter {
    CompFilter { name: name.into(), ..CompFilter::default() }
}

fn in_time(object: &Object, name: &str, window: &str) -> bool {
    matches(object, &calendar(CompFilter { time_range: Some(range(window)), ..named(name) }), &Zone::UTC)
}

fn alarm_in_time(object: &Object, name: &str, window: &str) -> bool {
    let alarm = CompFilter { time_range: Some(range(window)), ..named("VALARM") };
    matches(object, &calendar(CompFilter { comps: vec![alarm], ..named(name) }), &Zone::UTC)
}

#[test]
fn components_that_are_there_or_not() {
    let object = event("BEGIN:VEVENT\nUID:1\nDTSTART:20060102T120000Z\nEND:VEVENT");
    let not = |name| CompFilter { is_not_defined: true, ..named(name) };
    assert!(matches(&object, &named("VCALENDAR"), &Zone::UTC));
    assert!(matches(&object, &calendar(named("vevent")), &Zone::UTC));
    assert!(!matches(&object, &calendar(named("VTODO")), &Zone::UTC));
    assert!(matches(&object, &calendar(not("VTODO")), &Zone::UTC));
    assert!(!matches(&object, &calendar(not("VEVENT")), &Zone::UTC));
    assert!(matches(&object, &calendar(CompFilter { comps: vec![not("VALARM")], ..named("VEVENT") }), &Zone::UTC));
}

#[test]
fn events_in_time() {
    let check = |lines: &str, window: &str| in_time(&event(&format!("BEGIN:VEVENT\nUID:1\n{lines}\nEND:VEVENT")), "VEVENT", window);
    let hour = "DTSTART:20060102T120000Z\nDTEND:20060102T130000Z";
    assert!(!check(hour, "20060102T110000Z/20060102T120000Z"));
    assert!(check(hour, "20060102T110000Z/20060102T120001Z"));
    assert!(check(hour, "20060102T125959Z/"));
    assert!(!check(hour, "20060102T130000Z/"));
    assert!(check("DTSTART:20060102T120000Z", "20060102T120000Z/20060102T130000Z"));
    assert!(!check("DTSTART:20060102T120000Z", "20060102T110000Z/20060102T120000Z"));
    assert!(check("DTSTART;VALUE=DATE:20060102", "20060102T235959Z/20060103T000000Z"));
    assert!(!check("DTSTART;VALUE=DATE:20060102", "20060103T000000Z/20060104T000000Z"));
    let daily = "DTSTART:20060102T120000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY";
    for window in ["/", "20060102T000000Z/", "/20060102T120001Z", "20300701T123000Z/20300701T123001Z"] {
        assert!(check(daily, window), "{window}");
    }
    assert!(!check(daily, "/20060102T120000Z"));
    // What matches late in a long window is found as well.
    assert!(check("DTSTART:20060102T120000Z\nRDATE:20360101T000000Z", "20060103T000000Z/"));
}

#[test]
fn an_override_must_match_by_itself() {
    let object = event(
        "BEGIN:VEVENT\nUID:1\nSUMMARY:standup\nDTSTART:20060102T120000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\nEND:VEVENT
BEGIN:VEVENT\nUID:1\nSUMMARY:party\nRECURRENCE-ID:20060104T120000Z\nDTSTART:20060104T180000Z\nDURATION:PT1H\nEND:VEVENT",
    );
    let summary = |text: &str, window| {
        let text_match = Some(TextMatch { text: text.into(), ..TextMatch::default() });
        let props = vec![PropFilter { name: "SUMMARY".into(), text_match, ..PropFilter::default() }];
        matches(&object, &calendar(CompFilter { time_range: Some(range(window)), props, ..named("VEVENT") }), &Zone::UTC)
    };
    assert!(summary("Party", "20060104T000000Z/20060105T000000Z"));
    assert!(!summary("standup", "20060104T000000Z/20060105T000000Z"));
    assert!(!summary("party", "20060105T000000Z/20060106T000000Z"));
}

/// The table of §9.9, row by row.
#[test]
fn tasks_in_time() {
    let check = |lines: &str, window: &str| in_time(&event(&format!("BEGIN:VTODO\nUID:1\n{lines}\nEND:VTODO")), "VTODO", window);
    let (noon, one) = ("20060102T120000Z", "20060102T130000Z");
    for (lines, yes, no) in [
        (
            format!("DTSTART:{noon}\nDURATION:PT1H"),
            vec![format!("{one}/20060103"), "20060101/20060102T120001Z".into()],
            vec![format!("20060101/{noon}")],
        ),
        (
            format!("DTSTART:{noon}\nDUE:{one}"),
            vec!["20060102T125959Z/20060103".into(), format!("{noon}/")],
            vec![format!("{one}/"), format!("20060101/{noon}")],
        ),
        (format!("DTSTART:{noon}"), vec![format!("{noon}/{one}")], vec![format!("20060102T120001Z/{one}"), format!("/{noon}")]),
        (format!("DUE:{noon}"), vec![format!("20060101/{noon}")], vec![format!("{noon}/{one}")]),
        (format!("COMPLETED:{one}\nCREATED:{noon}"), vec![format!("20060102T123000Z/{one}"), format!("/{noon}")], vec!["20060103/".into()]),
        (format!("COMPLETED:{one}"), vec![format!("{one}/"), format!("/{one}")], vec![format!("/{noon}")]),
        (format!("CREATED:{noon}"), vec!["20200101/".into()], vec![format!("/{noon}")]),
        ("SUMMARY:some day".into(), vec!["19700101/19700102".into()], vec![]),
    ] {
        for window in yes {
            assert!(check(&lines, &window), "{lines} in {window}");
        }
        for window in no {
            assert!(!check(&lines, &window), "{lines} in {window}");
        }
    }
}

#[test]
fn journals_and_free_busy_in_time() {
    let journal = |lines: &str, window: &str| in_time(&event(&format!("BEGIN:VJOURNAL\nUID:1\n{lines}\nEND:VJOURNAL")), "VJOURNAL", window);
    assert!(journal("DTSTART;VALUE=DATE:20060102", "20060102T120000Z/20060102T130000Z"));
    assert!(!journal("DTSTART:20060102T110000Z", "20060102T120000Z/20060102T130000Z"));
    assert!(!journal("SUMMARY:never", "/"));
    let busy = |lines: &str, window: &str| in_time(&event(&format!("BEGIN:VFREEBUSY\nUID:1\n{lines}\nEND:VFREEBUSY")), "VFREEBUSY", window);
    assert!(busy("DTSTART:20060101T000000Z\nDTEND:20060103T000000Z", "20060103T000000Z/20060104T000000Z"));
    assert!(busy("FREEBUSY:20060102T100000Z/PT1H,20060105T100000Z/20060105T110000Z", "20060105T105959Z/20060106"));
    assert!(!busy("FREEBUSY:20060102T100000Z/PT1H,20060105T100000Z/PT1H", "20060102T110000Z/20060105T100000Z"));
    assert!(!busy("SUMMARY:none", "/"));
}

#[test]
fn alarms_in_time() {
    let object = |alarm: &str| {
        event(&format!(
            "BEGIN:VEVENT\nUID:1\nDTSTART:20060102T120000Z\nDURATION:PT1H\nRRULE:FREQ=WEEKLY\nBEGIN:VALARM\nACTION:DISPLAY\n{alarm}\nEND:VALARM\nEND:VEVENT"
        ))
    };
    let check = |alarm: &str, window: &str| alarm_in_time(&object(alarm), "VEVENT", window);
    assert!(check("TRIGGER:-PT15M", "20060109T114500Z/20060109T114501Z"));
    assert!(!check("TRIGGER:-PT15M", "20060109T114501Z/20060109T130000Z"));
    assert!(check("TRIGGER;RELATED=END:PT0S", "20060109T130000Z/20060109T130001Z"));
    assert!(check("TRIGGER;VALUE=DATE-TIME:20060105T000000Z", "20060105/20060106"));
    let again = "TRIGGER:-PT30M\nREPEAT:2\nDURATION:PT5M";
    assert!(check(again, "20060109T113900Z/20060109T114100Z"));
    assert!(!check(again, "20060109T114001Z/20060109T120000Z"));
    assert!(!check("ACTION:AUDIO", "/"));
}

#[test]
fn properties_and_parameters() {
    let object = event(
        "BEGIN:VEVENT\nUID:DC6C50A017428C5216A2F1CD@example.com\nDTSTART:20060102T120000Z\nSUMMARY:Bücher\\, lesen
ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:lisa@example.com\nATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.com\nEND:VEVENT",
    );
    let check = |prop: PropFilter| matches(&object, &calendar(CompFilter { props: vec![prop], ..named("VEVENT") }), &Zone::UTC);
    let text = |text: &str, collation, negate| Some(TextMatch { text: text.into(), collation, negate });
    let prop = |name: &str, text_match| PropFilter { name: name.into(), text_match, ..PropFilter::default() };
    assert!(check(prop("uid", text("dc6c50", Collation::AsciiCasemap, false))));
    assert!(!check(prop("UID", text("dc6c50", Collation::Octet, false))));
    assert!(check(prop("SUMMARY", text("BÜCHER, L", Collation::UnicodeCasemap, false))));
    assert!(!check(prop("SUMMARY", text("BÜCHER", Collation::AsciiCasemap, false))));
    assert!(check(prop("SUMMARY", text("holiday", Collation::AsciiCasemap, true))));
    assert!(!check(prop("LOCATION", text("holiday", Collation::AsciiCasemap, true))));
    assert!(check(PropFilter { is_not_defined: true, ..prop("LOCATION", None) }));
    assert!(check(PropFilter { time_range: Some(range("20060102/20060103")), ..prop("DTSTART", None) }));
    assert!(!check(PropFilter { time_range: Some(range("20060103/")), ..prop("DTSTART", None) }));
    // §7.8.7: somebody who has not answered. Both must hold of one attendee.
    let param = |value: &str| ParamFilter {
        name: "PARTSTAT".into(),
        text_match: text(value, Collation::AsciiCasemap, false),
        is_not_defined: false,
    };
    let attendee = |address: &str, value: &str| PropFilter {
        params: vec![param(value)],
        ..prop("ATTENDEE", text(address, Collation::AsciiCasemap, false))
    };
    assert!(check(attendee("mailto:lisa@example.com", "NEEDS-ACTION")));
    assert!(!check(attendee("mailto:bob@example.com", "NEEDS-ACTION")));
    let absent = ParamFilter { name: "CN".into(), is_not_defined: true, text_match: None };
    assert!(check(PropFilter { params: vec![absent], ..prop("ATTENDEE", None) }));
}
