use crate::health::{Health, broken};
use crate::intake::{Intake, Request, Work};
use crate::layout::Space;
use arc_swap::ArcSwap;
use bytes::Bytes;
use fjall::{Database, Keyspace, Readable, Snapshot};
use parking_lot::Mutex;
use penfold_ports::{Line, PortError, QueueName};
use penfold_types::Env;
use std::sync::Arc;
use tokio::sync::{Notify, Semaphore, oneshot};

/// One queue's order, and its bell.
#[derive(Default)]
pub(crate) struct Queued {
    pub(crate) line: Mutex<Line>,
    pub(crate) bell: Notify,
}

/// What readers and the committer share.
pub(crate) struct Core {
    pub(crate) env: Env,
    db: Database,
    rows: Keyspace,
    blobs: Keyspace,
    jobs: Keyspace,
    /// The last state that is durable.
    durable: ArcSwap<Snapshot>,
    pub(crate) health: Health,
    pub(crate) intake: Intake,
    /// Bytes that may wait for the committer, in KB.
    budget: Arc<Semaphore>,
    budget_kb: u32,
    /// In the order of [`QueueName::ALL`].
    queued: [Queued; QueueName::ALL.len()],
}

impl Core {
    pub(crate) fn new(env: Env, db: Database, spaces: [Keyspace; 3], budget: usize) -> Self {
        let [rows, blobs, jobs] = spaces;
        let durable = ArcSwap::from_pointee(db.snapshot());
        let budget_kb = u32::try_from(budget / 1024).unwrap_or(u32::MAX).max(16 * 1024);
        let budget = Arc::new(Semaphore::new(budget_kb as usize));
        let (health, intake) = (Health::default(), Intake::default());
        let queued = QueueName::ALL.map(|_| Queued::default());
        Self { env, db, rows, blobs, jobs, durable, health, intake, budget, budget_kb, queued }
    }

    pub(crate) fn db(&self) -> &Database {
        &self.db
    }

    pub(crate) fn space(&self, space: Space) -> &Keyspace {
        match space {
            Space::Rows => &self.rows,
            Space::Blobs => &self.blobs,
            Space::Jobs => &self.jobs,
        }
    }

    pub(crate) fn queued(&self, queue: QueueName) -> &Queued {
        &self.queued[queue as usize]
    }

    pub(crate) fn snapshot(&self) -> arc_swap::Guard<Arc<Snapshot>> {
        self.durable.load()
    }

    /// The committer calls this after a sync: from here on readers see what it made durable.
    pub(crate) fn publish(&self) {
        self.durable.store(Arc::new(self.db.snapshot()));
    }

    pub(crate) fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, PortError> {
        Ok(self.snapshot().get(self.space(space), key).map_err(broken)?.map(Bytes::from))
    }

    /// Joins the line, after waiting for `size` bytes of room in it.
    pub(crate) async fn submit(&self, work: Work, size: usize) -> Result<(), PortError> {
        let kb = u32::try_from(size / 1024 + 1).unwrap_or(u32::MAX).min(self.budget_kb);
        let room = self.budget.clone().acquire_many_owned(kb).await.map_err(broken)?;
        self.intake.push(Request { work, _room: Some(room) })
    }

    /// Joins the line at once: for a few bytes whose number is bounded elsewhere.
    pub(crate) fn submit_small(&self, work: Work) -> Result<(), PortError> {
        self.intake.push(Request { work, _room: None })
    }

    /// What the committer answered; it never lets a request go without an answer unless it failed.
    pub(crate) async fn answer<T>(&self, answer: oneshot::Receiver<T>) -> Result<T, PortError> {
        match answer.await {
            Ok(answer) => Ok(answer),
            Err(_) => Err(self.health.may_free().err().unwrap_or(PortError::Unknown)),
        }
    }

    /// No more requests, and nobody waits for jobs any more.
    pub(crate) fn close(&self) {
        self.intake.close();
    }

    pub(crate) fn wake_receivers(&self) {
        for queue in QueueName::ALL {
            self.queued(queue).bell.notify_waiters();
            self.queued(queue).bell.notify_one();
        }
    }
}
