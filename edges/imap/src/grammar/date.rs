//! Dates of IMAP (RFC 9051 §9): days since 1970 in a proleptic Gregorian calendar, without any table of zones.

use super::input::{Bad, Input, Parse};

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Days from 1970-01-01 to a date; `month` from 1.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // Years that begin in March, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of a number of days since 1970-01-01.
fn civil(days: i64) -> (i64, usize, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, usize::try_from(month).unwrap_or(1), day)
}

fn month_length(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// The day that a moment falls on where the clock shows `zone` minutes east of Greenwich.
pub fn day_of(seconds: i64, zone: i16) -> i64 {
    seconds.saturating_add(i64::from(zone) * 60).div_euclid(86_400)
}

fn digits(input: &mut Input<'_>, least: usize, most: usize) -> Parse<i64> {
    let digits = input.take_while(|b| b.is_ascii_digit());
    if digits.len() < least || digits.len() > most {
        return Err(Bad::Syntax("not a date"));
    }
    Ok(digits.iter().fold(0, |sum, d| sum * 10 + i64::from(d - b'0')))
}

/// `1-Feb-1994`, as days since 1970.
fn date_text(input: &mut Input<'_>) -> Parse<i64> {
    let day = digits(input, 1, 2)?;
    input.expect(b'-', "not a date")?;
    let name = input.take_while(|b| b.is_ascii_alphabetic());
    let month = MONTHS.iter().position(|m| m.as_bytes().eq_ignore_ascii_case(name)).ok_or(Bad::Syntax("not a date"))? as i64 + 1;
    input.expect(b'-', "not a date")?;
    let year = digits(input, 4, 4)?;
    if day < 1 || day > month_length(year, month) {
        return Err(Bad::Syntax("no such day"));
    }
    Ok(days(year, month, day))
}

/// date: quoted or not.
pub fn date(input: &mut Input<'_>) -> Parse<i64> {
    let quoted = input.eat(b'"');
    let day = date_text(input)?;
    if quoted {
        input.expect(b'"', "not a date")?;
    }
    Ok(day)
}

/// date-time: `"17-Jul-1996 02:44:25 -0700"`, as unix seconds and the zone in minutes.
pub fn date_time(input: &mut Input<'_>) -> Parse<(i64, i16)> {
    input.expect(b'"', "not a date and time")?;
    // date-day-fixed: a space stands for a leading 0.
    input.eat(b' ');
    let day = date_text(input)?;
    input.space()?;
    let hour = digits(input, 2, 2)?;
    input.expect(b':', "not a time")?;
    let minute = digits(input, 2, 2)?;
    input.expect(b':', "not a time")?;
    let second = digits(input, 2, 2)?;
    if hour > 23 || minute > 59 || second > 60 {
        return Err(Bad::Syntax("not a time"));
    }
    input.space()?;
    let east = match (input.eat(b'+'), input.eat(b'-')) {
        (true, false) => 1,
        (false, true) => -1,
        _ => return Err(Bad::Syntax("not a zone")),
    };
    let zone = digits(input, 4, 4)?;
    if zone / 100 > 23 || zone % 100 > 59 {
        return Err(Bad::Syntax("not a zone"));
    }
    input.expect(b'"', "not a date and time")?;
    let zone = east * (zone / 100 * 60 + zone % 100);
    let seconds = day * 86_400 + hour * 3600 + minute * 60 + second - zone * 60;
    Ok((seconds, i16::try_from(zone).unwrap_or(0)))
}

/// The same, written: 26 characters and quotes.
pub fn write_date_time(out: &mut Vec<u8>, seconds: i64, zone: i16) {
    // Years outside 0000-9999 have no form in the grammar.
    const FIRST: i64 = -62_167_219_200 + 86_400;
    const LAST: i64 = 253_402_300_799 - 86_400;
    let zone = if zone.unsigned_abs() >= 24 * 60 { 0 } else { zone };
    let local = seconds.clamp(FIRST, LAST) + i64::from(zone) * 60;
    let (year, month, day) = civil(local.div_euclid(86_400));
    let of_day = local.rem_euclid(86_400);
    let two = |n: i64| [b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8];
    let day = if day < 10 { [b' ', b'0' + day as u8] } else { two(day) };
    out.push(b'"');
    out.extend_from_slice(&day);
    out.push(b'-');
    out.extend_from_slice(MONTHS.get(month.saturating_sub(1)).copied().unwrap_or("Jan").as_bytes());
    out.push(b'-');
    out.extend_from_slice(&two(year / 100));
    out.extend_from_slice(&two(year % 100));
    out.push(b' ');
    out.extend_from_slice(&two(of_day / 3600));
    out.push(b':');
    out.extend_from_slice(&two(of_day / 60 % 60));
    out.push(b':');
    out.extend_from_slice(&two(of_day % 60));
    out.push(b' ');
    out.push(if zone < 0 { b'-' } else { b'+' });
    let zone = i64::from(zone.unsigned_abs());
    out.extend_from_slice(&two(zone / 60));
    out.extend_from_slice(&two(zone % 60));
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::framer::Raw;

    fn read(text: &str) -> Parse<(i64, i16)> {
        let raw = Raw { text: text.into(), literals: Vec::new() };
        date_time(&mut Input::new(&raw))
    }

    #[test]
    fn date_times_go_both_ways() {
        for (text, seconds, zone) in [
            ("\"17-Jul-1996 02:44:25 -0700\"", 837_596_665, -420),
            ("\" 1-Jan-1970 00:00:00 +0000\"", 0, 0),
            ("\"31-Dec-1969 23:59:59 +0000\"", -1, 0),
            ("\"29-Feb-2000 12:00:00 +0545\"", 951_804_900, 345),
            ("\"31-Dec-9998 00:00:00 +0000\"", 253_370_678_400, 0),
        ] {
            assert_eq!(read(text), Ok((seconds, zone)), "{text}");
            let mut out = Vec::new();
            write_date_time(&mut out, seconds, zone);
            assert_eq!(String::from_utf8(out).unwrap(), text);
        }
    }

    #[test]
    fn every_day_of_four_centuries_goes_both_ways() {
        for day in -146_097..146_097 {
            let (y, m, d) = civil(day);
            assert_eq!(days(y, m as i64, d), day);
        }
    }

    #[test]
    fn no_moment_is_too_far_to_be_written() {
        for seconds in [i64::MIN, i64::MAX, -1_000_000_000_000, 1_000_000_000_000] {
            let mut out = Vec::new();
            write_date_time(&mut out, seconds, -1439);
            assert_eq!(out.len(), 28);
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for bad in [
            "",
            "\"30-Feb-2000 00:00:00 +0000\"",
            "\"1-Foo-2000 00:00:00 +0000\"",
            "\"1-Jan-2000 24:00:00 +0000\"",
            "\"1-Jan-2000 00:00:00\"",
            "\"1-Jan-2000 00:00:00 +2500\"",
        ] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
