//! CalDAV's own properties (RFC 4791 §5.2, RFC 6638 §9, RFC 7809 §5).

use super::{href, text};
use crate::limits;
use crate::path::{self, Home};
use crate::resource::{Resource, Session};
use crate::wrong::Wrong;
use penfold_formats::xml::{CALDAV, Element, Name};
use penfold_mailbox::{Kind, Role};

/// The component that a folder's objects hold.
pub fn component(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Events => Some("VEVENT"),
        Kind::Tasks => Some("VTODO"),
        Kind::Notes => Some("VJOURNAL"),
        _ => None,
    }
}

pub(super) async fn value(session: &Session, resource: &Resource, local: &str) -> Result<Option<Element>, Wrong> {
    if let (Resource::Home(Home::Calendars, _), "supported-calendar-component-sets") = (resource, local) {
        let sets = [Kind::Events, Kind::Tasks, Kind::Notes].into_iter().filter_map(component);
        let element = Element::known(CALDAV, "supported-calendar-component-sets");
        return Ok(Some(sets.fold(element, |element, name| element.with(components(&[name])))));
    }
    // Nothing in it: they go where the calendars are (RFC 8607 §6.1).
    if let (Resource::Home(Home::Calendars, _), "managed-attachments-server-URL") = (resource, local) {
        return Ok(Some(Element::known(CALDAV, "managed-attachments-server-URL")));
    }
    if let (Resource::Inbox(owner), "schedule-default-calendar-URL") = (resource, local) {
        let (_, folders) = session.mailbox_of(*owner).await?;
        let own = folders.with_role(Role::Calendar);
        return Ok(own.map(|own| {
            let path = format!("{}{}/", path::home(Home::Calendars, *owner), crate::xml::href::segment(&own.segment));
            Element::known(CALDAV, "schedule-default-calendar-URL").with(href(&path))
        }));
    }
    let component = match resource {
        Resource::Collection(place) | Resource::Object(place, _) => component(place.folder.kind),
        Resource::Inbox(_) => Some("VEVENT"),
        _ => None,
    };
    let Some(component) = component else { return Ok(None) };
    Ok(match local {
        "supported-calendar-component-set" => Some(match resource {
            Resource::Inbox(_) => components(&["VEVENT", "VTODO"]),
            _ => components(&[component]),
        }),
        "supported-calendar-data" => Some(Element::known(CALDAV, "supported-calendar-data").with(data("text/calendar", "2.0"))),
        "supported-collation-set" => Some(collations()),
        "max-resource-size" => Some(text(CALDAV, "max-resource-size", &limits::CALENDAR_OBJECT.to_string())),
        "max-instances" => Some(text(CALDAV, "max-instances", &limits::INSTANCES.to_string())),
        "max-attendees-per-instance" => Some(text(CALDAV, "max-attendees-per-instance", &limits::ATTENDEES.to_string())),
        "max-attachment-size" => Some(text(CALDAV, "max-attachment-size", &limits::FILE.to_string())),
        "max-attachments-per-resource" => Some(text(CALDAV, "max-attachments-per-resource", &limits::ATTACHMENTS.to_string())),
        "min-date-time" => Some(text(CALDAV, "min-date-time", "19000101T000000Z")),
        "max-date-time" => Some(text(CALDAV, "max-date-time", "21991231T235959Z")),
        _ => None,
    })
}

fn components(names: &[&str]) -> Element {
    names.iter().fold(Element::known(CALDAV, "supported-calendar-component-set"), |set, name| {
        set.with(Element::known(CALDAV, "comp").with_attribute(Name::known("", "name"), name))
    })
}

fn data(media: &str, version: &str) -> Element {
    Element::known(CALDAV, "calendar-data")
        .with_attribute(Name::known("", "content-type"), media)
        .with_attribute(Name::known("", "version"), version)
}

fn collations() -> Element {
    let all = ["i;ascii-casemap", "i;octet", "i;unicode-casemap"];
    all.iter().fold(Element::known(CALDAV, "supported-collation-set"), |set, name| set.with(text(CALDAV, "supported-collation", name)))
}
