//! The bytes of an object as a report wants them: as they are stored, or what of them was asked for.

use super::super::limits;
use super::Asked;
use crate::wrong::Wrong;
use crate::xml::address_data::{AddressData, CardVersion};
use crate::xml::calendar_data::{CalendarData, Comp, Recurrence};
use crate::xml::wanted::Wanted;
use bytes::Bytes;
use penfold_formats::icalendar::{self, Object, SelectedProp, Selection, Zone, select};
use penfold_formats::vcard::{self, Card, Selected};
use penfold_formats::xml::{CALDAV, CARDDAV, Element, Name};

/// The element of a name that stands for the bytes; `None` where it is none of those, or cannot be told.
pub fn shaped(name: &Name, asked: &Asked, wanted: &Wanted, bytes: &Bytes) -> Result<Option<Element>, Wrong> {
    let shaped = match (name.key(), &wanted.calendar_data, &wanted.address_data) {
        ((CALDAV, "calendar-data"), Some(data), _) => calendar(data, &asked.floating, bytes),
        ((CARDDAV, "address-data"), _, Some(data)) => Some(card(data, bytes)),
        _ => return Ok(None),
    };
    Ok(shaped.map(|bytes| Element::new(name.clone()).with_text(&String::from_utf8_lossy(&bytes))))
}

/// `None` where it has more instances than one answer tells.
fn calendar(data: &CalendarData, floating: &Zone, bytes: &Bytes) -> Option<Bytes> {
    if *data == CalendarData::default() {
        return Some(bytes.clone());
    }
    // What is stored can be read; where not, it is told as it is.
    let Ok(object) = Object::read(bytes) else { return Some(bytes.clone()) };
    let mut shown = match &data.recurrence {
        Some(Recurrence::Expand(window)) => object.expand(window.clone(), floating, limits::INSTANCES).ok()?,
        Some(Recurrence::Limit(window)) => object.limit_recurrence_set(window.clone(), floating),
        None => bytes.to_vec(),
    };
    if let (Some(window), icalendar::Kind::FreeBusy) = (&data.limit_freebusy_set, object.kind()) {
        shown = object.limit_freebusy_set(window.clone(), floating);
    }
    match &data.comp {
        Some(comp) => Some(select(&shown, &selection(comp)).map_or_else(|_| bytes.clone(), Bytes::from)),
        None => Some(shown.into()),
    }
}

fn selection(comp: &Comp) -> Selection {
    let prop = |prop: &crate::xml::calendar_data::Prop| SelectedProp { name: prop.name.clone(), novalue: prop.novalue };
    Selection {
        name: comp.name.clone(),
        props: comp.props.as_ref().map(|all| all.iter().map(prop).collect()),
        comps: comp.comps.as_ref().map(|all| all.iter().map(selection).collect()),
    }
}

fn card(data: &AddressData, bytes: &Bytes) -> Bytes {
    if *data == AddressData::default() {
        return bytes.clone();
    }
    let Ok(card) = Card::read(bytes, vcard::Limits::default()) else { return bytes.clone() };
    let converted = match data.version {
        Some(CardVersion::V3) => vcard::convert(&card, vcard::Version::V3),
        Some(CardVersion::V4) => vcard::convert(&card, vcard::Version::V4),
        None => bytes.to_vec(),
    };
    let Some(props) = &data.props else { return converted.into() };
    let select = |prop: &crate::xml::address_data::Prop| {
        let (group, name) = match prop.name.split_once('.') {
            Some((group, name)) => (Some(group.to_owned()), name.to_owned()),
            None => (None, prop.name.clone()),
        };
        Selected { name, group, novalue: prop.novalue }
    };
    let wanted: Vec<Selected> = props.iter().map(select).collect();
    let selected = Card::read(&converted, vcard::Limits::default()).map(|card| vcard::select(&card, &wanted));
    selected.map_or_else(|_| bytes.clone(), Bytes::from)
}
