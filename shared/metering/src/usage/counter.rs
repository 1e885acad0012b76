//! Counting: pure, from a mark and the changes after it to the days that they touch.

use super::day::{DAY, Day, HOUR, Hour, counts, signed};
use super::mark::Mark;
use penfold_mailbox::{Change, Entry, Head};
use penfold_types::{Modseq, Timestamp};
use std::collections::BTreeMap;

/// Days of one commit.
const DAYS: usize = 90;

pub(super) struct Counter {
    pub mark: Mark,
    /// Those in which something was counted.
    pub days: BTreeMap<u32, Day>,
    /// The mark's own day as it is stored, until something is counted in it.
    stored: Option<(u32, Day)>,
    fresh: bool,
}

impl Counter {
    /// `day`: the row of the mark's own day, where there is one.
    pub fn new(mark: Option<Mark>, day: Option<Day>) -> Self {
        let (fresh, mark) = (mark.is_none(), mark.unwrap_or_default());
        Self { stored: day.map(|day| (number(mark.at), day)), days: BTreeMap::new(), mark, fresh }
    }

    /// Up to here the log is gone.
    pub fn skip_to(&mut self, floor: Modseq) {
        self.mark.modseq = self.mark.modseq.max(floor);
    }

    /// False where this commit can hold no more days.
    pub fn apply(&mut self, change: &Change) -> bool {
        let at = self.begin(change.at);
        if !counts(change) {
            self.mark.modseq = change.modseq;
            return true;
        }
        if self.days.len() >= DAYS && !self.days.contains_key(&number(at)) {
            return false;
        }
        self.hour(at, |hour, second| hour.apply(change, second));
        for entry in &change.entries {
            match entry {
                Entry::Added { .. } => self.mark.items += 1,
                Entry::Removed { .. } => self.mark.items = self.mark.items.saturating_sub(1),
                Entry::Object { before, after, .. } => {
                    self.mark.items = (self.mark.items + u64::from(after.is_some())).saturating_sub(before.is_some().into());
                }
                _ => {}
            }
        }
        self.mark.modseq = change.modseq;
        true
    }

    /// What is stored must be the sum of what happened. By how many bytes it is not, where it is not.
    pub fn compare(&mut self, head: &Head, now: Timestamp) -> Option<i64> {
        if (self.mark.bytes, self.mark.items, self.mark.modseq) == (head.used, head.items, head.modseq) {
            return None;
        }
        let by = signed(head.used).saturating_sub(signed(self.mark.bytes));
        let at = self.begin(now);
        self.hour(at, |hour, second| {
            hour.adjusted = hour.adjusted.saturating_add(by);
            hour.lift(by, second);
        });
        (self.mark.bytes, self.mark.items, self.mark.modseq) = (head.used, head.items, head.modseq);
        Some(by)
    }

    /// The mailbox is gone, and with it whatever was left in it.
    pub fn close(&mut self, now: Timestamp) {
        let at = self.begin(now);
        let (items, bytes) = (self.mark.items, self.mark.bytes);
        if items > 0 || bytes > 0 {
            self.hour(at, |hour, second| {
                hour.removed = hour.removed.saturating_add(u32::try_from(items).unwrap_or(u32::MAX));
                hour.removed_bytes = hour.removed_bytes.saturating_add(bytes);
                hour.lift(signed(bytes).saturating_neg(), second);
            });
        }
        (self.mark.items, self.mark.bytes, self.mark.closed) = (0, 0, Some(at));
    }

    /// Clocks differ, so a change may seem to be from before the one before it.
    fn begin(&mut self, at: Timestamp) -> i64 {
        self.mark.at = self.mark.at.max(at.seconds());
        if std::mem::take(&mut self.fresh) {
            self.mark.since = self.mark.at;
        }
        self.mark.at
    }

    fn hour(&mut self, at: i64, count: impl FnOnce(&mut Hour, i64)) {
        let (was, today) = (self.mark.bytes, number(at));
        let stored = self.stored.take_if(|(own, _)| *own == today);
        let day = self.days.entry(today).or_insert_with(|| stored.map_or_else(|| Day { was, ..Day::default() }, |(_, day)| day));
        let hour = day.hours.entry((at.rem_euclid(DAY) / HOUR) as u8).or_default();
        let before = hour.grown();
        count(hour, at.rem_euclid(HOUR));
        let grown = hour.grown().saturating_sub(before);
        self.mark.bytes = was.saturating_add_signed(grown);
    }
}

pub(super) fn number(at: i64) -> u32 {
    u32::try_from(at.div_euclid(DAY)).unwrap_or(0)
}
