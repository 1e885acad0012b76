//! The bytes of an object as a report wants them: as they are stored, or what of them was asked for.

use super::Asked;
use crate::limits;
use crate::wrong::Wrong;
use crate::xml::address_data::AddressData;
use crate::xml::calendar_data::{CalendarData, Recurrence};
use crate::xml::wanted::Wanted;
use bytes::Bytes;
use penfold_formats::icalendar::{self, Object, Zone, select};
use penfold_formats::vcard::{self, Card};
use penfold_formats::xml::{CALDAV, CARDDAV, Element, Name};

/// The element of a name that stands for the bytes; `None` where it is none of those, or cannot be told.
pub fn shaped(name: &Name, asked: &Asked, wanted: &Wanted, bytes: &Bytes) -> Result<Option<Element>, Wrong> {
    let shaped = match (name.key(), &wanted.calendar_data, &wanted.address_data) {
        ((CALDAV, "calendar-data"), Some(data), _) => calendar(data, &asked.floating, bytes).map(|bytes| asked.definitions.in_bytes(bytes)),
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
        Some(comp) => Some(select(&shown, comp).map_or_else(|_| bytes.clone(), Bytes::from)),
        None => Some(shown.into()),
    }
}

fn card(data: &AddressData, bytes: &Bytes) -> Bytes {
    if *data == AddressData::default() {
        return bytes.clone();
    }
    let Ok(card) = Card::read(bytes, vcard::Limits::default()) else { return bytes.clone() };
    let converted = data.version.map_or_else(|| bytes.to_vec(), |version| vcard::convert(&card, version));
    let Some(props) = &data.props else { return converted.into() };
    let selected = Card::read(&converted, vcard::Limits::default()).map(|card| vcard::select(&card, props));
    selected.map_or_else(|_| bytes.clone(), Bytes::from)
}
