//! What CALDAV:calendar-data can ask for (RFC 4791 §9.6): instances instead of a series, less of a series, less of each component.
//! Lines that do not change are written as they were.

use std::ops::Range;

use super::{
    edit::Edits,
    fault::{Fault, Limits},
    object::{Kind, Object},
    occurrences::{Occurrence, TooMany},
    tree::{self, Component},
    zone::Zone,
};
use crate::lines::{Line, push_line};

mod expand;

/// CALDAV:comp (§9.6.1): what of a component is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    pub name: String,
    /// `None` is CALDAV:allprop.
    pub props: Option<Vec<SelectedProp>>,
    /// `None` is CALDAV:allcomp.
    pub comps: Option<Vec<Selection>>,
}

/// CALDAV:prop (§9.6.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectedProp {
    pub name: String,
    /// The name without its value.
    pub novalue: bool,
}

/// Bytes of one answer to `expand`.
const MOST_BYTES: usize = 16 << 20;

impl Object {
    /// CALDAV:expand (§9.6.5): each instance in a window as a component of its own, with its times in UTC and no VTIMEZONE. What
    /// floats stays so; it is in the window by `floating`. Tasks without dates, and what cannot recur, are as they are.
    pub fn expand(&self, window: Range<i64>, floating: &Zone, limit: usize) -> Result<Vec<u8>, TooMany> {
        let mut out = Vec::new();
        let calendar = self.calendar();
        let found = self.occurrences(window, floating, limit)?;
        let dated = |index: usize| self.timing(index).is_some_and(|timing| timing.start.is_some() || timing.due.is_some());
        out.extend_from_slice(self.slice(&(calendar.range.start..calendar.inner.start)));
        self.copy_around(calendar, &mut out, &mut |_, _| false);
        for (index, part) in self.components() {
            if matches!(self.kind(), Kind::FreeBusy | Kind::Availability) || !dated(index) {
                out.extend_from_slice(self.slice(&part.range));
            }
        }
        for one in &found {
            self.instance(one, floating, &mut out);
            if out.len() > MOST_BYTES {
                return Err(TooMany);
            }
        }
        out.extend_from_slice(self.slice(&(calendar.inner.end..calendar.range.end)));
        Ok(out)
    }

    /// CALDAV:limit-recurrence-set (§9.6.6): the series, and those overrides that are or were in a window, or move what follows.
    pub fn limit_recurrence_set(&self, window: Range<i64>, floating: &Zone) -> Vec<u8> {
        let mut edits = Edits::default();
        let length = self.master().and_then(|(index, _)| self.timing(index)).map_or(0, |timing| timing.length.nominal());
        for (index, part) in self.components() {
            let Some(timing) = self.timing(index) else { continue };
            let Some(instance) = &timing.overrides else { continue };
            let touches = |start: i64, length: i64| start < window.end && start.saturating_add(length.max(1)) > window.start;
            let was = touches(instance.of.utc(floating), length);
            let is =
                timing.start.as_ref().or(timing.due.as_ref()).is_none_or(|start| touches(start.utc(floating), timing.length.nominal()));
            if !was && !is && !instance.and_future {
                edits.remove(part.range.clone());
            }
        }
        edits.apply(self.bytes())
    }

    /// CALDAV:limit-freebusy-set (§9.6.7): only those values of FREEBUSY that have something of a window.
    pub fn limit_freebusy_set(&self, window: Range<i64>, floating: &Zone) -> Vec<u8> {
        let mut edits = Edits::default();
        for line in self.components().flat_map(|(_, part)| part.all("FREEBUSY")) {
            let within =
                |value: &&str| self.period(line, value, floating).is_none_or(|(start, end)| start < window.end && end > window.start);
            let kept: Vec<&str> = line.value.split(',').filter(within).collect();
            if kept.len() == line.value.split(',').count() {
                continue;
            }
            let mut bytes = Vec::new();
            if !kept.is_empty() {
                push_line(&mut bytes, &format!("{}{}:{}", line.name, params(line, ""), kept.join(",")));
            }
            edits.replace(line.range.clone(), bytes);
        }
        edits.apply(self.bytes())
    }

