//! Counted against consumed: what `penfold_ports::cost` says a request costs, beside what DynamoDB says it did cost.
//!
//! DynamoDB Local (1.25.1) reports single requests as documented, but nothing for an absent row in a batch, and nothing for a
//! query that finds nothing: such a request is not compared. For a transaction it reports another rule than the documented
//! one ([`local_units`]), by the same sizes of the same rows; so a commit's count is right where what is reported is either
//! the documented units or what that rule makes of the sizes that were counted.

use aws_sdk_dynamodb::types::ConsumedCapacity;
use parking_lot::Mutex;
use penfold_ports::{Row, Units, Write, item_size, read_units, write_units};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};

/// Mismatches that are kept word for word.
const KEPT: usize = 100;

#[derive(Default)]
pub(crate) struct Ledger {
    requests: Tally,
    commits: Tally,
    texts: Mutex<Vec<String>>,
}

#[derive(Default)]
struct Tally {
    compared: AtomicU64,
    mismatches: AtomicU64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Of {
    Request,
    Commit,
}

/// What the comparison found so far.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Compared {
    /// Single requests, and those of them that cost something else than what was counted.
    pub requests: u64,
    pub mismatches: u64,
    /// The same of transactions, by the documented rule or DynamoDB Local's.
    pub commits: u64,
    pub commit_mismatches: u64,
    /// The first hundred of them.
    pub texts: Vec<String>,
}

/// Read and write units, summed over what a request reports.
pub(crate) fn consumed<'a>(reported: impl IntoIterator<Item = &'a ConsumedCapacity>, write: bool) -> Option<Units> {
    let mut units = Units::default();
    let mut any = false;
    for capacity in reported {
        any = true;
        let total = capacity.capacity_units().unwrap_or_default();
        let (read, written) = match (capacity.read_capacity_units(), capacity.write_capacity_units()) {
            (None, None) if write => (0.0, total),
            (None, None) => (total, 0.0),
            (read, written) => (read.unwrap_or_default(), written.unwrap_or_default()),
        };
        units.read += read.ceil() as u64;
        units.write += written.ceil() as u64;
    }
    any.then_some(units)
}

/// What DynamoDB Local reports for a transaction: four times the sum of the *different* units in it. A write has the units
/// of the larger row, before or after, half a one where an absent row is deleted; a check those of a read.
pub(crate) fn local_units(writes: &[Write], before: &[Option<Row>]) -> u64 {
    let twice = |(write, before): (&Write, &Option<Row>)| {
        let size = |row: &Row| item_size(write.key(), row);
        let old = before.as_ref().map_or(0, size);
        if matches!(write, Write::Check { .. }) {
            return 2 * read_units(old);
        }
        let new = write.apply(before.clone()).as_deref().map_or(0, size);
        if old.max(new) == 0 { 1 } else { 2 * write_units(old.max(new)) }
    };
    let different: BTreeSet<u64> = writes.iter().zip(before).map(twice).collect();
    2 * different.iter().sum::<u64>()
}

impl Ledger {
    /// `local` is what DynamoDB Local would report.
    pub(crate) fn compare_commit(&self, writes: usize, counted: u64, local: u64, consumed: Option<Units>) {
        let Some(consumed) = consumed else { return };
        self.commits.compared.fetch_add(1, Ordering::Relaxed);
        if consumed.write != counted && consumed.write != local {
            self.commits.mismatches.fetch_add(1, Ordering::Relaxed);
            let reported = consumed.write;
            self.keep(format!("a commit of {writes}: counted {counted}, {local} by DynamoDB Local's rule, consumed {reported}"));
        }
    }

    pub(crate) fn compare(&self, what: &str, counted: Units, consumed: Option<Units>) {
        let Some(consumed) = consumed else { return };
        self.requests.compared.fetch_add(1, Ordering::Relaxed);
        if (counted.read, counted.write) != (consumed.read, consumed.write) {
            self.requests.mismatches.fetch_add(1, Ordering::Relaxed);
            self.keep(format!("{what}: counted {}r {}w, consumed {}r {}w", counted.read, counted.write, consumed.read, consumed.write));
        }
    }

