//! Sizes and times, as people write and read them.

use penfold_types::{Error, Timestamp, date};

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

/// `2026-01-31`, as days since 1970-01-01.
pub fn day(text: &str) -> Result<i64, Error> {
    let parts: Option<Vec<i64>> = text.split('-').map(|part| part.parse().ok()).collect();
    let found = match parts.as_deref() {
        Some([year, month, dom]) => date::day(*year, *month, *dom),
        _ => None,
    };
    found.ok_or_else(|| Error::invalid(format!("{text} is not a day; write for example 2026-01-31")))
}

/// RFC 3339 in UTC, to the second.
pub fn show_time(at: Timestamp) -> String {
    let seconds = at.seconds();
    let (year, month, dom) = date::civil(seconds.div_euclid(86_400));
    let second = seconds.rem_euclid(86_400);
    format!("{year:04}-{month:02}-{dom:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

pub fn show_day(at: Timestamp) -> String {
    let (year, month, dom) = date::civil(at.seconds().div_euclid(86_400));
    format!("{year:04}-{month:02}-{dom:02}")
}

/// As C's `asctime` writes it, in UTC: what stands in an mbox separator.
pub fn show_asctime(seconds: i64) -> String {
    let day = seconds.div_euclid(86_400);
    let (year, month, dom) = date::civil(day);
    let (name, month) = (date::weekday_name(day), date::month_name(month));
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
    fn days() {
        assert_eq!(day("1970-01-02").unwrap(), 1);
        for bad in ["", "2026", "2026-02-29", "2026-1-1-1", "x-1-1", "2026-01-31T00:00:00Z"] {
            assert!(day(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(show_time(Timestamp::from_seconds(1_700_000_000)), "2023-11-14T22:13:20Z");
        assert_eq!(show_asctime(1_700_000_000), "Tue Nov 14 22:13:20 2023");
    }
}
