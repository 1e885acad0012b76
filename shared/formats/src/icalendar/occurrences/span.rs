//! From when to when an object can happen at all, for an index.

use crate::icalendar::{
    civil::DAY,
    object::{Kind, Object},
    timing::{Timing, end_of, period_length},
    value::Duration,
    zone::Zone,
};

/// An outer bound: nothing happens before `first` or after `last`, both included. Alarms are not counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Seconds since 1970 in UTC. `i64::MIN` where a search by time finds the object whenever it asks (a task without dates);
    /// `i64::MAX` where none finds it.
    pub first: i64,
    /// `None` has no end.
    pub last: Option<i64>,
    /// Whether it is a series, or part of one.
    pub recurring: bool,
}

impl Object {
    /// The bound, where floating times and dates are read in `floating`.
    pub fn span(&self, floating: &Zone) -> Span {
        let mut span = Span { first: i64::MAX, last: Some(i64::MIN), recurring: false };
        for (index, timing) in self.timings() {
            span.recurring |= timing.recurs() || timing.overrides.is_some();
            match self.kind() {
                Kind::FreeBusy => self.free_busy(index, timing, floating, &mut span),
                Kind::Availability => {
                    let start = timing.start.as_ref().map(|start| (start.clock.local, start.utc(floating)));
                    let zone = timing.start.as_ref().and_then(|start| start.zone.as_ref()).unwrap_or(floating);
                    span.widen(start.map_or(i64::MIN, |(_, utc)| utc), start.map(|(local, utc)| end_of(local, utc, timing.length, zone)));
                    if !timing.has_length {
                        span.last = None;
                    }
                }
                kind => of_timing(kind, timing, floating, &mut span),
            }
        }
        // THISANDFUTURE moves instances that only the master's rule knows.
        let shift = self.shift(floating);
        if shift > 0 {
            span.first = span.first.saturating_sub(shift);
            span.last = span.last.map(|last| last.saturating_add(shift));
        }
        span
    }

    fn free_busy(&self, index: usize, timing: &Timing, floating: &Zone, span: &mut Span) {
        if let Some(start) = &timing.start {
            let utc = start.utc(floating);
            span.widen(utc, Some(end_of(start.clock.local, utc, timing.length, start.zone.as_ref().unwrap_or(floating))));
        }
        for (start, end) in self.periods(index, floating) {
            span.widen(start, Some(end));
        }
    }

    /// The periods of FREEBUSY in a component (RFC 5545 §3.8.2.6), whatever their type; what is none is left out.
    pub(crate) fn periods<'a>(&'a self, index: usize, floating: &'a Zone) -> impl Iterator<Item = (i64, i64)> + 'a {
        let lines = self.calendar().components.get(index).into_iter().flat_map(|part| part.all("FREEBUSY"));
        lines.flat_map(move |line| line.value.split(',').filter_map(move |value| self.period(line, value, floating)))
    }

    pub(crate) fn period(&self, line: &crate::lines::Line<'_>, value: &str, floating: &Zone) -> Option<(i64, i64)> {
        let (begin, end) = value.split_once('/')?;
        let begin = self.zones().stamp(line, begin).ok()?;
        let length = period_length(line, &begin, end, self.zones()).ok()?;
        let utc = begin.utc(floating);
        Some((utc, end_of(begin.clock.local, utc, length, begin.zone.as_ref().unwrap_or(floating))))
    }

    /// How far THISANDFUTURE can move an instance and its end.
    fn shift(&self, floating: &Zone) -> i64 {
        let futures = self.timings().filter_map(|(_, timing)| Some((timing, timing.overrides.as_ref().filter(|over| over.and_future)?)));
        let far = futures.filter_map(|(timing, over)| {
            let moved = timing.start.as_ref()?.utc(floating).saturating_sub(over.of.utc(floating)).saturating_abs();
            Some(moved.saturating_add(timing.length.nominal()).saturating_add(2 * DAY))
        });
        far.max().unwrap_or(0)
    }
}

impl Span {
    fn widen(&mut self, first: i64, last: Option<i64>) {
        self.first = self.first.min(first);
        self.last = match (self.last, last) {
            (Some(one), Some(other)) => Some(one.max(other)),
            _ => None,
        };
    }
}

fn of_timing(kind: Kind, timing: &Timing, floating: &Zone, span: &mut Span) {
    let Some(start) = &timing.start else {
        match (&timing.due, kind) {
            (Some(due), _) => span.widen(due.utc(floating), Some(due.utc(floating))),
            (None, Kind::Todo) => span.widen(i64::MIN, None),
            _ => {}
        }
        return;
    };
    let zone = start.zone.as_ref().unwrap_or(floating);
    let mut add = |local: i64, utc: i64, length: Duration| span.widen(utc, Some(end_of(local, utc, length, zone)));
    let utc = start.utc(floating);
    add(start.clock.local, utc, timing.length);
    for (date, length) in &timing.dates {
        let utc = date.utc(zone);
        add(zone.local(utc), utc, length.unwrap_or(timing.length));
    }
    for series in &timing.rules {
        // A time that the clock skips is later in UTC than one behind it; a day covers every change.
        let end = series.end().map(|end| zone.utc(end).saturating_add(DAY).saturating_add(timing.length.nominal()));
        span.widen(utc, end);
    }
}
