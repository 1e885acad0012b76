//! One calendar object resource (RFC 4791 §4.1), with its bytes.

use super::{
    fault::{Fault, Limits, What},
    rule::Budget,
    timing::{COUNTING, Timing, Zones},
    tree::{self, Component},
    zone::{Embedded, STEPS, Zone},
};

/// What an object is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Event,
    Todo,
    Journal,
    FreeBusy,
    /// RFC 7953.
    Availability,
}

impl Kind {
    /// As BEGIN names it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Event => "VEVENT",
            Self::Todo => "VTODO",
            Self::Journal => "VJOURNAL",
            Self::FreeBusy => "VFREEBUSY",
            Self::Availability => "VAVAILABILITY",
        }
    }

    pub fn of(name: &str) -> Option<Self> {
        [Self::Event, Self::Todo, Self::Journal, Self::FreeBusy, Self::Availability]
            .into_iter()
            .find(|kind| kind.name().eq_ignore_ascii_case(name))
    }
}

/// One calendar object: what has one UID, with all its overrides and the zones that it names.
#[derive(Debug)]
pub struct Object {
    source: Box<[u8]>,
    kind: Kind,
    uid: String,
    calendar: Component,
    zones: Zones,
    /// One for each of the calendar's components; of zones an empty one.
    timings: Vec<Timing>,
    /// Of VAVAILABILITY, those of the AVAILABLE inside of each component: which one, its UID, when.
    available: Vec<(usize, String, Timing)>,
    /// The one without RECURRENCE-ID.
    master: Option<usize>,
}

impl Object {
    /// Within the limits of every day.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        Self::read_within(bytes, &Limits::default())
    }

    pub fn read_within(bytes: &[u8], limits: &Limits) -> Result<Self, Fault> {
        let calendar = one_calendar(tree::read(bytes, limits)?)?;
        let (kind, uid) = one_thing(&calendar)?;
        let zones = zones_of(&calendar)?;
        let mut budget = Budget::new(COUNTING);
        let (mut timings, mut available) = (Vec::with_capacity(calendar.components.len()), Vec::new());
        for (index, component) in calendar.components.iter().enumerate() {
            for inner in component.components.iter().filter(|inner| kind == Kind::Availability && inner.is("AVAILABLE")) {
                let uid = inner.property("UID").map_or("", |line| line.value.trim()).to_owned();
                available.push((index, uid, Timing::read(inner, &zones, limits, &mut budget)?));
            }
            let timing = if component.is(kind.name()) { Timing::read(component, &zones, limits, &mut budget)? } else { Timing::default() };
            if kind == Kind::Event && component.is(kind.name()) && timing.start.is_none() {
                return Err(Fault::data(component.line, "VEVENT without DTSTART"));
            }
            timings.push(timing);
        }
        let mut masters =
            calendar.components.iter().enumerate().filter(|(_, part)| part.is(kind.name()) && part.property("RECURRENCE-ID").is_none());
        let master = masters.next().map(|(index, _)| index);
        if let Some((_, second)) = masters.next() {
            return Err(Fault::resource(second.line, "two components without RECURRENCE-ID"));
        }
        Ok(Self { source: bytes.into(), kind, uid, calendar, zones, timings, available, master })
    }

    /// As it was read.
    pub fn bytes(&self) -> &[u8] {
        &self.source
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    pub fn uid(&self) -> &str {
        &self.uid
    }

    /// VCALENDAR, in which are all others.
    pub fn calendar(&self) -> &Component {
        &self.calendar
    }

    /// The components of its kind, with their index in the calendar: the first of a series and its overrides.
    pub fn components(&self) -> impl Iterator<Item = (usize, &Component)> {
        self.calendar.components.iter().enumerate().filter(|(_, part)| part.is(self.kind.name()))
    }

    /// The component without RECURRENCE-ID; somebody who is invited to some instances only has none.
    pub fn master(&self) -> Option<(usize, &Component)> {
        let index = self.master?;
        Some((index, self.calendar.components.get(index)?))
    }

    /// The zone that a TZID in this object stands for.
    pub fn zone(&self, name: &str) -> Option<&Zone> {
        self.zones.find(name)
    }

    pub(crate) fn zones(&self) -> &Zones {
        &self.zones
    }

    pub(crate) fn timing(&self, index: usize) -> Option<&Timing> {
        self.timings.get(index)
    }

    /// The AVAILABLE of one VAVAILABILITY, with their UIDs.
    pub(crate) fn available(&self, index: usize) -> impl Iterator<Item = (&str, &Timing)> {
        self.available.iter().filter(move |(of, ..)| *of == index).map(|(_, uid, timing)| (uid.as_str(), timing))
    }

    pub(crate) fn timings(&self) -> impl Iterator<Item = (usize, &Timing)> {
        self.components().filter_map(|(index, _)| Some((index, self.timings.get(index)?)))
    }
}

