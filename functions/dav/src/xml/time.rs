use std::ops::Range;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use penfold_formats::icalendar::filter::TimeRange;
use penfold_formats::xml::Element;

/// The attributes start and end (RFC 4791 §9.9): one of them at least, in UTC, and in order.
pub(super) fn range(element: &Element) -> Option<TimeRange> {
    let bound = |name| match element.attribute(name) {
        None => Some(None),
        Some(text) => instant(text).map(Some),
    };
    let range = TimeRange { start: bound("start")?, end: bound("end")? };
    match (range.start, range.end) {
        (None, None) => None,
        (Some(start), Some(end)) if start >= end => None,
        _ => Some(range),
    }
}

/// As [`range`], with both ends.
pub(super) fn closed(element: &Element) -> Option<Range<i64>> {
    let range = range(element)?;
    Some(range.start?..range.end?)
}

/// "date with UTC time" (RFC 5545 §3.3.5): `20060104T000000Z`, in seconds.
fn instant(text: &str) -> Option<i64> {
    let text = text.trim();
    let bytes = text.as_bytes();
    if bytes.len() != 16 || bytes.get(8) != Some(&b'T') || bytes.get(15) != Some(&b'Z') {
        return None;
    }
    let number = |range: Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse::<i16>().ok())?
    };
    let small = |range| number(range).and_then(|number| i8::try_from(number).ok());
    // A leap second is the one before: clocks of computers have none.
    let second = small(13..15)?;
    let second = if second == 60 { 59 } else { second };
    let time = DateTime::new(number(0..4)?, small(4..6)?, small(6..8)?, small(9..11)?, small(11..13)?, second, 0).ok()?;
    TimeZone::UTC.to_timestamp(time).ok().map(|timestamp| timestamp.as_second())
}
