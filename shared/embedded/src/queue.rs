use crate::core::Queued;
use crate::engine::Engine;
use crate::intake::{Change, Work};
use crate::jobs;
use crate::layout::{JobPart, Space, job_key};
use async_trait::async_trait;
use bytes::Bytes;
use penfold_ports::{Dead, Failure, Handed, Job, PortError, Queue, QueueName, Receipt, Received, Units};
use penfold_types::TenantId;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::futures::Notified;
use tokio::sync::oneshot;
use tokio::time::Instant;

const BATCH: usize = 10;
const BODY: usize = 256 * 1024;
const GROUP: usize = 128;
const DEAD: usize = 1000;
/// What SQS allows.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Whoever waits looks again this often, for jobs that a worker took after the wait began and did not bring back.
const LOOK_AGAIN: Duration = Duration::from_secs(10);

pub(crate) struct LocalQueue(pub(crate) Arc<Engine>);

fn check_limits(jobs: &[Job]) -> Result<usize, PortError> {
    if jobs.is_empty() || jobs.len() > BATCH {
        return Err(PortError::Limit("a send has 1 to 10 jobs"));
    }
    if jobs.iter().any(|job| job.body.len() > BODY) {
        return Err(PortError::Limit("a job has at most 256 KB"));
    }
    if jobs.iter().any(|job| job.group.is_empty() || job.group.len() > GROUP) {
        return Err(PortError::Limit("a group has 1 to 128 bytes"));
    }
    Ok(jobs.iter().map(|job| job.body.len() + 128).sum())
}

/// A failure is stored, so that a job that always fails is given up even where the process is restarted between. A crash
/// is not the job's fault and is not counted.
fn failure_changes(queue: QueueName, failures: &[Failure]) -> Vec<Change> {
    let change = |failure: &Failure| Change {
        space: Space::Jobs,
        key: job_key(queue, JobPart::Failures, failure.number),
        value: Some(Bytes::copy_from_slice(&failure.failures.to_be_bytes())),
    };
    failures.iter().map(change).collect()
}

fn remove(queue: QueueName, part: JobPart, number: u64) -> Change {
    Change { space: Space::Jobs, key: job_key(queue, part, number), value: None }
}

impl LocalQueue {
    fn queued(&self, queue: QueueName) -> &Queued {
        self.0.queued(queue)
    }

    fn read(&self, queue: QueueName, number: u64) -> Result<Option<Job>, PortError> {
        let stored = self.0.get(Space::Jobs, &job_key(queue, JobPart::Job, number))?;
        Ok(stored.and_then(jobs::decode).map(|(job, _)| job))
    }

    fn record(&self, queue: QueueName, failures: &[Failure]) -> Result<(), PortError> {
        if failures.is_empty() {
            return Ok(());
        }
        for failure in failures.iter().filter(|failure| failure.is_dead()) {
            tracing::error!(queue = queue.as_str(), job = failure.number, "a job was given up; its group is parked");
        }
        self.0.submit_small(Work::Set { changes: failure_changes(queue, failures), answer: None })
    }

    fn received(&self, queue: QueueName, handed: Vec<Handed>) -> Result<Vec<Received>, PortError> {
        let mut received = Vec::with_capacity(handed.len());
        for Handed { number, receipt, attempt } in handed {
            match self.read(queue, number)? {
                Some(job) => received.push(Received { job, receipt, attempt }),
                // Only a damaged row can do this; nobody could ever work on it.
                None => {
                    tracing::error!(queue = queue.as_str(), job = number, "a job cannot be read and is dropped");
                    self.queued(queue).line.lock().done(&[receipt]);
                }
            }
        }
        Ok(received)
    }

    /// Waits for the bell, or for a job that is out to come back.
    async fn wait(&self, bell: Notified<'_>, due: Option<Instant>) {
        let due = due.map_or(LOOK_AGAIN, |due| due.saturating_duration_since(self.0.env.monotonic()).min(LOOK_AGAIN));
        tokio::select! {
            biased;
            () = bell => {}
            () = self.0.env.sleep(due) => {}
        }
    }
}

