//! When an object happens within a window.

use std::ops::Range;

use super::{
    civil::DAY,
    object::{Kind, Object},
    rule::Budget,
    timing::{Timing, end_of},
    value::Duration,
    zone::Zone,
};

mod overrides;
mod span;

use overrides::Overrides;
pub use span::Span;

/// One time at which an object happens. Times are seconds since 1970 in UTC where nothing else is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    pub start: i64,
    /// Not before the start; equal to it where it takes no time.
    pub end: i64,
    /// What the clock shows at the start, in the zone that its component names.
    pub start_local: i64,
    /// When the rule or the list had it, for one of a series.
    pub recurrence_id: Option<Instance>,
    /// Which of the calendar's components says what it is: the master, or an override.
    pub component: usize,
    pub all_day: bool,
    /// Whether it happens in every zone at the same time by the clock.
    pub floating: bool,
}

/// The original time of an instance (RECURRENCE-ID, RFC 5545 §3.8.4.4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instance {
    pub utc: i64,
    /// By the clock of the series.
    pub local: i64,
}

/// More occurrences than were asked for, or more steps than a search may take. The caller has to ask for a shorter window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMany;

impl std::fmt::Display for TooMany {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("more occurrences than are taken; ask for a shorter time")
    }
}

impl std::error::Error for TooMany {}

/// Steps of one search: some milliseconds.
const STEPS: u64 = 1_000_000;
/// Instances that a search may look at beside those that it answers with, where they can be outside of its window.
const BESIDE: usize = 20_000;

/// What a rule or a list has, before overrides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Original {
    utc: i64,
    local: i64,
    /// Of an RDATE with a period.
    length: Option<(i64, i64)>,
}

impl Occurrence {
    /// Whether it has something of a window; what takes no time is in it where its begin is.
    pub fn overlaps(&self, window: &Range<i64>) -> bool {
        self.start < window.end && (self.end > window.start || (self.end == self.start && self.start >= window.start))
    }
}

impl Object {
    /// All that happens in a window of UTC, in order; never more than `limit`. Floating times and dates are read in `floating`.
    pub fn occurrences(&self, window: Range<i64>, floating: &Zone, limit: usize) -> Result<Vec<Occurrence>, TooMany> {
        let mut out = Vec::new();
        match self.kind() {
            Kind::FreeBusy | Kind::Availability => out.extend(self.whole(floating).filter(|whole| whole.overlaps(&window))),
            _ => Parts::of(self).collect(&window, floating, limit, &mut out)?,
        }
        if out.len() > limit {
            return Err(TooMany);
        }
        out.sort_by_key(|found: &Occurrence| (found.start, found.end, found.recurrence_id, found.component));
        Ok(out)
    }

    /// What does not recur and has open ends.
    fn whole(&self, floating: &Zone) -> Option<Occurrence> {
        let (component, timing) = self.timings().next()?;
        let span = self.span(floating);
        let start_local = timing.start.as_ref().map_or(span.first, |start| start.clock.local);
        let end = span.last.unwrap_or(i64::MAX);
        (span.first <= end).then_some(Occurrence {
            start: span.first,
            end,
            start_local,
            recurrence_id: None,
            component,
            all_day: false,
            floating: false,
        })
    }
}

