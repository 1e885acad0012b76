//! When alarms go off (RFC 5545 §3.6.6), for the rule of RFC 4791 §9.9 about VALARM.

use std::ops::Range;

use super::{Matcher, Place};
use crate::icalendar::value::{Form, clock, duration};

impl Matcher<'_> {
    pub(super) fn alarm(&self, place: Place<'_>, window: &Range<i64>) -> bool {
        let Some(trigger) = place.component.property("TRIGGER") else { return false };
        // Each repetition comes that much later than the one before.
        let every = place.component.property("DURATION").and_then(|line| duration(&line.value)).map_or(0, |every| every.nominal());
        let times = place.component.property("REPEAT").and_then(|line| line.value.trim().parse::<u32>().ok()).unwrap_or(0);
        let repeats = Repeats { every: every.max(0), times: if every > 0 { i64::from(times) } else { 0 } };
        if let Some(time) = clock(&trigger.value) {
            // §3.8.6.3: an absolute time is in UTC.
            let utc = if time.form == Form::Utc { time.local } else { self.floating.utc(time.local) };
            return repeats.hit(utc, window);
        }
        let Some(before) = duration(&trigger.value).map(|before| before.nominal()) else { return false };
        let at_end = trigger.param_value("RELATED").is_some_and(|related| related.eq_ignore_ascii_case("END"));
        let span = repeats.every.saturating_mul(repeats.times);
        // What only touches the window with its end is in it by a second more.
        let from = window.start.saturating_sub(before).saturating_sub(span).saturating_sub(1);
        let near = from..window.end.saturating_sub(before).saturating_add(1);
        let Ok(found) = self.found(&near) else { return true };
        let mut own = found.iter().filter(|one| one.component == place.top);
        own.any(|one| repeats.hit(if at_end { one.end } else { one.start }.saturating_add(before), window))
    }
}

struct Repeats {
    every: i64,
    times: i64,
}

impl Repeats {
    /// Whether an alarm that first goes off then goes off in a window.
    fn hit(&self, first: i64, window: &Range<i64>) -> bool {
        let late = window.start.saturating_sub(first);
        let number = if late <= 0 || self.every == 0 { 0 } else { late.saturating_add(self.every - 1) / self.every };
        number <= self.times && window.contains(&first.saturating_add(number.saturating_mul(self.every)))
    }
}
