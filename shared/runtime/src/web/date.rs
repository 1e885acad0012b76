//! Times as fields of HTTP say them.

use penfold_types::{Timestamp, date};
use std::time::Duration;

const DAY: i64 = 86_400;
/// Longer than any field of a time.
const LONGEST: usize = 64;

/// A date of HTTP (RFC 9110 §5.6.7), in the form that is written today or in one of the two older ones. `now` tells which century
/// a year of two digits means.
fn read(text: &str, now: Timestamp) -> Option<Timestamp> {
    if text.len() > LONGEST {
        return None;
    }
    let words: Vec<&str> = text.split([' ', ',', '-']).filter(|word| !word.is_empty()).collect();
    let (dom, month, year, clock) = match words[..] {
        [_, dom, month, year, clock, "GMT"] => (dom, month, year, clock),
        [_, month, dom, clock, year] => (dom, month, year, clock),
        _ => return None,
    };
    let month = date::MONTHS.iter().position(|name| *name == month)?;
    let year = match year.len() {
        4 => number(year)?,
        2 => of_two_digits(number(year)?, date::civil(now.seconds().div_euclid(DAY)).0),
        _ => return None,
    };
    let day = date::day(year, i64::try_from(month).ok()? + 1, number(dom)?)?;
    Some(Timestamp::from_seconds(day * DAY + seconds_of(clock)?))
}

/// What seems more than 50 years ahead is of the century before.
fn of_two_digits(year: i64, this: i64) -> i64 {
    let near = this - this.rem_euclid(100) + year;
    if near > this + 50 { near - 100 } else { near }
}

/// `hh:mm:ss`, as seconds; a second may be a leap one.
fn seconds_of(clock: &str) -> Option<i64> {
    let mut parts = clock.split(':').map(|part| if part.len() == 2 { number(part) } else { None });
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let fits = parts.next().is_none() && hours < 24 && minutes < 60 && seconds <= 60;
    fits.then_some(hours * 3600 + minutes * 60 + seconds)
}

fn number(digits: &str) -> Option<i64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
}

/// For how long nobody is to ask again (RFC 9110 §10.2.3): seconds, or a date. One that is past is no time at all.
pub(super) fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    Some(read(text, now)?.since(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 1994-11-06 08:49:37, which RFC 9110 §5.6.7 writes in all three ways.
    const THEN: i64 = 784_111_777;

    #[test]
    fn dates_in_three_forms() {
        let now = Timestamp::from_seconds(THEN);
        for text in ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"] {
            assert_eq!(read(text, now), Some(now), "{text}");
        }
        // In 2026: what is at most 50 years ahead is ahead.
        let later = Timestamp::from_seconds(1_790_000_000);
        assert_eq!(read("Sunday, 06-Nov-94 08:49:37 GMT", later), Some(now));
        let year = |text: &str| read(text, later).map(|at| date::civil(at.seconds().div_euclid(DAY)).0);
        assert_eq!((year("Friday, 06-Nov-76 08:49:37 GMT"), year("Friday, 06-Nov-77 08:49:37 GMT")), (Some(2076), Some(1977)));
        for wrong in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 CET",
            "Sun, 31 Feb 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 99999 08:49:37 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
        ] {
            assert_eq!(read(wrong, now), None, "{wrong}");
        }
    }

    #[test]
    fn seconds_or_a_date_until_then() {
        let now = Timestamp::from_seconds(THEN - 90);
        let seconds = |text: &str| retry_after(text, now).map(|wait| wait.as_secs());
        assert_eq!((seconds("120"), seconds(" 0 "), seconds("99999999999999999999999")), (Some(120), Some(0), Some(u64::MAX)));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:37 GMT"), Some(90));
        assert_eq!(seconds("Sat, 05 Nov 1994 08:49:37 GMT"), Some(0));
        assert_eq!((seconds("soon"), seconds("-5"), seconds("")), (None, None, None));
    }
}
