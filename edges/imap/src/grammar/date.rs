//! Dates of IMAP (RFC 9051 §9): days since 1970 in a proleptic Gregorian calendar, without any table of zones.

use super::input::{Bad, Input, Parse};
use penfold_types::date::{self, MONTHS};

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
    date::day(year, month, day).ok_or(Bad::Syntax("no such day"))
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
    let (year, month, day) = date::civil(local.div_euclid(86_400));
    let of_day = local.rem_euclid(86_400);
    let two = |n: i64| [b'0' + (n / 10 % 10) as u8, b'0' + (n % 10) as u8];
    let day = if day < 10 { [b' ', b'0' + day as u8] } else { two(day) };
    out.push(b'"');
    out.extend_from_slice(&day);
    out.push(b'-');
    out.extend_from_slice(date::month_name(month).as_bytes());
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
