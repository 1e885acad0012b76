//! What changed between two versions of an object, by instance and by attendee: from this a later step decides who is told what
//! (RFC 5546, RFC 6638 §3.2).

use std::collections::{BTreeMap, BTreeSet};

use super::{
    object::Object,
    occurrences::Instance,
    timing::{Stamp, Timing},
    tree::Component,
    zone::Zone,
};
use crate::lines::Line;

/// What changed about the series, or about one instance of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// `None` is the object itself, with all instances that have no component of their own. Where the series floats or is of
    /// dates, `utc` is as `local`.
    pub instance: Option<Instance>,
    pub what: Changed,
    /// Names of the properties that are not as they were; without ATTENDEE, and without those that say when it was written. For
    /// an instance `DTSTART` is that it was moved, and `DTEND` that it is longer or shorter.
    pub properties: Vec<String>,
    /// Those who came, went, or are there in another way.
    pub attendees: Vec<AttendeeChange>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Changed {
    Added,
    /// Gone, or excepted by EXDATE.
    Removed,
    Changed,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttendeeChange {
    /// As the newer version writes it, usually `mailto:`.
    pub address: String,
    pub was: Option<Attendee>,
    pub is: Option<Attendee>,
}

/// What counts of an ATTENDEE (RFC 5545 §3.8.4.1), with the defaults of the standard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attendee {
    /// PARTSTAT, in upper case.
    pub status: String,
    /// ROLE, in upper case.
    pub role: String,
    pub rsvp: bool,
}

/// What says when something was written, and what nobody else is told.
const SILENT: [&str; 6] = ["DTSTAMP", "LAST-MODIFIED", "CREATED", "SEQUENCE", "RECURRENCE-ID", "ATTENDEE"];
/// What an instance has from its time, and what makes a series.
const OF_TIME: [&str; 8] = ["DTSTART", "DTEND", "DUE", "DURATION", "RRULE", "RDATE", "EXDATE", "EXRULE"];

/// What changed; nothing where both say the same.
pub fn diff(old: Option<&Object>, new: Option<&Object>) -> Vec<Change> {
    let (was, is) = (Versions::of(old), Versions::of(new));
    let mut out = Vec::new();
    let master = match (was.master, is.master) {
        (None, None) => None,
        (None, Some((part, _))) => Some(whole(Changed::Added, None, part)),
        (Some((part, _)), None) => Some(whole(Changed::Removed, None, part)),
        (Some((one, _)), Some((other, _))) => changed(None, properties(one, other, &["EXDATE"]), one, other),
    };
    out.extend(master);
    let keys: BTreeSet<&Instance> = was.all().chain(is.all()).collect();
    out.extend(keys.into_iter().filter_map(|key| instance(*key, &was, &is)));
    out
}

/// One version: its components by the instance, and what it excepts.
#[derive(Default)]
struct Versions<'a> {
    master: Option<(&'a Component, &'a Timing)>,
    overrides: BTreeMap<Instance, (&'a Component, &'a Timing)>,
    excepted: BTreeSet<Instance>,
}

impl<'a> Versions<'a> {
    fn of(object: Option<&'a Object>) -> Self {
        let mut out = Self::default();
        let Some(object) = object else { return out };
        for (index, part) in object.components() {
            let Some(timing) = object.timing(index) else { continue };
            match &timing.overrides {
                Some(instance) => drop(out.overrides.insert(key(&instance.of), (part, timing))),
                None => out.master = Some((part, timing)),
            }
            out.excepted.extend(timing.except_dates.iter().map(key));
        }
        out
    }

    fn all(&self) -> impl Iterator<Item = &Instance> {
        self.overrides.keys().chain(&self.excepted)
    }

    /// What speaks for an instance, if it happens.
    fn speaks(&self, instance: &Instance) -> Option<(&'a Component, &'a Timing)> {
        let own = self.overrides.get(instance).copied();
        own.or_else(|| self.master.filter(|_| !self.excepted.contains(instance)))
    }
}

/// Two versions can name an instance by different clocks, so it is its time in UTC.
fn key(stamp: &Stamp) -> Instance {
    let utc = stamp.utc(&Zone::UTC);
    Instance { utc, local: utc }
}

