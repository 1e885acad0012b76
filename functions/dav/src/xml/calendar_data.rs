use std::ops::Range;

use penfold_formats::icalendar::{Fault, SelectedProp, Selection, What};
use penfold_formats::xml::{CALDAV, Element};

use super::error::Precondition;
use super::refused::Refused;
use super::time;

#[cfg(test)]
mod tests;

/// How much of a calendar object is wanted (RFC 4791 §9.6). The default is all of it, as it is stored.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CalendarData {
    /// VCALENDAR and what of it; `None` is all.
    pub comp: Option<Selection>,
    pub recurrence: Option<Recurrence>,
    /// Only periods of free-busy time that overlap this (§9.6.7).
    pub limit_freebusy_set: Option<Range<i64>>,
}

/// What to do with recurring components, by a range of UTC seconds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recurrence {
    /// Each instance by itself, in UTC (§9.6.5).
    Expand(Range<i64>),
    /// The master, and the overrides that have to do with the range (§9.6.6).
    Limit(Range<i64>),
}

/// What a client is told whose object is not taken (RFC 4791 §5.3.2.1).
pub fn precondition(fault: &Fault) -> Precondition {
    match fault.what {
        What::ValidCalendarData => Precondition::VALID_CALENDAR_DATA,
        What::ValidCalendarObjectResource => Precondition::VALID_CALENDAR_OBJECT_RESOURCE,
        What::SupportedCalendarComponent => Precondition::SUPPORTED_CALENDAR_COMPONENT,
        What::MaxResourceSize => Precondition::CALENDAR_MAX_RESOURCE_SIZE,
        What::MaxInstances => Precondition::MAX_INSTANCES,
        What::MaxAttendeesPerInstance => Precondition::MAX_ATTENDEES_PER_INSTANCE,
        What::SupportedRscale => Precondition::SUPPORTED_RSCALE,
    }
}

impl CalendarData {
    pub(super) fn read(element: &Element) -> Result<Self, Refused> {
        let content_type = element.attribute("content-type").unwrap_or("text/calendar");
        if !content_type.eq_ignore_ascii_case("text/calendar") || element.attribute("version").unwrap_or("2.0") != "2.0" {
            return Err(Refused::Precondition(Precondition::SUPPORTED_CALENDAR_DATA));
        }
        let range = |local| match element.child(CALDAV, local) {
            None => Ok(None),
            Some(element) => match time::closed(element) {
                Some(range) => Ok(Some(range)),
                None => Err(Refused::malformed("expand and limit have to have start and end in UTC, in that order")),
            },
        };
        let recurrence = match (range("expand")?, range("limit-recurrence-set")?) {
            (Some(_), Some(_)) => return Err(Refused::malformed("expand and limit-recurrence-set exclude each other")),
            (Some(range), None) => Some(Recurrence::Expand(range)),
            (None, Some(range)) => Some(Recurrence::Limit(range)),
            (None, None) => None,
        };
        let comp = element.child(CALDAV, "comp").map(comp).transpose()?;
        Ok(Self { comp, recurrence, limit_freebusy_set: range("limit-freebusy-set")? })
    }
}

/// Inside each other as deep as the body is, which is bounded.
fn comp(element: &Element) -> Result<Selection, Refused> {
    let comps: Vec<Selection> = element.all(CALDAV, "comp").map(comp).collect::<Result<_, _>>()?;
    let props: Vec<SelectedProp> = element.all(CALDAV, "prop").map(prop).collect::<Result<_, _>>()?;
    // One with nothing in it is wanted whole, as VTIMEZONE is in the example of RFC 4791 §7.8.1.
    let is_whole = element.elements().next().is_none();
    Ok(Selection {
        name: name(element)?,
        props: (!is_whole && element.child(CALDAV, "allprop").is_none()).then_some(props),
        comps: (!is_whole && element.child(CALDAV, "allcomp").is_none()).then_some(comps),
    })
}

fn prop(element: &Element) -> Result<SelectedProp, Refused> {
    Ok(SelectedProp { name: name(element)?, novalue: element.attribute("novalue") == Some("yes") })
}

fn name(element: &Element) -> Result<String, Refused> {
    match element.attribute("name").map(str::trim) {
        Some(name) if !name.is_empty() => Ok(name.to_ascii_uppercase()),
        _ => Err(Refused::malformed("comp and prop have to have a name")),
    }
}
