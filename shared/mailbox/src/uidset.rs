//! A set of uids as runs. A session holds one for what it has announced: a mailbox of 5,000 messages without gaps is one
//! run of eight bytes. A uid's rank in it is its message sequence number (RFC 9051 §2.3.1.2).

use penfold_types::Uid;
use std::ops::RangeInclusive;

/// Sorted runs that neither touch nor overlap.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct UidSet {
    runs: Vec<(u32, u32)>,
}

impl UidSet {
    pub const fn new() -> Self {
        Self { runs: Vec::new() }
    }

    pub fn from_ranges(ranges: impl IntoIterator<Item = RangeInclusive<u32>>) -> Self {
        let mut runs: Vec<(u32, u32)> = ranges.into_iter().filter(|r| r.start() <= r.end()).map(|r| (*r.start(), *r.end())).collect();
        runs.sort_unstable();
        let mut set = Self::new();
        for (from, to) in runs {
            set.push_run(from, to);
        }
        set
    }

    /// Adds a run that begins at or after the start of the last one.
    fn push_run(&mut self, from: u32, to: u32) {
        match self.runs.last_mut() {
            Some(last) if from <= last.1.saturating_add(1) => last.1 = last.1.max(to),
            _ => self.runs.push((from, to)),
        }
    }

    /// The place of the run that holds `uid`, or where it would be.
    fn find(&self, uid: u32) -> Result<usize, usize> {
        let at = self.runs.partition_point(|run| run.1 < uid);
        match self.runs.get(at) {
            Some(run) if run.0 <= uid => Ok(at),
            _ => Err(at),
        }
    }

    pub fn insert(&mut self, uid: Uid) {
        let uid = uid.get();
        let Err(at) = self.find(uid) else { return };
        let joins_left = at > 0 && self.runs[at - 1].1.checked_add(1) == Some(uid);
        let joins_right = self.runs.get(at).is_some_and(|run| uid.checked_add(1) == Some(run.0));
        match (joins_left, joins_right) {
            (true, true) => {
                self.runs[at - 1].1 = self.runs[at].1;
                self.runs.remove(at);
            }
            (true, false) => self.runs[at - 1].1 = uid,
            (false, true) => self.runs[at].0 = uid,
            (false, false) => self.runs.insert(at, (uid, uid)),
        }
    }

    /// Takes a uid out; false where it was not in.
    pub fn remove(&mut self, uid: Uid) -> bool {
        let uid = uid.get();
        let Ok(at) = self.find(uid) else { return false };
        let (from, to) = self.runs[at];
        match (from == uid, to == uid) {
            (true, true) => {
                self.runs.remove(at);
            }
            (true, false) => self.runs[at].0 = uid + 1,
            (false, true) => self.runs[at].1 = uid - 1,
            (false, false) => {
                self.runs[at].1 = uid - 1;
                self.runs.insert(at + 1, (uid + 1, to));
            }
        }
        true
    }

    pub fn contains(&self, uid: Uid) -> bool {
        self.find(uid.get()).is_ok()
    }

    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    pub fn len(&self) -> u32 {
        self.runs.iter().map(|(from, to)| to - from).sum::<u32>() + self.runs.len() as u32
    }

    pub fn max(&self) -> Option<Uid> {
        self.runs.last().map(|run| Uid(run.1))
    }

    pub fn min(&self) -> Option<Uid> {
        self.runs.first().map(|run| Uid(run.0))
    }

    /// The place of a uid, from 1: its message sequence number.
    pub fn rank(&self, uid: Uid) -> Option<u32> {
        let at = self.find(uid.get()).ok()?;
        let before: u32 = self.runs[..at].iter().map(|(from, to)| to - from + 1).sum();
        Some(before + uid.get() - self.runs[at].0 + 1)
    }

    /// How many are in here that are not above `uid`.
    pub fn count_up_to(&self, uid: Uid) -> u32 {
        self.runs.iter().take_while(|(from, _)| *from <= uid.get()).map(|(from, to)| (*to).min(uid.get()) - from + 1).sum()
    }

    /// The uid at a place, from 1.
    pub fn select(&self, place: u32) -> Option<Uid> {
        let mut left = place.checked_sub(1)?;
        for (from, to) in &self.runs {
            let len = to - from + 1;
            if left < len {
                return Some(Uid(from + left));
            }
            left -= len;
        }
        None
    }