/// The components of one series, with the index that their occurrences have: the first one, and overrides.
#[derive(Debug, Default)]
pub(super) struct Parts<'a> {
    pub master: Option<(usize, &'a Timing)>,
    pub overrides: Vec<(usize, &'a Timing)>,
}

impl<'a> Parts<'a> {
    fn of(object: &'a Object) -> Self {
        let mut out = Self::default();
        object.timings().for_each(|(index, timing)| out.add(index, timing));
        out
    }

    pub(super) fn add(&mut self, index: usize, timing: &'a Timing) {
        if timing.overrides.is_some() {
            self.overrides.push((index, timing));
        } else {
            self.master = Some((index, timing));
        }
    }

    pub(super) fn collect(&self, window: &Range<i64>, floating: &Zone, limit: usize, out: &mut Vec<Occurrence>) -> Result<(), TooMany> {
        let overrides = Overrides::of(self, floating);
        let push = |found: Occurrence, out: &mut Vec<Occurrence>| {
            if found.overlaps(window) {
                out.push(found);
            }
            if out.len() > limit { Err(TooMany) } else { Ok(()) }
        };
        for single in overrides.singles() {
            push(single, out)?;
        }
        let Some((index, timing)) = self.master else { return Ok(()) };
        let (Some(start), recurs) = (&timing.start, timing.recurs()) else {
            return without_start(timing, index, floating).map_or(Ok(()), |only| push(only, out));
        };
        let zone = start.zone.as_ref().unwrap_or(floating);
        let (before, behind) = overrides.reach(timing);
        let few = self.overrides.len() + timing.except_dates.len();
        let beside = if before == 0 && timing.except.is_empty() { few } else { few + BESIDE };
        let near = window.start.saturating_sub(before)..window.end.saturating_add(behind);
        for original in originals(timing, zone, near, limit.saturating_add(beside))? {
            if overrides.replaces(&original) {
                continue;
            }
            if let Some(moved) = overrides.moved(&original) {
                push(moved, out)?;
                continue;
            }
            let length = original.length.map_or(timing.length, |(days, seconds)| Duration { days, seconds });
            let found = Occurrence {
                start: original.utc,
                end: end_of(original.local, original.utc, length, zone),
                start_local: original.local,
                recurrence_id: recurs.then_some(Instance { utc: original.utc, local: original.local }),
                component: index,
                all_day: start.is_date(),
                floating: start.zone.is_none(),
            };
            push(found, out)?;
        }
        Ok(())
    }
}

/// A task that is only due.
fn without_start(timing: &Timing, component: usize, floating: &Zone) -> Option<Occurrence> {
    let due = timing.due.as_ref()?;
    let time = due.utc(floating);
    Some(Occurrence {
        start: time,
        end: time,
        start_local: due.clock.local,
        recurrence_id: None,
        component,
        all_day: due.is_date(),
        floating: due.zone.is_none(),
    })
}

/// What the start, the rules and the lists have between two times, without what is excepted; in order, each once.
fn originals(timing: &Timing, zone: &Zone, window: Range<i64>, most: usize) -> Result<Vec<Original>, TooMany> {
    let Some(start) = &timing.start else { return Ok(Vec::new()) };
    let (mut out, mut over, mut budget) = (Vec::new(), false, Budget::new(STEPS));
    let clock = clock_window(&window, zone);
    let mut add = |original: Original| {
        over |= out.len() >= most;
        if !over && window.contains(&original.utc) {
            out.push(original);
        }
        !over
    };
    add(Original { utc: zone.utc(start.clock.local), local: start.clock.local, length: None });
    for series in &timing.rules {
        let mut each = |local: i64| {
            let utc = zone.utc(local);
            // Of a time that the clock skips, what it shows instead.
            add(Original { utc, local: zone.local(utc), length: None })
        };
        series.walk(clock.clone(), &mut budget, &mut each).map_err(|_| TooMany)?;
    }
    for (date, length) in &timing.dates {
        let utc = date.utc(zone);
        let local = if date.is_date() { date.clock.local } else { zone.local(utc) };
        add(Original { utc, local, length: length.map(|length| (length.days, length.seconds)) });
    }
    if over {
        return Err(TooMany);
    }
    let mut excepted: Vec<i64> = Vec::new();
    for series in &timing.except {
        let mut each = |local: i64| {
            excepted.push(zone.utc(local));
            true
        };
        series.walk(clock.clone(), &mut budget, &mut each).map_err(|_| TooMany)?;
    }
    // An exception that is a date, or of a date, is for that day.
    let whole_days = |date: &&super::timing::Stamp| date.is_date() || start.is_date();
    let mut days: Vec<i64> = timing.except_dates.iter().filter(whole_days).map(|date| date.clock.local.div_euclid(DAY)).collect();
    excepted.extend(timing.except_dates.iter().filter(|date| !whole_days(date)).map(|date| date.utc(zone)));
    excepted.sort_unstable();
    days.sort_unstable();
    out.retain(|found| excepted.binary_search(&found.utc).is_err() && days.binary_search(&found.local.div_euclid(DAY)).is_err());
    // Of two at the same time the one with a length of its own stays.
    out.sort_unstable_by(|one, other| one.utc.cmp(&other.utc).then(other.length.cmp(&one.length)));
    out.dedup_by_key(|found| found.utc);
    Ok(out)
}

/// Everything that clocks can show between two times in UTC, those included that they skip.
fn clock_window(window: &Range<i64>, zone: &Zone) -> Range<i64> {
    let offsets = |time: i64| [-DAY, 0, DAY].map(|near| zone.offset(time.saturating_add(near)));
    let least = offsets(window.start).into_iter().min().unwrap_or(0);
    let most = offsets(window.end).into_iter().max().unwrap_or(0);
    window.start.saturating_add(least)..window.end.saturating_add(most)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) use tests::event;
