//! Sizes and times, as people write and read them.

use penfold_types::Timestamp;

/// `50G`, `500MB`, `1.5GiB` or bytes; K, M, G and T are powers of 1,024.
pub fn size(text: &str) -> Result<u64, String> {
    let wrong = || format!("{text} is not a size; write for example 50G, 500M or a number of bytes");
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 10,
        "m" | "mb" | "mib" => 20,
        "g" | "gb" | "gib" => 30,
        "t" | "tb" | "tib" => 40,
        _ => return Err(wrong()),
    };
    let factor = 1u64 << shift;
    if let Ok(whole) = number.parse::<u64>() {
        return whole.checked_mul(factor).filter(|bytes| *bytes <= i64::MAX as u64).ok_or_else(wrong);
    }
    let number: f64 = number.parse().map_err(|_| wrong())?;
    let bytes = number * factor as f64;
    if (0.0..1e18).contains(&bytes) { Ok(bytes as u64) } else { Err(wrong()) }
}

pub fn show_size(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["B", "KiB", "MiB", "GiB", "TiB"];
    let (mut value, mut unit) = (bytes as f64, 0);
    while value >= 1024.0 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let name = UNITS.get(unit).unwrap_or(&"");
    if value.fract() == 0.0 { format!("{value:.0} {name}") } else { format!("{value:.1} {name}") }
}

/// Year, month and day of a day counted from 1970-01-01 (proleptic Gregorian; the era arithmetic of 400 years).
fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let dom = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + i64::from(month <= 2), month, dom)
}

/// The day, counted from 1970-01-01, of a date; `None` where there is no such date.
pub fn day(year: i64, month: i64, dom: i64) -> Option<i64> {
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&dom) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + dom - 1;
    let day = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (civil(day) == (year, month, dom)).then_some(day)
}

/// RFC 3339 in UTC, to the second.
pub fn show_time(at: Timestamp) -> String {
    let seconds = at.seconds();
    let (year, month, dom) = civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{dom:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

pub fn show_day(at: Timestamp) -> String {
    let (year, month, dom) = civil(at.seconds().div_euclid(86_400));
    format!("{year:04}-{month:02}-{dom:02}")
}

pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// As C's `asctime` writes it, in UTC: what stands in an mbox separator.
pub fn show_asctime(seconds: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let day = seconds.div_euclid(86_400);
    let (year, month, dom) = civil(day);
    let name = usize::try_from(day.rem_euclid(7)).ok().and_then(|index| DAYS.get(index)).unwrap_or(&"Thu");
    let month = usize::try_from(month - 1).ok().and_then(|index| MONTHS.get(index)).unwrap_or(&"Jan");
    let second = seconds.rem_euclid(86_400);
    format!("{name} {month} {dom:2} {:02}:{:02}:{:02} {year:04}", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("50G"), Ok(50 << 30));
        assert_eq!(size("1.5 GiB"), Ok(3 << 29));
        assert_eq!(size("7"), Ok(7));
        for bad in ["", "x", "5X", "-1", "99999999999T", "1e3", ".", "1.2.3M"] {
            assert!(size(bad).is_err(), "{bad}");
        }
        assert_eq!((show_size(50 << 30), show_size(1536), show_size(0)), ("50 GiB".into(), "1.5 KiB".into(), "0 B".into()));
    }

    #[test]
    fn times() {
        assert_eq!(show_time(Timestamp::from_seconds(1_700_000_000)), "2023-11-14T22:13:20Z");
        assert_eq!(show_asctime(1_700_000_000), "Tue Nov 14 22:13:20 2023");
        assert_eq!(day(2024, 2, 29).map(civil), Some((2024, 2, 29)));
        assert_eq!(day(2023, 2, 29), None);
        assert_eq!(day(1970, 1, 1), Some(0));
    }
}
