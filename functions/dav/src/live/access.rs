//! Privileges (RFC 3744 §5, RFC 4791 §6.1) as the rights of folders are: the one is said in terms of the other.

use super::href;
use crate::path;
use crate::place::Place;
use crate::resource::{Resource, Session};
use crate::wrong::Wrong;
use penfold_formats::xml::{CALDAV, DAV, Element};
use penfold_ports::{Grantee, Rights};

/// Each privilege with what it takes; those that others are made of come after them.
const PRIVILEGES: [(&str, &str, Rights); 10] = [
    (DAV, "read", Rights::LOOKUP.and(Rights::READ)),
    (CALDAV, "read-free-busy", Rights::FREE_BUSY),
    (DAV, "write-content", Rights::WRITE),
    (DAV, "write-properties", Rights::WRITE),
    (DAV, "bind", Rights::INSERT),
    (DAV, "unbind", Rights::DELETE_ITEM.and(Rights::EXPUNGE)),
    (DAV, "read-acl", Rights::ADMINISTER),
    (DAV, "write-acl", Rights::ADMINISTER),
    (DAV, "write", Rights::WRITE.and(Rights::INSERT).and(Rights::DELETE_ITEM).and(Rights::EXPUNGE)),
    (DAV, "all", Rights::ALL),
];

/// What is told and cannot be granted by itself: it would be more than it says.
const ABSTRACT: [&str; 2] = ["write-properties", "read-acl"];

/// The privileges that rights come to, by name.
pub fn privileges_of(rights: Rights) -> Vec<(&'static str, &'static str)> {
    // Whoever reads also knows when somebody is busy.
    let rights = if rights.has(Rights::READ) { rights.and(Rights::FREE_BUSY) } else { rights };
    PRIVILEGES.iter().filter(|(_, _, needed)| rights.has(*needed)).map(|(ns, local, _)| (*ns, *local)).collect()
}

fn ace_privileges(rights: Rights) -> Vec<Element> {
    privileges_of(rights).into_iter().map(|(ns, local)| Element::known(DAV, "privilege").with(Element::known(ns, local))).collect()
}

/// The rights that privileges ask for; `None` where one of them is not known, or is told beside others only.
pub fn rights_of_privileges<'a>(names: impl Iterator<Item = (&'a str, &'a str)> + Clone) -> Option<Rights> {
    let mut rights = Rights::NONE;
    for (ns, local) in names.clone() {
        let (_, _, needed) = PRIVILEGES.iter().find(|(known_ns, known, _)| *known_ns == ns && *known == local)?;
        if ABSTRACT.contains(&local) {
            let whole = if local == "read-acl" { ["write-acl", "all"] } else { ["write", "all"] };
            if names.clone().any(|(_, other)| whole.contains(&other)) {
                continue;
            }
            return None;
        }
        // Whoever may write something there has to see that it is there, and what is in it.
        let seen = if local == "read-free-busy" { Rights::NONE } else { Rights::LOOKUP.and(Rights::READ) };
        rights = rights.and(*needed).and(seen);
    }
    Some(rights)
}

pub(super) async fn value(session: &Session, resource: &Resource, local: &str) -> Result<Option<Element>, Wrong> {
    let place = match resource {
        Resource::Collection(place) | Resource::Object(place, _) => Some(place),
        _ => None,
    };
    let owner = match resource {
        Resource::Collection(place) | Resource::Object(place, _) => Some(place.owner()),
        Resource::Home(_, owner) | Resource::Inbox(owner) | Resource::Outbox(owner) => Some(*owner),
        _ => None,
    };
    Ok(match local {
        "owner" => owner.map(|owner| Element::known(DAV, "owner").with(href(&path::principal(owner)))),
        "group" => Some(Element::known(DAV, "group")),
        "inherited-acl-set" => Some(Element::known(DAV, "inherited-acl-set")),
        "current-user-privilege-set" => Some(own_privileges(session, resource, place)),
        "supported-privilege-set" => Some(supported()),
        "acl-restrictions" => {
            Some(Element::known(DAV, "acl-restrictions").with(Element::known(DAV, "grant-only")).with(Element::known(DAV, "no-invert")))
        }
        "acl" => match place {
            // Of what lies in a folder it is the folder's.
            Some(place) if place.has(Rights::ADMINISTER) && matches!(resource, Resource::Collection(_)) => Some(acl(place).await?),
            _ => None,
        },
        _ => None,
    })
}

