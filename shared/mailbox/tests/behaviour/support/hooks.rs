//! A simulated world whose next commits can be told to fail in a given way, where a chance would not do.

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_ports::*;
use penfold_simulated::{Faults, Simulated};
use penfold_types::TenantId;
use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::sync::Notify;

/// What becomes of one commit.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    Fine,
    Throttled,
    /// Its answer is lost; carried out or not.
    Lost {
        done: bool,
    },
    /// The same, and the answer comes only after `Hooks::go`.
    Held {
        done: bool,
    },
    /// The store is gone.
    Broken,
}

#[derive(Default)]
pub struct Hooks {
    faults: Mutex<VecDeque<Fault>>,
    commits: AtomicU64,
    pub reached: Notify,
    pub go: Notify,
}

impl Hooks {
    /// For the next commits, in order.
    pub fn next(&self, faults: impl IntoIterator<Item = Fault>) {
        self.faults.lock().extend(faults);
    }

    /// Commits asked for so far.
    pub fn commits(&self) -> u64 {
        self.commits.load(Ordering::Relaxed)
    }

    pub fn clear(&self) {
        self.faults.lock().clear();
    }
}

struct Inner {
    world: World,
    hooks: Arc<Hooks>,
}

pub fn world(seed: u64) -> (World, Arc<Hooks>) {
    let simulated = Simulated::new(seed, Faults::NONE);
    let world = simulated.world();
    let hooks = Arc::new(Hooks::default());
    let inner = Arc::new(Inner { world: world.clone(), hooks: hooks.clone() });
    let hooked = World::new(world.env.clone(), inner.clone(), inner.clone(), inner, world.wake.clone(), world.secrets.clone());
    (hooked, hooks)
}

#[async_trait]
impl Table for Inner {
    async fn get(&self, key: &Key, _: &mut Units) -> Result<Option<Row>, PortError> {
        self.world.table.get(key).await
    }

    async fn batch_get(&self, keys: &[Key], _: &mut Units) -> Result<Vec<Option<Row>>, PortError> {
        self.world.table.batch_get(keys).await
    }

    async fn query(&self, query: &Query, _: &mut Units) -> Result<Page, PortError> {
        self.world.table.query(query).await
    }

    async fn put(&self, write: Write, _: &mut Units) -> Result<(), PortError> {
        self.world.table.put(write).await
    }

    async fn commit(&self, commit: &Commit, _: &mut Units) -> Result<(), PortError> {
        self.hooks.commits.fetch_add(1, Ordering::Relaxed);
        let fault = self.hooks.faults.lock().pop_front().unwrap_or(Fault::Fine);
        match fault {
            Fault::Fine => return self.world.table.commit(commit).await,
            Fault::Throttled => return Err(PortError::Throttled),
            Fault::Broken => return Err(PortError::Broken("gone".into())),
            Fault::Lost { done } | Fault::Held { done } if done => {
                let _ = self.world.table.commit(commit).await;
            }
            Fault::Lost { .. } | Fault::Held { .. } => {}
        }
        if matches!(fault, Fault::Held { .. }) {
            self.hooks.reached.notify_one();
            self.hooks.go.notified().await;
        }
        Err(PortError::Unknown)
    }

    async fn commit_chain(&self, commits: &[Commit], spent: &mut Units) -> Chain {
        for (done, commit) in commits.iter().enumerate() {
            if let Err(error) = self.commit(commit, spent).await {
                return Chain { done, error: Some(error) };
            }
        }
        Chain { done: commits.len(), error: None }
    }
}

#[async_trait]
impl Blobs for Inner {
    async fn put(&self, key: &BlobKey, parts: Vec<Bytes>, _: &mut Units) -> Result<(), PortError> {
        self.world.blobs.put(key, parts).await
    }

    async fn get(&self, key: &BlobKey, _: &mut Units) -> Result<Bytes, PortError> {
        self.world.blobs.get(key).await
    }

    async fn get_range(&self, key: &BlobKey, range: Range<u64>, _: &mut Units) -> Result<Bytes, PortError> {
        self.world.blobs.get_range(key, range).await
    }

    async fn delete(&self, key: &BlobKey, _: &mut Units) -> Result<(), PortError> {
        self.world.blobs.delete(key).await
    }

    async fn list(&self, tenant: TenantId, after: Option<&BlobKey>, _: &mut Units) -> Result<Vec<BlobKey>, PortError> {
        self.world.blobs.list(tenant, after).await
    }
}

/// The store has no queue of its own business.
#[async_trait]
impl Queue for Inner {
    async fn send(&self, queue: QueueName, jobs: Vec<Job>, _: &mut Units) -> Result<(), PortError> {
        self.world.queue.send(queue, jobs).await
    }

    async fn receive(&self, queue: QueueName, max: usize, hidden: Duration, _: &mut Units) -> Result<Vec<Received>, PortError> {
        self.world.queue.receive(queue, max, hidden).await
    }

    async fn extend(&self, queue: QueueName, receipts: &[Receipt], hidden: Duration, _: &mut Units) -> Result<(), PortError> {
        self.world.queue.extend(queue, receipts, hidden).await
    }

    async fn done(&self, queue: QueueName, receipts: &[Receipt], _: &mut Units) -> Result<(), PortError> {
        self.world.queue.done(queue, receipts).await
    }

    async fn give_back(&self, queue: QueueName, receipts: &[Receipt], _: &mut Units) -> Result<(), PortError> {
        self.world.queue.give_back(queue, receipts).await
    }

    async fn dead(&self, queue: QueueName, _: &mut Units) -> Result<Vec<Dead>, PortError> {
        self.world.queue.dead(queue).await
    }

    async fn release(&self, queue: QueueName, group: &str, _: &mut Units) -> Result<usize, PortError> {
        self.world.queue.release(queue, group).await
    }

    async fn oldest(&self, queue: QueueName) -> Result<Duration, PortError> {
        self.world.queue.oldest(queue).await
    }

    async fn backlog(&self, queue: QueueName, tenant: TenantId) -> Result<usize, PortError> {
        self.world.queue.backlog(queue, tenant).await
    }
}
