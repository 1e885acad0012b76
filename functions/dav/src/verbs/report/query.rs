//! Objects by what is in them (RFC 4791 §7.8, RFC 6352 §8.6). A query with a time goes by the index of times and reads what may be
//! in it; any other reads all of the folder.

use super::super::multistatus;
use super::super::zone::{zone_of, zone_of_text};
use super::{Asked, tell};
use crate::call::Call;
use crate::limits;
use crate::path::Home;
use crate::place::Place;
use crate::resource::Resource;
use crate::wrong::Wrong;
use crate::xml::report::{AddressbookQuery, CalendarQuery, Timezone};
use crate::xml::{Multistatus, Precondition, multistatus::Response as Answer};
use axum::response::Response;
use bytes::Bytes;
use penfold_formats::icalendar::{self, Zone, filter::CompFilter};
use penfold_formats::vcard::{self, Card};
use penfold_mailbox::Object;
use penfold_types::ItemId;
use std::collections::HashMap;
use std::ops::Range;

/// Objects that one query looks into.
const LOOKED_AT: usize = 200_000;

pub async fn calendar(call: &Call, resource: &Resource, wanted: CalendarQuery) -> Result<Response, Wrong> {
    let places = places(call, resource, Home::Calendars).await?;
    let mut out = Multistatus::new();
    for place in &places {
        place.need_read()?;
        let zone = match &wanted.timezone {
            Some(Timezone::Id(id)) => Zone::named(id).ok_or(Precondition::VALID_TIMEZONE)?,
            Some(Timezone::Object(text)) => zone_of_text(text).ok_or(Precondition::VALID_TIMEZONE)?,
            None => zone_of(place).await?,
        };
        let asked = Asked { floating: zone.clone(), ..Asked::of(call, wanted.selection.clone()) };
        let fits =
            |bytes: &[u8]| icalendar::Object::read(bytes).is_ok_and(|object| icalendar::filter::matches(&object, &wanted.filter, &zone));
        let more = match window(&wanted.filter) {
            None if !asked.wants_data() && asks_for_all(&wanted.filter, place) => listed(call, place, &asked, &mut out).await?,
            Some(window) => {
                let plain = asks_for_time_alone(&wanted.filter);
                let by_facts = |facts: &[u8]| if plain { penfold_calendar::is_in(facts, &window, &zone) } else { None };
                by_time(call, place, &window, (&fits, &by_facts), &asked, &mut out).await?
            }
            None => whole(call, place, limits::MATCHES, &fits, &asked, &mut out).await?,
        };
        if more {
            out.response(&Answer::truncated(place.href.clone()));
        }
    }
    Ok(multistatus(out))
}

pub async fn cards(call: &Call, resource: &Resource, wanted: AddressbookQuery) -> Result<Response, Wrong> {
    let asked = Asked::of(call, wanted.selection.clone());
    let limit = wanted.limit.unwrap_or(limits::MATCHES).min(limits::MATCHES);
    let mut out = Multistatus::new();
    let me = call.session.me();
    if matches!(resource, Resource::Book(_)) || matches!(resource, Resource::Home(Home::AddressBooks, owner) if *owner == me) {
        super::book::query(&call.session, &wanted, &asked, &mut out).await?;
    }
    let places = if matches!(resource, Resource::Book(_)) { Vec::new() } else { places(call, resource, Home::AddressBooks).await? };
    for place in &places {
        place.need_read()?;
        let fits =
            |bytes: &[u8]| Card::read(bytes, vcard::Limits::default()).is_ok_and(|card| vcard::filter::matches(&card, &wanted.filter));
        if whole(call, place, limit, &fits, &asked, &mut out).await? {
            out.response(&Answer::truncated(place.href.clone()));
        }
    }
    Ok(multistatus(out))
}

/// A query of a home looks into all that lies in it.
async fn places(call: &Call, resource: &Resource, home: Home) -> Result<Vec<Place>, Wrong> {
    match resource {
        Resource::Collection(place) if place.home == home => Ok(vec![place.clone()]),
        Resource::Home(own, owner) if *own == home => {
            let all = call.session.in_home(home, *owner).await?;
            Ok(all.into_iter().filter(|place| place.is_read()).collect())
        }
        _ => Err(Precondition::SUPPORTED_REPORT.into()),
    }
}

/// The time that every match has something in: that of the component right below VCALENDAR, where there is one.
fn window(filter: &CompFilter) -> Option<Range<i64>> {
    let [only] = filter.comps.as_slice() else { return None };
    only.time_range.filter(|_| !only.is_not_defined).map(icalendar::filter::TimeRange::window)
}

type Fits<'a> = &'a (dyn Fn(&[u8]) -> bool + Send + Sync);