    fn keep(&self, text: String) {
        tracing::warn!("{text}");
        let mut texts = self.texts.lock();
        if texts.len() < KEPT {
            texts.push(text);
        }
    }

    pub(crate) fn compared(&self) -> Compared {
        Compared {
            requests: self.requests.compared.load(Ordering::Relaxed),
            mismatches: self.requests.mismatches.load(Ordering::Relaxed),
            commits: self.commits.compared.load(Ordering::Relaxed),
            commit_mismatches: self.commits.mismatches.load(Ordering::Relaxed),
            texts: self.texts.lock().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_ports::{Key, Pk, Sk, When};

    #[test]
    fn what_is_reported_is_summed_and_compared() {
        let total = |units| ConsumedCapacity::builder().capacity_units(units).build();
        let read = Units { read: 3, ..Units::default() };
        let write = Units { write: 6, ..Units::default() };
        assert_eq!(consumed([&total(1.0), &total(2.0)], false), Some(read));
        assert_eq!(consumed([&total(6.0)], true), Some(write));
        let repeat = ConsumedCapacity::builder().capacity_units(3.0).read_capacity_units(3.0).build();
        assert_eq!(consumed([&repeat], true), Some(read));
        assert_eq!(consumed([], true), None);
        let ledger = Ledger::default();
        ledger.compare("get", read, Some(read));
        ledger.compare("get", read, None);
        ledger.compare("put", read, Some(write));
        for (counted, local) in [(6, 9), (9, 6), (9, 9)] {
            ledger.compare_commit(1, counted, local, Some(write));
        }
        ledger.compare_commit(1, 9, 9, None);
        let compared = ledger.compared();
        assert_eq!((compared.requests, compared.mismatches, compared.commits, compared.commit_mismatches), (2, 1, 3, 1));
        assert_eq!(compared.texts.len(), 2);
    }

    /// A row of so many bytes, and what is done with it.
    fn write(what: char, number: usize, bytes: usize) -> (Write, Option<Row>) {
        let key = Key::from_stored(Pk::from_stored("p"), Sk::from_stored(number.to_string().as_bytes()));
        let empty = Row::new().with("b", Vec::new());
        let row = (bytes > 0).then(|| Row::new().with("b", vec![0; bytes - item_size(&key, &empty)]));
        match what {
            'p' => (Write::put(key, row.unwrap_or_default()), None),
            'd' => (Write::delete(key), row),
            _ => (Write::Check { key, when: When::Always }, row),
        }
    }

    /// As DynamoDB Local 1.25.1 was seen to report them.
    #[test]
    fn transactions_are_reported_by_another_rule() {
        type Sent = &'static [(char, usize)];
        let seen: [(Sent, u64); 19] = [
            (&[('p', 500)], 4),
            (&[('p', 1024)], 4),
            (&[('p', 1025)], 8),
            (&[('p', 3000)], 12),
            (&[('p', 500), ('p', 600), ('p', 700)], 4),
            (&[('p', 500), ('p', 1500)], 12),
            (&[('p', 3000), ('p', 500), ('p', 500)], 16),
            (&[('p', 1100), ('p', 1100), ('p', 2100), ('p', 2100)], 20),
            (&[('d', 3000)], 12),
            (&[('d', 0)], 2),
            (&[('d', 0), ('d', 0)], 2),
            (&[('d', 0), ('p', 500)], 6),
            (&[('d', 500), ('d', 3000)], 16),
            (&[('c', 3000)], 4),
            (&[('c', 5000)], 8),
            (&[('c', 9000)], 12),
            (&[('c', 0)], 4),
            (&[('c', 3000), ('p', 3000)], 16),
            (&[('p', 500), ('d', 3000), ('c', 500)], 16),
        ];
        for (sent, reported) in seen {
            let (writes, before): (Vec<_>, Vec<_>) = sent.iter().enumerate().map(|(at, (what, bytes))| write(*what, at, *bytes)).unzip();
            assert_eq!(local_units(&writes, &before), reported, "{sent:?}");
        }
    }
}
