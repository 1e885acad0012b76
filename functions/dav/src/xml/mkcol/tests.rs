use axum::http::StatusCode;
use penfold_formats::xml::{CALDAV, DAV, Name};

use super::{Mkcol, read, read_calendar};

/// RFC 5689 §3.4.
#[test]
fn a_special_collection_says_what_it_is() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
   <D:mkcol xmlns:D="DAV:" xmlns:E="http://example.com/ns/">
     <D:set><D:prop>
         <D:resourcetype><D:collection/><E:special-resource/></D:resourcetype>
         <D:displayname>Special Resource</D:displayname>
     </D:prop></D:set>
   </D:mkcol>"#;
    let mkcol = read(body.as_bytes()).unwrap();
    let kinds = vec![Name::known(DAV, "collection"), Name::known("http://example.com/ns/", "special-resource")];
    assert_eq!(mkcol.resourcetype(), Some(kinds));
    assert_eq!(mkcol.values.last().unwrap().text(), "Special Resource");
}

/// RFC 4791 §5.3.1.2, without its time zone.
#[test]
fn a_calendar_gets_its_properties() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
   <C:mkcalendar xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
     <D:set><D:prop>
         <D:displayname>Lisa's Events</D:displayname>
         <C:calendar-description xml:lang="en">Calendar restricted to events.</C:calendar-description>
         <C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>
         <C:calendar-timezone><![CDATA[BEGIN:VCALENDAR
END:VCALENDAR
]]></C:calendar-timezone>
     </D:prop></D:set>
   </C:mkcalendar>"#;
    let mkcol = read_calendar(body.as_bytes()).unwrap();
    assert_eq!(mkcol.resourcetype(), None);
    let names: Vec<_> = mkcol.values.iter().map(|value| value.name.local()).collect();
    assert_eq!(names, ["displayname", "calendar-description", "supported-calendar-component-set", "calendar-timezone"]);
    let components = mkcol.values[2].child(CALDAV, "comp").unwrap();
    assert_eq!(components.attribute("name"), Some("VEVENT"));
    assert_eq!(mkcol.values[3].text(), "BEGIN:VCALENDAR\nEND:VCALENDAR\n");
}

#[test]
fn without_a_body_it_is_a_plain_collection_and_any_other_body_is_not_known() {
    assert_eq!(read(b""), Ok(Mkcol::default()));
    assert_eq!(read_calendar(b""), Ok(Mkcol::default()));
    assert_eq!(read(b"<other xmlns='DAV:'/>").unwrap_err().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(read_calendar(b"<mkcol xmlns='DAV:'/>").unwrap_err().status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(read(b"<mkcol xmlns='DAV:'><set/></mkcol>").unwrap_err().status(), StatusCode::BAD_REQUEST);
}

#[test]
fn what_is_said_last_of_a_property_holds() {
    let body = b"<mkcol xmlns='DAV:'><set><prop><displayname>a</displayname></prop></set><set><prop><x/><displayname>b</displayname></prop></set></mkcol>";
    let values: Vec<_> = read(body).unwrap().values.iter().map(|value| (value.name.local().to_owned(), value.text())).collect();
    assert_eq!(values, [("x".to_owned(), String::new()), ("displayname".to_owned(), "b".to_owned())]);
}
