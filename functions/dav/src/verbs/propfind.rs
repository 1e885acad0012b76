//! PROPFIND (RFC 4918 §9.1).

use super::multistatus;
use super::report::shaped;
use super::zone::Definitions;
use crate::call::{Call, Depth};
use crate::limits;
use crate::live;
use crate::path::Home;
use crate::place::{Place, Stored};
use crate::resource::{Resource, Session};
use crate::wrong::Wrong;
use crate::xml::{Multistatus, Precondition, Propstats, Selection, Wanted, multistatus::Response as Answer, propfind as body};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use penfold_formats::icalendar::Zone;
use penfold_formats::xml::{self, CALDAV, CARDDAV, DAV, Limits, Name};
use penfold_ports::Rights;
use std::collections::BTreeMap;

/// What is asked of each resource.
#[derive(Clone)]
pub struct Asked {
    pub selection: Selection,
    /// What is not there is not told.
    pub little: bool,
    /// Nothing is told but that it is there.
    pub by_status: bool,
    /// In which zone times that name none are read.
    pub floating: Zone,
    pub definitions: Definitions,
}

impl Asked {
    pub fn new(selection: Selection, little: bool) -> Self {
        Self { selection, little, by_status: false, floating: Zone::fixed(0), definitions: Definitions::default() }
    }

    /// As the headers of a request say.
    pub fn of(call: &Call, selection: Selection) -> Self {
        Self { definitions: Definitions::wanted(&call.headers), ..Self::new(selection, call.wants_little()) }
    }

    /// The same for which resources are meant, where no property of theirs is asked for (RFC 3744 §9.3.1).
    pub fn matching(call: &Call, wanted: Wanted) -> Self {
        Self { by_status: wanted.names.is_empty(), ..Self::of(call, Selection::These(wanted)) }
    }

    fn answer(&self, href: String, found: Propstats) -> Answer {
        if self.by_status { Answer::status(href, StatusCode::OK) } else { Answer::props(href, found) }
    }

    /// Whether the bytes of objects are among it.
    pub fn wants_data(&self) -> bool {
        match &self.selection {
            Selection::These(wanted) => wanted.calendar_data.is_some() || wanted.address_data.is_some(),
            _ => false,
        }
    }

    /// Whether properties that clients set may be among it.
    pub fn wants_stored(&self) -> bool {
        match &self.selection {
            Selection::All { .. } | Selection::Names => true,
            Selection::These(wanted) => wanted.names.iter().any(|name| !live::is_live(name) && !is_data(name)),
        }
    }
}

fn is_data(name: &Name) -> bool {
    matches!(name.key(), (CALDAV, "calendar-data") | (CARDDAV, "address-data"))
}

/// What a property of a name is kept under.
pub fn key(name: &Name) -> Vec<u8> {
    format!("{}\n{}", name.ns(), name.local()).into_bytes()
}

fn name_of(key: &[u8]) -> Option<Name> {
    let (ns, local) = std::str::from_utf8(key).ok()?.split_once('\n')?;
    Name::new(ns, local)
}

pub async fn propfind(call: Call) -> Result<Response, Wrong> {
    let asked = Asked::of(&call, body::read(&call.xml()?)?);
    let resource = call.resource().await?;
    if matches!(resource, Resource::Nothing(..)) {
        return Err(Wrong::MISSING);
    }
    let depth = match (call.depth()?, &resource) {
        (_, Resource::Object(..) | Resource::Entry(_)) => Depth::Zero,
        (None | Some(Depth::Infinity), _) => return Err(Precondition::PROPFIND_FINITE_DEPTH.into()),
        (Some(depth), _) => depth,
    };
    let mut out = Multistatus::new();
    // The root answers by the path that it was asked under.
    let href = if matches!(resource, Resource::Root) && call.path == "/" { call.path.clone() } else { resource.href() };
    tell_as(href, &call.session, &resource, &asked, &mut out).await?;
    if depth == Depth::One {
        members(&call.session, &resource, &asked, &mut out).await?;
    }
    Ok(multistatus(out))
}

/// One resource.
pub async fn tell(session: &Session, resource: &Resource, asked: &Asked, out: &mut Multistatus) -> Result<(), Wrong> {
    tell_as(resource.href(), session, resource, asked, out).await
}

async fn tell_as(href: String, session: &Session, resource: &Resource, asked: &Asked, out: &mut Multistatus) -> Result<(), Wrong> {
    let stored = stored(session, resource, asked).await?;
    out.response(&asked.answer(href, propstats(session, resource, asked, (&stored, None)).await?));
    Ok(())
}

async fn members(session: &Session, resource: &Resource, asked: &Asked, out: &mut Multistatus) -> Result<(), Wrong> {
    let me = session.me();
    let inner: Vec<Resource> = match resource {
        Resource::Root => std::iter::once(Resource::Principals).chain(Home::ALL.map(Resource::Homes)).collect(),
        Resource::Principals => vec![Resource::Principal(me)],
        Resource::Homes(Home::Files) => vec![session.resource(&crate::path::home(Home::Files, me)).await?],
        Resource::Homes(home) => vec![Resource::Home(*home, me)],
        Resource::Home(home, owner) => {
            let mut all: Vec<Resource> = session.in_home(*home, *owner).await?.into_iter().map(Resource::Collection).collect();
            if *home == Home::Calendars && *owner == me {
                all.extend([Resource::Inbox(me), Resource::Outbox(me)]);
            }
            if *home == Home::AddressBooks && *owner == me {
                all.push(Resource::Book(me));
            }
            all
        }
        Resource::Book(_) => return super::report::book::members(session, asked, out).await,
        Resource::Collection(place) => {
            for inner in session.folders_in(place).await? {
                tell(session, &Resource::Collection(inner), asked, out).await?;
                if out.octets() > limits::ANSWER {
                    out.response(&Answer::truncated(place.href.clone()));
                    return Ok(());
                }
            }
            if !objects(session, place, asked, out).await? {
                out.response(&Answer::truncated(place.href.clone()));
            }
            return Ok(());
        }
        _ => Vec::new(),
    };
    for one in &inner {
        tell(session, one, asked, out).await?;
    }
    Ok(())
}

