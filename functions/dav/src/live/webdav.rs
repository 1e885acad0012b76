//! RFC 4918 §15, RFC 4331 (quota), RFC 5397 (current-user-principal), RFC 6578 (sync-token), RFC 3253 (reports).

use super::{href, text};
use crate::path::{self, Home};
use crate::place::Place;
use crate::resource::{Resource, Session};
use crate::token::{book_token, sync_token};
use crate::wrong::Wrong;
use penfold_formats::xml::{CALDAV, CARDDAV, DAV, Element, Name};
use penfold_mailbox::{Kind, Object, Since};
use penfold_types::Timestamp;

pub(super) async fn value(session: &Session, resource: &Resource, name: &Name) -> Result<Option<Element>, Wrong> {
    let object = if let Resource::Object(_, object) = resource { Some(object) } else { None };
    Ok(match name.local() {
        "resourcetype" => Some(resourcetype(resource)),
        "displayname" => displayname(session, resource).await?,
        "getetag" => match resource {
            Resource::Entry(entry) => Some(text(DAV, "getetag", &entry.etag())),
            Resource::Object(place, object) => Some(text(DAV, "getetag", &place.etag(object))),
            _ => None,
        },
        "getcontentlength" => match resource {
            // What others see of it may be shorter.
            Resource::Object(place, object) if place.is_own() => Some(text(DAV, "getcontentlength", &object.size.to_string())),
            _ => None,
        },
        "getcontenttype" => match resource {
            Resource::Object(place, object) => Some(text(DAV, "getcontenttype", media(place.folder.kind, object))),
            Resource::Entry(_) => Some(text(DAV, "getcontenttype", "text/vcard; charset=utf-8")),
            _ => None,
        },
        "getlastmodified" => object.map(|object| text(DAV, "getlastmodified", &http_date(object.modified))),
        "creationdate" => object.map(|object| text(DAV, "creationdate", &iso_date(object.made))),
        "supportedlock" => Some(Element::known(DAV, "supportedlock")),
        "lockdiscovery" => Some(Element::known(DAV, "lockdiscovery")),
        "current-user-principal" => Some(Element::new(name.clone()).with(href(&path::principal(session.me())))),
        "principal-collection-set" => Some(Element::known(DAV, "principal-collection-set").with(href(&path::principals()))),
        "principal-URL" => match resource {
            Resource::Principal(id) => Some(Element::known(DAV, "principal-URL").with(href(&path::principal(*id)))),
            _ => None,
        },
        "alternate-URI-set" | "group-member-set" | "group-membership" => {
            matches!(resource, Resource::Principal(_)).then(|| Element::new(name.clone()))
        }
        "supported-report-set" => Some(reports(resource)),
        "sync-token" => match resource {
            Resource::Book(_) => Some(text(DAV, "sync-token", &book_token(session.book_revision().await?, None))),
            Resource::Collection(place) if place.is_read() => {
                Some(text(DAV, "sync-token", &sync_token(place, Since::whole(place.folder.modseq))))
            }
            _ => None,
        },
        "quota-available-bytes" | "quota-used-bytes" => quota(session, resource, name).await?,
        "resource-id" => match resource {
            Resource::Object(_, object) => {
                Some(Element::known(DAV, "resource-id").with(href(&format!("urn:uuid:{}", uuid(object.id.as_bytes())))))
            }
            Resource::Collection(place) => {
                Some(Element::known(DAV, "resource-id").with(href(&format!("urn:uuid:{}", uuid(place.folder.id.as_bytes())))))
            }
            _ => None,
        },
        _ => None,
    })
}

fn resourcetype(resource: &Resource) -> Element {
    let element = Element::known(DAV, "resourcetype");
    let collection = |element: Element| element.with(Element::known(DAV, "collection"));
    match resource {
        Resource::Object(..) | Resource::Entry(_) | Resource::Nothing(..) => element,
        Resource::Book(_) => collection(element).with(Element::known(CARDDAV, "addressbook")),
        Resource::Principal(_) => collection(element).with(Element::known(DAV, "principal")),
        Resource::Inbox(_) => collection(element).with(Element::known(CALDAV, "schedule-inbox")),
        Resource::Outbox(_) => collection(element).with(Element::known(CALDAV, "schedule-outbox")),
        Resource::Collection(place) => match place.folder.kind {
            Kind::Events | Kind::Tasks | Kind::Notes => collection(element).with(Element::known(CALDAV, "calendar")),
            Kind::Contacts => collection(element).with(Element::known(CARDDAV, "addressbook")),
            Kind::Files | Kind::Mail | Kind::Attachments => collection(element),
        },
        Resource::Root | Resource::Principals | Resource::Homes(_) | Resource::Home(..) => collection(element),
    }
}

