//! Days and months of the Gregorian calendar as numbers. A local time is its seconds since 1970-01-01T00:00:00 by the clock on
//! the wall, whatever the zone; a day is that divided by 86,400.

pub(crate) const DAY: i64 = 86_400;
/// Years that RFC 5545 §3.3.4 can write with four digits.
pub(crate) const FIRST_YEAR: i64 = 1;
pub(crate) const LAST_YEAR: i64 = 9999;
/// 0001-01-01T00:00:00, and the end of the year 9999.
pub(crate) const FIRST: i64 = -62_135_596_800;
pub(crate) const END: i64 = 253_402_300_800;

pub(crate) fn leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

pub(crate) fn days_in_year(year: i64) -> i64 {
    if leap(year) { 366 } else { 365 }
}

/// `month` from 1 to 12.
pub(crate) fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The day of a date. Counted in years that begin in March, so that the leap day comes last.
pub(crate) fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Year, month and day of the month of a day.
pub(crate) fn date_of(day: i64) -> (i64, i64, i64) {
    let day = day + 719_468;
    let era = day.div_euclid(146_097);
    let of_era = day.rem_euclid(146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + era * 400 + i64::from(month <= 2);
    (year, month, of_year - (153 * shifted + 2) / 5 + 1)
}

/// 0 is Monday.
pub(crate) fn weekday(day: i64) -> i64 {
    (day + 3).rem_euclid(7)
}

/// The first day of the week in which a day lies, where weeks begin on `wkst`.
pub(crate) fn week_start(day: i64, wkst: i64) -> i64 {
    day - (weekday(day) - wkst).rem_euclid(7)
}

/// The first day of week 1 of a year: the first week with four of its days (RFC 5545 §3.3.10, ISO 8601 where `wkst` is Monday).
pub(crate) fn first_week(year: i64, wkst: i64) -> i64 {
    week_start(day_of(year, 1, 4), wkst)
}

/// `20260131T120000Z` for 12:00 of that day in UTC.
pub fn write_utc(time: i64) -> String {
    format!("{}Z", write_local(time))
}

pub(crate) fn write_local(time: i64) -> String {
    let second = time.rem_euclid(DAY);
    format!("{}T{:02}{:02}{:02}", write_date(time), second / 3600, second / 60 % 60, second % 60)
}

pub(crate) fn write_date(time: i64) -> String {
    let (year, month, day) = date_of(time.div_euclid(DAY));
    format!("{year:04}{month:02}{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_dates_are_each_others_inverse() {
        for day in day_of(FIRST_YEAR, 1, 1)..day_of(LAST_YEAR, 12, 31) {
            let (year, month, of_month) = date_of(day);
            assert_eq!(day_of(year, month, of_month), day);
            assert!((1..=days_in_month(year, month)).contains(&of_month));
        }
        assert_eq!(day_of(1, 1, 1) * DAY, FIRST);
        assert_eq!(day_of(9999, 12, 31) * DAY + DAY, END);
        assert_eq!((day_of(1970, 1, 1), weekday(0)), (0, 3));
    }

    #[test]
    fn weeks_of_iso_8601() {
        // 2020 has 53 weeks; 2021 begins on a Friday, in week 53 of 2020.
        assert_eq!(first_week(2021, 0), day_of(2021, 1, 4));
        assert_eq!(first_week(2020, 0), day_of(2019, 12, 30));
        assert_eq!(first_week(2018, 6), day_of(2017, 12, 31));
    }
}
