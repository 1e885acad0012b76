use axum::http::StatusCode;
use penfold_formats::vcard::{Selected, Version};
use penfold_formats::xml::{CALDAV, CARDDAV, DAV, Name};

use super::{
    Match, MatchType, Multiget, PrincipalMatch, PrincipalSearch, Property, Report, Search, SyncCollection, SyncLevel, TokenSearch, read,
};
use crate::xml::address_data::AddressData;
use crate::xml::calendar_data::CalendarData;
use crate::xml::{Selection, Wanted};

fn dav(local: &'static str) -> Name {
    Name::known(DAV, local)
}

fn names<const N: usize>(names: [&'static str; N]) -> Wanted {
    Wanted { names: names.map(dav).to_vec(), ..Wanted::default() }
}

fn status(body: &str) -> StatusCode {
    read(body.as_bytes()).unwrap_err().status()
}

/// RFC 6578 §3.8, §3.9.
#[test]
fn a_synchronisation_from_the_start_and_from_a_token() {
    let body = |inner: &str| {
        let body = format!(
            r#"<?xml version="1.0" encoding="utf-8" ?><D:sync-collection xmlns:D="DAV:">{inner}
            <D:prop xmlns:R="urn:ns.example.com:boxschema"><D:getetag/><R:bigbox/></D:prop></D:sync-collection>"#
        );
        read(body.as_bytes())
    };
    let wanted = Wanted { names: vec![dav("getetag"), Name::known("urn:ns.example.com:boxschema", "bigbox")], ..Wanted::default() };
    let first = SyncCollection { token: None, level: SyncLevel::One, limit: None, wanted };
    assert_eq!(body("<D:sync-token/><D:sync-level>1</D:sync-level>"), Ok(Report::SyncCollection(first.clone())));
    let later = SyncCollection { token: Some("http://example.com/ns/sync/1234".to_owned()), ..first.clone() };
    assert_eq!(body("<D:sync-token>http://example.com/ns/sync/1234</D:sync-token>"), Ok(Report::SyncCollection(later)));
    let limited = SyncCollection { level: SyncLevel::Infinite, limit: Some(7), ..first };
    let inner = "<D:sync-token/><D:sync-level>infinite</D:sync-level><D:limit><D:nresults>7</D:nresults></D:limit>";
    assert_eq!(body(inner), Ok(Report::SyncCollection(limited)));
    for wrong in [
        "<D:sync-level>1</D:sync-level>",
        "<D:sync-token/><D:sync-level>2</D:sync-level>",
        "<D:sync-token/><D:limit><D:nresults>0</D:nresults></D:limit>",
        "<D:sync-token/><D:limit/>",
    ] {
        assert_eq!(body(wrong).unwrap_err().status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
}

/// RFC 4791 §7.9.1.
#[test]
fn calendar_objects_by_name() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
   <C:calendar-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
     <D:prop><D:getetag/><C:calendar-data/></D:prop>
     <D:href>/bernard/work/abcd1.ics</D:href>
     <D:href>
       /bernard/work/mtg%201.ics</D:href>
   </C:calendar-multiget>"#;
    let wanted = Wanted {
        names: vec![dav("getetag"), Name::known(CALDAV, "calendar-data")],
        calendar_data: Some(CalendarData::default()),
        ..Wanted::default()
    };
    let hrefs = vec!["/bernard/work/abcd1.ics".to_owned(), "/bernard/work/mtg%201.ics".to_owned()];
    assert_eq!(read(body.as_bytes()), Ok(Report::CalendarMultiget(Multiget { selection: Selection::These(wanted), hrefs })));
    assert_eq!(status("<calendar-multiget xmlns='urn:ietf:params:xml:ns:caldav'/>"), StatusCode::BAD_REQUEST);
}

/// RFC 6352 §8.7.2: another version, and some properties of it.
#[test]
fn cards_by_name_in_another_version() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
   <C:addressbook-multiget xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:carddav">
     <D:prop><D:getetag/>
       <C:address-data content-type='text/vcard' version='4.0'><C:prop name="fn"/><C:prop name="X.TEL" novalue="yes"/></C:address-data>
     </D:prop>
     <D:href>/home/bernard/addressbook/vcf3.vcf</D:href>
   </C:addressbook-multiget>"#;
    let Ok(Report::AddressbookMultiget(Multiget { selection: Selection::These(wanted), .. })) = read(body.as_bytes()) else { panic!() };
    let props = vec![
        Selected { name: "FN".to_owned(), group: None, novalue: false },
        Selected { name: "TEL".to_owned(), group: Some("X".to_owned()), novalue: true },
    ];
    assert_eq!(wanted.address_data, Some(AddressData { version: Some(Version::V4), props: Some(props) }));
    for wrong in ["version='5.0'", "content-type='text/html'"] {
        let inner = format!("<d:prop><c:address-data {wrong}/></d:prop><d:href>/a</d:href>");
        let body = format!("<c:addressbook-multiget xmlns:d='DAV:' xmlns:c='{CARDDAV}'>{inner}</c:addressbook-multiget>");
        let refused = read(body.as_bytes()).unwrap_err();
        assert!(String::from_utf8(refused.body().unwrap()).unwrap().contains("<card:supported-address-data/>"), "{wrong}");
    }
}

/// RFC 4791 §7.10.1.
#[test]
fn free_and_busy_times() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
   <C:free-busy-query xmlns:C="urn:ietf:params:xml:ns:caldav">
     <C:time-range start="20060104T140000Z" end="20060105T220000Z"/>
   </C:free-busy-query>"#;
    assert_eq!(read(body.as_bytes()), Ok(Report::FreeBusyQuery(1_136_383_200..1_136_498_400)));
    assert_eq!(status("<free-busy-query xmlns='urn:ietf:params:xml:ns:caldav'/>"), StatusCode::BAD_REQUEST);
}

