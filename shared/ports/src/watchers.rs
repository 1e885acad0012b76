use crate::{Account, Signal, Wake, Watch};
use parking_lot::Mutex;
use penfold_types::Modseq;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

const SHARDS: usize = 32;

#[derive(Default)]
struct Shard(Mutex<BTreeMap<Account, (Arc<Signal>, usize)>>);

/// [`Wake`] inside one process. An account costs memory only while somebody watches it.
#[derive(Default)]
pub struct Watchers {
    shards: Arc<[Shard; SHARDS]>,
    /// Watched accounts, so that a wake takes no lock where there are none.
    watched: Arc<AtomicUsize>,
}

struct Guard {
    shards: Arc<[Shard; SHARDS]>,
    watched: Arc<AtomicUsize>,
    account: Account,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut shard = self.shards[shard_of(self.account)].0.lock();
        if let Some((_, watches)) = shard.get_mut(&self.account) {
            *watches -= 1;
            if *watches == 0 {
                shard.remove(&self.account);
                self.watched.fetch_sub(1, Ordering::AcqRel);
            }
        }
    }
}

/// The last bits of an id are random.
fn shard_of(account: Account) -> usize {
    usize::from(account.principal.as_bytes()[15]) % SHARDS
}

impl Watchers {
    /// Accounts that are watched now.
    pub fn watched(&self) -> usize {
        self.watched.load(Ordering::Acquire)
    }
}

impl Wake for Watchers {
    fn watch(&self, account: Account) -> Watch {
        let mut shard = self.shards[shard_of(account)].0.lock();
        let (signal, watches) = shard.entry(account).or_default();
        if *watches == 0 {
            self.watched.fetch_add(1, Ordering::AcqRel);
        }
        *watches += 1;
        let guard = Guard { shards: self.shards.clone(), watched: self.watched.clone(), account };
        Watch::new(signal.clone(), Box::new(guard))
    }

    fn wake(&self, account: Account, modseq: Modseq) {
        if self.watched.load(Ordering::Acquire) == 0 {
            return;
        }
        let signal = self.shards[shard_of(account)].0.lock().get(&account).map(|(signal, _)| signal.clone());
        if let Some(signal) = signal {
            signal.raise(modseq);
        }
    }
}
