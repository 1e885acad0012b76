//! The set of one period: its days, and the times of each.

use super::{
    Frequency, Rule, Skip,
    series::{Budget, Spent},
};
use crate::icalendar::civil::{DAY, date_of, day_of, days_in_month, days_in_year, first_week, weekday};

/// Within what BYDAY counts (§3.3.10, notes 1 and 2).
#[derive(Clone, Copy)]
enum Within {
    Nothing,
    Month,
    Year,
}

impl Rule {
    /// The days of one month of a monthly or yearly rule, in order. Returns how many were looked at.
    pub(super) fn month_days(&self, year: i64, month: i64, out: &mut Vec<i64>) -> u32 {
        if !self.by_month.is_empty() && !self.by_month.contains(&month) {
            return 1;
        }
        let within = match self.frequency {
            Frequency::Monthly => Within::Month,
            _ if !self.by_week.is_empty() => Within::Nothing,
            _ if !self.by_month.is_empty() => Within::Month,
            _ => Within::Year,
        };
        let (first, length) = (day_of(year, month, 1), days_in_month(year, month));
        let before = out.len();
        if self.by_month_day.is_empty() && !self.by_year_day.is_empty() {
            let (new_year, days) = (day_of(year, 1, 1), days_in_year(year));
            let day = |number: &i64| if *number > 0 { new_year + number - 1 } else { new_year + days + number };
            out.extend(self.by_year_day.iter().map(day).filter(|day| (first..first + length).contains(day) && self.fits(*day, within)));
            sort_from(out, before);
            return u32::try_from(self.by_year_day.len()).unwrap_or(u32::MAX);
        }
        if self.by_month_day.is_empty() {
            out.extend((first..first + length).filter(|day| self.fits(*day, within)));
            return 8;
        }
        for number in &self.by_month_day {
            let day = match number {
                1.. if *number <= length => first + number - 1,
                1.. if self.skip == Skip::Backward => first + length - 1,
                1.. if self.skip == Skip::Forward => first + length,
                ..=-1 if -number <= length => first + length + number,
                _ => continue,
            };
            if self.fits(day, within) {
                out.push(day);
            }
        }
        sort_from(out, before);
        u32::try_from(self.by_month_day.len()).unwrap_or(u32::MAX)
    }

    /// Whether a day is one of a rule that takes its days from a week or less.
    pub(super) fn fits_day(&self, day: i64) -> bool {
        let (year, month, of_month) = date_of(day);
        let from_end = of_month - days_in_month(year, month) - 1;
        (self.by_month.is_empty() || self.by_month.contains(&month))
            && (self.by_month_day.is_empty() || self.by_month_day.iter().any(|number| *number == of_month || *number == from_end))
            && self.fits(day, Within::Nothing)
    }

    fn fits(&self, day: i64, within: Within) -> bool {
        (self.by_day.is_empty() || self.fits_weekday(day, within))
            && (self.by_year_day.is_empty() || self.fits_year_day(day))
            && (self.by_week.is_empty() || self.fits_week(day))
    }

    fn fits_weekday(&self, day: i64, within: Within) -> bool {
        let of_week = weekday(day);
        let mut matching = self.by_day.iter().filter(|(_, name)| *name == of_week).peekable();
        if matching.peek().is_none() {
            return false;
        }
        let (year, month, of_month) = date_of(day);
        let (at, length) = match within {
            Within::Nothing => return true,
            Within::Month => (of_month, days_in_month(year, month)),
            Within::Year => (day - day_of(year, 1, 1) + 1, days_in_year(year)),
        };
        let (nth, from_end) = ((at - 1) / 7 + 1, -((length - at) / 7 + 1));
        matching.any(|(ordinal, _)| *ordinal == 0 || *ordinal == nth || *ordinal == from_end)
    }

    fn fits_year_day(&self, day: i64) -> bool {
        let (year, ..) = date_of(day);
        let at = day - day_of(year, 1, 1) + 1;
        self.by_year_day.iter().any(|number| *number == at || *number == at - days_in_year(year) - 1)
    }

    /// A week belongs to the year with four of its days, and an instance to the year of its date.
    fn fits_week(&self, day: i64) -> bool {
        let (year, ..) = date_of(day);
        let (mut first, mut next) = (first_week(year, self.wkst), first_week(year + 1, self.wkst));
        if day < first {
            (first, next) = (first_week(year - 1, self.wkst), first);
        } else if day >= next {
            (first, next) = (next, first_week(year + 2, self.wkst));
        }
        let (number, weeks) = ((day - first) / 7 + 1, (next - first) / 7);
        self.by_week.iter().any(|week| *week == number || *week == number - weeks - 1)
    }