/// Whether what the index of times keeps beside an event says that it fits; `None` where it has to be read.
type ByFacts<'a> = &'a (dyn Fn(&[u8]) -> Option<bool> + Send + Sync);

async fn by_time(
    call: &Call,
    place: &Place,
    window: &Range<i64>,
    (fits, by_facts): (Fits<'_>, ByFacts<'_>),
    asked: &Asked,
    out: &mut Multistatus,
) -> Result<bool, Wrong> {
    let hits = place.mailbox.objects_between(place.folder.id, penfold_calendar::widened(window), LOOKED_AT).await?;
    let (mut left, cut) = (limits::MATCHES, hits.len() > LOOKED_AT);
    for some in hits.chunks(limits::BATCH) {
        // Of a version that is not the one of now nothing is known.
        let known: HashMap<ItemId, bool> = some.iter().filter_map(|hit| Some((hit.item, by_facts(&hit.facts)?))).collect();
        let likely = some.iter().filter(|hit| known.get(&hit.item) != Some(&false));
        let names: Vec<&str> = likely.map(|hit| hit.name.as_str()).collect();
        // The rows first, and then the bytes of just what they name.
        let objects = place.mailbox.objects_named(place.folder.id, &names).await?;
        let fits_surely = |object: &Object| !asked.wants_data() && known.get(&object.item) == Some(&true);
        let (sure, unsure): (Vec<Object>, Vec<Object>) = objects.into_iter().flatten().partition(fits_surely);
        let mut found: Vec<(Object, Bytes)> = sure.into_iter().map(|object| (object, Bytes::new())).collect();
        let read = place.read(unsure).await?;
        found.extend(read.into_iter().filter(|(object, bytes)| known.get(&object.item).copied().unwrap_or_else(|| fits(bytes))));
        if !tell_some(call, place, found, &mut left, asked, out).await? {
            return Ok(true);
        }
    }
    Ok(cut)
}

/// Whether a filter asks for nothing of events but their time.
fn asks_for_time_alone(filter: &CompFilter) -> bool {
    let [only] = filter.comps.as_slice() else { return false };
    filter.props.is_empty()
        && filter.time_range.is_none()
        && only.name.eq_ignore_ascii_case("VEVENT")
        && only.props.is_empty()
        && only.comps.is_empty()
}

/// Whether a filter asks for nothing but the component that all objects of a folder are.
fn asks_for_all(filter: &CompFilter, place: &Place) -> bool {
    let plain = |filter: &CompFilter| !filter.is_not_defined && filter.time_range.is_none() && filter.props.is_empty();
    let all = crate::live::component(place.folder.kind);
    plain(filter)
        && match filter.comps.as_slice() {
            [] => true,
            [only] => plain(only) && only.comps.is_empty() && all.is_some_and(|name| only.name.eq_ignore_ascii_case(name)),
            _ => false,
        }
}

/// All of a folder, by its rows alone.
async fn listed(call: &Call, place: &Place, asked: &Asked, out: &mut Multistatus) -> Result<bool, Wrong> {
    let (mut after, mut left): (Option<String>, usize) = (None, limits::MATCHES);
    loop {
        let (page, more) = place.mailbox.objects(place.folder.id, after.as_deref(), limits::BATCH).await?;
        after = page.last().map(|object| object.name.clone());
        let found = page.into_iter().map(|object| (object, Bytes::new())).collect();
        if !tell_some(call, place, found, &mut left, asked, out).await? {
            return Ok(true);
        }
        if !more {
            return Ok(false);
        }
    }
}

async fn whole(call: &Call, place: &Place, limit: usize, fits: Fits<'_>, asked: &Asked, out: &mut Multistatus) -> Result<bool, Wrong> {
    let (mut left, mut looked_at, mut after): (usize, usize, Option<String>) = (limit, 0, None);
    loop {
        let (page, more) = place.mailbox.objects(place.folder.id, after.as_deref(), limits::BATCH).await?;
        after = page.last().map(|object| object.name.clone());
        looked_at += page.len();
        let found = place.read(page).await?;
        let found = found.into_iter().filter(|(_, bytes)| fits(bytes)).collect();
        if !tell_some(call, place, found, &mut left, asked, out).await? {
            return Ok(true);
        }
        if !more || looked_at >= LOOKED_AT {
            return Ok(more);
        }
    }
}

/// False where there is more than may be told.
async fn tell_some(
    call: &Call,
    place: &Place,
    mut found: Vec<(Object, Bytes)>,
    left: &mut usize,
    asked: &Asked,
    out: &mut Multistatus,
) -> Result<bool, Wrong> {
    let fits = found.len() <= *left;
    found.truncate(*left);
    *left -= found.len();
    Ok(tell(&call.session, place, found, asked, out).await? && fits)
}
