//! Zones: whether their definitions come with data, and the one in which a calendar's floating times and whole days are (RFC 4791 §5.2.2, RFC 7809 §5.2).

use super::propfind::key;
use crate::place::Place;
use crate::wrong::Wrong;
use crate::xml::Precondition;
use axum::http::HeaderMap;
use bytes::Bytes;
use penfold_formats::icalendar::{Object, Zone};
use penfold_formats::xml::{CALDAV, Limits, Name, read};

/// By its name, and by its definition.
pub const PROPERTIES: [Name; 2] = [Name::known(CALDAV, "calendar-timezone-id"), Name::known(CALDAV, "calendar-timezone")];

/// As its owner set it; UTC where they did not.
pub async fn zone_of(place: &Place) -> Result<Zone, Wrong> {
    for (name, by_id) in PROPERTIES.iter().zip([true, false]) {
        let stored = place.mailbox.owners_property(place.folder.id, &key(name)).await?;
        if let Some(zone) = stored.and_then(|bytes| read_zone(&bytes, by_id)) {
            return Ok(zone);
        }
    }
    Ok(Zone::fixed(0))
}

fn read_zone(stored: &Bytes, by_id: bool) -> Option<Zone> {
    let text = read(stored, Limits::default()).ok()?.text();
    if by_id {
        return Zone::named(text.trim());
    }
    zone_of_text(&text)
}

/// The zone that a VCALENDAR with one VTIMEZONE names.
pub fn zone_of_text(text: &str) -> Option<Zone> {
    let id = text.lines().find_map(|line| line.trim().strip_prefix("TZID:"))?;
    Zone::named(id.trim())
}

/// Why a property that is to name a zone does not; nothing for any other property.
pub fn wrong(name: &Name, value: &str) -> Option<Precondition> {
    match name.key() {
        // RFC 4791 §5.3.1.1.
        (CALDAV, "calendar-timezone") if !value.contains("BEGIN:VTIMEZONE") || !value.contains("TZID") => {
            Some(Precondition::VALID_CALENDAR_DATA)
        }
        (CALDAV, "calendar-timezone-id") if Zone::named(value.trim()).is_none() => Some(Precondition::VALID_TIMEZONE),
        _ => None,
    }
}

/// Whether definitions of zones come with calendar data (RFC 7809 §7.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Definitions {
    /// As whoever wrote the object did.
    #[default]
    AsWritten,
    /// Those that everybody has are left out.
    Without,
    /// Those that are missing are there.
    With,
}

impl Definitions {
    pub fn wanted(headers: &HeaderMap) -> Self {
        match headers.get("caldav-timezones").and_then(|value| value.to_str().ok()).map(str::trim) {
            Some("F" | "f") => Self::Without,
            Some("T" | "t") => Self::With,
            _ => Self::AsWritten,
        }
    }

    /// What cannot be read stays as it is.
    pub fn in_bytes(self, bytes: Bytes) -> Bytes {
        match (self, Object::read(&bytes)) {
            (Self::Without, Ok(object)) => object.without_zones().into(),
            (Self::With, Ok(object)) => object.with_zones().into(),
            _ => bytes,
        }
    }
}