fn own_privileges(session: &Session, resource: &Resource, place: Option<&Place>) -> Element {
    let rights = match (place, resource) {
        // Whoever sees titles and places reads, as far as a client is concerned.
        (Some(place), _) if place.is_read() => place.rights.and(Rights::READ),
        (Some(place), _) => place.rights,
        (None, Resource::Home(_, owner) | Resource::Inbox(owner) | Resource::Outbox(owner)) if *owner == session.me() => {
            session.who.scope.rights()
        }
        _ => Rights::LOOKUP.and(Rights::READ),
    };
    let mut set = Element::known(DAV, "current-user-privilege-set");
    for privilege in ace_privileges(rights) {
        set = set.with(privilege);
    }
    let more: &[(&'static str, &'static str)] = match resource {
        Resource::Outbox(_) => &[(CALDAV, "schedule-send"), (CALDAV, "schedule-send-freebusy")],
        Resource::Inbox(_) => &[(CALDAV, "schedule-deliver"), (CALDAV, "schedule-query-freebusy")],
        _ => &[],
    };
    set = set.with(Element::known(DAV, "privilege").with(Element::known(DAV, "read-current-user-privilege-set")));
    more.iter().fold(set, |set, (ns, local)| set.with(Element::known(DAV, "privilege").with(Element::known(ns, local))))
}

/// The tree of privileges (RFC 3744 §5.3).
fn supported() -> Element {
    let leaf = |ns: &'static str, local: &'static str, what: &str| {
        Element::known(DAV, "supported-privilege")
            .with(Element::known(DAV, "privilege").with(Element::known(ns, local)))
            .with(Element::known(DAV, "description").with_text(what))
    };
    let read = leaf(DAV, "read", "Read everything").with(leaf(CALDAV, "read-free-busy", "Learn when the owner is busy"));
    let write = leaf(DAV, "write", "Write everything")
        .with(leaf(DAV, "write-content", "Replace objects"))
        .with(leaf(DAV, "write-properties", "Set properties"))
        .with(leaf(DAV, "bind", "Make objects"))
        .with(leaf(DAV, "unbind", "Remove objects"));
    let all = leaf(DAV, "all", "Everything")
        .with(read)
        .with(write)
        .with(leaf(DAV, "read-acl", "See who may do what"))
        .with(leaf(DAV, "write-acl", "Say who may do what"))
        .with(leaf(DAV, "read-current-user-privilege-set", "See what oneself may do"));
    Element::known(DAV, "supported-privilege-set").with(all)
}

async fn acl(place: &Place) -> Result<Element, Wrong> {
    let ace = |principal: Element, rights: Rights| {
        let grant = ace_privileges(rights).into_iter().fold(Element::known(DAV, "grant"), Element::with);
        Element::known(DAV, "ace").with(Element::known(DAV, "principal").with(principal)).with(grant)
    };
    let owner = Element::known(DAV, "property").with(Element::known(DAV, "owner"));
    let mut acl = Element::known(DAV, "acl").with(ace(owner, Rights::ALL).with(Element::known(DAV, "protected")));
    for (grantee, rights) in place.mailbox.folder_rights(place.folder.id).await?.list {
        let principal = match grantee.to {
            Grantee::Anyone => Element::known(DAV, "authenticated"),
            Grantee::Principal(id) => href(&path::principal(id)),
        };
        acl = acl.with(ace(principal, rights));
    }
    Ok(acl)
}
