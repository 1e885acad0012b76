//! The set of ports that a handler is given, each behind a client that counts what its requests cost.

use crate::{
    BlobKey, Blobs, Chain, Commit, Dead, Dns, Job, Key, Meter, NoDns, Page, PortError, Query, Queue, QueueName, Receipt, Received, Row,
    Secrets, Sk, Table, Units, Wake, Write, limits,
};
use bytes::Bytes;
use penfold_types::{Env, TenantId};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

/// Cheap to clone.
#[derive(Clone)]
pub struct World {
    pub env: Env,
    pub table: TableClient,
    pub blobs: BlobClient,
    pub queue: QueueClient,
    pub wake: Arc<dyn Wake>,
    pub secrets: Arc<dyn Secrets>,
    pub dns: Arc<dyn Dns>,
    pub meter: Arc<Meter>,
}

impl World {
    pub fn new(
        env: Env,
        table: Arc<dyn Table>,
        blobs: Arc<dyn Blobs>,
        queue: Arc<dyn Queue>,
        wake: Arc<dyn Wake>,
        secrets: Arc<dyn Secrets>,
    ) -> Self {
        let meter = Arc::new(Meter::default());
        let label = Label { operation: "other", meter: meter.clone() };
        Self {
            env,
            table: TableClient { port: table, label: label.clone() },
            blobs: BlobClient { port: blobs, label: label.clone() },
            queue: QueueClient { port: queue, label },
            wake,
            secrets,
            dns: Arc::new(NoDns),
            meter,
        }
    }

    /// The same world, where names resolve.
    #[must_use]
    pub fn with_dns(self, dns: Arc<dyn Dns>) -> Self {
        Self { dns, ..self }
    }

    /// The same world, whose requests are counted under `operation`.
    #[must_use]
    pub fn named(&self, operation: &'static str) -> Self {
        let mut world = self.clone();
        world.table.label.operation = operation;
        world.blobs.label.operation = operation;
        world.queue.label.operation = operation;
        world
    }
}

#[derive(Clone)]
struct Label {
    operation: &'static str,
    meter: Arc<Meter>,
}

impl Label {
    fn count(&self, tenant: Option<TenantId>, units: Units) {
        self.meter.add(self.operation, tenant, units);
    }
}

/// [`Table`], counted.
#[derive(Clone)]
pub struct TableClient {
    port: Arc<dyn Table>,
    label: Label,
}

impl TableClient {
    pub async fn get(&self, key: &Key) -> Result<Option<Row>, PortError> {
        let mut spent = Units::default();
        let answer = self.port.get(key, &mut spent).await;
        self.label.count(key.pk().tenant(), spent);
        answer
    }

    /// Any number of keys, in batches of the port's size.
    pub async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, PortError> {
        let mut out = Vec::with_capacity(keys.len());
        for batch in keys.chunks(limits::BATCH) {
            let mut spent = Units::default();
            let answer = self.port.batch_get(batch, &mut spent).await;
            self.label.count(batch[0].pk().tenant(), spent);
            out.append(&mut answer?);
        }
        Ok(out)
    }

    pub async fn query(&self, query: &Query) -> Result<Page, PortError> {
        let mut spent = Units::default();
        let answer = self.port.query(query, &mut spent).await;
        self.label.count(query.pk.tenant(), spent);
        answer
    }

    /// All rows of a range, page by page.
    pub async fn query_all(&self, mut query: Query) -> Result<Vec<(Sk, Row)>, PortError> {
        let mut out = Vec::new();
        loop {
            let page = self.query(&query).await?;
            let more = page.more;
            out.extend(page.rows);
            let left = query.limit.saturating_sub(out.len());
            match out.last() {
                Some((last, _)) if more && left > 0 => {
                    if query.reverse {
                        query.to = Some(last.clone());
                    } else {
                        query.from = last.successor();
                    }
                }
                _ => return Ok(out),
            }
            if query.limit != usize::MAX {
                query.limit = left;
            }
        }
    }

    pub async fn put(&self, write: Write) -> Result<(), PortError> {
        let tenant = write.key().pk().tenant();
        let mut spent = Units::default();
        let answer = self.port.put(write, &mut spent).await;
        self.label.count(tenant, spent);
        answer
    }

    pub async fn commit(&self, commit: &Commit) -> Result<(), PortError> {
        let mut spent = Units::default();
        let answer = self.port.commit(commit, &mut spent).await;
        self.label.count(commit.writes.first().and_then(|w| w.key().pk().tenant()), spent);
        answer
    }

