//! What a rule makes of a start. A window is reached by arithmetic, never by a walk from the start.

use std::ops::Range;

use super::{Frequency, Rule, Skip, set::Times};
use crate::icalendar::{
    civil::{DAY, END, FIRST, LAST_YEAR, date_of, day_of, week_start},
    value::{Clock, Form},
    zone::Zone,
};

mod count;

/// How many steps of a search are left; it is an error to need more.
#[derive(Debug)]
pub(crate) struct Budget(u64);

/// A search was longer than its budget.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent;

impl Budget {
    pub(crate) fn new(steps: u64) -> Self {
        Self(steps)
    }

    pub(crate) fn spend(&mut self, steps: u32) -> Result<(), Spent> {
        self.0 = self.0.checked_sub(u64::from(steps)).ok_or(Spent)?;
        Ok(())
    }
}

/// A rule with the start that it counts from. Times are by the clock on the wall of the start's zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Series {
    rule: Rule,
    start: i64,
    times: Times,
    /// The last that COUNT, or UNTIL by the clock, lets happen.
    last: Option<i64>,
    /// The last in UTC, and the zone to compare in.
    until: Option<(i64, Zone)>,
    /// Nothing but the start.
    empty: bool,
}

impl Series {
    /// `zone` is that of the start, `None` where it floats or is a date.
    pub(crate) fn new(rule: &Rule, start: Clock, zone: Option<&Zone>, budget: &mut Budget) -> Result<Self, Spent> {
        let rule = rule.filled(start);
        let times = Times::of(&rule);
        let empty = rule.impossible() || !rule.has_time(start.local) || !rule.has_day(start.local.div_euclid(DAY), budget)?;
        let mut series = Self { start: start.local, times, last: None, until: None, empty, rule };
        match (series.rule.until, zone) {
            (Some(Clock { local, form: Form::Utc }), Some(zone)) => series.until = Some((local, zone.clone())),
            // Against the standard, and usual: the whole of that day.
            (Some(Clock { local, form: Form::Date }), _) => series.last = Some(local + DAY - 1),
            (Some(until), _) => series.last = Some(until.local),
            (None, _) => {}
        }
        if let Some(count) = series.rule.count {
            let last = series.counted(count, budget)?;
            series.last = Some(series.last.map_or(last, |until| until.min(last)));
        }
        Ok(series)
    }

    /// The last time by the clock at which there can be an instance; `None` if it has no end.
    pub(crate) fn end(&self) -> Option<i64> {
        if self.empty {
            return Some(self.start);
        }
        let until = self.until.as_ref().map(|(utc, zone)| zone.local(*utc) + DAY);
        match (self.last, until) {
            (Some(last), Some(until)) => Some(last.min(until)),
            (last, until) => last.or(until),
        }
    }

    /// Calls `each` for what happens in a window, in order and each time once, until it returns false. The start is always the
    /// first (§3.8.5.3), whether the rule names it or not.
    pub(crate) fn walk(&self, window: Range<i64>, budget: &mut Budget, each: &mut dyn FnMut(i64) -> bool) -> Result<(), Spent> {
        if window.contains(&self.start) && !each(self.start) {
            return Ok(());
        }
        if self.empty {
            return Ok(());
        }
        let end = self.end().map_or(END, |end| end.saturating_add(1));
        let mut previous = self.start;
        let mut each = |time: i64| {
            let over = self.until.as_ref().is_some_and(|(until, zone)| zone.utc(time) > *until);
            let again = std::mem::replace(&mut previous, time) >= time;
            over || again || each(time)
        };
        self.walk_rule(window.start..window.end.min(end), budget, &mut each)
    }

    /// Without the start, and without the end of the series.
    fn walk_rule(&self, window: Range<i64>, budget: &mut Budget, each: &mut dyn FnMut(i64) -> bool) -> Result<(), Spent> {
        let window = window.start.max(self.start + 1).max(FIRST)..window.end.min(END);
        if window.is_empty() {
            return Ok(());
        }
        match self.rule.frequency {
            Frequency::Yearly | Frequency::Monthly => self.walk_months(&window, budget, each),
            Frequency::Weekly => self.walk_weeks(&window, budget, each),
            _ => self.walk_steps(&window, budget, each),
        }
    }

    fn walk_months(&self, window: &Range<i64>, budget: &mut Budget, each: &mut dyn FnMut(i64) -> bool) -> Result<(), Spent> {
        let yearly = self.rule.frequency == Frequency::Yearly;
        let first = self.month_period(self.start);
        // SKIP can move the last instance of a period into the next one.
        let before = i64::from(self.rule.skip == Skip::Forward);
        let mut period = first + round_up(self.month_period(window.start) - before - first, self.rule.interval);
        let mut days = Vec::new();
        loop {
            let (year, months) =
                if yearly { (period, 1..=12) } else { (period.div_euclid(12), period.rem_euclid(12) + 1..=period.rem_euclid(12) + 1) };
            if year > LAST_YEAR || day_of(year, *months.start(), 1) * DAY >= window.end {
                return Ok(());
            }
            days.clear();
            for month in months {
                budget.spend(self.rule.month_days(year, month, &mut days))?;
            }
            if !self.emit(&days, DAY, window, budget, each)? {
                return Ok(());
            }
            period = period.saturating_add(self.rule.interval);
        }
    }

