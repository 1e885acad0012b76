//! Jobs as messages of a FIFO queue, with what SQS lacks made up for in rows and in this process:
//! - SQS gives messages of several groups at once: what is too many for one `receive` waits here ([`buffer`]).
//! - SQS cannot park a group: a dead letter and all that comes behind it move into rows ([`parked`]).
//! - Bodies too large for a message go into blobs ([`message`]).
//! - SQS knows neither the oldest job nor whose jobs wait: estimates ([`load`]).
//!
//! A job that was out for too long is given back by this process itself, as if its worker had done so; SQS's own timeout,
//! a little longer, is for a process that died.

mod buffer;
mod load;
mod message;
mod parked;
mod receive;
mod requests;

pub use message::Incoming;

use crate::blobs::S3Blobs;
use crate::cells::Cells;
use crate::table::DynamoTable;
use crate::wire::Wire;
use async_trait::async_trait;
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use buffer::{Buffer, Held, Source};
use load::Load;
use message::{INLINE, REQUEST, blob_key, encode, group_id};
use parked::Marks;
use parking_lot::Mutex;
use penfold_ports::{Blobs, Dead, Job, Pk, PortError, Queue, QueueName, Receipt, Received, Units, shared as keys};
use penfold_types::TenantId;
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::time::Instant;

const BODY: usize = 256 * 1024;
const GROUP: usize = 128;
/// What SQS allows, less the slack.
const LONGEST: Duration = Duration::from_secs(11 * 3600);
/// How much longer than a worker's time a message stays hidden.
const SLACK: Duration = Duration::from_secs(15);

/// One queue.
pub(crate) struct Shared {
    pub(crate) wire: Arc<Wire>,
    client: Client,
    url: String,
    name: QueueName,
    /// The partition of what is kept beside the queue.
    pk: Pk,
    table: DynamoTable,
    blobs: S3Blobs,
    /// How long a request for messages waits for some to come.
    wait: Duration,
    buffer: Mutex<Buffer>,
    marks: Mutex<Marks>,
    load: Load,
    /// Rung when there may be a job to hand out here.
    bell: Notify,
    /// Held by the one who asks SQS for messages.
    polling: Arc<tokio::sync::Mutex<()>>,
    /// Tasks of its own that are under way, and a bell for their end.
    tasks: AtomicUsize,
    idle: Notify,
    closed: AtomicBool,
    aside: Mutex<Units>,
    /// Handles of deleted messages, where somebody else has to be told: in a function.
    deleted: Mutex<Option<BTreeSet<String>>>,
}

/// All queues of a cell. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Queues([Arc<Shared>; QueueName::ALL.len()]);

impl Queues {
    pub fn new(make: impl Fn(QueueName) -> Shared) -> Self {
        Self(QueueName::ALL.map(|name| Arc::new(make(name))))
    }

    pub fn of(&self, name: QueueName) -> Arc<Shared> {
        self.0[name as usize].clone()
    }

    pub fn all(&self) -> impl Iterator<Item = &Arc<Shared>> {
        self.0.iter()
    }
}

/// The queues there are.
pub(crate) struct SqsQueue {
    pub(crate) cells: Arc<Cells>,
    /// This process's own cell's first, in the order of the cells; of each, by the name's number.
    pub(crate) of_cells: Vec<Queues>,
}

impl SqsQueue {
    /// Each process works on the jobs of its own cell.
    fn of(&self, queue: QueueName) -> Arc<Shared> {
        self.of_cells[0].of(queue)
    }

    /// Where a tenant's jobs go.
    async fn towards(&self, queue: QueueName, tenant: TenantId, spent: &mut Units) -> Result<Arc<Shared>, PortError> {
        let at = self.cells.at(tenant, spent).await?;
        Ok(self.of_cells[at].of(queue))
    }
}

fn check_limits(jobs: &[Job]) -> Result<(), PortError> {
    if jobs.is_empty() || jobs.len() > requests::BATCH {
        return Err(PortError::Limit("a send has 1 to 10 jobs"));
    }
    if jobs.iter().any(|job| job.body.len() > BODY) {
        return Err(PortError::Limit("a job has at most 256 KB"));
    }
    if jobs.iter().any(|job| job.group.is_empty() || job.group.len() > GROUP) {
        return Err(PortError::Limit("a group has 1 to 128 bytes"));
    }
    Ok(())
}

