//! When somebody can be met at all (RFC 7953 §7.2): clients set it on the inbox, and it counts where busy times of the calendar
//! are asked for that invitations go to. It is kept beside that calendar.

use super::propfind::key;
use crate::limits;
use crate::path::Home;
use crate::place::Place;
use crate::resource::Session;
use crate::wrong::Wrong;
use crate::xml::{Precondition, calendar_data};
use penfold_formats::icalendar::{self, Kind, Object};
use penfold_formats::xml::{CALDAV, Limits, Name, read};
use penfold_mailbox::Role;
use penfold_types::PrincipalId;

pub const NAME: Name = Name::known(CALDAV, "calendar-availability");

/// The calendar beside which it lies.
pub async fn place(session: &Session, owner: PrincipalId) -> Result<Place, Wrong> {
    let (mailbox, folders) = session.mailbox_of(owner).await?;
    let folder = folders.with_role(Role::Calendar).ok_or(Wrong::MISSING)?;
    Ok(Place::of(&mailbox, folder, Home::Calendars, String::new()))
}

fn is_beside(place: &Place) -> bool {
    place.folder.role == Some(Role::Calendar)
}

/// Why a value is none: what is told of events by the same names (RFC 4791 §5.3.2.1).
pub fn wrong(value: &str) -> Option<Precondition> {
    let found = icalendar::split(value.as_bytes(), &icalendar::Limits::default());
    if let Some(fault) = found.skipped.first() {
        return Some(calendar_data::precondition(fault));
    }
    if !is_availability(&found.objects) {
        return Some(Precondition::VALID_CALENDAR_DATA);
    }
    let fault = found.objects.iter().find_map(|object| object.judge_available(limits::INSTANCES).err())?;
    Some(calendar_data::precondition(&fault))
}

fn is_availability(objects: &[Object]) -> bool {
    !objects.is_empty() && objects.iter().all(|object| object.kind() == Kind::Availability)
}

/// `None` where it is not of VAVAILABILITY alone, and all of it can be read.
fn objects(value: &str) -> Option<Vec<Object>> {
    let found = icalendar::split(value.as_bytes(), &icalendar::Limits::default());
    (found.skipped.is_empty() && is_availability(&found.objects)).then_some(found.objects)
}

/// Of the owner of a calendar; nothing where they did not say.
pub async fn of(place: &Place) -> Result<Vec<Object>, Wrong> {
    if !is_beside(place) {
        return Ok(Vec::new());
    }
    let stored = place.mailbox.owners_property(place.folder.id, &key(&NAME)).await?;
    let value = stored.and_then(|bytes| Some(read(&bytes, Limits::default()).ok()?.text()));
    Ok(value.and_then(|text| objects(&text)).unwrap_or_default())
}