    pub async fn commit_chain(&self, commits: &[Commit]) -> Chain {
        let mut spent = Units::default();
        let answer = self.port.commit_chain(commits, &mut spent).await;
        self.label.count(commits.first().and_then(|c| c.writes.first()).and_then(|w| w.key().pk().tenant()), spent);
        answer
    }
}

/// [`Blobs`], counted.
#[derive(Clone)]
pub struct BlobClient {
    port: Arc<dyn Blobs>,
    label: Label,
}

impl BlobClient {
    pub async fn put(&self, key: &BlobKey, parts: Vec<Bytes>) -> Result<(), PortError> {
        let mut spent = Units::default();
        let answer = self.port.put(key, parts, &mut spent).await;
        self.label.count(key.tenant(), spent);
        answer
    }

    pub async fn get(&self, key: &BlobKey) -> Result<Bytes, PortError> {
        let mut spent = Units::default();
        let answer = self.port.get(key, &mut spent).await;
        self.label.count(key.tenant(), spent);
        answer
    }

    pub async fn get_range(&self, key: &BlobKey, range: Range<u64>) -> Result<Bytes, PortError> {
        let mut spent = Units::default();
        let answer = self.port.get_range(key, range, &mut spent).await;
        self.label.count(key.tenant(), spent);
        answer
    }

    pub async fn delete(&self, key: &BlobKey) -> Result<(), PortError> {
        let mut spent = Units::default();
        let answer = self.port.delete(key, &mut spent).await;
        self.label.count(key.tenant(), spent);
        answer
    }

    pub async fn list(&self, tenant: TenantId, after: Option<&BlobKey>) -> Result<Vec<BlobKey>, PortError> {
        let mut spent = Units::default();
        let answer = self.port.list(tenant, after, &mut spent).await;
        self.label.count(Some(tenant), spent);
        answer
    }
}

/// [`Queue`], counted.
#[derive(Clone)]
pub struct QueueClient {
    port: Arc<dyn Queue>,
    label: Label,
}

impl QueueClient {
    /// Any number of jobs, in batches of the port's size. After an error some may have been sent.
    pub async fn send(&self, queue: QueueName, mut jobs: Vec<Job>) -> Result<(), PortError> {
        while !jobs.is_empty() {
            let rest = jobs.split_off(jobs.len().min(10));
            let tenant = jobs[0].tenant;
            let mut spent = Units::default();
            let answer = self.port.send(queue, jobs, &mut spent).await;
            self.label.count(Some(tenant), spent);
            answer?;
            jobs = rest;
        }
        Ok(())
    }

    pub async fn receive(&self, queue: QueueName, max: usize, hidden: Duration) -> Result<Vec<Received>, PortError> {
        let mut spent = Units::default();
        let answer = self.port.receive(queue, max, hidden, &mut spent).await;
        let tenant = answer.as_ref().ok().and_then(|jobs| jobs.first()).map(|r| r.job.tenant);
        self.label.count(tenant, spent);
        answer
    }

    pub async fn extend(&self, queue: QueueName, receipts: &[Receipt], hidden: Duration) -> Result<(), PortError> {
        let mut spent = Units::default();
        let answer = self.port.extend(queue, receipts, hidden, &mut spent).await;
        self.label.count(None, spent);
        answer
    }

    pub async fn done(&self, queue: QueueName, receipts: &[Receipt]) -> Result<(), PortError> {
        let mut spent = Units::default();
        let answer = self.port.done(queue, receipts, &mut spent).await;
        self.label.count(None, spent);
        answer
    }

    pub async fn give_back(&self, queue: QueueName, receipts: &[Receipt]) -> Result<(), PortError> {
        let mut spent = Units::default();
        let answer = self.port.give_back(queue, receipts, &mut spent).await;
        self.label.count(None, spent);
        answer
    }

    pub async fn dead(&self, queue: QueueName) -> Result<Vec<Dead>, PortError> {
        let mut spent = Units::default();
        let answer = self.port.dead(queue, &mut spent).await;
        self.label.count(None, spent);
        answer
    }

    pub async fn release(&self, queue: QueueName, group: &str) -> Result<usize, PortError> {
        let mut spent = Units::default();
        let answer = self.port.release(queue, group, &mut spent).await;
        self.label.count(None, spent);
        answer
    }

    pub async fn oldest(&self, queue: QueueName) -> Result<Duration, PortError> {
        self.port.oldest(queue).await
    }

    pub async fn backlog(&self, queue: QueueName, tenant: TenantId) -> Result<usize, PortError> {
        self.port.backlog(queue, tenant).await
    }
}