fn handles(messages: Vec<Incoming>) -> Vec<String> {
    messages.into_iter().map(|message| message.handle).collect()
}

/// Runs to its end also where the caller goes away.
async fn apart<T: Send + 'static>(
    work: impl Future<Output = (Units, Result<T, PortError>)> + Send + 'static,
    spent: &mut Units,
) -> Result<T, PortError> {
    match tokio::spawn(work).await {
        Ok((units, result)) => {
            *spent += units;
            result
        }
        Err(error) => Err(PortError::Broken(format!("a request's task died: {error}"))),
    }
}

impl Shared {
    pub(crate) fn new(
        wire: Arc<Wire>,
        client: Client,
        url: String,
        name: QueueName,
        table: DynamoTable,
        blobs: S3Blobs,
        wait: Duration,
    ) -> Self {
        // By the queue's own name, so that two cells, or two tests, may share a table.
        let own = url.rsplit('/').next().unwrap_or_default();
        Self {
            pk: keys::queue(own),
            wire,
            client,
            url,
            name,
            table,
            blobs,
            wait,
            buffer: Mutex::default(),
            marks: Mutex::default(),
            load: Load::default(),
            bell: Notify::new(),
            polling: Arc::default(),
            tasks: AtomicUsize::new(0),
            idle: Notify::new(),
            closed: AtomicBool::new(false),
            aside: Mutex::default(),
            deleted: Mutex::default(),
        }
    }

    fn now(&self) -> Instant {
        self.wire.env.monotonic()
    }

    /// Counts what belongs to no request of a caller's.
    fn aside(&self, spent: Units) {
        *self.aside.lock() += spent;
    }

    pub(crate) fn spent_aside(&self) -> Units {
        *self.aside.lock()
    }

    /// A task that [`Shared::settled`] waits for.
    fn spawn(self: &Arc<Self>, work: impl Future<Output = ()> + Send + 'static) {
        let shared = self.clone();
        shared.tasks.fetch_add(1, Ordering::AcqRel);
        tokio::spawn(async move {
            work.await;
            if shared.tasks.fetch_sub(1, Ordering::AcqRel) == 1 {
                shared.idle.notify_waiters();
            }
        });
    }

    /// Waits for the tasks that were begun.
    pub(crate) async fn settled(&self) {
        loop {
            let idle = self.idle.notified();
            if self.tasks.load(Ordering::Acquire) == 0 {
                return;
            }
            idle.await;
        }
    }

