//! `date-time` of RFC 5322 §3.3, in UTC.

use penfold_types::{Timestamp, date};
use std::fmt::Write;

/// As a header field has it.
pub fn date(at: Timestamp) -> String {
    let mut out = String::new();
    write(at, &mut out);
    out
}

pub(crate) fn write(at: Timestamp, out: &mut String) {
    let seconds = at.seconds();
    let (days, time) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = date::civil(days);
    let (weekday, month) = (date::weekday_name(days), date::month_name(month));
    let _ = write!(out, "{weekday}, {day} {month} {year:04} {:02}:{:02}:{:02} +0000", time / 3600, time / 60 % 60, time % 60);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_dates() {
        for (seconds, text) in [
            (0, "Thu, 1 Jan 1970 00:00:00 +0000"),
            (951_782_399, "Mon, 28 Feb 2000 23:59:59 +0000"),
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 +0000"),
            (1_795_626_786, "Wed, 25 Nov 2026 17:13:06 +0000"),
            (-1, "Wed, 31 Dec 1969 23:59:59 +0000"),
        ] {
            let mut out = String::new();
            write(Timestamp::from_seconds(seconds), &mut out);
            assert_eq!(out, text);
        }
    }
}