fn one_calendar(tops: Vec<Component>) -> Result<Component, Fault> {
    let mut tops = tops.into_iter();
    let calendar = tops.next().filter(|top| top.is("VCALENDAR")).ok_or_else(|| Fault::data(1, "no VCALENDAR"))?;
    if let Some(second) = tops.next() {
        return Err(Fault::resource(second.line, "a second calendar"));
    }
    match calendar.property("VERSION").map(|line| (line.number, line.value.trim())) {
        Some((_, "2.0")) => {}
        Some((line, version)) => return Err(Fault::data(line, format!("version {version:?} of iCalendar"))),
        None => return Err(Fault::data(calendar.line, "VCALENDAR without VERSION")),
    }
    if let Some(scale) = calendar.property("CALSCALE").filter(|line| !line.value.trim().eq_ignore_ascii_case("GREGORIAN")) {
        return Err(Fault::data(scale.number, "another CALSCALE than GREGORIAN"));
    }
    // RFC 4791 §4.1: METHOD must not be there.
    match calendar.property("METHOD") {
        Some(method) => Err(Fault::resource(method.number, "METHOD in a stored object")),
        None => Ok(calendar),
    }
}

/// RFC 4791 §4.1: one kind of component beside VTIMEZONE, one UID.
fn one_thing(calendar: &Component) -> Result<(Kind, String), Fault> {
    let mut found: Option<(Kind, &str)> = None;
    for part in calendar.components.iter().filter(|part| !part.is("VTIMEZONE")) {
        let Some(kind) = Kind::of(&part.name) else {
            // §3.6 lets anybody name components of their own; they are kept.
            if part.name.starts_with("X-") {
                continue;
            }
            return Err(Fault::new(What::SupportedCalendarComponent, part.line, format!("{} is not known here", part.name)));
        };
        let uid = part.property("UID").map(|line| line.value.trim()).filter(|uid| !uid.is_empty());
        let uid = uid.ok_or_else(|| Fault::resource(part.line, format!("{} without UID", part.name)))?;
        match found {
            Some((first, _)) if first != kind => return Err(Fault::resource(part.line, "components of two kinds")),
            Some((_, first)) if first != uid => return Err(Fault::resource(part.line, "components with two UIDs")),
            _ => found = Some((kind, uid)),
        }
    }
    let (kind, uid) = found.ok_or_else(|| Fault::resource(calendar.line, "a calendar without a component"))?;
    Ok((kind, uid.to_owned()))
}

/// All names that stand in a TZID; the VTIMEZONE is asked only where nobody else knows the name.
fn zones_of(calendar: &Component) -> Result<Zones, Fault> {
    let mut zones = Zones(Vec::new());
    let (mut names, mut budget) = (Vec::new(), Budget::new(STEPS));
    collect_names(calendar, &mut names);
    for name in names {
        let zone = match Zone::named(name) {
            Some(zone) => zone,
            None => {
                let own = calendar.components.iter().find(|part| part.is("VTIMEZONE") && tzid(part) == Some(name));
                match own {
                    Some(part) => Zone::embedded(Embedded::read(part, &mut budget)?),
                    // Whoever needs it says so, with its line.
                    None => continue,
                }
            }
        };
        zones.0.push((name.to_owned(), zone));
    }
    Ok(zones)
}

pub(crate) fn tzid(zone: &Component) -> Option<&str> {
    zone.property("TZID").map(|line| line.value.trim())
}

/// No object has many zones, and no more are looked at.
pub(crate) const ZONES: usize = 200;

/// Names of zones that a component and those inside of it use, each once, up to [`ZONES`].
pub(crate) fn collect_names<'a>(component: &'a Component, names: &mut Vec<&'a str>) {
    for name in component.properties.iter().filter_map(|line| line.param_value("TZID")) {
        if names.len() < ZONES && !names.contains(&name) {
            names.push(name);
        }
    }
    for part in &component.components {
        collect_names(part, names);
    }
}