#[async_trait]
impl Queue for LocalQueue {
    async fn send(&self, queue: QueueName, jobs: Vec<Job>, spent: &mut Units) -> Result<(), PortError> {
        let size = check_limits(&jobs)?;
        self.0.health.may_bring_in()?;
        spent.queue += 1;
        let (answer, answered) = oneshot::channel();
        self.0.submit(Work::Send { queue, jobs, answer }, size).await?;
        self.0.answer(answered).await?
    }

    async fn receive(&self, queue: QueueName, max: usize, hidden: Duration, spent: &mut Units) -> Result<Vec<Received>, PortError> {
        spent.queue += 1;
        let queued = self.queued(queue);
        loop {
            self.0.health.may_free()?;
            let bell = queued.bell.notified();
            let now = self.0.env.monotonic();
            let (failures, handed, more, due) = {
                let mut line = queued.line.lock();
                let failures = line.expire(now);
                let handed = line.take(max.clamp(1, BATCH), now + hidden.min(LONGEST));
                (failures, handed, line.is_ready(), line.next_due())
            };
            self.record(queue, &failures)?;
            if more {
                queued.bell.notify_one();
            }
            let received = self.received(queue, handed)?;
            if !received.is_empty() {
                return Ok(received);
            }
            self.wait(bell, due).await;
        }
    }

    async fn extend(&self, queue: QueueName, receipts: &[Receipt], hidden: Duration, spent: &mut Units) -> Result<(), PortError> {
        spent.queue += 1;
        let now = self.0.env.monotonic();
        let mut line = self.queued(queue).line.lock();
        let failures = line.expire(now);
        let extended = line.extend(receipts, now + hidden.min(LONGEST));
        drop(line);
        self.record(queue, &failures)?;
        extended
    }

    async fn done(&self, queue: QueueName, receipts: &[Receipt], spent: &mut Units) -> Result<(), PortError> {
        spent.queue += 1;
        let queued = self.queued(queue);
        let (numbers, ready) = {
            let mut line = queued.line.lock();
            (line.done(receipts), line.is_ready())
        };
        if ready {
            queued.bell.notify_one();
        }
        if numbers.is_empty() {
            return Ok(());
        }
        let changes =
            numbers.iter().flat_map(|number| [JobPart::Job, JobPart::Failures].map(|part| remove(queue, part, *number))).collect();
        self.0.submit_small(Work::Set { changes, answer: None })
    }

    async fn give_back(&self, queue: QueueName, receipts: &[Receipt], spent: &mut Units) -> Result<(), PortError> {
        spent.queue += 1;
        let queued = self.queued(queue);
        let (failures, ready) = {
            let mut line = queued.line.lock();
            (line.give_back(receipts), line.is_ready())
        };
        if ready {
            queued.bell.notify_one();
        }
        self.record(queue, &failures)
    }

    async fn dead(&self, queue: QueueName, spent: &mut Units) -> Result<Vec<Dead>, PortError> {
        spent.queue += 1;
        let dead = self.queued(queue).line.lock().dead(DEAD);
        let mut out = Vec::with_capacity(dead.len());
        for Failure { number, failures } in dead {
            if let Some(job) = self.read(queue, number)? {
                out.push(Dead { job, attempts: failures });
            }
        }
        Ok(out)
    }

    async fn release(&self, queue: QueueName, group: &str, spent: &mut Units) -> Result<usize, PortError> {
        spent.queue += 1;
        self.0.health.may_free()?;
        let queued = self.queued(queue);
        let (jobs, failed) = queued.line.lock().release(group);
        if jobs == 0 {
            return Ok(0);
        }
        let changes = failed.iter().map(|number| remove(queue, JobPart::Failures, *number)).collect();
        let (answer, answered) = oneshot::channel();
        self.0.submit(Work::Set { changes, answer: Some(answer) }, 0).await?;
        self.0.answer(answered).await??;
        queued.bell.notify_one();
        Ok(jobs)
    }

    async fn oldest(&self, queue: QueueName) -> Result<Duration, PortError> {
        Ok(self.queued(queue).line.lock().oldest(self.0.env.now()))
    }

    async fn backlog(&self, queue: QueueName, tenant: TenantId) -> Result<usize, PortError> {
        Ok(self.queued(queue).line.lock().backlog(tenant))
    }
}
