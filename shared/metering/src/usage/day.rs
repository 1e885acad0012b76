//! What happened to a mailbox on a day, hour by hour. Hours in which nothing happened are left out: the bytes of the hour
//! before go on through them.

use bytes::{Buf, BufMut};
use penfold_mailbox::{Change, Entry};
use penfold_ports::{Name, Row, Value};
use std::collections::BTreeMap;

pub(super) const HOUR: i64 = 3_600;
pub(super) const DAY: i64 = 24 * HOUR;

/// Of a day's row: bytes at its beginning, and its hours.
const WAS: Name = Name::new("w");
const HOURS: Name = Name::new("h");

const FORMAT: u8 = 1;
/// The hour, three counts and five sizes.
const WIDTH: usize = 1 + 3 * 4 + 5 * 8;

/// What changed a mailbox within an hour.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Hour {
    /// Messages that came by mail.
    pub delivered: u32,
    pub delivered_bytes: u64,
    /// Messages that a client put there, copied or brought along.
    pub added: u32,
    pub added_bytes: u64,
    pub removed: u32,
    pub removed_bytes: u64,
    /// By how much the bytes that are stored were not the sum of what had happened.
    pub adjusted: i64,
    /// Byte-seconds of these changes from their seconds to the end of the hour.
    pub(super) lift: i64,
}

impl Hour {
    /// Bytes at its end less bytes at its beginning.
    pub(super) fn grown(&self) -> i64 {
        signed(self.delivered_bytes)
            .saturating_add(signed(self.added_bytes))
            .saturating_sub(signed(self.removed_bytes))
            .saturating_add(self.adjusted)
    }

    pub(super) fn lift(&mut self, bytes: i64, second: i64) {
        self.lift = self.lift.saturating_add(bytes.saturating_mul(HOUR - second));
    }

    pub(super) fn apply(&mut self, change: &Change, second: i64) {
        for entry in &change.entries {
            match entry {
                Entry::Added { placed, .. } => {
                    let (count, bytes) = match change.delivery {
                        true => (&mut self.delivered, &mut self.delivered_bytes),
                        false => (&mut self.added, &mut self.added_bytes),
                    };
                    *count = count.saturating_add(1);
                    *bytes = bytes.saturating_add(placed.size.into());
                    self.lift(placed.size.into(), second);
                }
                Entry::Removed { placed, .. } => self.take(placed.size, second),
                // Another version is one more and one less.
                Entry::Object { before, after, .. } if before != after => {
                    if let Some(after) = after {
                        self.added = self.added.saturating_add(1);
                        self.added_bytes = self.added_bytes.saturating_add(after.size.into());
                        self.lift(after.size.into(), second);
                    }
                    if let Some(before) = before {
                        self.take(before.size, second);
                    }
                }
                _ => {}
            }
        }
    }

    fn take(&mut self, size: u32, second: i64) {
        self.removed = self.removed.saturating_add(1);
        self.removed_bytes = self.removed_bytes.saturating_add(size.into());
        self.lift(-i64::from(size), second);
    }
}

/// Whether a change says anything that is counted here.
pub(super) fn counts(change: &Change) -> bool {
    change.entries.iter().any(|entry| matches!(entry, Entry::Added { .. } | Entry::Removed { .. } | Entry::Object { .. }))
}

pub(super) fn signed(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A day's row.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub(super) struct Day {
    /// Bytes at its beginning.
    pub was: u64,
    pub hours: BTreeMap<u8, Hour>,
}

impl Day {
    pub fn attributes(&self) -> Vec<(Name, Value)> {
        let mut out = Vec::with_capacity(1 + self.hours.len() * WIDTH);
        out.push(FORMAT);
        for (number, hour) in &self.hours {
            out.put_u8(*number);
            for count in [hour.delivered, hour.added, hour.removed] {
                out.put_u32(count);
            }
            for bytes in [hour.delivered_bytes, hour.added_bytes, hour.removed_bytes] {
                out.put_u64(bytes);
            }
            out.put_i64(hour.adjusted);
            out.put_i64(hour.lift);
        }
        vec![(WAS, self.was.into()), (HOURS, out.into())]
    }

    pub fn from_row(row: &Row) -> Option<Self> {
        let mut hours = BTreeMap::new();
        let mut from = &row.bytes(HOURS)?[..];
        if from.try_get_u8().ok()? != FORMAT {
            return None;
        }
        while from.has_remaining() {
            if from.remaining() < WIDTH {
                return None;
            }
            let number = from.get_u8();
            let (delivered, added, removed) = (from.get_u32(), from.get_u32(), from.get_u32());
            let (delivered_bytes, added_bytes, removed_bytes) = (from.get_u64(), from.get_u64(), from.get_u64());
            let (adjusted, lift) = (from.get_i64(), from.get_i64());
            let hour = Hour { delivered, delivered_bytes, added, added_bytes, removed, removed_bytes, adjusted, lift };
            if number > 23 || hours.insert(number, hour).is_some() {
                return None;
            }
        }
        Some(Self { was: row.u64(WAS)?, hours })
    }
}
