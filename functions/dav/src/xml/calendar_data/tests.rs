use penfold_formats::icalendar::{SelectedProp, Selection};
use penfold_formats::xml::{Limits, read};

use super::{CalendarData, Recurrence};
use crate::xml::Refused;

fn data(attributes: &str, inner: &str) -> Result<CalendarData, Refused> {
    let text = format!(r#"<C:calendar-data xmlns:C="urn:ietf:params:xml:ns:caldav" {attributes}>{inner}</C:calendar-data>"#);
    CalendarData::read(&read(text.as_bytes(), Limits::default()).unwrap())
}

fn prop(name: &str) -> SelectedProp {
    SelectedProp { name: name.to_owned(), novalue: false }
}

/// RFC 4791 §7.8.1.
#[test]
fn components_and_properties_are_chosen() {
    let inner = r#"<C:comp name="VCALENDAR"><C:prop name="VERSION"/>
       <C:comp name="vevent"><C:prop name="SUMMARY" novalue="yes"/><C:prop name="UID"/></C:comp>
       <C:comp name="VTODO"><C:allprop/></C:comp>
       <C:comp name="VTIMEZONE"/></C:comp>"#;
    let comp = data("", inner).unwrap().comp.unwrap();
    assert_eq!(comp.props, Some(vec![prop("VERSION")]));
    let summary = SelectedProp { name: "SUMMARY".to_owned(), novalue: true };
    let event = Selection { name: "VEVENT".to_owned(), props: Some(vec![summary, prop("UID")]), comps: Some(Vec::new()) };
    let todo = Selection { name: "VTODO".to_owned(), props: None, comps: Some(Vec::new()) };
    let zone = Selection { name: "VTIMEZONE".to_owned(), props: None, comps: None };
    assert_eq!(comp.comps, Some(vec![event, todo, zone]));
    assert_eq!(data("", ""), Ok(CalendarData::default()));
}

/// RFC 4791 §7.8.2, §7.8.3, §7.8.4.
#[test]
fn ranges_are_seconds() {
    let range = 1_136_160_000..1_136_505_600;
    let with = |local: &str| data("", &format!(r#"<C:{local} start="20060102T000000Z" end="20060106T000000Z"/>"#)).unwrap();
    assert_eq!(with("expand").recurrence, Some(Recurrence::Expand(range.clone())));
    assert_eq!(with("limit-recurrence-set").recurrence, Some(Recurrence::Limit(range.clone())));
    assert_eq!(with("limit-freebusy-set").limit_freebusy_set, Some(range));
}

#[test]
fn what_cannot_be_is_refused() {
    for inner in [
        r#"<C:expand start="20060102T000000Z"/>"#,
        r#"<C:expand start="20060102T000000Z" end="20060102T000000Z"/>"#,
        r#"<C:expand start="20060102T000000" end="20060103T000000"/>"#,
        r#"<C:expand start="20060230T000000Z" end="20060303T000000Z"/>"#,
        r#"<C:expand start="-0060102T00000Z" end="20060303T000000Z"/>"#,
        r#"<C:expand start="20060102T000000Z" end="20060103T000000Z"/><C:limit-recurrence-set start="20060102T000000Z" end="20060103T000000Z"/>"#,
        r#"<C:comp/>"#,
        r#"<C:comp name="VCALENDAR"><C:prop name=""/></C:comp>"#,
    ] {
        assert_eq!(data("", inner).unwrap_err().status().as_u16(), 400, "{inner}");
    }
    for attributes in [r#"content-type="application/calendar+json""#, r#"version="1.0""#] {
        let refused = data(attributes, "").unwrap_err();
        assert!(String::from_utf8(refused.body().unwrap()).unwrap().contains("<c:supported-calendar-data/>"));
    }
    assert!(data(r#"content-type="text/calendar" version="2.0""#, "").is_ok());
}
