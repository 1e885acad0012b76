//! The parameters of MAIL that name times: HOLDFOR and HOLDUNTIL (RFC 4865 §3), BY (RFC 2852 §4).

use super::parameters::{By, Hold, is_number};
use penfold_transport::outbound::Late;
use penfold_types::{Timestamp, date};

/// Seconds that a message may be held: 45 days.
pub(crate) const LONGEST: u32 = 45 * 86_400;

/// `None` also where it is longer than is offered. How far off a date is, only the clock tells.
pub(super) fn hold(keyword: &str, value: &str) -> Option<Hold> {
    if keyword == "HOLDUNTIL" {
        return instant(value).map(Hold::Until);
    }
    let seconds: u32 = Some(value).filter(|v| v.len() <= 9 && is_number(v))?.parse().ok()?;
    (seconds <= LONGEST).then_some(Hold::Seconds(seconds))
}

/// `BY=` by-time `;` by-mode by-trace. What is to be returned must have some time left.
pub(super) fn by(value: &str) -> Option<By> {
    let (time, mode) = value.split_once(';')?;
    let (digits, negative) = match time.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (time.strip_prefix('+').unwrap_or(time), false),
    };
    let seconds: i64 = Some(digits).filter(|d| d.len() <= 9 && is_number(d))?.parse().ok()?;
    let seconds = if negative { -seconds } else { seconds };
    let (late, trace) = match mode.to_ascii_uppercase().as_str() {
        "R" => (Late::Return, false),
        "RT" => (Late::Return, true),
        "N" => (Late::Notify, false),
        "NT" => (Late::Notify, true),
        _ => return None,
    };
    (seconds > 0 || late == Late::Notify).then_some(By { seconds, late, trace })
}

/// `date-time` of RFC 3339 §5.6, in any zone; a fraction of a second is passed over.
fn instant(text: &str) -> Option<Timestamp> {
    let number = |range: std::ops::Range<usize>| text.get(range).filter(|digits| is_number(digits))?.parse::<i64>().ok();
    let mark = |at: usize, wanted: u8| text.as_bytes().get(at).is_some_and(|byte| byte.eq_ignore_ascii_case(&wanted)).then_some(());
    for (at, wanted) in [(4, b'-'), (7, b'-'), (10, b'T'), (13, b':'), (16, b':')] {
        mark(at, wanted)?;
    }
    let day = date::day(number(0..4)?, number(5..7)?, number(8..10)?)?;
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let zone = match text.get(19..)?.strip_prefix('.') {
        Some(rest) => rest.trim_start_matches(|c: char| c.is_ascii_digit()),
        None => text.get(19..)?,
    };
    let fits = hour < 24 && minute < 60 && second <= 60;
    fits.then_some(Timestamp::from_seconds(day * 86_400 + hour * 3600 + minute * 60 + second - offset(zone)?))
}

/// Seconds east of UTC.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("Z") {
        return Some(0);
    }
    let sign = match zone.get(..1)? {
        "+" => 1,
        "-" => -1,
        _ => return None,
    };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let two = |digits: &str, limit: i64| Some(digits).filter(|d| d.len() == 2 && is_number(d))?.parse().ok().filter(|n: &i64| *n < limit);
    Some(sign * (two(hours, 24)? * 3600 + two(minutes, 60)? * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holds() {
        let until = |seconds| Some(Hold::Until(Timestamp::from_seconds(seconds)));
        assert_eq!(hold("HOLDFOR", "0"), Some(Hold::Seconds(0)));
        assert_eq!(hold("HOLDFOR", "3888000"), Some(Hold::Seconds(LONGEST)));
        assert_eq!(hold("HOLDUNTIL", "2026-11-25T17:13:06Z"), until(1_795_626_786));
        assert_eq!(hold("HOLDUNTIL", "2026-11-25t18:43:06.25+01:30"), until(1_795_626_786));
        assert_eq!(hold("HOLDUNTIL", "2026-11-25T09:13:06-08:00"), until(1_795_626_786));
        for bad in ["", "-1", "+1", "3888001", "9999999999", "1s"] {
            assert_eq!(hold("HOLDFOR", bad), None, "{bad}");
        }
        for bad in [
            "",
            "2026-11-25",
            "2026-11-25T17:13:06",
            "2026-02-30T00:00:00Z",
            "2026-11-25T24:00:00Z",
            "2026-11-25 17:13:06Z",
            "2026-11-25T17:13:06+1:00",
            "+026-11-25T17:13:06Z",
            "2026-11-25T17:13:06\u{e9}",
        ] {
            assert_eq!(hold("HOLDUNTIL", bad), None, "{bad}");
        }
    }

    #[test]
    fn deadlines() {
        assert_eq!(by("120;R"), Some(By { seconds: 120, late: Late::Return, trace: false }));
        assert_eq!(by("+999999999;rt"), Some(By { seconds: 999_999_999, late: Late::Return, trace: true }));
        assert_eq!(by("-5;NT"), Some(By { seconds: -5, late: Late::Notify, trace: true }));
        for bad in ["", "1", "1;", ";R", "0;R", "-1;R", "1;X", "1;T", "1000000000;R", "--1;N", "1 ;N"] {
            assert_eq!(by(bad), None, "{bad}");
        }
    }
}
