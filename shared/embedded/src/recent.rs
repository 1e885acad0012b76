use penfold_types::Timestamp;
use std::collections::HashSet;
use std::time::Duration;

/// Ids seen within a span. Two generations, so that forgetting costs nothing; each is cut short at a number of ids, so
/// that a flood costs time of memory, not memory.
pub(crate) struct Recent {
    span: Duration,
    young: HashSet<[u8; 16]>,
    old: HashSet<[u8; 16]>,
    since: Timestamp,
}

const IDS: usize = 500_000;

impl Recent {
    pub(crate) fn new(span: Duration, now: Timestamp) -> Self {
        Self { span, young: HashSet::new(), old: HashSet::new(), since: now }
    }

    pub(crate) fn contains(&self, id: &[u8; 16]) -> bool {
        self.young.contains(id) || self.old.contains(id)
    }

    pub(crate) fn insert(&mut self, id: [u8; 16], now: Timestamp) {
        if now.since(self.since) >= self.span || self.young.len() >= IDS {
            self.old = std::mem::take(&mut self.young);
            self.since = now;
        }
        self.young.insert(id);
    }
}
