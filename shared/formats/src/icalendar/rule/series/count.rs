//! COUNT: when the last one is. By arithmetic where each period has as many, otherwise by counting within the budget.

use std::ops::Range;

use super::{Budget, Series, Spent, unit};
use crate::icalendar::{
    civil::{DAY, END, LAST_YEAR, day_of, week_start},
    rule::Frequency,
};

impl Series {
    /// The time of the instance with that number; the start is number 1. The end of time if there are not as many.
    pub(super) fn counted(&self, count: i64, budget: &mut Budget) -> Result<i64, Spent> {
        if count <= 1 || self.empty {
            return Ok(self.start);
        }
        let until = self.end().map_or(END, |end| end.saturating_add(1));
        let Some(each) = self.constant() else { return Ok(self.nth(self.start..until, count - 1, budget)?.unwrap_or(END)) };
        let Some(first) = self.period(0) else { return Ok(self.start) };
        let mut of_first = 0;
        self.walk_rule(first.clone(), budget, &mut |_| {
            of_first += 1;
            of_first < count - 1
        })?;
        if of_first >= count - 1 {
            return Ok(self.nth(first, count - 1, budget)?.unwrap_or(END));
        }
        if each == 0 {
            return Ok(END);
        }
        let left = count - 1 - of_first;
        let Some(period) = self.period(1 + (left - 1) / each) else { return Ok(END) };
        Ok(self.nth(period, 1 + (left - 1) % each, budget)?.unwrap_or(END))
    }

    /// The instance with that number, counted from 1, of those after the start within a window.
    fn nth(&self, window: Range<i64>, number: i64, budget: &mut Budget) -> Result<Option<i64>, Spent> {
        let (mut left, mut found) = (number, None);
        self.walk_rule(window, budget, &mut |time| {
            left -= 1;
            found = (left == 0).then_some(time);
            left > 0
        })?;
        Ok(found)
    }

    /// When a period begins and ends, counted from that of the start; `None` behind the last year.
    fn period(&self, number: i64) -> Option<Range<i64>> {
        let number = number.checked_mul(self.rule.interval)?;
        let day = self.start.div_euclid(DAY);
        let (begin, end) = match self.rule.frequency {
            Frequency::Yearly => {
                let year = self.month_period(self.start).checked_add(number).filter(|year| *year <= LAST_YEAR)?;
                (day_of(year, 1, 1) * DAY, day_of(year + 1, 1, 1) * DAY)
            }
            Frequency::Monthly => {
                let month = self.month_period(self.start).checked_add(number).filter(|month| *month < (LAST_YEAR + 1) * 12)?;
                let begin = |month: i64| day_of(month.div_euclid(12), month.rem_euclid(12) + 1, 1) * DAY;
                (begin(month), begin(month + 1))
            }
            Frequency::Weekly => {
                let begin = week_start(day, self.rule.wkst).checked_add(number.checked_mul(7)?)?.checked_mul(DAY)?;
                (begin, begin.checked_add(7 * DAY)?)
            }
            frequency => {
                let unit = unit(frequency);
                let begin = (self.start.div_euclid(unit) * unit).checked_add(number.checked_mul(unit)?)?;
                (begin, begin.checked_add(unit)?)
            }
        };
        (begin < END).then_some(begin..end)
    }

    /// How many instances every period has, where that does not depend on the calendar.
    fn constant(&self) -> Option<i64> {
        let bases = self.constant_bases()?;
        let all = bases * self.times.len();
        let picked = if self.rule.by_position.is_empty() { all } else { self.positions(all).len() };
        i64::try_from(picked).ok()
    }

    fn constant_bases(&self) -> Option<usize> {
        let rule = &self.rule;
        if !rule.by_year_day.is_empty() || !rule.by_week.is_empty() {
            return None;
        }
        let in_every_month =
            |list: &[i64]| list.iter().all(|day| (1..=28).contains(day)) || list.iter().all(|day| (-28..=-1).contains(day));
        let in_every = |most: i64| {
            rule.by_day.iter().all(|(ordinal, _)| (1..=most).contains(ordinal))
                || rule.by_day.iter().all(|(ordinal, _)| (-most..=-1).contains(ordinal))
        };
        let no_day = rule.by_month.is_empty() && rule.by_month_day.is_empty();
        let days = rule.by_month_day.len().max(rule.by_day.len());
        let regular = (rule.by_day.is_empty() && in_every_month(&rule.by_month_day)) || (rule.by_month_day.is_empty() && in_every(4));
        let constant = match rule.frequency {
            Frequency::Secondly => rule.by_second.is_empty() && rule.by_minute.is_empty() && rule.by_hour.is_empty(),
            Frequency::Minutely => rule.by_minute.is_empty() && rule.by_hour.is_empty(),
            Frequency::Hourly => rule.by_hour.is_empty(),
            Frequency::Daily => true,
            Frequency::Weekly => {
                let mut names: Vec<i64> = rule.by_day.iter().map(|(_, name)| *name).collect();
                names.sort_unstable();
                names.dedup();
                return no_day.then_some(names.len());
            }
            Frequency::Monthly => return (rule.by_month.is_empty() && regular).then_some(days),
            Frequency::Yearly if rule.by_month.is_empty() && rule.by_month_day.is_empty() => return in_every(52).then_some(days),
            Frequency::Yearly if rule.by_month.is_empty() => return regular.then_some(12 * days),
            Frequency::Yearly => return regular.then_some(rule.by_month.len() * days),
        };
        (constant && no_day && rule.by_day.is_empty()).then_some(1)
    }
}