    /// Gives back what waits here for a worker.
    pub(crate) async fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.bell.notify_waiters();
        self.settled().await;
        let messages: Vec<Incoming> = {
            let mut buffer = self.buffer.lock();
            buffer.groups().iter().flat_map(|group| buffer.drop_waiting(group)).collect()
        };
        if let Err(error) = self.hide(handles(messages), Duration::ZERO, &mut Units::default()).await {
            tracing::debug!(%error, "jobs come back only once their time is over");
        }
    }

    async fn send_all(&self, jobs: Vec<Job>, spent: &mut Units) -> Result<(), PortError> {
        let (mut entries, mut size) = (Vec::with_capacity(jobs.len()), 0);
        for (at, job) in jobs.iter().enumerate() {
            let blob = (job.body.len() > INLINE).then(|| blob_key(self.name.as_str(), job));
            if let Some(key) = &blob {
                self.blobs.put(key, vec![job.body.clone()], spent).await?;
            }
            let text = encode(job, blob.as_ref());
            if size + text.len() > REQUEST && !entries.is_empty() {
                self.send_batch(std::mem::take(&mut entries), spent).await?;
                size = 0;
            }
            size += text.len();
            let entry = SendMessageBatchRequestEntry::builder()
                .id(at.to_string())
                .message_body(text)
                .message_group_id(group_id(&job.group))
                .message_deduplication_id(job.id.to_string());
            entries.push(entry.build().map_err(|error| PortError::Broken(error.to_string()))?);
        }
        self.send_batch(entries, spent).await?;
        for job in &jobs {
            self.load.sent(self.now(), job.tenant, 1);
        }
        self.bell.notify_waiters();
        Ok(())
    }

    async fn finish(self: &Arc<Self>, held: Vec<Held>, spent: &mut Units) -> Result<(), PortError> {
        let messages = held.iter().filter_map(|held| match &held.source {
            Source::Message { message, .. } => Some(message.handle.clone()),
            Source::Row { .. } => None,
        });
        let messages = messages.collect();
        self.delete(messages, spent).await?;
        for held in &held {
            match &held.source {
                Source::Message { blob: Some(blob), .. } => self.blobs.delete(blob, spent).await?,
                Source::Message { .. } => {}
                Source::Row { key, lock } => self.row_is_done(key, *lock, spent).await?,
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, queue: QueueName, jobs: Vec<Job>, spent: &mut Units) -> Result<(), PortError> {
        check_limits(&jobs)?;
        let mut sendings: Vec<(Arc<Shared>, Vec<Job>)> = Vec::with_capacity(1);
        for job in jobs {
            let shared = self.towards(queue, job.tenant, spent).await?;
            match sendings.iter_mut().find(|(other, _)| Arc::ptr_eq(other, &shared)) {
                Some((_, jobs)) => jobs.push(job),
                None => sendings.push((shared, vec![job])),
            }
        }
        for (shared, jobs) in sendings {
            let work = async move {
                let mut spent = Units::default();
                let result = shared.send_all(jobs, &mut spent).await;
                (spent, result)
            };
            apart(work, spent).await?;
        }
        Ok(())
    }

    async fn receive(&self, queue: QueueName, max: usize, hidden: Duration, spent: &mut Units) -> Result<Vec<Received>, PortError> {
        self.of(queue).receive_jobs(max.clamp(1, requests::BATCH), hidden.min(LONGEST), spent).await
    }

    async fn extend(&self, queue: QueueName, receipts: &[Receipt], hidden: Duration, spent: &mut Units) -> Result<(), PortError> {
        let (shared, receipts, hidden) = (self.of(queue), receipts.to_vec(), hidden.min(LONGEST));
        let work = async move {
            let mut spent = Units::default();
            let result = shared.extend_jobs(&receipts, hidden, &mut spent).await;
            (spent, result)
        };
        apart(work, spent).await
    }

    async fn done(&self, queue: QueueName, receipts: &[Receipt], spent: &mut Units) -> Result<(), PortError> {
        let shared = self.of(queue);
        let held = shared.buffer.lock().bring_in(receipts);
        let work = async move {
            let mut spent = Units::default();
            let result = shared.finish(held, &mut spent).await;
            shared.load.changed();
            shared.bell.notify_waiters();
            (spent, result)
        };
        apart(work, spent).await
    }

    async fn give_back(&self, queue: QueueName, receipts: &[Receipt], spent: &mut Units) -> Result<(), PortError> {
        let shared = self.of(queue);
        let held = shared.buffer.lock().bring_in(receipts);
        let work = async move {
            let mut spent = Units::default();
            let result = shared.failed(held, &mut spent).await;
            shared.load.changed();
            shared.bell.notify_waiters();
            (spent, result)
        };
        apart(work, spent).await
    }

    async fn dead(&self, queue: QueueName, spent: &mut Units) -> Result<Vec<Dead>, PortError> {
        self.of(queue).dead_jobs(spent).await
    }

    async fn release(&self, queue: QueueName, group: &str, spent: &mut Units) -> Result<usize, PortError> {
        self.of(queue).release_group(group, spent).await
    }

    async fn oldest(&self, queue: QueueName) -> Result<Duration, PortError> {
        self.of(queue).oldest_age().await
    }

    async fn backlog(&self, queue: QueueName, tenant: TenantId) -> Result<usize, PortError> {
        self.towards(queue, tenant, &mut Units::default()).await?.backlog_of(tenant).await
    }
}
