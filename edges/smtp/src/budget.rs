//! Message bytes are the one thing of a session that grows with what a peer sends; all sessions share one budget for them.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Cheap to clone; the clones share the bytes.
#[derive(Clone, Debug)]
pub struct Budget {
    left: Arc<AtomicU64>,
}

impl Budget {
    pub fn new(bytes: u64) -> Self {
        Self { left: Arc::new(AtomicU64::new(bytes)) }
    }

    /// `None` where that much is not left.
    pub fn take(&self, bytes: u64) -> Option<Lease> {
        self.subtract(bytes).then(|| Lease { budget: self.clone(), bytes })
    }

    pub fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }

    fn subtract(&self, bytes: u64) -> bool {
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(bytes)).is_ok()
    }
}

/// Bytes taken from a [`Budget`]; they go back when it is dropped.
#[derive(Debug)]
pub struct Lease {
    budget: Budget,
    bytes: u64,
}

impl Lease {
    /// Makes it `total` bytes, where it is less; false where they are not left.
    pub fn grow(&mut self, total: u64) -> bool {
        let more = total.saturating_sub(self.bytes);
        if more == 0 {
            return true;
        }
        let got = self.budget.subtract(more);
        if got {
            self.bytes = total;
        }
        got
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.budget.left.fetch_add(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_come_back() {
        let budget = Budget::new(100);
        let mut lease = budget.take(60).unwrap();
        assert!(budget.take(41).is_none());
        assert!(lease.grow(100));
        assert!(!lease.grow(101));
        drop(lease);
        assert_eq!(budget.left(), 100);
    }
}
