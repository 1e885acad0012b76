//! Sets of numbers as clients write them (RFC 9051 §9, sequence-set), and what they mean against what was announced.

use super::input::{Bad, Input, Parse};
use penfold_mailbox::UidSet;

/// Either end of a range; `*` is the largest number in use.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    Number(u32),
    Star,
}

impl End {
    fn resolve(self, largest: u32) -> u32 {
        match self {
            Self::Number(number) => number,
            Self::Star => largest,
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SequenceSet {
    /// `$`: what the last search saved (RFC 5182).
    Saved,
    Ranges(Vec<(End, End)>),
}

impl SequenceSet {
    pub fn parse(input: &mut Input<'_>) -> Parse<Self> {
        if input.eat(b'$') {
            return Ok(Self::Saved);
        }
        let mut ranges = Vec::new();
        loop {
            let from = end(input)?;
            let to = if input.eat(b':') { end(input)? } else { from };
            ranges.push((from, to));
            if !input.eat(b',') {
                return Ok(Self::Ranges(ranges));
            }
        }
    }

    /// Sorted, joined ranges, with `*` as `largest`; either order of the ends is right (RFC 9051 §9).
    fn resolve(ranges: &[(End, End)], largest: u32) -> UidSet {
        UidSet::from_ranges(ranges.iter().map(|(a, b)| {
            let (a, b) = (a.resolve(largest), b.resolve(largest));
            a.min(b)..=a.max(b)
        }))
    }

    /// The uids that are meant, of those announced. Uids that do not exist are left out without an error
    /// (RFC 9051 §6.4.9).
    pub fn uids(&self, announced: &UidSet, saved: &UidSet) -> UidSet {
        match self {
            Self::Saved => saved.intersection(announced),
            Self::Ranges(ranges) => {
                let largest = announced.max().map_or(0, |uid| uid.get());
                Self::resolve(ranges, largest).intersection(announced)
            }
        }
    }

    /// The same, whether or not the uids were ever announced: `*` is `largest`.
    pub fn plain_uids(&self, largest: u32, saved: &UidSet) -> UidSet {
        match self {
            Self::Saved => saved.clone(),
            Self::Ranges(ranges) => Self::resolve(ranges, largest.max(1)),
        }
    }

    /// The uids at message sequence numbers. A number that is not in use is an error of the client (RFC 9051 §6.4).
    pub fn numbers(&self, announced: &UidSet, saved: &UidSet) -> Parse<UidSet> {
        let Self::Ranges(ranges) = self else { return Ok(saved.intersection(announced)) };
        let largest = announced.len();
        // `1:*` of an empty mailbox is nothing: clients ask so without looking.
        if largest == 0 && ranges.iter().all(|(a, b)| *a == End::Star || *b == End::Star) {
            return Ok(UidSet::new());
        }
        let places = Self::resolve(ranges, largest);
        if places.max().is_some_and(|max| max.get() > largest) || places.contains(penfold_types::Uid(0)) {
            return Err(Bad::Syntax("no message has that number"));
        }
        Ok(at_places(announced, &places))
    }
}

fn end(input: &mut Input<'_>) -> Parse<End> {
    if input.eat(b'*') { Ok(End::Star) } else { input.nz_number().map(End::Number) }
}

/// The uids at given places, walking both lists once.
fn at_places(announced: &UidSet, places: &UidSet) -> UidSet {
    let mut out = Vec::new();
    let mut wanted = places.runs().iter().copied().peekable();
    let mut before = 0u32;
    for &(from, to) in announced.runs() {
        let last = before + (to - from) + 1;
        while let Some((a, b)) = wanted.peek().copied() {
            if a > last {
                break;
            }
            let (low, high) = (a.max(before + 1), b.min(last));
            if low <= high {
                out.push(from + (low - before - 1)..=from + (high - before - 1));
            }
            if b > last {
                break;
            }
            wanted.next();
        }
        before = last;
    }
    UidSet::from_ranges(out)
}

/// `1:3,7` of runs; an empty set has no such form.
pub fn write_set(out: &mut Vec<u8>, set: &UidSet) {
    for (at, (from, to)) in set.runs().iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        super::write::number(out, u64::from(*from));
        if to > from {
            out.push(b':');
            super::write::number(out, u64::from(*to));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grammar::framer::Raw;

    fn set(text: &str) -> Parse<SequenceSet> {
        let raw = Raw { text: text.into(), literals: Vec::new() };
        let mut input = Input::new(&raw);
        let set = SequenceSet::parse(&mut input)?;
        input.end()?;
        Ok(set)
    }

    fn text(set: &UidSet) -> String {
        let mut out = Vec::new();
        write_set(&mut out, set);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn numbers_become_uids() {
        let announced = UidSet::from_ranges([3..=5, 10..=10, 20..=29]);
        let none = UidSet::new();
        let numbers = |t: &str| set(t).unwrap().numbers(&announced, &none).map(|s| text(&s));
        assert_eq!(numbers("1:*"), Ok("3:5,10,20:29".into()));
        assert_eq!(numbers("4,*,2:3"), Ok("4:5,10,29".into()));
        assert_eq!(numbers("*:13"), Ok("28:29".into()));
        assert_eq!(numbers("5:6"), Ok("20:21".into()));
        assert!(numbers("15").is_err() && numbers("1:15").is_err());
        assert!(set("1").unwrap().numbers(&none, &none).is_err());
        assert_eq!(set("1:*").unwrap().numbers(&none, &none), Ok(UidSet::new()));
    }

    #[test]
    fn uids_that_are_not_there_are_left_out() {
        let announced = UidSet::from_ranges([3..=5, 10..=10]);
        let uids = |t: &str| text(&set(t).unwrap().uids(&announced, &UidSet::from_ranges([5..=6])));
        assert_eq!(uids("1:4,7"), "3:4");
        assert_eq!(uids("4000:*"), "10");
        assert_eq!(uids("$"), "5");
    }

    #[test]
    fn what_is_no_set_is_refused() {
        for bad in ["", "0", "1,", "1:", ":1", "a", "1:2:3", "-1", "4294967296", "99999999999999999999"] {
            assert!(set(bad).is_err(), "{bad}");
        }
    }
}
