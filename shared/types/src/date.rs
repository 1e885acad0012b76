//! Days of the proleptic Gregorian calendar, counted from 1970-01-01, in UTC. Eras of 400 years that begin in March, so that
//! the leap day is the last of its year.

pub const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
/// From the weekday of 1970-01-01 on.
const WEEKDAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// Year, month from 1 and day of the month.
pub fn civil(day: i64) -> (i64, i64, i64) {
    let shifted = day + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let dom = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, dom)
}

/// The day of a date of the years 0 to 9999; `None` where there is no such date.
pub fn day(year: i64, month: i64, dom: i64) -> Option<i64> {
    if !(0..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&dom) {
        return None;
    }
    let shifted = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (shifted.div_euclid(400), shifted.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + dom - 1;
    let day = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    (civil(day) == (year, month, dom)).then_some(day)
}

/// The three letters of a month, from 1.
pub fn month_name(month: i64) -> &'static str {
    usize::try_from(month - 1).ok().and_then(|at| MONTHS.get(at)).copied().unwrap_or("Jan")
}

/// The three letters of a day's weekday.
pub fn weekday_name(day: i64) -> &'static str {
    usize::try_from(day.rem_euclid(7)).ok().and_then(|at| WEEKDAYS.get(at)).copied().unwrap_or("Thu")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_day_goes_both_ways() {
        for at in -719_528..2_932_897 {
            let (year, month, dom) = civil(at);
            assert_eq!(day(year, month, dom), Some(at));
        }
    }

    #[test]
    fn there_is_no_such_day() {
        for (year, month, dom) in [(2023, 2, 29), (1900, 2, 29), (2023, 4, 31), (2023, 13, 1), (2023, 1, 0), (10_000, 1, 1)] {
            assert_eq!(day(year, month, dom), None);
        }
        assert_eq!((day(2000, 2, 29), day(1970, 1, 1)), (Some(11_016), Some(0)));
        assert_eq!((weekday_name(0), weekday_name(-1), month_name(12)), ("Thu", "Wed", "Dec"));
    }
}
