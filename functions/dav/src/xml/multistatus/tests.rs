use axum::http::StatusCode;
use penfold_formats::xml::{DAV, Element, Limits, Name, read};

use super::{Multistatus, Propstats, Response, mkcol_response};
use crate::xml::Precondition;

fn text(body: Vec<u8>) -> String {
    assert!(read(&body, Limits::default()).is_ok());
    let text = String::from_utf8(body).unwrap();
    let (_, inner) = text.split_once("ical/\">").unwrap();
    inner.to_owned()
}

/// RFC 4918 §9.1.3: what was found comes first, what is missing with its own status.
#[test]
fn properties_are_told_by_status() {
    let mut props = Propstats::default();
    props.missing(Name::known("urn:x", "Random"));
    props.found(Element::known(DAV, "displayname").with_text("a & b"));
    props.missing(Name::known(DAV, "owner"));
    props.refused(Name::known(DAV, "getetag"), &Precondition::CANNOT_MODIFY_PROTECTED_PROPERTY);
    props.add(StatusCode::FAILED_DEPENDENCY, Name::known(DAV, "x"));
    let mut answer = Multistatus::new();
    answer.response(&Response::props("/a%20b/", props.clone()));
    assert_eq!(
        text(answer.finish()),
        "<d:response><d:href>/a%20b/</d:href>\
         <d:propstat><d:prop><d:displayname>a &amp; b</d:displayname></d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat>\
         <d:propstat><d:prop><x5:Random xmlns:x5=\"urn:x\"/><d:owner/></d:prop><d:status>HTTP/1.1 404 Not Found</d:status></d:propstat>\
         <d:propstat><d:prop><d:getetag/></d:prop><d:status>HTTP/1.1 403 Forbidden</d:status>\
         <d:error><d:cannot-modify-protected-property/></d:error></d:propstat>\
         <d:propstat><d:prop><d:x/></d:prop><d:status>HTTP/1.1 424 Failed Dependency</d:status></d:propstat>\
         </d:response></d:multistatus>"
    );
    props.minimal();
    let mut answer = Multistatus::new();
    answer.response(&Response::props("/", props));
    assert!(!text(answer.finish()).contains("404"));
}

/// RFC 4918 §14.24: a response has a status or a propstat, whatever was asked for.
#[test]
fn nothing_asked_for_is_an_empty_propstat() {
    let mut answer = Multistatus::new();
    answer.response(&Response::props("/", Propstats::default()));
    let expected = "<d:propstat><d:prop/><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response></d:multistatus>";
    assert!(text(answer.finish()).ends_with(expected));
}

/// RFC 6578 §3.10, §3.11: what is gone, and that there is more.
#[test]
fn a_truncated_synchronisation() {
    let mut answer = Multistatus::new();
    answer.response(&Response::status("/home/cyrusdaboo/gone.doc", StatusCode::NOT_FOUND));
    answer.response(&Response::truncated("/home/cyrusdaboo/"));
    answer.sync_token("http://example.com/ns/sync/1233");
    assert_eq!(
        text(answer.finish()),
        "<d:response><d:href>/home/cyrusdaboo/gone.doc</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>\
         <d:response><d:href>/home/cyrusdaboo/</d:href><d:status>HTTP/1.1 507 Insufficient Storage</d:status>\
         <d:error><d:number-of-matches-within-limits/></d:error></d:response>\
         <d:sync-token>http://example.com/ns/sync/1233</d:sync-token></d:multistatus>"
    );
}

/// RFC 5689 §3.5.
#[test]
fn a_collection_that_was_not_made() {
    let mut props = Propstats::default();
    props.refused(Name::known(DAV, "resourcetype"), &Precondition::VALID_RESOURCETYPE);
    props.add(StatusCode::FAILED_DEPENDENCY, Name::known(DAV, "displayname"));
    assert_eq!(
        text(mkcol_response(&Name::known(DAV, "mkcol-response"), &props)),
        "<d:propstat><d:prop><d:resourcetype/></d:prop><d:status>HTTP/1.1 403 Forbidden</d:status>\
         <d:error><d:valid-resourcetype/></d:error></d:propstat>\
         <d:propstat><d:prop><d:displayname/></d:prop><d:status>HTTP/1.1 424 Failed Dependency</d:status></d:propstat></d:mkcol-response>"
    );
}