async fn displayname(session: &Session, resource: &Resource) -> Result<Option<Element>, Wrong> {
    let name = match resource {
        Resource::Collection(place) => shown_name(session, place).await?,
        Resource::Principal(id) => match session.card(*id).await? {
            Some(card) if card.name.is_empty() => card.address.to_string(),
            Some(card) => card.name,
            None => return Ok(None),
        },
        Resource::Home(home, _) | Resource::Homes(home) => home.as_str().to_owned(),
        Resource::Book(_) => session.book_name().await?,
        Resource::Inbox(_) => "Inbox".to_owned(),
        Resource::Outbox(_) => "Outbox".to_owned(),
        _ => return Ok(None),
    };
    Ok(Some(text(DAV, "displayname", &name)))
}

/// Of another's folder also whose it is: two of them may be called alike.
async fn shown_name(session: &Session, place: &Place) -> Result<String, Wrong> {
    if place.owner() == session.me() || place.home == Home::Files {
        return Ok(place.folder.name.clone());
    }
    let owner = session.card(place.owner()).await?;
    let whose = owner.map(|card| if card.name.is_empty() { card.address.to_string() } else { card.name });
    Ok(whose.map_or_else(|| place.folder.name.clone(), |whose| format!("{} ({whose})", place.folder.name)))
}

/// The media type that an object is sent as.
pub fn media(kind: Kind, object: &Object) -> &str {
    match kind {
        Kind::Events => "text/calendar; charset=utf-8; component=VEVENT",
        Kind::Tasks => "text/calendar; charset=utf-8; component=VTODO",
        Kind::Notes => "text/calendar; charset=utf-8; component=VJOURNAL",
        Kind::Contacts => "text/vcard; charset=utf-8",
        Kind::Files | Kind::Mail | Kind::Attachments if object.media.is_empty() => "application/octet-stream",
        Kind::Files | Kind::Mail | Kind::Attachments => &object.media,
    }
}

/// RFC 9110 §5.6.7.
pub(crate) fn http_date(time: Timestamp) -> String {
    formatted(time, "%a, %d %b %Y %H:%M:%S GMT")
}

/// RFC 3339.
pub(crate) fn iso_date(time: Timestamp) -> String {
    formatted(time, "%Y-%m-%dT%H:%M:%SZ")
}

fn formatted(time: Timestamp, how: &str) -> String {
    jiff::Timestamp::from_millisecond(time.millis()).map(|at| at.strftime(how).to_string()).unwrap_or_default()
}

fn reports(resource: &Resource) -> Element {
    let mut names: Vec<(&'static str, &'static str)> = vec![
        (DAV, "expand-property"),
        (DAV, "principal-property-search"),
        (DAV, "principal-search-property-set"),
        (DAV, "principal-match"),
        (DAV, "acl-principal-prop-set"),
    ];
    if let Resource::Book(_) = resource {
        names.extend([(DAV, "sync-collection"), (CARDDAV, "addressbook-query"), (CARDDAV, "addressbook-multiget")]);
    }
    if let Resource::Collection(place) = resource {
        names.push((DAV, "sync-collection"));
        match place.folder.kind {
            Kind::Events | Kind::Tasks | Kind::Notes => {
                names.extend([(CALDAV, "calendar-query"), (CALDAV, "calendar-multiget"), (CALDAV, "free-busy-query")]);
            }
            Kind::Contacts => names.extend([(CARDDAV, "addressbook-query"), (CARDDAV, "addressbook-multiget")]),
            _ => {}
        }
    }
    names.into_iter().fold(Element::known(DAV, "supported-report-set"), |set, (ns, local)| {
        let report = Element::known(DAV, "report").with(Element::known(ns, local));
        set.with(Element::known(DAV, "supported-report").with(report))
    })
}

async fn quota(session: &Session, resource: &Resource, name: &Name) -> Result<Option<Element>, Wrong> {
    let mailbox = match resource {
        Resource::Collection(place) if place.owner() == session.me() => place.mailbox.clone(),
        Resource::Home(_, owner) if *owner == session.me() => session.mailbox_of(*owner).await?.0,
        _ => return Ok(None),
    };
    let (used, allowed) = mailbox.usage().await?;
    let number = if name.local() == "quota-used-bytes" { used } else { allowed.saturating_sub(used) };
    Ok(Some(Element::new(name.clone()).with_text(&number.to_string())))
}

fn uuid(bytes: &[u8; 16]) -> String {
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}
