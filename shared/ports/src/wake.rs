use crate::Account;
use penfold_types::Modseq;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use tokio::sync::Notify;

/// Shared by the watchers of one account. Small: an edge may hold one for each of 100,000 idle connections.
#[derive(Default, Debug)]
pub struct Signal {
    modseq: AtomicU64,
    notify: Notify,
}

impl Signal {
    /// For adapters: the account is now at `modseq`.
    pub fn raise(&self, modseq: Modseq) {
        self.modseq.fetch_max(modseq.get(), Ordering::AcqRel);
        self.notify.notify_waiters();
    }
}

/// A registered interest in one account; dropping it ends it.
pub struct Watch {
    signal: Arc<Signal>,
    seen: u64,
    _guard: Box<dyn Send + Sync>,
}

impl Watch {
    /// For adapters. `guard` is dropped with the watch.
    pub fn new(signal: Arc<Signal>, guard: Box<dyn Send + Sync>) -> Self {
        Self { signal, seen: 0, _guard: guard }
    }

    /// For adapters: the same watch with one more guard.
    #[must_use]
    pub fn with(self, guard: Box<dyn Send + Sync>) -> Self {
        Self { _guard: Box::new((self._guard, guard)), ..self }
    }

    /// Waits until the account is known to be past what this returned last. Safe to cancel.
    pub async fn changed(&mut self) -> Modseq {
        loop {
            let notified = self.signal.notify.notified();
            let now = self.signal.modseq.load(Ordering::Acquire);
            if now > self.seen {
                self.seen = now;
                return Modseq(now);
            }
            notified.await;
        }
    }
}

/// Best effort: "account X is now at modseq N", to whoever watches X. A lost wake costs latency, never data: a watcher
/// also reads the head of what it watches every ten minutes.
pub trait Wake: Send + Sync {
    fn watch(&self, account: Account) -> Watch;

    /// Called after a commit. Costs nothing where nobody watches.
    fn wake(&self, account: Account, modseq: Modseq);
}
