//! REPORT (RFC 3253 §3.6), a file for each.

mod busy;
mod data;
mod expand;
mod multiget;
mod principals;
mod sync;

pub use data::shaped;

use super::propfind::{Asked, propstats};
use super::{Call, Depth, multistatus};
use crate::path::Home;
use crate::resource::{Place, Resource, Session};
use crate::wrong::Wrong;
use crate::xml::report::{Report, read};
use crate::xml::{Multistatus, Precondition, multistatus::Response as Answer};
use axum::response::Response;
use bytes::Bytes;
use penfold_mailbox::{Kind, Object};
use std::collections::BTreeMap;

pub async fn report(call: Call) -> Result<Response, Wrong> {
    let wanted = read(&call.xml()?)?;
    let resource = call.resource().await?;
    if matches!(resource, Resource::Nothing(..)) {
        return Err(Wrong::MISSING);
    }
    match wanted {
        Report::SyncCollection(wanted) => sync::sync(&call, folder(&resource, |_| true)?, wanted).await,
        Report::CalendarMultiget(wanted) => multiget::multiget(&call, Home::Calendars, wanted).await,
        Report::AddressbookMultiget(wanted) => multiget::multiget(&call, Home::AddressBooks, wanted).await,
        Report::FreeBusyQuery(window) => busy::busy(folder(&resource, |kind| kind == Kind::Events)?, window).await,
        Report::ExpandProperty(wanted) => expand::expand(&call, &resource, &wanted).await,
        Report::PrincipalMatch(wanted) => principals::matching(&call, &resource, wanted).await,
        Report::PrincipalPropertySearch(wanted) => principals::search(&call, wanted).await,
        Report::PrincipalTokenSearch(wanted) => principals::tokens(&call, wanted).await,
        Report::PrincipalSearchPropertySet => Ok(principals::property_set()),
        Report::AclPrincipalPropSet(wanted) => principals::of_acl(&call, &resource, wanted).await,
    }
}

/// The folder that a report is about; it is none for any other resource.
fn folder(resource: &Resource, fits: impl Fn(Kind) -> bool) -> Result<&Place, Wrong> {
    match resource {
        Resource::Collection(place) if fits(place.folder.kind) => Ok(place),
        _ => Err(Precondition::SUPPORTED_REPORT.into()),
    }
}

/// Tells of objects, with their bytes where those are asked for; one that is gone meanwhile is told of as gone.
async fn tell(session: &Session, place: &Place, objects: Vec<Object>, asked: &Asked, out: &mut Multistatus) -> Result<(), Wrong> {
    let stored = if asked.wants_stored() { place.mailbox.properties_of_objects(place.folder.id).await? } else { BTreeMap::new() };
    for some in objects.chunks(super::limits::BATCH) {
        let bytes: Vec<Option<Bytes>> = if asked.wants_data() {
            let items: Vec<_> = some.iter().map(|object| object.item).collect();
            place.mailbox.object_bytes(place.folder.id, &items).await?
        } else {
            vec![None; some.len()]
        };
        for (object, bytes) in some.iter().zip(bytes) {
            let resource = Resource::Object(place.clone(), object.clone());
            if asked.wants_data() && bytes.is_none() {
                out.response(&Answer::status(resource.href(), axum::http::StatusCode::NOT_FOUND));
                continue;
            }
            let none = BTreeMap::new();
            let stored = stored.get(&object.name).unwrap_or(&none);
            let found = propstats(session, &resource, asked, (stored, bytes.as_ref())).await?;
            out.response(&Answer::props(resource.href(), found));
        }
    }
    Ok(())
}

/// What a report may be asked with (RFC 3253 §3.6: without it, of the resource alone).
fn goes_deep(call: &Call) -> Result<bool, Wrong> {
    Ok(matches!(call.depth()?, Some(Depth::One | Depth::Infinity)))
}
