//! Instances that a component of their own replaces (RFC 5545 §3.8.4.4), alone or with all that follow.

use std::collections::BTreeSet;

use super::{Instance, Occurrence, Original, Parts};
use crate::icalendar::{
    civil::DAY,
    timing::{Stamp, Timing, end_of},
    value::Duration,
    zone::Zone,
};

pub(super) struct Overrides<'a> {
    floating: &'a Zone,
    singles: Vec<Occurrence>,
    /// Which instances have their own component: by time, and by day where a date names them.
    times: Vec<i64>,
    days: Vec<i64>,
    /// In order of the instance from which they hold.
    futures: Vec<Future<'a>>,
}

struct Future<'a> {
    from: i64,
    component: usize,
    start: &'a Stamp,
    /// By the clock.
    shift: i64,
    length: Duration,
}

impl<'a> Overrides<'a> {
    pub(super) fn of(parts: &Parts<'a>, floating: &'a Zone) -> Self {
        let mut out = Self { floating, singles: Vec::new(), times: Vec::new(), days: Vec::new(), futures: Vec::new() };
        let first = parts.master.and_then(|(_, timing)| timing.start.as_ref());
        let zone = first.and_then(|start| start.zone.as_ref()).unwrap_or(floating);
        let mut seen = BTreeSet::new();
        // Of two for one instance the last one counts.
        for (component, timing) in parts.overrides.iter().rev().copied() {
            let Some(instance) = &timing.overrides else { continue };
            let of = &instance.of;
            // A date names the instance of that day; so does any time, where the series is of dates.
            let whole_day = of.is_date() || first.is_some_and(Stamp::is_date);
            let utc = if whole_day { zone.utc(of.clock.local.div_euclid(DAY) * DAY) } else { of.utc(zone) };
            if !seen.insert(utc) {
                continue;
            }
            if whole_day {
                out.days.push(of.clock.local.div_euclid(DAY));
            } else {
                out.times.push(utc);
            }
            let original = Instance { utc, local: if whole_day { of.clock.local } else { zone.local(utc) } };
            let Some(start) = timing.start.as_ref().or(timing.due.as_ref()) else { continue };
            out.singles.push(single(component, timing, start, original, floating));
            if instance.and_future {
                let own = start.zone.as_ref().unwrap_or(floating);
                let was = if whole_day { of.clock.local } else { own.local(utc) };
                out.futures.push(Future { from: utc, component, start, shift: start.clock.local - was, length: timing.length });
            }
        }
        out.times.sort_unstable();
        out.days.sort_unstable();
        out.futures.sort_by_key(|future| future.from);
        out
    }

    pub(super) fn singles(&self) -> impl Iterator<Item = Occurrence> {
        self.singles.iter().copied()
    }

    /// How far before a window, and how far behind it, an original can be that happens there.
    pub(super) fn reach(&self, timing: &Timing) -> (i64, i64) {
        let mut length = timing.length.nominal();
        for (_, own) in &timing.dates {
            length = length.max(own.map_or(0, Duration::nominal));
        }
        let mut shift = 0;
        for future in &self.futures {
            length = length.max(future.length.nominal());
            shift = shift.max(future.shift.abs() + DAY);
        }
        // A day by the clock can be longer than 24 hours.
        let days = if length >= DAY { DAY } else { 0 };
        (length + shift + days, shift)
    }

    pub(super) fn replaces(&self, original: &Original) -> bool {
        self.times.binary_search(&original.utc).is_ok() || self.days.binary_search(&original.local.div_euclid(DAY)).is_ok()
    }

    /// Where THISANDFUTURE of an earlier instance puts this one.
    pub(super) fn moved(&self, original: &Original) -> Option<Occurrence> {
        let after = self.futures.partition_point(|future| future.from <= original.utc);
        let future = self.futures.get(after.checked_sub(1)?)?;
        let zone = future.start.zone.as_ref().unwrap_or(self.floating);
        let start_local = zone.local(original.utc) + future.shift;
        let start = zone.utc(start_local);
        Some(Occurrence {
            start,
            end: end_of(start_local, start, future.length, zone),
            start_local,
            recurrence_id: Some(Instance { utc: original.utc, local: original.local }),
            component: future.component,
            all_day: future.start.is_date(),
            floating: future.start.zone.is_none(),
        })
    }
}

fn single(component: usize, timing: &Timing, start: &Stamp, original: Instance, floating: &Zone) -> Occurrence {
    let utc = start.utc(floating);
    let zone = start.zone.as_ref().unwrap_or(floating);
    Occurrence {
        start: utc,
        end: end_of(start.clock.local, utc, timing.length, zone),
        start_local: start.clock.local,
        recurrence_id: Some(original),
        component,
        all_day: start.is_date(),
        floating: start.zone.is_none(),
    }
}
