//! When a component happens, as its properties say it: read once, with every value judged.

use super::{
    civil::{DAY, FIRST},
    fault::{Fault, Limits, What},
    rule::{Budget, Frequency, Rule, Series},
    tree::Component,
    value::{Clock, Duration, Form, clock, duration},
    zone::Zone,
};
use crate::lines::Line;

/// A time of the calendar, with the zone in which its clock stands; none where it floats or is a date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub clock: Clock,
    pub zone: Option<Zone>,
}

impl Stamp {
    pub(crate) fn is_date(&self) -> bool {
        self.clock.form == Form::Date
    }

    /// In UTC, where a floating time is of `floating`.
    pub(crate) fn utc(&self, floating: &Zone) -> i64 {
        self.zone.as_ref().unwrap_or(floating).utc(self.clock.local)
    }
}

/// RECURRENCE-ID (RFC 5545 §3.8.4.4).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Override {
    pub of: Stamp,
    /// RANGE=THISANDFUTURE.
    pub and_future: bool,
}

/// When one component happens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Timing {
    pub start: Option<Stamp>,
    /// From the start. Of a task with DUE and no start, nothing.
    pub length: Duration,
    /// Whether DTEND, DUE or DURATION says how long it is.
    pub has_length: bool,
    pub due: Option<Stamp>,
    pub rules: Vec<Series>,
    pub except: Vec<Series>,
    pub dates: Vec<(Stamp, Option<Duration>)>,
    pub except_dates: Vec<Stamp>,
    pub overrides: Option<Override>,
}

/// Zones that an object's names stand for.
#[derive(Debug)]
pub(crate) struct Zones(pub Vec<(String, Zone)>);

impl Zones {
    pub(crate) fn find(&self, name: &str) -> Option<&Zone> {
        self.0.iter().find(|(id, _)| id == name).map(|(_, zone)| zone)
    }

    /// The time that a line's value is. RFC 5545 §3.2.19: TZID is for what has no Z, and no date.
    pub(crate) fn stamp(&self, line: &Line<'_>, value: &str) -> Result<Stamp, Fault> {
        let clock = clock(value).ok_or_else(|| Fault::data(line.number, format!("{} is no date or time: {value:?}", line.name)))?;
        let zone = match (clock.form, line.param_value("TZID")) {
            (Form::Utc, _) => Some(Zone::UTC),
            (Form::Local, Some(name)) => {
                let unknown = || Fault::data(line.number, format!("the zone {name:?} is known to nobody and has no VTIMEZONE"));
                Some(self.find(name).ok_or_else(unknown)?.clone())
            }
            _ => None,
        };
        Ok(Stamp { clock, zone })
    }
}

/// Steps that counting the ends of all rules of an object may take.
pub(crate) const COUNTING: u64 = 1_000_000;

impl Timing {
    pub(crate) fn read(component: &Component, zones: &Zones, limits: &Limits, budget: &mut Budget) -> Result<Self, Fault> {
        let mut timing = Self::default();
        let one = |name| component.property(name).map(|line| zones.stamp(line, &line.value)).transpose();
        timing.start = one("DTSTART")?;
        timing.due = one("DUE")?;
        let end = if component.is("VTODO") { timing.due.clone() } else { one("DTEND")? };
        let length = component.property("DURATION").map(length_of).transpose()?;
        timing.has_length = end.is_some() || length.is_some();
        timing.length = match (&timing.start, &end, length) {
            (Some(start), Some(end), _) => between(start, end),
            (_, _, Some(length)) => length,
            // §3.6.1: a date without an end is that day.
            (Some(start), None, None) if start.is_date() && !component.is("VTODO") => Duration { days: 1, seconds: 0 },
            _ => Duration::default(),
        };
        if timing.start.as_ref().is_some_and(|start| start.is_date()) && !component.is("VTODO") && timing.length.nominal() == 0 {
            timing.length = Duration { days: 1, seconds: 0 };
        }
        timing.overrides = component.property("RECURRENCE-ID").map(|line| override_of(line, zones)).transpose()?;
        // An override happens once, whatever else it says.
        if timing.overrides.is_none() {
            timing.recurrence(component, zones, limits, budget)?;
        }
        Ok(timing)
    }