    fn slice(&self, range: &Range<usize>) -> &[u8] {
        self.bytes().get(range.clone()).unwrap_or_default()
    }

    /// Writes the properties of a component as they are, unless `instead` says that it has seen to one; components that this crate
    /// does not know stay among them.
    fn copy_around(&self, part: &Component, out: &mut Vec<u8>, instead: &mut dyn FnMut(&Line<'_>, &mut Vec<u8>) -> bool) {
        let known = |inner: &Component| part.is("VCALENDAR") && (Kind::of(&inner.name).is_some() || inner.is("VTIMEZONE"));
        let mut inner = part.components.iter().peekable();
        for line in &part.properties {
            while let Some(before) = inner.next_if(|before| before.range.start < line.range.start) {
                if !known(before) {
                    out.extend_from_slice(self.slice(&before.range));
                }
            }
            if !instead(line, out) {
                out.extend_from_slice(self.slice(&line.range));
            }
        }
        inner.filter(|rest| !known(rest)).for_each(|rest| out.extend_from_slice(self.slice(&rest.range)));
    }
}

/// The parameters of a line as they are written, without one of them.
pub(super) fn params(line: &Line<'_>, without: &str) -> String {
    params_that(line, |name| !name.eq_ignore_ascii_case(without))
}

fn params_that(line: &Line<'_>, stay: impl Fn(&str) -> bool) -> String {
    let mut out = String::new();
    for param in line.params.iter().filter(|param| stay(&param.name)) {
        let values: Vec<String> = param.values.iter().map(|value| crate::lines::parameter_value(value)).collect();
        out.push_str(&format!(";{}={}", param.name, values.join(",")));
    }
    out
}

/// Partial retrieval (§9.6.1): of some iCalendar, an object or an answer of `expand`, what is wanted. VERSION and BEGIN and END
/// are there in any case, so that the answer is iCalendar.
pub fn select(bytes: &[u8], wanted: &Selection) -> Result<Vec<u8>, Fault> {
    selected(bytes, wanted, None)
}

/// The same, of whose properties only these parameters stay.
pub fn select_bare(bytes: &[u8], wanted: &Selection, params: &[&str]) -> Result<Vec<u8>, Fault> {
    selected(bytes, wanted, Some(params))
}

fn selected(bytes: &[u8], wanted: &Selection, params: Option<&[&str]>) -> Result<Vec<u8>, Fault> {
    let mut out = Vec::new();
    for top in tree::read(bytes, &Limits::file(bytes.len()))? {
        if top.is(&wanted.name) {
            select_component(bytes, &top, wanted, params, &mut out);
        }
    }
    Ok(out)
}

fn select_component(bytes: &[u8], part: &Component, wanted: &Selection, kept: Option<&[&str]>, out: &mut Vec<u8>) {
    let slice = |range: Range<usize>| bytes.get(range).unwrap_or_default();
    let stays = |name: &str| kept.is_none_or(|kept| kept.iter().any(|own| name.eq_ignore_ascii_case(own)));
    let write = |line: &Line<'_>, out: &mut Vec<u8>| {
        if line.params.iter().all(|param| stays(&param.name)) {
            out.extend_from_slice(slice(line.range.clone()));
        } else {
            push_line(out, &format!("{}{}:{}", line.name, params_that(line, stays), line.value));
        }
    };
    out.extend_from_slice(slice(part.range.start..part.inner.start));
    for line in &part.properties {
        let selected = match &wanted.props {
            None => Some(false),
            Some(props) => props.iter().find(|prop| line.is(&prop.name)).map(|prop| prop.novalue),
        };
        match selected {
            Some(true) => push_line(out, &format!("{}:", line.name)),
            Some(false) => write(line, out),
            None if part.is("VCALENDAR") && line.is("VERSION") => write(line, out),
            None => {}
        }
    }
    for inner in &part.components {
        match &wanted.comps {
            None => out.extend_from_slice(slice(inner.range.clone())),
            Some(comps) => {
                if let Some(selection) = comps.iter().find(|selection| inner.is(&selection.name)) {
                    select_component(bytes, inner, selection, kept, out);
                }
            }
        }
    }
    out.extend_from_slice(slice(part.inner.end..part.range.end));
}

#[cfg(test)]
mod tests;
