use penfold_formats::icalendar::filter::{Collation, CompFilter, ParamFilter, PropFilter, TextMatch, TimeRange};
use penfold_formats::xml::{CALDAV, DAV, Name};

use super::{CalendarQuery, Timezone};
use crate::xml::report::{Report, read};
use crate::xml::{Refused, Selection};

fn query(inner: &str) -> Result<CalendarQuery, Refused> {
    let body = format!(r#"<C:calendar-query xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">{inner}</C:calendar-query>"#);
    match read(body.as_bytes())? {
        Report::CalendarQuery(query) => Ok(query),
        other => panic!("{other:?}"),
    }
}

fn filter(inner: &str) -> Result<CompFilter, Refused> {
    query(&format!("<C:filter>{inner}</C:filter>")).map(|query| query.filter)
}

/// A filter for what is in VCALENDAR.
fn inside(comps: Vec<CompFilter>) -> CompFilter {
    comp("VCALENDAR", comps)
}

fn comp(name: &str, comps: Vec<CompFilter>) -> CompFilter {
    CompFilter { name: name.to_owned(), comps, ..CompFilter::default() }
}

fn prop(name: &str) -> PropFilter {
    PropFilter { name: name.to_owned(), ..PropFilter::default() }
}

/// RFC 4791 §7.8.1.
#[test]
fn events_in_a_range() {
    let inner = r#"<D:prop><D:getetag/><C:calendar-data/></D:prop>
     <C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">
       <C:time-range start="20060104T000000Z" end="20060105T000000Z"/>
     </C:comp-filter></C:comp-filter></C:filter>"#;
    let query = query(inner).unwrap();
    let range = TimeRange { start: Some(1_136_332_800), end: Some(1_136_419_200) };
    assert_eq!(query.filter, inside(vec![CompFilter { time_range: Some(range), ..comp("VEVENT", Vec::new()) }]));
    let Selection::These(wanted) = query.selection else { panic!("named properties") };
    assert_eq!(wanted.names, [Name::known(DAV, "getetag"), Name::known(CALDAV, "calendar-data")]);
    assert_eq!(query.timezone, None);
}

/// RFC 4791 §7.8.5: to-dos by their alarms.
#[test]
fn to_dos_by_their_alarms() {
    let inner = r#"<C:comp-filter name="VCALENDAR"><C:comp-filter name="VTODO"><C:comp-filter name="VALARM">
        <C:time-range start="20060106T100000Z"/></C:comp-filter></C:comp-filter></C:comp-filter>"#;
    let range = TimeRange { start: Some(1_136_541_600), end: None };
    let alarm = CompFilter { time_range: Some(range), ..comp("VALARM", Vec::new()) };
    assert_eq!(filter(inner), Ok(inside(vec![comp("VTODO", vec![alarm])])));
}

/// RFC 4791 §7.8.6, §7.8.7, §7.8.9.
#[test]
fn objects_by_their_properties() {
    let inner = r#"<C:comp-filter name="VCALENDAR"><C:comp-filter name="vevent">
        <C:prop-filter name="UID"><C:text-match collation="i;octet">DC6C50A017428C5216A2F1CD@example.com</C:text-match></C:prop-filter>
        <C:prop-filter name="ATTENDEE"><C:text-match>mailto:lisa@example.com</C:text-match>
          <C:param-filter name="PARTSTAT"><C:text-match negate-condition="yes">NEEDS-ACTION</C:text-match></C:param-filter></C:prop-filter>
        <C:prop-filter name="COMPLETED"><C:is-not-defined/></C:prop-filter>
        <C:prop-filter name="DTSTART"><C:time-range end="20060106T100000Z"/></C:prop-filter>
      </C:comp-filter><C:comp-filter name="VTODO"><C:is-not-defined/></C:comp-filter></C:comp-filter>"#;
    let text = |text: &str, collation, negate| Some(TextMatch { text: text.to_owned(), collation, negate });
    let partstat =
        ParamFilter { name: "PARTSTAT".to_owned(), is_not_defined: false, text_match: text("NEEDS-ACTION", Collation::AsciiCasemap, true) };
    let props = vec![
        PropFilter { text_match: text("DC6C50A017428C5216A2F1CD@example.com", Collation::Octet, false), ..prop("UID") },
        PropFilter {
            text_match: text("mailto:lisa@example.com", Collation::AsciiCasemap, false),
            params: vec![partstat],
            ..prop("ATTENDEE")
        },
        PropFilter { is_not_defined: true, ..prop("COMPLETED") },
        PropFilter { time_range: Some(TimeRange { start: None, end: Some(1_136_541_600) }), ..prop("DTSTART") },
    ];
    let event = CompFilter { props, ..comp("VEVENT", Vec::new()) };
    let none = CompFilter { is_not_defined: true, ..comp("VTODO", Vec::new()) };
    assert_eq!(filter(inner), Ok(inside(vec![event, none])));
}

#[test]
fn the_zone_of_floating_times() {
    let zone = |inner: &str| query(&format!(r#"<C:filter><C:comp-filter name="VCALENDAR"/></C:filter>{inner}"#)).unwrap().timezone;
    let object = "BEGIN:VCALENDAR\nEND:VCALENDAR\n".to_owned();
    assert_eq!(zone(&format!("<C:timezone><![CDATA[{object}]]></C:timezone>")), Some(Timezone::Object(object)));
    assert_eq!(zone("<C:timezone-id> Europe/Berlin</C:timezone-id>"), Some(Timezone::Id("Europe/Berlin".to_owned())));
}

/// RFC 4791 §7.8: CALDAV:valid-filter and CALDAV:supported-collation.
#[test]
fn what_cannot_be_is_refused_with_its_element() {
    let refused = |inner: &str, element: &str| {
        let refused = filter(inner).unwrap_err();
        assert_eq!(refused.status().as_u16(), 403, "{inner}");
        assert!(String::from_utf8(refused.body().unwrap()).unwrap().contains(element), "{inner}");
    };
    let event =
        |inner: &str| format!(r#"<C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT">{inner}</C:comp-filter></C:comp-filter>"#);
    for inner in [
        String::new(),
        r#"<C:comp-filter name="VEVENT"/>"#.to_owned(),
        r#"<C:comp-filter name="VCALENDAR"/>"#.repeat(2),
        r#"<C:comp-filter/>"#.to_owned(),
        event(r#"<C:comp-filter name="VTODO"/>"#),
        event(r#"<C:time-range/>"#),
        event(r#"<C:time-range start="20060106T100000Z" end="20060106T100000Z"/>"#),
        event(r#"<C:time-range start="20060106T100000"/>"#),
        event(r#"<C:prop-filter name="SUMMARY"><C:time-range start="20060106T100000Z"/></C:prop-filter>"#),
        event(r#"<C:is-not-defined/><C:prop-filter name="SUMMARY"/>"#),
        event(r#"<C:prop-filter name="SUMMARY"><C:is-not-defined/><C:text-match>x</C:text-match></C:prop-filter>"#),
    ] {
        refused(&inner, "<c:valid-filter/>");
    }
    refused(
        &event(r#"<C:prop-filter name="SUMMARY"><C:text-match collation="i;x">x</C:text-match></C:prop-filter>"#),
        "<c:supported-collation/>",
    );
    assert_eq!(query("").unwrap_err().status().as_u16(), 400);
    assert_eq!(filter(&event(&r#"<C:prop-filter name="UID"/>"#.repeat(60))).unwrap_err().status().as_u16(), 413);
}
