use axum::http::StatusCode;
use penfold_formats::xml::{DAV, Name};

use super::read;
use crate::xml::{Refused, Selection, Wanted};

const BOX: &str = "http://ns.example.com/boxschema/";

fn status(body: &str) -> StatusCode {
    read(body.as_bytes()).unwrap_err().status()
}

/// RFC 4918 §9.1.3.
#[test]
fn named_properties_come_in_the_order_of_the_request() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
     <D:propfind xmlns:D="DAV:">
       <D:prop xmlns:R="http://ns.example.com/boxschema/">
         <R:bigbox/> <R:author/> <R:DingALing/> <R:Random/> <R:author/>
       </D:prop>
     </D:propfind>"#;
    let names = ["bigbox", "author", "DingALing", "Random"].map(|local| Name::known(BOX, local)).to_vec();
    assert_eq!(read(body.as_bytes()), Ok(Selection::These(Wanted { names, ..Wanted::default() })));
}

/// RFC 4918 §9.1.4, §9.1.5, §9.1.6, and §9.1: no body is allprop.
#[test]
fn names_all_and_all_with_more() {
    assert_eq!(read(br#"<propfind xmlns="DAV:"><propname/></propfind>"#), Ok(Selection::Names));
    assert_eq!(read(br#"<D:propfind xmlns:D="DAV:"><D:allprop/></D:propfind>"#), Ok(Selection::All { include: Vec::new() }));
    assert_eq!(read(b""), Ok(Selection::All { include: Vec::new() }));
    let body = r#"<D:propfind xmlns:D="DAV:"><D:allprop/><D:include><D:supported-live-property-set/><D:supported-report-set/></D:include></D:propfind>"#;
    let include = vec![Name::known(DAV, "supported-live-property-set"), Name::known(DAV, "supported-report-set")];
    assert_eq!(read(body.as_bytes()), Ok(Selection::All { include }));
}

/// RFC 4918 §17, §A: what is not known is passed over, and then its element may be empty.
#[test]
fn what_is_not_known_is_passed_over() {
    let known = r#"<D:propfind xmlns:D="DAV:" xmlns:E="http://www.example.com/standards/props/"><D:propname/><E:leave-out>*boss*</E:leave-out></D:propfind>"#;
    assert_eq!(read(known.as_bytes()), Ok(Selection::Names));
    let unknown = r#"<D:propfind xmlns:D="DAV:" xmlns:E="http://www.example.com/standards/props/"><E:expired-props/></D:propfind>"#;
    assert_eq!(status(unknown), StatusCode::BAD_REQUEST);
}

#[test]
fn a_wrong_body_is_refused() {
    for body in [
        "<propfind xmlns='DAV:'><prop>",
        "<propfind><prop/></propfind>",
        "<d:propfind xmlns:d='DAV:'><d:prop><bar:foo xmlns:bar=''/></d:prop></d:propfind>",
        "<propfind xmlns='DAV:'><prop/><allprop/></propfind>",
        "<propfind xmlns='DAV:'><prop/><include/></propfind>",
        "<propfind xmlns='DAV:'/>",
        "x",
    ] {
        assert_eq!(status(body), StatusCode::BAD_REQUEST, "{body}");
    }
    let many: String = (0..400).map(|n| format!("<a{n}/>")).collect();
    assert_eq!(status(&format!("<propfind xmlns='DAV:'><prop>{many}</prop></propfind>")), StatusCode::PAYLOAD_TOO_LARGE);
}

/// RFC 4918 §17, with the body of the answer.
#[test]
fn entities_are_refused_with_their_element() {
    let body = r#"<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><propfind xmlns="DAV:"><prop><x>&e;</x></prop></propfind>"#;
    let refused = read(body.as_bytes()).unwrap_err();
    assert!(matches!(refused, Refused::Precondition(_)));
    assert_eq!(refused.status(), StatusCode::FORBIDDEN);
    let answer = String::from_utf8(refused.body().unwrap()).unwrap();
    assert!(answer.contains("<d:error") && answer.contains("<d:no-external-entities/></d:error>"), "{answer}");
}
