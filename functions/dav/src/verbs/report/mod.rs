//! REPORT (RFC 3253 §3.6), a file for each.

pub mod book;
mod busy;
mod data;
mod expand;
mod multiget;
mod principals;
mod query;
mod sync;

pub use data::shaped;

use super::propfind::{Asked, propstats};
use crate::call::Call;
use crate::limits;
use crate::path::Home;
use crate::place::Place;
use crate::resource::{Resource, Session};
use crate::wrong::Wrong;
use crate::xml::report::{Report, read};
use crate::xml::{Multistatus, Precondition, multistatus::Response as Answer};
use axum::http::StatusCode;
use axum::response::Response;
use bytes::Bytes;
use penfold_mailbox::Object;
use penfold_ports::Rights;
use std::collections::BTreeMap;

pub async fn report(call: Call) -> Result<Response, Wrong> {
    let wanted = read(&call.xml()?)?;
    // For this one a folder need not be seen.
    if let Report::FreeBusyQuery(window) = wanted {
        return busy::busy(&call.session.busy_place(&call.path).await?, window).await;
    }
    let resource = call.resource().await?;
    if matches!(resource, Resource::Nothing(..)) {
        return Err(Wrong::MISSING);
    }
    match wanted {
        Report::SyncCollection(wanted) if matches!(resource, Resource::Book(_)) => book::sync(&call, wanted).await,
        Report::SyncCollection(wanted) => sync::sync(&call, folder(&resource)?, wanted).await,
        Report::CalendarMultiget(wanted) => multiget::multiget(&call, Home::Calendars, wanted).await,
        Report::AddressbookMultiget(wanted) => multiget::multiget(&call, Home::AddressBooks, wanted).await,
        Report::CalendarQuery(wanted) => query::calendar(&call, &resource, wanted).await,
        Report::AddressbookQuery(wanted) => query::cards(&call, &resource, wanted).await,
        Report::FreeBusyQuery(_) => Err(Precondition::SUPPORTED_REPORT.into()),
        Report::ExpandProperty(wanted) => expand::expand(&call, &resource, &wanted).await,
        Report::PrincipalMatch(wanted) => principals::matching(&call, &resource, wanted).await,
        Report::PrincipalPropertySearch(wanted) => principals::search(&call, wanted).await,
        Report::PrincipalTokenSearch(wanted) => principals::tokens(&call, wanted).await,
        Report::PrincipalSearchPropertySet => Ok(principals::property_set()),
        Report::AclPrincipalPropSet(wanted) => principals::of_acl(&call, &resource, wanted).await,
    }
}

/// The folder that a report is about; it is none for any other resource.
fn folder(resource: &Resource) -> Result<&Place, Wrong> {
    match resource {
        Resource::Collection(place) => Ok(place),
        _ => Err(Precondition::SUPPORTED_REPORT.into()),
    }
}

/// Tells of objects whose bytes are not at hand: they are read where they are asked for. One that is gone meanwhile is told of as gone.
/// False where the answer is full.
async fn tell_named(session: &Session, place: &Place, objects: Vec<Object>, asked: &Asked, out: &mut Multistatus) -> Result<bool, Wrong> {
    if !asked.wants_data() {
        return tell(session, place, objects.into_iter().map(|object| (object, Bytes::new())).collect(), asked, out).await;
    }
    for some in objects.chunks(limits::BATCH) {
        let found = place.read(some.to_vec()).await?;
        let gone = some.iter().filter(|object| found.iter().all(|(now, _)| now.name != object.name));
        for object in gone {
            out.response(&Answer::status(place.href_of(&object.name), StatusCode::NOT_FOUND));
        }
        if !tell(session, place, found, asked, out).await? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tells of objects with their bytes; in the order of their names where properties that clients set are asked for. False where the answer
/// is full: the rest of them is left out.
async fn tell(session: &Session, place: &Place, found: Vec<(Object, Bytes)>, asked: &Asked, out: &mut Multistatus) -> Result<bool, Wrong> {
    let none = BTreeMap::new();
    for some in found.chunks(limits::BATCH) {
        let names = some.iter().map(|(object, _)| object.name.as_str());
        let ends = names.clone().min().zip(names.max()).filter(|_| asked.wants_stored() && place.has(Rights::READ));
        let all = match ends {
            Some((first, last)) => {
                let all = place.mailbox.properties_of_objects(place.folder.id, first, last).await?;
                let objects: Vec<Object> = some.iter().map(|(object, _)| object.clone()).collect();
                place.shown(&objects, all).await?
            }
            None => BTreeMap::new(),
        };
        for (object, bytes) in some {
            if out.octets() > limits::ANSWER {
                return Ok(false);
            }
            let stored = all.get(&object.name).unwrap_or(&none);
            let resource = Resource::Object(place.clone(), object.clone());
            let bytes = Some(bytes).filter(|_| asked.wants_data());
            out.response(&Answer::props(resource.href(), propstats(session, &resource, asked, (stored, bytes)).await?));
        }
    }
    Ok(true)
}
