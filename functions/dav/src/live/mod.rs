//! Live properties: those that are worked out, and that no client sets (RFC 4918 §15 and what builds on it).

mod access;
mod calendar;
mod card;
mod principal;
mod webdav;

pub use access::{privileges_of, rights_of_privileges};
pub use calendar::component;
pub(crate) use webdav::http_date;
pub use webdav::media;

use crate::resource::{Resource, Session};
use crate::wrong::Wrong;
use penfold_formats::xml::{CALDAV, CALENDARSERVER, CARDDAV, DAV, Element, Name};

/// What `allprop` shows (RFC 4918 §9.1): the properties of RFC 4918 itself.
const BASIC: [&str; 9] = [
    "creationdate",
    "displayname",
    "getcontentlength",
    "getcontenttype",
    "getetag",
    "getlastmodified",
    "lockdiscovery",
    "resourcetype",
    "supportedlock",
];

/// Names that are live somewhere, and so are kept nowhere.
const LIVE: [(&str, &[&str]); 4] = [
    (
        DAV,
        &[
            "acl",
            "acl-restrictions",
            "alternate-URI-set",
            "creationdate",
            "current-user-principal",
            "current-user-privilege-set",
            "getcontentlength",
            "getcontenttype",
            "getetag",
            "getlastmodified",
            "group",
            "group-member-set",
            "group-membership",
            "inherited-acl-set",
            "lockdiscovery",
            "owner",
            "principal-URL",
            "principal-collection-set",
            "quota-available-bytes",
            "quota-used-bytes",
            "resource-id",
            "resourcetype",
            "supported-privilege-set",
            "supported-report-set",
            "supportedlock",
            "sync-token",
        ],
    ),
    (
        CALDAV,
        &[
            "calendar-home-set",
            "calendar-user-address-set",
            "calendar-user-type",
            "managed-attachments-server-URL",
            "max-attachment-size",
            "max-attachments-per-resource",
            "max-attendees-per-instance",
            "max-date-time",
            "max-instances",
            "max-resource-size",
            "min-date-time",
            "schedule-default-calendar-URL",
            "schedule-inbox-URL",
            "schedule-outbox-URL",
            "schedule-tag",
            "supported-calendar-component-set",
            "supported-calendar-component-sets",
            "supported-calendar-data",
            "supported-collation-set",
            "timezone-service-set",
        ],
    ),
    (
        CARDDAV,
        &[
            "addressbook-home-set",
            "directory-gateway",
            "max-resource-size",
            "principal-address",
            "supported-address-data",
            "supported-collation-set",
        ],
    ),
    (CALENDARSERVER, &["created-by", "email-address-set", "getctag", "updated-by"]),
];

pub fn is_live(name: &Name) -> bool {
    LIVE.iter().any(|(ns, locals)| *ns == name.ns() && locals.contains(&name.local()))
}

/// Names for `allprop` or, with `all`, for `propname`.
pub fn names(all: bool) -> Vec<Name> {
    let every = || LIVE.iter().flat_map(|(ns, locals)| locals.iter().map(move |local| Name::known(ns, local)));
    let basic = BASIC.iter().map(|local| Name::known(DAV, local));
    if all { every().chain([Name::known(DAV, "displayname")]).collect() } else { basic.collect() }
}

/// The value of a live property; `None` where this resource has none of the name.
pub async fn value(session: &Session, resource: &Resource, name: &Name) -> Result<Option<Element>, Wrong> {
    match name.ns() {
        DAV => match webdav::value(session, resource, name).await? {
            Some(value) => Ok(Some(value)),
            None => access::value(session, resource, name.local()).await,
        },
        CALDAV => match calendar::value(session, resource, name.local()).await? {
            Some(value) => Ok(Some(value)),
            None => principal::value(session, resource, name).await,
        },
        CARDDAV => match card::value(resource, name.local()) {
            Some(value) => Ok(Some(value)),
            None => principal::value(session, resource, name).await,
        },
        CALENDARSERVER => match (name.local(), resource) {
            ("getctag", Resource::Collection(place)) => {
                let part = if place.is_seen_in_part() { "-titles" } else { "" };
                Ok(Some(text(CALENDARSERVER, "getctag", &format!("\"{}{part}\"", place.folder.modseq))))
            }
            ("getctag", Resource::Book(_)) => Ok(Some(text(CALENDARSERVER, "getctag", &format!("\"{}\"", session.book_revision().await?)))),
            _ => principal::value(session, resource, name).await,
        },
        _ => Ok(None),
    }
}

pub(crate) fn text(ns: &'static str, local: &'static str, value: &str) -> Element {
    Element::known(ns, local).with_text(value)
}

pub(crate) fn href(path: &str) -> Element {
    Element::known(DAV, "href").with_text(path)
}

pub(crate) fn hrefs(ns: &'static str, local: &'static str, paths: &[String]) -> Element {
    paths.iter().fold(Element::known(ns, local), |element, path| element.with(href(path)))
}
