//! RRULE (RFC 5545 §3.3.10, with SKIP of RFC 7529): what it says. What comes of it is in `series`, and its sets in `set`.

use super::{
    civil::{DAY, date_of, days_in_month, weekday},
    fault::{Fault, What},
    value::{Clock, Form, clock},
};

mod series;
mod set;

pub(crate) use series::{Budget, Series};

/// From the longest period to the shortest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Frequency {
    Yearly,
    Monthly,
    Weekly,
    Daily,
    Hourly,
    Minutely,
    Secondly,
}

/// RFC 7529 §4.1: what becomes of a date that does not exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Skip {
    #[default]
    Omit,
    Backward,
    Forward,
}

/// What a rule says. Lists are sorted and without doubles; an empty one says nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Rule {
    pub frequency: Frequency,
    /// At least 1.
    pub interval: i64,
    pub count: Option<i64>,
    pub until: Option<Clock>,
    /// 0 is Monday.
    pub wkst: i64,
    pub by_month: Vec<i64>,
    pub by_month_day: Vec<i64>,
    pub by_year_day: Vec<i64>,
    pub by_week: Vec<i64>,
    /// The how manieth, 0 for each, and the day of the week.
    pub by_day: Vec<(i64, i64)>,
    pub by_hour: Vec<i64>,
    pub by_minute: Vec<i64>,
    pub by_second: Vec<i64>,
    pub by_position: Vec<i64>,
    pub skip: Skip,
}

/// More values than one list can hold without doubles: the days of two years, there and back.
const MOST: usize = 800;

impl Rule {
    pub(crate) fn parse(text: &str, line: u32) -> Result<Self, Fault> {
        let wrong = |part: &str| Fault::data(line, format!("a recurrence rule with {part:?}"));
        let mut rule = Self::of(Frequency::Yearly);
        let mut found = false;
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once('=').ok_or_else(|| wrong(part))?;
            let (name, value) = (name.trim().to_ascii_uppercase(), value.trim().to_ascii_uppercase());
            if name == "FREQ" {
                rule.frequency = frequency(&value).ok_or_else(|| wrong(part))?;
                found = true;
            } else if name == "RSCALE" && value != "GREGORIAN" {
                return Err(Fault::new(What::SupportedRscale, line, format!("the calendar {value} is not known here")));
            } else if !name.starts_with("X-") {
                rule.part(&name, &value).ok_or_else(|| wrong(part))?;
            }
        }
        if found { Ok(rule) } else { Err(wrong("no FREQ")) }
    }

    fn of(frequency: Frequency) -> Self {
        Self {
            frequency,
            interval: 1,
            count: None,
            until: None,
            wkst: 0,
            by_month: Vec::new(),
            by_month_day: Vec::new(),
            by_year_day: Vec::new(),
            by_week: Vec::new(),
            by_day: Vec::new(),
            by_hour: Vec::new(),
            by_minute: Vec::new(),
            by_second: Vec::new(),
            by_position: Vec::new(),
            skip: Skip::Omit,
        }
    }

    /// With what the rule leaves to its start (§3.3.10): the day, and the time of day.
    fn filled(&self, start: Clock) -> Self {
        let mut rule = self.clone();
        let (day, second) = (start.local.div_euclid(DAY), start.local.rem_euclid(DAY));
        let (_, month, of_month) = date_of(day);
        if rule.by_year_day.is_empty() && rule.by_month_day.is_empty() && rule.by_day.is_empty() {
            match rule.frequency {
                Frequency::Yearly if rule.by_week.is_empty() => {
                    if rule.by_month.is_empty() {
                        rule.by_month = vec![month];
                    }
                    rule.by_month_day = vec![of_month];
                }
                Frequency::Monthly => rule.by_month_day = vec![of_month],
                Frequency::Yearly | Frequency::Weekly => rule.by_day = vec![(0, weekday(day))],
                _ => {}
            }
        }
        let date = start.form == Form::Date;
        let frequency = rule.frequency;
        let fill = |list: &mut Vec<i64>, shorter: Frequency, value: i64| {
            if date || (list.is_empty() && frequency < shorter) {
                *list = vec![value];
            }
        };
        fill(&mut rule.by_hour, Frequency::Hourly, second / 3600);
        fill(&mut rule.by_minute, Frequency::Minutely, second / 60 % 60);
        fill(&mut rule.by_second, Frequency::Secondly, second % 60);
        rule
    }

    fn part(&mut self, name: &str, value: &str) -> Option<()> {
        match name {
            "RSCALE" => {}
            "INTERVAL" => self.interval = number(value, 1, 999_999_999)?,
            "COUNT" => self.count = Some(number(value, 1, 999_999_999)?),
            "UNTIL" => self.until = Some(clock(value)?),
            "WKST" => self.wkst = weekday_named(value)?,
            "BYMONTH" => self.by_month = list(value, 1, 12, false)?,
            "BYMONTHDAY" => self.by_month_day = list(value, 1, 31, true)?,
            "BYYEARDAY" => self.by_year_day = list(value, 1, 366, true)?,
            "BYWEEKNO" => self.by_week = list(value, 1, 53, true)?,
            "BYHOUR" => self.by_hour = list(value, 0, 23, false)?,
            "BYMINUTE" => self.by_minute = list(value, 0, 59, false)?,
            // §3.3.12: a leap second is the one before it.
            "BYSECOND" => self.by_second = sorted(list(value, 0, 60, false)?.into_iter().map(|second| second.min(59)).collect()),
            "BYSETPOS" => self.by_position = list(value, 1, 99_999_999, true)?,
            "BYDAY" => {
                if value.split(',').count() > MOST {
                    return None;
                }
                self.by_day = sorted(value.split(',').map(ordinal_day).collect::<Option<_>>()?);
            }
            "SKIP" => {
                self.skip = match value {
                    "OMIT" => Skip::Omit,
                    "BACKWARD" => Skip::Backward,
                    "FORWARD" => Skip::Forward,
                    _ => return None,
                }
            }
            _ => return None,
        }
        Some(())
    }

    /// Whether no day of any year fits: 30 February. Longer searches are cut off by their budget.
    pub(crate) fn impossible(&self) -> bool {
        let fits = |month: i64, day: i64| day.abs() <= days_in_month(2000, month);
        let no_day = self.skip == Skip::Omit
            && !self.by_month.is_empty()
            && !self.by_month_day.is_empty()
            && !self.by_month.iter().any(|month| self.by_month_day.iter().any(|day| fits(*month, *day)));
        let most = self.most_of_a_set();
        no_day || (!self.by_position.is_empty() && self.by_position.iter().all(|position| position.abs() > most))
    }

    /// Instances of one period, at the most.
    fn most_of_a_set(&self) -> i64 {
        let of = |list: &[i64], all: i64| if list.is_empty() { all } else { i64::try_from(list.len()).unwrap_or(all) };
        let seconds = of(&self.by_second, 60);
        let minutes = of(&self.by_minute, 60) * seconds;
        let hours = of(&self.by_hour, 24) * minutes;
        match self.frequency {
            Frequency::Secondly => 1,
            Frequency::Minutely => seconds,
            Frequency::Hourly => minutes,
            Frequency::Daily => hours,
            Frequency::Weekly => 7 * hours,
            Frequency::Monthly => 32 * hours,
            Frequency::Yearly => 367 * hours,
        }
    }
}