/// RFC 3253 §3.8.1, with the names of RFC 3744.
#[test]
fn properties_that_are_expanded() {
    let body = r#"<D:expand-property xmlns:D="DAV:"><D:property name="group-membership"><D:property name="displayname"/>
        <D:property name="calendar-home-set" namespace="urn:ietf:params:xml:ns:caldav"/></D:property></D:expand-property>"#;
    let inner = vec![
        Property { name: dav("displayname"), expand: Vec::new() },
        Property { name: Name::known(CALDAV, "calendar-home-set"), expand: Vec::new() },
    ];
    assert_eq!(read(body.as_bytes()), Ok(Report::ExpandProperty(vec![Property { name: dav("group-membership"), expand: inner }])));
    let nested = |levels: usize| {
        let open = r#"<D:property name="a">"#.repeat(levels);
        format!(r#"<D:expand-property xmlns:D="DAV:">{open}{}</D:expand-property>"#, "</D:property>".repeat(levels))
    };
    assert!(read(nested(4).as_bytes()).is_ok());
    assert_eq!(status(&nested(5)), StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(status(r#"<D:expand-property xmlns:D="DAV:"><D:property name="a b"/></D:expand-property>"#), StatusCode::BAD_REQUEST);
}

/// RFC 3744 §9.2.1, §9.3.1, §9.5.1.
#[test]
fn principals_of_a_list_and_of_a_property() {
    let body = r#"<D:acl-principal-prop-set xmlns:D="DAV:"><D:prop><D:displayname/></D:prop></D:acl-principal-prop-set>"#;
    assert_eq!(read(body.as_bytes()), Ok(Report::AclPrincipalPropSet(names(["displayname"]))));
    let body = r#"<D:principal-match xmlns:D="DAV:"><D:principal-property><D:owner/></D:principal-property></D:principal-match>"#;
    let expected = PrincipalMatch { property: Some(dav("owner")), wanted: Wanted::default() };
    assert_eq!(read(body.as_bytes()), Ok(Report::PrincipalMatch(expected)));
    let body = r#"<D:principal-match xmlns:D="DAV:"><D:self/><D:prop><D:displayname/></D:prop></D:principal-match>"#;
    assert_eq!(read(body.as_bytes()), Ok(Report::PrincipalMatch(PrincipalMatch { property: None, wanted: names(["displayname"]) })));
    assert_eq!(read(b"<principal-search-property-set xmlns='DAV:'/>"), Ok(Report::PrincipalSearchPropertySet));
}

/// RFC 3744 §9.4.2.
#[test]
fn principals_by_what_they_are_called() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
   <D:principal-property-search xmlns:D="DAV:">
     <D:property-search><D:prop><D:displayname/></D:prop><D:match>doE</D:match></D:property-search>
     <D:property-search><D:prop xmlns:B="http://www.example.com/ns/"><B:title/></D:prop><D:match match-type="starts-with">Sales</D:match></D:property-search>
     <D:prop xmlns:B="http://www.example.com/ns/"><D:displayname/></D:prop>
   </D:principal-property-search>"#;
    let search = |name, text: &str, kind| Search { properties: vec![name], wanted: Match { text: text.to_owned(), kind } };
    let expected = PrincipalSearch {
        searches: vec![
            search(dav("displayname"), "doE", MatchType::Contains),
            search(Name::known("http://www.example.com/ns/", "title"), "Sales", MatchType::StartsWith),
        ],
        any: false,
        everywhere: false,
        limit: None,
        wanted: names(["displayname"]),
    };
    assert_eq!(read(body.as_bytes()), Ok(Report::PrincipalPropertySearch(expected)));
}

/// As macOS completes an attendee.
#[test]
fn principals_by_words() {
    let body = r#"<B:calendarserver-principal-search xmlns:A="DAV:" xmlns:B="http://calendarserver.org/ns/" context="attendee">
        <B:search-token>jo</B:search-token><B:search-token> doe </B:search-token><B:limit><B:nresults>50</B:nresults></B:limit>
        <A:prop><A:displayname/></A:prop></B:calendarserver-principal-search>"#;
    let token = |text: &str| Match { text: text.to_owned(), kind: MatchType::Contains };
    let tokens = vec![token("jo"), token("doe")];
    let expected = TokenSearch { tokens, context: Some("attendee".to_owned()), limit: Some(50), wanted: names(["displayname"]) };
    assert_eq!(read(body.as_bytes()), Ok(Report::PrincipalTokenSearch(expected)));
}

/// RFC 3253 §3.6.
#[test]
fn a_report_that_is_not_known() {
    let refused = read(b"<version-tree xmlns='DAV:'/>").unwrap_err();
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    assert!(String::from_utf8(refused.body().unwrap()).unwrap().contains("<d:supported-report/>"));
    assert_eq!(status(""), StatusCode::BAD_REQUEST);
}
