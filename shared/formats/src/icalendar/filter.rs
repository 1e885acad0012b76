//! CALDAV:filter (RFC 4791 §9.7): which objects a query wants. Its XML is read elsewhere.

use std::{cell::Cell, ops::Range};

use super::{object::Object, tree::Component, zone::Zone};
use crate::lines::{Line, Param, unescape};

mod alarm;
mod text;
mod time;

pub use text::{Collation, TextMatch};

/// CALDAV:comp-filter (§9.7.1). With nothing said, it wants that there is such a component.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CompFilter {
    pub name: String,
    /// That there is none; then nothing else counts.
    pub is_not_defined: bool,
    pub time_range: Option<TimeRange>,
    pub props: Vec<PropFilter>,
    pub comps: Vec<CompFilter>,
}

/// CALDAV:prop-filter (§9.7.2).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PropFilter {
    pub name: String,
    pub is_not_defined: bool,
    pub time_range: Option<TimeRange>,
    pub text_match: Option<TextMatch>,
    pub params: Vec<ParamFilter>,
}

/// CALDAV:param-filter (§9.7.3).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ParamFilter {
    pub name: String,
    pub is_not_defined: bool,
    pub text_match: Option<TextMatch>,
}

/// CALDAV:time-range (§9.9): seconds since 1970 in UTC, the end not included; what is not given is open.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct TimeRange {
    pub start: Option<i64>,
    pub end: Option<i64>,
}

impl TimeRange {
    pub fn window(self) -> Range<i64> {
        self.start.unwrap_or(i64::MIN)..self.end.unwrap_or(i64::MAX)
    }
}

/// Whether an object is one that the filter wants. `filter` is the one for VCALENDAR; floating times are read in `floating`.
/// Where a search by time would take too long, the answer is yes.
pub fn matches(object: &Object, filter: &CompFilter, floating: &Zone) -> bool {
    let mut matcher = Matcher { object, floating, brief: true, cut: Cell::new(false) };
    if matcher.calendar(filter) {
        return true;
    }
    // Most of what matches does so early. Only where that was not enough, all of a long window is looked at.
    matcher.brief = false;
    matcher.cut.get() && matcher.calendar(filter)
}

pub(super) struct Matcher<'a> {
    object: &'a Object,
    floating: &'a Zone,
    /// Whether to look at the first year of a window only.
    brief: bool,
    cut: Cell<bool>,
}

/// A component, the index of the one at the top of which it is part, and whether it is that one.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    component: &'a Component,
    top: usize,
    is_top: bool,
}

impl Matcher<'_> {
    fn calendar(&self, filter: &CompFilter) -> bool {
        let calendar = self.object.calendar();
        if !calendar.is(&filter.name) {
            return filter.is_not_defined;
        }
        !filter.is_not_defined
            && filter.time_range.is_none_or(|range| !self.hits(&range.window()).is_empty())
            && filter.props.iter().all(|prop| self.of_calendar(calendar, prop))
            && filter.comps.iter().all(|comp| {
                let tops = calendar.components.iter().enumerate();
                self.comp(comp, &mut tops.map(|(top, component)| Place { component, top, is_top: true }))
            })
    }

    /// Clients ask at this level for what only its components have: one of them is enough.
    fn of_calendar(&self, calendar: &Component, filter: &PropFilter) -> bool {
        let own = ["VERSION", "PRODID", "CALSCALE", "METHOD"].iter().any(|name| filter.name.eq_ignore_ascii_case(name));
        let extended = filter.name.get(..2).is_some_and(|start| start.eq_ignore_ascii_case("X-"));
        if own || extended {
            return self.prop(calendar, filter);
        }
        self.object.components().any(|(_, component)| self.prop(component, filter))
    }

    fn comp(&self, filter: &CompFilter, places: &mut dyn Iterator<Item = Place<'_>>) -> bool {
        let mut named = places.filter(|place| place.component.is(&filter.name)).peekable();
        if filter.is_not_defined {
            return named.peek().is_none();
        }
        if named.peek().is_none() {
            return false;
        }
        let window = filter.time_range.map(TimeRange::window);
        // One search answers for all components at the top.
        let hits = window.as_ref().map(|window| self.hits(window));
        named.any(|place| {
            let in_time = match (&window, &hits) {
                (Some(window), Some(hits)) => self.in_time(place, window, hits),
                _ => true,
            };
            in_time
                && filter.props.iter().all(|prop| self.prop(place.component, prop))
                && filter.comps.iter().all(|comp| {
                    let inner = place.component.components.iter();
                    self.comp(comp, &mut inner.map(|component| Place { component, top: place.top, is_top: false }))
                })
        })
    }

    fn in_time(&self, place: Place<'_>, window: &Range<i64>, hits: &[usize]) -> bool {
        if place.is_top {
            return hits.contains(&place.top);
        }
        // §9.9 has no rule for anything else inside of a component; it is there when what it is part of is.
        if place.component.is("VALARM") { self.alarm(place, window) } else { hits.contains(&place.top) }
    }

    fn prop(&self, component: &Component, filter: &PropFilter) -> bool {
        if filter.is_not_defined {
            return component.property(&filter.name).is_none();
        }
        component.all(&filter.name).any(|line| {
            filter.time_range.is_none_or(|range| self.line_in_time(line, &range.window()))
                && filter.text_match.as_ref().is_none_or(|text| text.matches(&unescape(&line.value)))
                && filter.params.iter().all(|param| param_matches(line.param(&param.name), param))
        })
    }

    /// §9.7.2: a property whose value is a time, or a period, in a window.
    fn line_in_time(&self, line: &Line<'_>, window: &Range<i64>) -> bool {
        line.value.split(',').any(|value| {
            if value.contains('/') {
                return self.object.period(line, value, self.floating).is_some_and(|(start, end)| start < window.end && end > window.start);
            }
            let Ok(stamp) = self.object.zones().stamp(line, value) else { return false };
            let start = stamp.utc(self.floating);
            let whole_day = stamp.is_date() && self.floating.utc(stamp.clock.local + super::civil::DAY) > window.start;
            start < window.end && (start >= window.start || whole_day)
        })
    }
}

fn param_matches(param: Option<&Param<'_>>, filter: &ParamFilter) -> bool {
    match (param, &filter.text_match) {
        _ if filter.is_not_defined => param.is_none(),
        (None, _) => false,
        (Some(_), None) => true,
        (Some(param), Some(text)) => text.matches_any(&param.values),
    }
}

#[cfg(test)]
mod tests;
