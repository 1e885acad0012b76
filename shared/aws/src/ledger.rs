//! Counted against consumed: what `penfold_ports::cost` says a request costs, beside what DynamoDB says it did cost.
//!
//! DynamoDB Local (1.25.1) reports single requests as documented, but nothing for an absent row in a batch, nothing for a
//! query that finds nothing, and for a transaction four times the sum of the *different* sizes in it. So transactions are
//! kept apart, and a request that found nothing is not compared where nothing is reported.

use aws_sdk_dynamodb::types::ConsumedCapacity;
use parking_lot::Mutex;
use penfold_ports::Units;
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
    /// The same of transactions; only Amazon's own service reports these right.
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

impl Ledger {
    pub(crate) fn compare(&self, of: Of, what: &str, counted: Units, consumed: Option<Units>) {
        let Some(consumed) = consumed else { return };
        let tally = if of == Of::Request { &self.requests } else { &self.commits };
        tally.compared.fetch_add(1, Ordering::Relaxed);
        if (counted.read, counted.write) == (consumed.read, consumed.write) {
            return;
        }
        tally.mismatches.fetch_add(1, Ordering::Relaxed);
        if of == Of::Commit {
            tracing::debug!(counted = counted.write, consumed = consumed.write, "a commit's units differ");
            return;
        }
        let text = format!("{what}: counted {}r {}w, consumed {}r {}w", counted.read, counted.write, consumed.read, consumed.write);
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
        ledger.compare(Of::Request, "get", read, Some(read));
        ledger.compare(Of::Request, "get", read, None);
        ledger.compare(Of::Request, "put", read, Some(write));
        ledger.compare(Of::Commit, "commit", read, Some(write));
        let compared = ledger.compared();
        assert_eq!((compared.requests, compared.mismatches, compared.commits, compared.commit_mismatches), (2, 1, 1, 1));
    }
}
