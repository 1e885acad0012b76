//! The rules of a VTIMEZONE (RFC 5545 §3.6.5), for a zone that no database knows.

use super::Zone;
use crate::icalendar::{
    civil::{DAY, day_of},
    fault::Fault,
    rule::{Budget, Rule, Series},
    tree::Component,
    value::{clock, utc_offset},
};

/// When clocks were changed, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Embedded {
    /// When in UTC, and the seconds east of UTC from then on.
    onsets: Vec<(i64, i64)>,
    before: i64,
}

/// Rules without an end are written out to here; from then on each 400 years are as the last ones, which the Gregorian calendar
/// makes exact.
const HORIZON_YEAR: i64 = 2480;
const CYCLE: i64 = 146_097 * DAY;
/// Clocks of before are not asked for, and old rules often begin in 1601.
const FIRST_YEAR: i64 = 1890;
/// Steps that writing out all zones of an object may take.
pub(crate) const STEPS: u64 = 500_000;
/// Onsets of one zone. No real one has as many.
const MOST: usize = 20_000;

impl Embedded {
    /// `budget` is for all zones of an object together.
    pub(crate) fn read(zone: &Component, budget: &mut Budget) -> Result<Self, Fault> {
        let (mut onsets, mut first) = (Vec::new(), None);
        for part in zone.components.iter().filter(|part| part.is("STANDARD") || part.is("DAYLIGHT")) {
            let (start, from) = observance(part, budget, &mut onsets)?;
            if first.is_none_or(|(time, _)| start < time) {
                first = Some((start, from));
            }
        }
        let Some((_, before)) = first else { return Err(Fault::data(zone.line, "a VTIMEZONE without STANDARD or DAYLIGHT")) };
        onsets.sort_unstable();
        onsets.dedup_by_key(|(time, _)| *time);
        Ok(Self { onsets, before })
    }

    pub(super) fn offset(&self, utc: i64) -> i64 {
        let horizon = day_of(HORIZON_YEAR, 1, 1) * DAY;
        let utc = if utc < horizon { utc } else { horizon - CYCLE + (utc - horizon).rem_euclid(CYCLE) };
        let after = self.onsets.partition_point(|(time, _)| *time <= utc);
        after.checked_sub(1).and_then(|at| self.onsets.get(at)).map_or(self.before, |(_, offset)| *offset)
    }

    /// Clocks are changed once in two days at the most, so the offsets of a day before and after are those in question.
    pub(super) fn utc(&self, local: i64) -> i64 {
        let (before, after) = (self.offset(local - DAY - self.before), self.offset(local + DAY - self.before));
        let first = local - before;
        let second = local - after;
        if self.offset(first) != before && self.offset(second) == after { second } else { first }
    }
}

/// Adds when one observance begins. Returns its first onset and the offset before it.
fn observance(part: &Component, budget: &mut Budget, onsets: &mut Vec<(i64, i64)>) -> Result<(i64, i64), Fault> {
    let wrong = || Fault::data(part.line, format!("a {} that lacks DTSTART, TZOFFSETFROM or TZOFFSETTO", part.name));
    let value = |name| part.property(name).map(|line| line.value.as_ref());
    let start = value("DTSTART").and_then(clock).ok_or_else(wrong)?;
    let from = value("TZOFFSETFROM").and_then(utc_offset).ok_or_else(wrong)?;
    let to = value("TZOFFSETTO").and_then(utc_offset).ok_or_else(wrong)?;
    let many = || Fault::data(part.line, "a VTIMEZONE with more changes than are taken");
    let mut add = |local: i64| {
        onsets.push((local - from, to));
        onsets.len() <= MOST
    };
    add(start.local);
    for line in part.all("RRULE") {
        let rule = Rule::parse(&line.value, line.number)?;
        let series = Series::new(&rule, start, Some(&Zone::fixed(from)), budget).map_err(|_| many())?;
        let window = day_of(FIRST_YEAR, 1, 1) * DAY..day_of(HORIZON_YEAR, 1, 1) * DAY;
        series.walk(window, budget, &mut add).map_err(|_| many())?;
    }
    for line in part.all("RDATE") {
        for date in line.value.split(',').take(MOST) {
            // A PERIOD is no time of a change; its begin is.
            let date = date.split('/').next().and_then(clock).ok_or_else(|| Fault::data(line.number, "an RDATE that is no time"))?;
            add(date.local);
        }
    }
    if onsets.len() > MOST { Err(many()) } else { Ok((start.local - from, from)) }
}
