//! What holds for any body: it is read, or refused with a status that tells the client to send another one.

use penfold_formats::xml::{CALDAV, CARDDAV, DAV, Element, Limits, Name, element_bytes, read};
use proptest::prelude::*;

use super::{Refused, acl, mkcol, propfind, proppatch, report};

const ROOTS: [(&str, &str); 17] = [
    (DAV, "propfind"),
    (DAV, "propertyupdate"),
    (DAV, "mkcol"),
    (CALDAV, "mkcalendar"),
    (DAV, "acl"),
    (DAV, "sync-collection"),
    (CALDAV, "calendar-query"),
    (CALDAV, "calendar-multiget"),
    (CALDAV, "free-busy-query"),
    (CARDDAV, "addressbook-query"),
    (CARDDAV, "addressbook-multiget"),
    (DAV, "expand-property"),
    (DAV, "principal-match"),
    (DAV, "principal-property-search"),
    (DAV, "principal-search-property-set"),
    (DAV, "acl-principal-prop-set"),
    (DAV, "version-tree"),
];

const INNER: [(&str, &str); 38] = [
    (DAV, "prop"),
    (DAV, "allprop"),
    (DAV, "include"),
    (DAV, "set"),
    (DAV, "remove"),
    (DAV, "ace"),
    (DAV, "invert"),
    (DAV, "principal"),
    (DAV, "grant"),
    (DAV, "deny"),
    (DAV, "privilege"),
    (DAV, "property"),
    (DAV, "href"),
    (DAV, "sync-token"),
    (DAV, "sync-level"),
    (DAV, "limit"),
    (DAV, "nresults"),
    (DAV, "property-search"),
    (DAV, "match"),
    (DAV, "self"),
    (CALDAV, "calendar-data"),
    (CALDAV, "filter"),
    (CALDAV, "comp-filter"),
    (CALDAV, "prop-filter"),
    (CALDAV, "param-filter"),
    (CALDAV, "text-match"),
    (CALDAV, "time-range"),
    (CALDAV, "is-not-defined"),
    (CALDAV, "comp"),
    (CALDAV, "prop"),
    (CALDAV, "expand"),
    (CALDAV, "timezone"),
    (CARDDAV, "address-data"),
    (CARDDAV, "filter"),
    (CARDDAV, "prop-filter"),
    (CARDDAV, "param-filter"),
    (CARDDAV, "text-match"),
    (CARDDAV, "prop"),
];

const ATTRIBUTES: [(&str, &str); 10] = [
    ("name", "VCALENDAR"),
    ("name", "X.tel"),
    ("name", "\u{e4}\u{e4}.\u{e4}"),
    ("test", "allof"),
    ("start", "20060104T000000Z"),
    ("start", "2006010\u{e4}T00000Z"),
    ("end", "20060105T000000Z"),
    ("collation", "i;octet"),
    ("match-type", "equals"),
    ("version", "4.0"),
];

fn element(names: &'static [(&'static str, &'static str)]) -> impl Strategy<Value = Element> {
    let attributes = proptest::collection::btree_map(0..ATTRIBUTES.len(), Just(()), 0..4);
    let text = prop_oneof![Just(""), Just("1"), Just(" text ")];
    (prop::sample::select(names), attributes, text).prop_map(|((ns, local), attributes, text)| {
        let mut element = Element::known(ns, local).with_text(text);
        for at in attributes.into_keys() {
            let (name, value) = ATTRIBUTES[at];
            if element.attribute(name).is_none() {
                element = element.with_attribute(Name::known("", name), value);
            }
        }
        element
    })
}

fn body() -> impl Strategy<Value = Element> {
    let inner = element(&INNER).prop_recursive(5, 30, 4, |inner| {
        (element(&INNER), proptest::collection::vec(inner, 0..4))
            .prop_map(|(element, children)| children.into_iter().fold(element, Element::with))
    });
    (element(&ROOTS), proptest::collection::vec(inner, 0..5)).prop_map(|(root, children)| children.into_iter().fold(root, Element::with))
}

fn sane<T>(outcome: Result<T, Refused>) {
    if let Err(refused) = outcome {
        assert!(refused.status().is_client_error(), "{refused}");
        assert!(refused.body().is_none_or(|body| read(&body, Limits::default()).is_ok()), "{refused}");
    }
}

proptest! {
    #[test]
    fn any_body_is_read_or_refused(body in body()) {
        let bytes = element_bytes(&body);
        sane(propfind::read(&bytes));
        sane(proppatch::read(&bytes));
        sane(mkcol::read(&bytes));
        sane(mkcol::read_calendar(&bytes));
        sane(acl::read(&bytes));
        sane(report::read(&bytes));
    }
}
