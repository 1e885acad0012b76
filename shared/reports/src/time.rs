//! Times as RFC 3339 writes them, which TLS reports use, and days.

use penfold_types::{Timestamp, date};

pub const DAY: i64 = 86_400;

pub fn day(at: Timestamp) -> i64 {
    at.seconds().div_euclid(DAY)
}

/// To the second, in UTC.
pub fn write(seconds: i64) -> String {
    let (year, month, dom) = date::civil(seconds.div_euclid(DAY));
    let second = seconds.rem_euclid(DAY);
    format!("{year:04}-{month:02}-{dom:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

/// As RFC 5322 §3.3 writes them.
pub fn write_mail(seconds: i64) -> String {
    let day = seconds.div_euclid(DAY);
    let (year, month, dom) = date::civil(day);
    let second = seconds.rem_euclid(DAY);
    let (name, month) = (date::weekday_name(day), date::month_name(month));
    format!("{name}, {dom} {month} {year:04} {:02}:{:02}:{:02} +0000", second / 3600, second / 60 % 60, second % 60)
}

/// Seconds since 1970; fractions are dropped.
pub fn read(text: &str) -> Option<i64> {
    let (date, time) = text.trim().split_once(['T', 't', ' '])?;
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let day = date::day(parts.next()??, parts.next()??, parts.next()??)?;
    if parts.next().is_some() {
        return None;
    }
    let end = time.find(['Z', 'z', '+', '-']).unwrap_or(time.len());
    let (clock, zone) = time.split_at_checked(end)?;
    let minutes = |text: &str| {
        let (hours, minutes) = text.split_once(':')?;
        let (hours, minutes) = (hours.parse::<i64>().ok()?, minutes.parse::<i64>().ok()?);
        ((0..24).contains(&hours) && (0..60).contains(&minutes)).then_some(hours * 60 + minutes)
    };
    let offset = match zone.split_at_checked(1) {
        Some(("+", rest)) => minutes(rest)?,
        Some(("-", rest)) => -minutes(rest)?,
        _ => 0,
    };
    let (clock, seconds) = clock.rsplit_once(':')?;
    let seconds = seconds.split('.').next()?.parse::<i64>().ok().filter(|second| (0..=60).contains(second))?;
    Some(day * DAY + (minutes(clock)? - offset) * 60 + seconds)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_go_both_ways() {
        assert_eq!(read("2016-04-01T00:00:00Z"), Some(1_459_468_800));
        assert_eq!(write(1_459_468_800), "2016-04-01T00:00:00Z");
        assert_eq!(read("2016-04-01t02:30:00.5+02:30"), Some(1_459_468_800));
        assert_eq!(write_mail(1_700_000_000), "Tue, 14 Nov 2023 22:13:20 +0000");
        for wrong in ["", "2016-04-01", "2016-13-01T00:00:00Z", "2016-04-01T24:00:00Z", "2016-04-01T00:00", "é-T:é+é"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