    fn recurrence(&mut self, component: &Component, zones: &Zones, limits: &Limits, budget: &mut Budget) -> Result<(), Fault> {
        let Some(start) = self.start.clone() else { return Ok(()) };
        for line in component.properties.iter().filter(|line| line.is("RRULE") || line.is("EXRULE")) {
            let rule = Rule::parse(&line.value, line.number)?;
            if start.is_date() && rule.frequency >= Frequency::Hourly {
                return Err(Fault::data(line.number, "a date cannot recur within the day"));
            }
            let series = Series::new(&rule, start.clock, start.zone.as_ref(), budget)
                .map_err(|_| Fault::new(What::MaxInstances, line.number, "too many instances to count"))?;
            if line.is("RRULE") {
                self.rules.push(series)
            } else {
                self.except.push(series)
            }
            if self.rules.len() + self.except.len() > limits.rules {
                return Err(Fault::new(What::MaxInstances, line.number, "more recurrence rules than are taken"));
            }
        }
        for line in component.all("RDATE") {
            for value in line.value.split(',').filter(|value| !value.trim().is_empty()) {
                self.dates.push(date_or_period(line, value, zones, &start)?);
                self.check(line, limits)?;
            }
        }
        for line in component.all("EXDATE") {
            for value in line.value.split(',').filter(|value| !value.trim().is_empty()) {
                self.except_dates.push(zones.stamp(line, value)?);
                self.check(line, limits)?;
            }
        }
        Ok(())
    }

    fn check(&self, line: &Line<'_>, limits: &Limits) -> Result<(), Fault> {
        match self.dates.len() + self.except_dates.len() > limits.dates {
            true => Err(Fault::new(What::MaxInstances, line.number, "more dates than are taken")),
            false => Ok(()),
        }
    }

    pub(crate) fn recurs(&self) -> bool {
        !self.rules.is_empty() || !self.dates.is_empty()
    }
}

fn override_of(line: &Line<'_>, zones: &Zones) -> Result<Override, Fault> {
    let and_future = line.param_value("RANGE").is_some_and(|range| range.eq_ignore_ascii_case("THISANDFUTURE"));
    Ok(Override { of: zones.stamp(line, &line.value)?, and_future })
}

/// DURATION of a component, which cannot be negative (§3.8.2.5).
fn length_of(line: &Line<'_>) -> Result<Duration, Fault> {
    let wrong = || Fault::data(line.number, format!("no duration: {:?}", line.value));
    duration(&line.value).filter(|length| !length.negative()).ok_or_else(wrong)
}

/// §3.8.5.3: an end gives each instance the same exact length; between dates it is days. An end before the start is none.
fn between(start: &Stamp, end: &Stamp) -> Duration {
    if start.is_date() {
        let days = end.clock.local.div_euclid(DAY) - start.clock.local.div_euclid(DAY);
        return Duration { days: days.max(0), seconds: 0 };
    }
    let local = Zone::UTC;
    // An end that floats, beside a start that does not, is of the start's zone.
    let zone = start.zone.as_ref().unwrap_or(&local);
    Duration { days: 0, seconds: (end.utc(zone) - start.utc(&local)).max(0) }
}

/// §3.8.5.2: RDATE is a time or a period.
fn date_or_period(line: &Line<'_>, value: &str, zones: &Zones, start: &Stamp) -> Result<(Stamp, Option<Duration>), Fault> {
    let (begin, end) = match value.split_once('/') {
        Some((begin, end)) => (begin, Some(end)),
        None => (value, None),
    };
    let mut begin = zones.stamp(line, begin)?;
    if begin.is_date() && !start.is_date() {
        // A day of something that has a time means that time.
        let time = start.clock.local.rem_euclid(DAY);
        begin = Stamp { clock: Clock { local: begin.clock.local + time, form: start.clock.form }, zone: start.zone.clone() };
    }
    let length = end.map(|end| period_length(line, &begin, end, zones)).transpose()?;
    Ok((begin, length))
}

/// PERIOD (§3.3.9): up to an end, or for a duration.
pub(crate) fn period_length(line: &Line<'_>, begin: &Stamp, end: &str, zones: &Zones) -> Result<Duration, Fault> {
    if end.trim_start().starts_with(['P', 'p', '+', '-']) {
        let wrong = || Fault::data(line.number, format!("no period: {:?}", line.value));
        return duration(end).filter(|length| !length.negative()).ok_or_else(wrong);
    }
    Ok(between(begin, &zones.stamp(line, end)?))
}

/// The end in UTC of what begins at a time by the clock and in UTC: days by the clock, seconds exactly (§3.3.6).
pub(crate) fn end_of(local: i64, utc: i64, length: Duration, zone: &Zone) -> i64 {
    let begin = if length.days == 0 { utc } else { zone.utc((local + length.days * DAY).max(FIRST)) };
    (begin + length.seconds).max(utc)
}
