//! Date: (RFC 5322 §3.3 and §4.3), read tolerantly: comments and white space anywhere, two-digit years, zone names,
//! and the order of C's asctime.

use super::cursor::Cursor;

const DAY: i64 = 86_400;
/// 0000-01-01 and 9999-12-31T23:59:59 in seconds since 1970.
const FIRST: i64 = -62_167_219_200;
const LAST: i64 = 253_402_300_799;

/// Seconds since 1970 in UTC and the zone in minutes east. `None` where it is no date that exists.
pub fn parse_date(value: &[u8]) -> Option<(i64, i16)> {
    let mut cursor = Cursor::new(value);
    let first = word(&mut cursor);
    let (day, month, year, time, zone);
    if first.is_empty() {
        (day, month, year) = day_month_year(&mut cursor)?;
        (time, zone) = (time_of_day(&mut cursor)?, offset(&mut cursor)?);
    } else {
        // The day of the week says nothing that the date does not, and is often wrong.
        separator(&mut cursor);
        let second = word(&mut cursor);
        if second.is_empty() {
            (day, month, year) = day_month_year(&mut cursor)?;
            (time, zone) = (time_of_day(&mut cursor)?, offset(&mut cursor)?);
        } else {
            month = month_of(second)?;
            cursor.skip_cfws();
            day = cursor.number()?.0;
            time = time_of_day(&mut cursor)?;
            (zone, year) = (offset(&mut cursor)?, year_of(&mut cursor)?);
        }
    }
    if day == 0 || day > days_in(month, year) {
        return None;
    }
    let local = days_since_1970(year, month, day) * DAY + time;
    Some(((local - i64::from(zone) * 60).clamp(FIRST, LAST), zone))
}

fn word<'a>(cursor: &mut Cursor<'a>) -> &'a [u8] {
    cursor.skip_cfws();
    cursor.take_while(|byte| byte.is_ascii_alphabetic())
}

fn separator(cursor: &mut Cursor<'_>) {
    cursor.skip_cfws();
    cursor.take_while(|byte| matches!(byte, b',' | b'.'));
}

fn day_month_year(cursor: &mut Cursor<'_>) -> Option<(u32, u32, u32)> {
    cursor.skip_cfws();
    let (day, _) = cursor.number()?;
    cursor.eat(b'-');
    let month = month_of(word(cursor))?;
    cursor.eat(b'-');
    Some((day, month, year_of(cursor)?))
}

fn month_of(word: &[u8]) -> Option<u32> {
    const MONTHS: [&[u8]; 12] = [b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec"];
    let start = word.get(..3)?;
    (1..).zip(MONTHS).find(|(_, month)| start.eq_ignore_ascii_case(month)).map(|(number, _)| number)
}

/// RFC 5322 §4.3: 00-49 is 20xx, 50-99 and all three-digit years count from 1900.
fn year_of(cursor: &mut Cursor<'_>) -> Option<u32> {
    separator(cursor);
    cursor.skip_cfws();
    let (year, digits) = cursor.number()?;
    let year = match (digits, year) {
        (..=2, ..=49) => year + 2000,
        (..=3, _) => year + 1900,
        _ => year,
    };
    (year <= 9999).then_some(year)
}

fn time_of_day(cursor: &mut Cursor<'_>) -> Option<i64> {
    separator(cursor);
    cursor.skip_cfws();
    let (hour, _) = cursor.number()?;
    let minute = colon_number(cursor)??;
    let second = match colon_number(cursor) {
        Some(second) => second?,
        None => 0,
    };
    if hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // A leap second is the last second of its minute.
    Some(i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second.min(59)))
}

/// `None`: no colon. `Some(None)`: no number after it.
fn colon_number(cursor: &mut Cursor<'_>) -> Option<Option<u32>> {
    cursor.skip_cfws();
    if !cursor.eat(b':') {
        return None;
    }
    cursor.skip_cfws();
    Some(cursor.number().map(|(number, _)| number))
}

/// Minutes east. A missing zone and an unknown name are UTC (RFC 5322 §4.3).
fn offset(cursor: &mut Cursor<'_>) -> Option<i16> {
    let named = zone_of(word(cursor));
    cursor.skip_cfws();
    let east = match cursor.peek() {
        Some(b'+') => true,
        Some(b'-') => false,
        _ => return Some(named),
    };
    cursor.bump();
    let (mut hours, digits) = cursor.number()?;
    let mut minutes = 0;
    match digits {
        3 | 4 => (hours, minutes) = (hours / 100, hours % 100),
        1 | 2 if cursor.eat(b':') => minutes = cursor.number()?.0,
        1 | 2 => {}
        _ => return None,
    }
    if minutes > 59 || hours > 99 {
        return None;
    }
    let total = i16::try_from(hours * 60 + minutes).ok()?;
    Some(if east { total } else { -total })
}

fn zone_of(name: &[u8]) -> i16 {
    const ZONES: [(&[u8], i16); 8] =
        [(b"est", -5), (b"edt", -4), (b"cst", -6), (b"cdt", -5), (b"mst", -7), (b"mdt", -6), (b"pst", -8), (b"pdt", -7)];
    ZONES.iter().find(|(zone, _)| name.eq_ignore_ascii_case(zone)).map_or(0, |(_, hours)| hours * 60)
}

fn days_in(month: u32, year: u32) -> u32 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days of the proleptic Gregorian calendar. Counting from March puts the leap day last.
fn days_since_1970(year: u32, month: u32, day: u32) -> i64 {
    let (year, month) = if month > 2 { (i64::from(year), month - 3) } else { (i64::from(year) - 1, month + 9) };
    let century = year.div_euclid(100);
    // 719_469 days lie between 0000-03-01 and 1970-01-01, less the one that `day` starts from.
    year * 365 + year.div_euclid(4) - century + century.div_euclid(4) + (153 * i64::from(month) + 2) / 5 + i64::from(day) - 719_469
}