    pub fn iter(&self) -> impl Iterator<Item = Uid> + '_ {
        self.runs.iter().flat_map(|(from, to)| *from..=*to).map(Uid)
    }

    pub fn runs(&self) -> &[(u32, u32)] {
        &self.runs
    }

    /// What is in both.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Self {
        let (mut a, mut b) = (0, 0);
        let mut out = Self::new();
        while let (Some(x), Some(y)) = (self.runs.get(a), other.runs.get(b)) {
            let (from, to) = (x.0.max(y.0), x.1.min(y.1));
            if from <= to {
                out.push_run(from, to);
            }
            if x.1 < y.1 { a += 1 } else { b += 1 }
        }
        out
    }

    /// What is in here and not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        let mut out = Self::new();
        let mut b = 0;
        for &(from, to) in &self.runs {
            let mut from = from;
            while other.runs.get(b).is_some_and(|run| run.1 < from) {
                b += 1;
            }
            let mut at = b;
            let mut whole = false;
            while let Some(&(left, right)) = other.runs.get(at).filter(|run| run.0 <= to) {
                if left > from {
                    out.push_run(from, left - 1);
                }
                if right >= to {
                    whole = true;
                    break;
                }
                from = from.max(right + 1);
                at += 1;
            }
            if !whole && from <= to {
                out.push_run(from, to);
            }
        }
        out
    }

    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_ranges(self.runs.iter().chain(&other.runs).map(|(from, to)| *from..=*to))
    }

    /// Gives back memory that is not needed.
    pub fn shrink(&mut self) {
        self.runs.shrink_to_fit();
    }
}

impl FromIterator<Uid> for UidSet {
    /// Uids in any order.
    fn from_iter<I: IntoIterator<Item = Uid>>(uids: I) -> Self {
        let mut set = Self::new();
        for uid in uids {
            match set.runs.last_mut() {
                // The common case: ascending uids.
                Some(last) if uid.get() == last.1.wrapping_add(1) && last.1 < u32::MAX => last.1 = uid.get(),
                Some(last) if uid.get() <= last.1 => set.insert(uid),
                _ => set.runs.push((uid.get(), uid.get())),
            }
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    fn model(uids: &[u32]) -> (UidSet, BTreeSet<u32>) {
        (uids.iter().map(|u| Uid(*u)).collect(), uids.iter().copied().collect())
    }

    proptest! {
        #[test]
        fn agrees_with_a_plain_set(a in prop::collection::vec(1u32..60, 0..40), b in prop::collection::vec(1u32..60, 0..40), gone in prop::collection::vec(1u32..60, 0..20)) {
            let (mut set, mut plain) = model(&a);
            let (other, plain_other) = model(&b);
            for uid in gone {
                prop_assert_eq!(set.remove(Uid(uid)), plain.remove(&uid));
            }
            prop_assert!(set.runs().windows(2).all(|w| w[0].1 + 1 < w[1].0));
            prop_assert_eq!(set.len() as usize, plain.len());
            prop_assert_eq!(set.iter().map(|u| u.get()).collect::<Vec<_>>(), plain.iter().copied().collect::<Vec<_>>());
            for (place, uid) in plain.iter().enumerate() {
                prop_assert_eq!(set.rank(Uid(*uid)), Some(place as u32 + 1));
                prop_assert_eq!(set.select(place as u32 + 1), Some(Uid(*uid)));
            }
            prop_assert_eq!(set.count_up_to(Uid(30)) as usize, plain.range(..=30).count());
            let list = |s: UidSet| s.iter().map(|u| u.get()).collect::<Vec<_>>();
            prop_assert_eq!(list(set.intersection(&other)), plain.intersection(&plain_other).copied().collect::<Vec<_>>());
            prop_assert_eq!(list(set.difference(&other)), plain.difference(&plain_other).copied().collect::<Vec<_>>());
            prop_assert_eq!(list(set.union(&other)), plain.union(&plain_other).copied().collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_ends_of_the_range_hold() {
        let mut set = UidSet::from_ranges([u32::MAX..=u32::MAX, 1..=2]);
        set.insert(Uid(u32::MAX - 1));
        assert_eq!(set.runs(), [(1, 2), (u32::MAX - 1, u32::MAX)]);
        assert_eq!(set.select(5), None);
        assert_eq!(set.select(0), None);
    }
}