fn instance(key: Instance, was: &Versions<'_>, is: &Versions<'_>) -> Option<Change> {
    let own = |versions: &Versions<'_>| versions.overrides.contains_key(&key);
    match (was.speaks(&key), is.speaks(&key)) {
        (None, None) => None,
        // What comes and goes with its whole series is told there.
        (None, Some((part, _))) => (was.master.is_some() || own(is)).then(|| whole(Changed::Added, Some(key), part)),
        (Some((part, _)), None) => (is.master.is_some() || own(was)).then(|| whole(Changed::Removed, Some(key), part)),
        (Some((one, old)), Some((other, new))) => {
            if !own(was) && !own(is) {
                return None;
            }
            let mut names = properties(one, other, &OF_TIME);
            let start = |timing: &Timing| match (&timing.overrides, &timing.start) {
                (Some(_), Some(start)) => start.utc(&Zone::UTC),
                _ => key.utc,
            };
            let length = |timing: &Timing| (timing.length, timing.has_length);
            names.extend((start(old) != start(new)).then(|| "DTSTART".to_owned()));
            names.extend((length(old) != length(new)).then(|| "DTEND".to_owned()));
            changed(Some(key), names, one, other)
        }
    }
}

fn whole(what: Changed, instance: Option<Instance>, part: &Component) -> Change {
    let people = attendees(part).into_values();
    let attendees = people
        .map(|(address, attendee)| match what {
            Changed::Removed => AttendeeChange { address, was: Some(attendee), is: None },
            _ => AttendeeChange { address, was: None, is: Some(attendee) },
        })
        .collect();
    Change { instance, what, properties: Vec::new(), attendees }
}

fn changed(instance: Option<Instance>, properties: Vec<String>, one: &Component, other: &Component) -> Option<Change> {
    let (mut old, new) = (attendees(one), attendees(other));
    let mut people = Vec::new();
    for (key, (address, is)) in new {
        let was = old.remove(&key).map(|(_, was)| was);
        if was.as_ref() != Some(&is) {
            people.push(AttendeeChange { address, was, is: Some(is) });
        }
    }
    people.extend(old.into_values().map(|(address, was)| AttendeeChange { address, was: Some(was), is: None }));
    (!properties.is_empty() || !people.is_empty()).then_some(Change { instance, what: Changed::Changed, properties, attendees: people })
}

/// By the address without regard to case.
fn attendees(part: &Component) -> BTreeMap<String, (String, Attendee)> {
    let upper = |line: &Line<'_>, name, default: &str| line.param_value(name).unwrap_or(default).to_ascii_uppercase();
    let attendee = |line: &Line<'_>| Attendee {
        status: upper(line, "PARTSTAT", "NEEDS-ACTION"),
        role: upper(line, "ROLE", "REQ-PARTICIPANT"),
        rsvp: upper(line, "RSVP", "FALSE") == "TRUE",
    };
    let entry = |line: &Line<'_>| (line.value.trim().to_ascii_lowercase(), (line.value.trim().to_owned(), attendee(line)));
    part.all("ATTENDEE").map(entry).collect()
}

/// Names of what is not the same in both, in whatever order it is written.
fn properties(one: &Component, other: &Component, without: &[&str]) -> Vec<String> {
    let (one, other) = (by_name(one, without), by_name(other, without));
    let names: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
    names.into_iter().filter(|name| one.get(*name) != other.get(*name)).cloned().collect()
}

fn by_name(part: &Component, without: &[&str]) -> BTreeMap<String, Vec<String>> {
    let mut out: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in &part.properties {
        let name = line.name.to_ascii_uppercase();
        if SILENT.contains(&name.as_str()) || without.contains(&name.as_str()) {
            continue;
        }
        let mut params: Vec<String> =
            line.params.iter().map(|param| format!("{}={:?}", param.name.to_ascii_uppercase(), param.values)).collect();
        params.sort_unstable();
        out.entry(name).or_default().push(format!("{}:{}", params.join(";"), line.value));
    }
    out.values_mut().for_each(|values| values.sort_unstable());
    out
}

#[cfg(test)]
mod tests;