fn frequency(value: &str) -> Option<Frequency> {
    Some(match value {
        "YEARLY" => Frequency::Yearly,
        "MONTHLY" => Frequency::Monthly,
        "WEEKLY" => Frequency::Weekly,
        "DAILY" => Frequency::Daily,
        "HOURLY" => Frequency::Hourly,
        "MINUTELY" => Frequency::Minutely,
        "SECONDLY" => Frequency::Secondly,
        _ => return None,
    })
}

fn weekday_named(value: &str) -> Option<i64> {
    ["MO", "TU", "WE", "TH", "FR", "SA", "SU"].iter().zip(0..).find(|(name, _)| **name == value).map(|(_, number)| number)
}

fn ordinal_day(value: &str) -> Option<(i64, i64)> {
    let value = value.trim();
    let (ordinal, name) = value.split_at_checked(value.len().checked_sub(2)?)?;
    let ordinal = if ordinal.is_empty() { 0 } else { signed(ordinal).filter(|number| (1..=53).contains(&number.abs()))? };
    Some((ordinal, weekday_named(name)?))
}

fn number(value: &str, least: i64, most: i64) -> Option<i64> {
    let digits = (1..=9).contains(&value.len()) && value.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| value.parse().ok()).flatten().filter(|number| (least..=most).contains(number))
}

fn signed(value: &str) -> Option<i64> {
    match value.strip_prefix('-') {
        Some(value) => number(value, 0, 999_999_999).map(|number| -number),
        None => number(value.strip_prefix('+').unwrap_or(value), 0, 999_999_999),
    }
}

fn list(value: &str, least: i64, most: i64, negative: bool) -> Option<Vec<i64>> {
    if value.split(',').count() > MOST {
        return None;
    }
    let fits = |number: i64| (least..=most).contains(&if negative { number.abs() } else { number });
    let numbers = value.split(',').map(|number| signed(number.trim()).filter(|number| fits(*number)));
    Some(sorted(numbers.collect::<Option<_>>()?))
}

fn sorted<T: Ord>(mut list: Vec<T>) -> Vec<T> {
    list.sort_unstable();
    list.dedup();
    list
}

#[cfg(test)]
mod tests;
