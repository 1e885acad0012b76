//! What the index of times keeps of an event beside when it may be: mostly enough to say when somebody is busy by it.

use penfold_formats::icalendar::{Busy, Kind, Object, Zone};

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
}
