use penfold_formats::icalendar::filter::{Collation, CompFilter, ParamFilter, PropFilter, TextMatch, TimeRange};
use penfold_formats::xml::{CALDAV, Element};

use crate::xml::body::trimmed;
use crate::xml::error::Precondition;
use crate::xml::refused::Refused;
use crate::xml::time;
use crate::xml::wanted::Selection;

#[cfg(test)]
mod tests;

/// Calendar objects by what is in them (RFC 4791 §7.8, §9.5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CalendarQuery {
    pub selection: Selection,
    /// For VCALENDAR.
    pub filter: CompFilter,
    pub timezone: Option<Timezone>,
}

/// In which zone floating times are read; without it, in the calendar's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Timezone {
    /// A VCALENDAR with one VTIMEZONE (RFC 4791 §9.8).
    Object(String),
    /// An IANA name (RFC 7809).
    Id(String),
}

/// Conditions of a filter, all levels together: each is looked at for each object. Clients send some five.
const MAX_CONDITIONS: usize = 50;

/// Components of a VCALENDAR: none of them is inside another (RFC 5545 §3.6).
const TOP: [&str; 7] = ["VCALENDAR", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE", "VAVAILABILITY"];

/// Properties that are a time or a period (RFC 4791 §9.9); an X- property may be one.
const TIMES: [&str; 11] =
    ["DTSTART", "DTEND", "DUE", "COMPLETED", "CREATED", "DTSTAMP", "LAST-MODIFIED", "RECURRENCE-ID", "RDATE", "EXDATE", "FREEBUSY"];

impl CalendarQuery {
    pub(super) fn read(root: &Element) -> Result<Self, Refused> {
        let filter = root.child(CALDAV, "filter").ok_or_else(|| Refused::malformed("calendar-query has to hold filter"))?;
        let mut comps = filter.all(CALDAV, "comp-filter");
        let (Some(comp), None) = (comps.next(), comps.next()) else { return Err(invalid()) };
        let filter = comp_filter(comp, None, &mut { MAX_CONDITIONS })?;
        if filter.name != "VCALENDAR" {
            return Err(invalid());
        }
        let zone = root.child(CALDAV, "timezone").map(|zone| Timezone::Object(zone.text()));
        let timezone = zone.or_else(|| root.child(CALDAV, "timezone-id").map(|zone| Timezone::Id(trimmed(zone))));
        Ok(Self { selection: Selection::read_or_none(root)?, filter, timezone })
    }
}

/// CALDAV:valid-filter (§7.8).
fn invalid() -> Refused {
    Refused::Precondition(Precondition::VALID_FILTER)
}

fn count(left: &mut usize) -> Result<(), Refused> {
    *left = left.checked_sub(1).ok_or(Refused::TooLarge("conditions in the filter"))?;
    Ok(())
}

fn name(element: &Element) -> Result<String, Refused> {
    let name = element.attribute("name").map(|name| name.trim().to_ascii_uppercase());
    name.filter(|name| !name.is_empty()).ok_or_else(invalid)
}

/// `outer` is the component that this one is in.
fn comp_filter(element: &Element, outer: Option<&str>, left: &mut usize) -> Result<CompFilter, Refused> {
    count(left)?;
    let name = name(element)?;
    let may_be_here = match outer {
        None | Some("VCALENDAR") => true,
        Some(_) => !TOP.contains(&name.as_str()),
    };
    if !may_be_here {
        return Err(invalid());
    }
    let props = element.all(CALDAV, "prop-filter").map(|prop| prop_filter(prop, left)).collect::<Result<_, _>>()?;
    let comps = element.all(CALDAV, "comp-filter").map(|comp| comp_filter(comp, Some(&name), left)).collect::<Result<_, _>>()?;
    let filter = CompFilter { is_not_defined: is_not_defined(element), time_range: time_range(element)?, props, comps, name };
    let has_more = filter.time_range.is_some() || !filter.props.is_empty() || !filter.comps.is_empty();
    if filter.is_not_defined && has_more { Err(invalid()) } else { Ok(filter) }
}

fn prop_filter(element: &Element, left: &mut usize) -> Result<PropFilter, Refused> {
    count(left)?;
    let name = name(element)?;
    let time_range = time_range(element)?;
    if time_range.is_some() && !name.starts_with("X-") && !TIMES.contains(&name.as_str()) {
        return Err(invalid());
    }
    let text_match = text_match(element, left)?;
    let params = element.all(CALDAV, "param-filter").map(|param| param_filter(param, left)).collect::<Result<Vec<_>, _>>()?;
    let has_more = time_range.is_some() || text_match.is_some() || !params.is_empty();
    if is_not_defined(element) && has_more {
        return Err(invalid());
    }
    Ok(PropFilter { is_not_defined: is_not_defined(element), time_range, text_match, params, name })
}

fn param_filter(element: &Element, left: &mut usize) -> Result<ParamFilter, Refused> {
    count(left)?;
    let filter = ParamFilter { name: name(element)?, is_not_defined: is_not_defined(element), text_match: text_match(element, left)? };
    if filter.is_not_defined && filter.text_match.is_some() { Err(invalid()) } else { Ok(filter) }
}

fn is_not_defined(element: &Element) -> bool {
    element.child(CALDAV, "is-not-defined").is_some()
}

fn time_range(element: &Element) -> Result<Option<TimeRange>, Refused> {
    element.child(CALDAV, "time-range").map(|range| time::range(range).ok_or_else(invalid)).transpose()
}

fn text_match(element: &Element, left: &mut usize) -> Result<Option<TextMatch>, Refused> {
    let Some(element) = element.child(CALDAV, "text-match") else { return Ok(None) };
    count(left)?;
    let collation = Collation::named(element.attribute("collation").unwrap_or("i;ascii-casemap"));
    let collation = collation.ok_or(Refused::Precondition(Precondition::SUPPORTED_COLLATION))?;
    let negate = element.attribute("negate-condition") == Some("yes");
    Ok(Some(TextMatch { text: element.text(), collation, negate }))
}
