//! What the index of times keeps of an event beside when it may be: mostly enough to say when somebody is busy by it.

use penfold_formats::icalendar::{Busy, Kind, Object, Zone};
use std::ops::Range;

/// Of an event that happens once, all that matters; of a series, that it has to be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Facts {
    Once {
        /// Seconds since 1970; in UTC, or by the clock of whoever looks where `floating`.
        start: i64,
        end: i64,
        floating: bool,
        busy: Option<Busy>,
    },
    Read,
}

const ONCE: u8 = 1;

impl Facts {
    pub fn of(object: &Object, recurring: bool) -> Self {
        let utc = Zone::fixed(0);
        let always = i64::MIN / 4..i64::MAX / 4;
        let all = if recurring { None } else { object.occurrences(always.clone(), &utc, 2).ok() };
        let busy = object.busy(always, &utc, 2).unwrap_or_default();
        match all.as_deref() {
            Some([once]) if object.kind() == Kind::Event => Self::Once {
                start: once.start,
                end: once.end,
                floating: once.floating || once.all_day,
                busy: busy.first().map(|(_, busy)| *busy),
            },
            _ => Self::Read,
        }
    }

    pub fn encode(self) -> Vec<u8> {
        let Self::Once { start, end, floating, busy } = self else { return Vec::new() };
        let mut out = vec![ONCE, u8::from(floating), number(busy)];
        out.extend(start.to_be_bytes());
        out.extend(end.to_be_bytes());
        out
    }

    /// What cannot be read says that the object has to be.
    pub fn decode(bytes: &[u8]) -> Self {
        let read = || {
            let (head, rest) = bytes.split_first_chunk::<3>()?;
            let (start, end) = (rest.get(..8)?.try_into().ok()?, rest.get(8..16)?.try_into().ok()?);
            (head[0] == ONCE).then_some(Self::Once {
                start: i64::from_be_bytes(start),
                end: i64::from_be_bytes(end),
                floating: head[1] == 1,
                busy: from_number(head[2]),
            })
        };
        read().unwrap_or(Self::Read)
    }
}

/// Whether an event has something of a window (RFC 4791 §9.9), as far as its facts say so: `None` where it has to be read.
pub fn is_in(facts: &[u8], window: &Range<i64>, floating: &Zone) -> Option<bool> {
    let Facts::Once { start, end, floating: clock, .. } = Facts::decode(facts) else { return None };
    let at = |time: i64| if clock { floating.utc(time) } else { time };
    let (start, end) = (at(start), at(end));
    // What takes no time is in it where its begin is.
    Some(start < window.end && (end > window.start || (end == start && start >= window.start)))
}

fn number(busy: Option<Busy>) -> u8 {
    match busy {
        None => 0,
        Some(Busy::Busy) => 1,
        Some(Busy::Tentative) => 2,
        Some(Busy::Unavailable) => 3,
    }
}

fn from_number(number: u8) -> Option<Busy> {
    match number {
        1 => Some(Busy::Busy),
        2 => Some(Busy::Tentative),
        3 => Some(Busy::Unavailable),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_read_back_and_anything_else_has_to_be_read() {
        for busy in [None, Some(Busy::Busy), Some(Busy::Tentative), Some(Busy::Unavailable)] {
            let facts = Facts::Once { start: -5, end: 7, floating: true, busy };
            assert_eq!(Facts::decode(&facts.encode()), facts);
        }
        assert_eq!(Facts::decode(&Facts::Read.encode()), Facts::Read);
        assert_eq!(Facts::decode(&[ONCE, 0, 0, 1]), Facts::Read);
    }

    #[test]
    fn an_event_that_happens_once_is_judged_without_being_read() {
        let (utc, berlin) = (Zone::fixed(0), Zone::named("Europe/Berlin").unwrap());
        let facts = |start, end, floating| Facts::Once { start, end, floating, busy: None }.encode();
        for (start, end, wanted) in
            [(0, 10, false), (0, 11, true), (19, 30, true), (20, 30, false), (10, 10, true), (9, 9, false), (20, 20, false)]
        {
            assert_eq!(is_in(&facts(start, end, false), &(10..20), &utc), Some(wanted), "{start} {end}");
        }
        // Midnight by the clock of Berlin is 23:00 in UTC.
        assert_eq!(is_in(&facts(0, 60, true), &(-3600..-3500), &berlin), Some(true));
        assert_eq!(is_in(&[], &(0..1), &utc), None);
    }
}