    /// Whether any day fits a rule of days or less: the calendar is the same again after 400 years.
    pub(super) fn has_day(&self, from: i64, budget: &mut Budget) -> Result<bool, Spent> {
        let lists = [self.by_month.len(), self.by_month_day.len(), self.by_year_day.len(), self.by_week.len(), self.by_day.len()];
        if self.frequency < Frequency::Daily || lists.iter().filter(|length| **length > 0).count() < 2 {
            return Ok(true);
        }
        let mut day = from;
        while day < from + 146_097 {
            budget.spend(1)?;
            if self.fits_day(day) {
                return Ok(true);
            }
            day = self.next_day(day);
        }
        Ok(false)
    }

    /// Whether a rule of days or less ever comes to a time of the week that BYDAY, BYHOUR and the like let be: the remainders of
    /// its steps are all that it comes to.
    pub(super) fn has_time(&self, start: i64) -> bool {
        let unit = match self.frequency {
            Frequency::Daily => DAY,
            Frequency::Hourly => 3600,
            Frequency::Minutely => 60,
            Frequency::Secondly => 1,
            _ => return true,
        };
        let whole = if self.by_day.is_empty() { DAY } else { 7 * DAY } / unit;
        let (mut step, mut rest) = (self.interval, whole);
        while rest > 0 {
            (step, rest) = (rest, step % rest);
        }
        // Weeks begin on a Monday here, as the names of days are counted.
        let first = (start + 3 * DAY).rem_euclid(whole * unit) / unit % step;
        let listed = |list: &[i64], longer: bool, value: i64| list.is_empty() || !longer || list.contains(&value);
        (0..whole / step).map(|number| (first + number * step) * unit).any(|time| {
            listed(&self.by_hour, unit <= 3600, time / 3600 % 24)
                && listed(&self.by_minute, unit <= 60, time / 60 % 60)
                && listed(&self.by_second, unit == 1, time % 60)
                && (self.by_day.is_empty() || self.by_day.iter().any(|(_, name)| *name == time / DAY))
        })
    }

    /// When a search may go on, where this day does not fit: the next one, or the next month that BYMONTH has.
    pub(super) fn next_day(&self, day: i64) -> i64 {
        let (year, month, _) = date_of(day);
        if self.by_month.is_empty() || self.by_month.contains(&month) {
            return day + 1;
        }
        match self.by_month.iter().find(|next| **next > month) {
            Some(next) => day_of(year, *next, 1),
            None => day_of(year + 1, self.by_month.first().copied().unwrap_or(1), 1),
        }
    }
}

/// Puts what is new in order, each day once.
fn sort_from(days: &mut Vec<i64>, at: usize) {
    if let Some(new) = days.get_mut(at..) {
        new.sort_unstable();
    }
    days.dedup();
}

/// The times within a day, an hour or a minute: all of each list with all of the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Times {
    hours: Vec<i64>,
    minutes: Vec<i64>,
    seconds: Vec<i64>,
}

impl Times {
    /// Of a rule whose lists are filled up. What is longer than the rule's period has its list left out.
    pub(super) fn of(rule: &Rule) -> Self {
        let list = |list: &[i64], from: Frequency| if rule.frequency >= from || list.is_empty() { vec![0] } else { list.to_vec() };
        Self {
            hours: list(&rule.by_hour, Frequency::Hourly),
            minutes: list(&rule.by_minute, Frequency::Minutely),
            seconds: list(&rule.by_second, Frequency::Secondly),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.hours.len() * self.minutes.len() * self.seconds.len()
    }

    /// Seconds after the begin of the day, hour or minute.
    pub(super) fn get(&self, index: usize) -> Option<i64> {
        let (minutes, seconds) = (self.minutes.len(), self.seconds.len());
        let hour = self.hours.get(index / (minutes * seconds))?;
        Some(hour * 3600 + self.minutes.get(index / seconds % minutes)? * 60 + self.seconds.get(index % seconds)?)
    }

    /// The index of the first one that is not before `offset`.
    pub(super) fn from(&self, offset: i64) -> usize {
        if offset <= 0 {
            return 0;
        }
        if offset >= DAY {
            return self.len();
        }
        // The times are in order, so the place is found by halves.
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.get(middle).is_some_and(|time| time < offset) { low = middle + 1 } else { high = middle }
        }
        low
    }
}