/// All that lies in a folder and is no folder; false where that was cut off.
pub async fn objects(session: &Session, place: &Place, asked: &Asked, out: &mut Multistatus) -> Result<bool, Wrong> {
    if !place.is_read() {
        return Ok(true);
    }
    let none = Stored::new();
    let (mut after, mut told): (Option<String>, usize) = (None, 0);
    loop {
        let (page, more) = place.mailbox.objects(place.folder.id, after.as_deref(), 1000).await?;
        let ends = page.first().zip(page.last()).filter(|_| asked.wants_stored() && place.has(Rights::READ));
        let stored = match ends {
            Some((first, last)) => {
                let all = place.mailbox.properties_of_objects(place.folder.id, &first.name, &last.name).await?;
                place.shown(&page, all).await?
            }
            None => BTreeMap::new(),
        };
        after = page.last().map(|object| object.name.clone());
        for object in page {
            told += 1;
            if told > limits::MEMBERS || out.octets() > limits::ANSWER {
                return Ok(false);
            }
            let stored = stored.get(&object.name).unwrap_or(&none);
            let resource = Resource::Object(place.clone(), object);
            out.response(&asked.answer(resource.href(), propstats(session, &resource, asked, (stored, None)).await?));
        }
        if !more {
            return Ok(true);
        }
    }
}

/// What clients set for a resource, where it can be among what is asked.
pub async fn stored(session: &Session, resource: &Resource, asked: &Asked) -> Result<Stored, Wrong> {
    match resource {
        Resource::Inbox(owner) if asked.wants_stored() => {
            let place = match super::availability::place(session, *owner).await {
                Err(wrong) if wrong.status() == axum::http::StatusCode::NOT_FOUND => return Ok(Stored::new()),
                place => place?,
            };
            let mut all = place.mailbox.properties(place.folder.id, "").await?;
            all.retain(|own, _| *own == key(&super::availability::NAME));
            Ok(all)
        }
        Resource::Collection(place) if asked.wants_stored() && place.is_read() => {
            let mut all = place.mailbox.properties(place.folder.id, "").await?;
            // It is of the inbox, and only kept here.
            all.remove(&key(&super::availability::NAME));
            Ok(all)
        }
        Resource::Object(place, object) if asked.wants_stored() && place.has(Rights::READ) => {
            let own = place.mailbox.properties(place.folder.id, &object.name).await?;
            let all = BTreeMap::from([(object.name.clone(), own)]);
            Ok(place.shown(std::slice::from_ref(object), all).await?.remove(&object.name).unwrap_or_default())
        }
        _ => Ok(Stored::new()),
    }
}

/// The properties of one resource, as they were asked for: from what clients set, and its bytes where those are at hand.
pub async fn propstats(
    session: &Session,
    resource: &Resource,
    asked: &Asked,
    (stored, bytes): (&Stored, Option<&Bytes>),
) -> Result<Propstats, Wrong> {
    let mut found = Propstats::default();
    match &asked.selection {
        Selection::These(wanted) => {
            for name in &wanted.names {
                let data = match bytes.filter(|_| is_data(name)) {
                    Some(bytes) => shaped(name, asked, wanted, bytes)?,
                    None => None,
                };
                let value = match data {
                    None => property(session, resource, name, stored).await?,
                    data => data,
                };
                match value {
                    Some(value) => found.found(value),
                    None => found.missing(name.clone()),
                }
            }
            if asked.little {
                found.minimal();
            }
        }
        Selection::All { include } => {
            let basic = live::names(false);
            let more = include.iter().filter(|name| !basic.contains(name));
            for name in basic.iter().chain(more).cloned().chain(others(stored, &basic)) {
                if let Some(value) = property(session, resource, &name, stored).await? {
                    found.found(value);
                }
            }
        }
        Selection::Names => {
            let all = live::names(true);
            for name in all.iter().cloned().chain(others(stored, &all)) {
                if property(session, resource, &name, stored).await?.is_some() {
                    found.found(xml::Element::new(name));
                }
            }
        }
    }
    Ok(found)
}

fn others(stored: &Stored, known: &[Name]) -> Vec<Name> {
    stored.keys().filter_map(|key| name_of(key)).filter(|name| !known.contains(name)).collect()
}

async fn property(session: &Session, resource: &Resource, name: &Name, stored: &Stored) -> Result<Option<xml::Element>, Wrong> {
    if !live::is_live(name)
        && let Some(bytes) = stored.get(&key(name))
    {
        return Ok(xml::read(bytes, Limits::default()).ok());
    }
    // What somebody calls another's folder is kept with their own properties.
    if name.key() == (DAV, "displayname") || live::is_live(name) { live::value(session, resource, name).await } else { Ok(None) }
}
