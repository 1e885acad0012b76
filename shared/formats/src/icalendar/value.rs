//! Values as RFC 5545 §3.3 writes them.

use super::civil::{DAY, FIRST_YEAR, LAST_YEAR, day_of, days_in_month};

/// A date or a time of day of a date, by the clock on the wall.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Clock {
    /// Seconds since 1970-01-01T00:00:00 of that clock.
    pub local: i64,
    pub form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Form {
    Date,
    /// Without a Z: floating, or of a zone that is named beside it.
    Local,
    Utc,
}

/// A duration (§3.3.6): days are as long as the clock says, seconds are exact.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Duration {
    pub days: i64,
    pub seconds: i64,
}

impl Duration {
    /// As if every day had 24 hours.
    pub fn nominal(self) -> i64 {
        self.days * DAY + self.seconds
    }

    pub(crate) fn negative(self) -> bool {
        self.nominal() < 0
    }
}

/// DATE or DATE-TIME (§3.3.4 and §3.3.5), whichever it is.
pub(crate) fn clock(text: &str) -> Option<Clock> {
    let text = text.trim();
    let (date, time) = match text.split_once(['T', 't']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let day = date_day(date)?;
    let Some(time) = time else { return Some(Clock { local: day * DAY, form: Form::Date }) };
    let (time, form) = match time.strip_suffix(['Z', 'z']) {
        Some(time) => (time, Form::Utc),
        None => (time, Form::Local),
    };
    Some(Clock { local: day * DAY + time_of_day(time)?, form })
}

fn date_day(date: &str) -> Option<i64> {
    let number = digits(date, 8)?;
    let (year, month, day) = (number / 10_000, number / 100 % 100, number % 100);
    let real = (FIRST_YEAR..=LAST_YEAR).contains(&year) && (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
    real.then(|| day_of(year, month, day))
}

/// §3.3.12: a leap second is the one before it, for who cannot keep it.
fn time_of_day(time: &str) -> Option<i64> {
    let number = digits(time, 6)?;
    let (hour, minute, second) = (number / 10_000, number / 100 % 100, (number % 100).min(60));
    (hour < 24 && minute < 60 && number % 100 <= 60).then_some(hour * 3600 + minute * 60 + second.min(59))
}

pub(crate) fn digits(text: &str, count: usize) -> Option<i64> {
    (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok()).flatten()
}

/// DURATION (§3.3.6). Some write weeks beside days, which adds up as well.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut rest = text.strip_prefix(['P', 'p'])?;
    let (mut of_day, mut any, mut out) = (false, false, Duration::default());
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(['T', 't']) {
            of_day = true;
            rest = after;
            continue;
        }
        let end = rest.find(|char: char| !char.is_ascii_digit())?;
        // Nine digits of weeks are more than there is between the first and the last date.
        let number: i64 = rest.get(..end).filter(|number| (1..=9).contains(&number.len()))?.parse().ok()?;
        let unit = rest.get(end..)?.chars().next()?.to_ascii_uppercase();
        rest = rest.get(end + 1..)?;
        match (unit, of_day) {
            ('W', false) => out.days += number * 7,
            ('D', false) => out.days += number,
            ('H', true) => out.seconds += number * 3600,
            ('M', true) => out.seconds += number * 60,
            ('S', true) => out.seconds += number,
            _ => return None,
        }
        any = true;
    }
    let possible = any && out.days < 4_000_000 && out.seconds < 4_000_000 * DAY;
    possible.then_some(Duration { days: sign * out.days, seconds: sign * out.seconds })
}

/// UTC-OFFSET (§3.3.14) in seconds.
pub(crate) fn utc_offset(text: &str) -> Option<i64> {
    let text = text.trim();
    let (sign, digit) = match (text.strip_prefix('-'), text.strip_prefix('+')) {
        (Some(rest), _) => (-1, rest),
        (_, Some(rest)) => (1, rest),
        _ => return None,
    };
    let number = digits(digit, 6).or_else(|| Some(digits(digit, 4)? * 100))?;
    let (hour, minute, second) = (number / 10_000, number / 100 % 100, number % 100);
    (hour < 24 && minute < 60 && second < 60).then_some(sign * (hour * 3600 + minute * 60 + second))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_times() {
        let at = |text| clock(text).map(|clock| (clock.local, clock.form));
        assert_eq!(at("19970714"), Some((868_838_400, Form::Date)));
        assert_eq!(at("19980118T230000"), Some((885_164_400, Form::Local)));
        assert_eq!(at("19980119T070000Z"), Some((885_193_200, Form::Utc)));
        assert_eq!(at("20161231T235960Z"), at("20161231T235959Z"));
        for wrong in ["", "1997071", "19970230", "19971301", "00000101", "19970714T", "19970714T2400", "19970714T240000", "1997-07-14"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn durations() {
        let of = |text| duration(text).map(|duration| (duration.days, duration.seconds));
        assert_eq!(of("P15DT5H0M20S"), Some((15, 18_020)));
        assert_eq!(of("P7W"), Some((49, 0)));
        assert_eq!(of("-PT15M"), Some((0, -900)));
        assert_eq!(of("+PT0S"), Some((0, 0)));
        for wrong in ["", "P", "PT", "P1H", "PT1D", "P9999999999D", "1D", "P1", "P1é"] {
            assert_eq!(of(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn offsets() {
        assert_eq!(utc_offset("-0500"), Some(-18_000));
        assert_eq!(utc_offset("+013015"), Some(5415));
        assert_eq!((utc_offset("0500"), utc_offset("+5"), utc_offset("+0560")), (None, None, None));
    }
}