    /// The number of the year or month of a time, whichever the rule counts.
    fn month_period(&self, time: i64) -> i64 {
        let (year, month, _) = date_of(time.div_euclid(DAY));
        if self.rule.frequency == Frequency::Yearly { year } else { year * 12 + month - 1 }
    }

    fn walk_weeks(&self, window: &Range<i64>, budget: &mut Budget, each: &mut dyn FnMut(i64) -> bool) -> Result<(), Spent> {
        let first = week_start(self.start.div_euclid(DAY), self.rule.wkst);
        let target = week_start(window.start.div_euclid(DAY), self.rule.wkst);
        let mut week = first + 7 * round_up((target - first) / 7, self.rule.interval);
        let mut days = Vec::new();
        while week.saturating_mul(DAY) < window.end {
            budget.spend(2)?;
            days.clear();
            days.extend((week..week + 7).filter(|day| self.rule.fits_day(*day)));
            if !self.emit(&days, DAY, window, budget, each)? {
                return Ok(());
            }
            week = week.saturating_add(7 * self.rule.interval);
        }
        Ok(())
    }

    /// Days and what is shorter: all periods have the same length, and what the rule leaves out is jumped over.
    fn walk_steps(&self, window: &Range<i64>, budget: &mut Budget, each: &mut dyn FnMut(i64) -> bool) -> Result<(), Spent> {
        let unit = unit(self.rule.frequency);
        let (first, step) = (self.start.div_euclid(unit) * unit, unit * self.rule.interval);
        let at_or_after = |time: i64| first + round_up(time - first, step);
        let mut time = at_or_after(window.start - unit + 1);
        while time < window.end {
            budget.spend(1)?;
            if let Some(next) = self.left_out(time) {
                time = at_or_after(next.max(time + 1));
                continue;
            }
            if !self.emit(&[time], 1, window, budget, each)? {
                return Ok(());
            }
            time = time.saturating_add(step);
        }
        Ok(())
    }

    /// The times of one period, whose days, hours or the like begin at `bases` times `scale`. False when there is no need of more.
    fn emit(
        &self,
        bases: &[i64],
        scale: i64,
        window: &Range<i64>,
        budget: &mut Budget,
        each: &mut dyn FnMut(i64) -> bool,
    ) -> Result<bool, Spent> {
        if !self.rule.by_position.is_empty() {
            return self.emit_positions(bases, scale, window, budget, each);
        }
        for base in bases.iter().map(|base| base * scale) {
            for index in self.times.from(window.start - base)..self.times.len() {
                let Some(offset) = self.times.get(index) else { break };
                if base + offset >= window.end {
                    return Ok(false);
                }
                budget.spend(1)?;
                if !each(base + offset) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// BYSETPOS: the place of an instance in its set is arithmetic, as each base has the same times.
    fn emit_positions(
        &self,
        bases: &[i64],
        scale: i64,
        window: &Range<i64>,
        budget: &mut Budget,
        each: &mut dyn FnMut(i64) -> bool,
    ) -> Result<bool, Spent> {
        let length = self.times.len();
        for index in self.positions(bases.len() * length) {
            budget.spend(1)?;
            let (Some(base), Some(offset)) = (bases.get(index / length), self.times.get(index % length)) else { continue };
            let time = base * scale + offset;
            if time >= window.end {
                return Ok(false);
            }
            if time >= window.start && !each(time) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What BYSETPOS picks of a set of that many, in order.
    fn positions(&self, count: usize) -> Vec<usize> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let index = |position: &i64| if *position > 0 { position - 1 } else { count + position };
        let mut out: Vec<usize> = self
            .rule
            .by_position
            .iter()
            .map(index)
            .filter(|index| (0..count).contains(index))
            .filter_map(|index| index.try_into().ok())
            .collect();
        out.sort_unstable();
        out.dedup();
        out
    }

    /// When the search may go on, where a rule leaves this period out.
    fn left_out(&self, time: i64) -> Option<i64> {
        let rule = &self.rule;
        let (day, second) = (time.div_euclid(DAY), time.rem_euclid(DAY));
        if !rule.fits_day(day) {
            return Some(rule.next_day(day) * DAY);
        }
        let next = |list: &[i64], at: i64| list.iter().find(|number| **number > at).copied();
        let (hour, minute) = (second / 3600, second / 60 % 60);
        if rule.frequency >= Frequency::Hourly && !rule.by_hour.is_empty() && !rule.by_hour.contains(&hour) {
            return Some(day * DAY + next(&rule.by_hour, hour).unwrap_or(24) * 3600);
        }
        if rule.frequency >= Frequency::Minutely && !rule.by_minute.is_empty() && !rule.by_minute.contains(&minute) {
            return Some(day * DAY + hour * 3600 + next(&rule.by_minute, minute).unwrap_or(60) * 60);
        }
        if rule.frequency == Frequency::Secondly && !rule.by_second.is_empty() && !rule.by_second.contains(&(second % 60)) {
            return Some(time - second % 60 + next(&rule.by_second, second % 60).unwrap_or(60));
        }
        None
    }
}

/// The smallest multiple of `step` that is neither below `least` nor below 0.
fn round_up(least: i64, step: i64) -> i64 {
    let least = least.max(0);
    least.saturating_add(step - 1) / step * step
}

/// The seconds of a period that is always as long.
fn unit(frequency: Frequency) -> i64 {
    match frequency {
        Frequency::Secondly => 1,
        Frequency::Minutely => 60,
        Frequency::Hourly => 3600,
        _ => DAY,
    }
}
