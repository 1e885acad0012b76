//! One instance as a component of its own (RFC 4791 §9.6.5).

use super::{Object, Occurrence, Zone};
use crate::{
    icalendar::{
        civil::{write_date, write_local, write_utc},
        timing::{Timing, end_of},
    },
    lines::{Line, push_line},
};

const RECURRENCE: [&str; 5] = ["RRULE", "EXRULE", "RDATE", "EXDATE", "RECURRENCE-ID"];

impl Object {
    pub(super) fn instance(&self, one: &Occurrence, floating: &Zone, out: &mut Vec<u8>) {
        let Some(part) = self.calendar().components.get(one.component) else { return };
        let Some(timing) = self.timing(one.component) else { return };
        let stamp = timing.start.as_ref().or(timing.due.as_ref());
        let zone = stamp.and_then(|stamp| stamp.zone.as_ref()).unwrap_or(floating);
        // Only a day of the clock can have another length in UTC.
        let same_length = end_of(one.start_local, one.start, timing.length, zone) == one.end;
        let keep_duration = same_length && (timing.length.days == 0 || one.all_day);
        let end_name = if part.is("VTODO") { "DUE" } else { "DTEND" };
        let written = |name: &str, utc: i64, local: i64| {
            if one.all_day {
                format!("{name};VALUE=DATE:{}", write_date(local))
            } else if one.floating {
                format!("{name}:{}", write_local(local))
            } else {
                format!("{name}:{}", write_utc(utc))
            }
        };
        let end = written(end_name, one.end, zone.local(one.end));
        let mut end_there = false;
        out.extend_from_slice(self.slice(&(part.range.start..part.inner.start)));
        self.copy_around(part, out, &mut |line, out| {
            if line.is("DTSTART") {
                push_line(out, &written("DTSTART", one.start, one.start_local));
                self.recurrence_id(one, timing, out);
                end_there |= same_length || timing.has_length;
                if !end_there {
                    push_line(out, &end);
                }
                return true;
            }
            // A task that is only due has no DTSTART to follow.
            if timing.start.is_none() && line.is(end_name) {
                self.recurrence_id(one, timing, out);
            }
            other(line, &end, end_name, keep_duration, out)
        });
        out.extend_from_slice(self.slice(&(part.inner.end..part.range.end)));
    }

    /// RECURRENCE-ID has the form of the series' start, which an override can have changed.
    fn recurrence_id(&self, one: &Occurrence, timing: &Timing, out: &mut Vec<u8>) {
        let Some(instance) = one.recurrence_id else { return };
        let first = self.master().and_then(|(index, _)| self.timing(index)?.start.as_ref());
        let form = first.or(timing.overrides.as_ref().map(|instance| &instance.of));
        let text = match form {
            Some(stamp) if stamp.is_date() => format!("RECURRENCE-ID;VALUE=DATE:{}", write_date(instance.local)),
            Some(stamp) if stamp.zone.is_none() => format!("RECURRENCE-ID:{}", write_local(instance.local)),
            _ => format!("RECURRENCE-ID:{}", write_utc(instance.utc)),
        };
        push_line(out, &text);
    }
}

/// Whether a line has been seen to: the end is written anew, and what makes a series goes.
fn other(line: &Line<'_>, end: &str, end_name: &str, keep_duration: bool, out: &mut Vec<u8>) -> bool {
    if line.is(end_name) || (line.is("DURATION") && !keep_duration) {
        push_line(out, end);
        return true;
    }
    RECURRENCE.iter().any(|name| line.is(name))
}
