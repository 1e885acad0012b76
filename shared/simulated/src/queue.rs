use crate::call::{Fate, Shared};
use async_trait::async_trait;
use penfold_ports::{Dead, Failure, Handed, Job, PortError, Queue, QueueName, Receipt, Received, Units};
use penfold_types::TenantId;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::futures::Notified;
use tokio::time::Instant;

const BATCH: usize = 10;
const BODY: usize = 256 * 1024;
const DEAD: usize = 1000;
/// What SQS allows.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Whoever waits looks again this often, for jobs that a worker took after the wait began and did not bring back.
const LOOK_AGAIN: Duration = Duration::from_secs(10);
/// How long a job's id is known.
const IDS: Duration = Duration::from_secs(300);

pub(crate) struct SimQueue(pub(crate) Arc<Shared>);

impl SimQueue {
    fn add(&self, queue: QueueName, jobs: Vec<Job>) {
        let now = self.0.env.now();
        let mut state = self.0.state.lock();
        for job in jobs {
            if state.job_ids.get(&(queue, *job.id.as_bytes())).is_some_and(|at| now.since(*at) < IDS) {
                continue;
            }
            state.job_ids.insert((queue, *job.id.as_bytes()), now);
            let number = state.next_job;
            state.next_job += 1;
            state.line(queue).add(number, job.tenant, &job.group, now, 0);
            state.jobs.insert(number, job);
        }
        state.make_durable();
        drop(state);
        self.0.bell(queue).notify_one();
    }

    /// What is next now, with when to look again where there is nothing.
    fn take(&self, queue: QueueName, max: usize, hidden: Duration) -> (Vec<Received>, Option<Instant>) {
        let now = self.0.env.monotonic();
        let mut state = self.0.state.lock();
        let (faults, by) = (state.faults, state.rng.next() as usize % 1024);
        let reorder = state.rng.chance(faults.reordered);
        let line = state.line(queue);
        line.expire(now);
        if reorder {
            line.skip(by);
        }
        let handed = line.take(max.clamp(1, BATCH), now + hidden.min(LONGEST));
        let (more, due) = (line.is_ready(), line.next_due());
        if more {
            self.0.bell(queue).notify_one();
        }
        let mut received = Vec::with_capacity(handed.len());
        for Handed { number, receipt, attempt } in handed {
            state.trace.word(number);
            if let Some(job) = state.jobs.get(&number) {
                received.push(Received { job: job.clone(), receipt, attempt });
            }
        }
        (received, due)
    }

    async fn wait(&self, bell: Notified<'_>, due: Option<Instant>) {
        let due = due.map_or(LOOK_AGAIN, |due| due.saturating_duration_since(self.0.env.monotonic()).min(LOOK_AGAIN));
        tokio::select! {
            biased;
            () = bell => {}
            () = self.0.env.sleep(due) => {}
        }
    }

    fn unknown(&self, what: &str, fate: Fate) -> Result<(), PortError> {
        self.0.answer(what, if fate == Fate::Fine { Ok(()) } else { Err(PortError::Unknown) })
    }
}

#[async_trait]
impl Queue for SimQueue {
    async fn send(&self, queue: QueueName, jobs: Vec<Job>, spent: &mut Units) -> Result<(), PortError> {
        if jobs.is_empty() || jobs.len() > BATCH {
            return Err(PortError::Limit("a send has 1 to 10 jobs"));
        }
        if jobs.iter().any(|job| job.body.len() > BODY) {
            return Err(PortError::Limit("a job has at most 256 KB"));
        }
        if jobs.iter().any(|job| job.group.is_empty() || job.group.len() > 128) {
            return Err(PortError::Limit("a group has 1 to 128 bytes"));
        }
        spent.queue += 1;
        self.0.call("send", &(jobs.len() as u64).to_be_bytes()).await?;
        let fate = self.0.state.lock().fate();
        if fate != Fate::Lost {
            self.add(queue, jobs);
        }
        self.unknown("sent", fate)
    }

    async fn receive(&self, queue: QueueName, max: usize, hidden: Duration, spent: &mut Units) -> Result<Vec<Received>, PortError> {
        spent.queue += 1;
        self.0.call("receive", &[]).await?;
        loop {
            let bell = self.0.bell(queue).notified();
            let (received, due) = self.take(queue, max, hidden);
            if !received.is_empty() {
                return Ok(received);
            }
            self.wait(bell, due).await;
        }
    }

    async fn extend(&self, queue: QueueName, receipts: &[Receipt], hidden: Duration, spent: &mut Units) -> Result<(), PortError> {
        spent.queue += 1;
        self.0.call("extend", &(receipts.len() as u64).to_be_bytes()).await?;
        let now = self.0.env.monotonic();
        let result = {
            let mut state = self.0.state.lock();
            let line = state.line(queue);
            line.expire(now);
            line.extend(receipts, now + hidden.min(LONGEST))
        };
        self.0.answer("extended", result)
    }

    async fn done(&self, queue: QueueName, receipts: &[Receipt], spent: &mut Units) -> Result<(), PortError> {
        spent.queue += 1;
        self.0.call("done", &(receipts.len() as u64).to_be_bytes()).await?;
        let fate = {
            let mut state = self.0.state.lock();
            let fate = state.fate();
            let faults = state.faults;
            if fate == Fate::Lost || state.rng.chance(faults.redelivered) {
                state.line(queue).recall_these(receipts);
            } else {
                for number in state.line(queue).done(receipts) {
                    state.jobs.remove(&number);
                }
            }
            fate
        };
        self.0.bell(queue).notify_one();
        self.unknown("done", fate)
    }

    async fn give_back(&self, queue: QueueName, receipts: &[Receipt], spent: &mut Units) -> Result<(), PortError> {
        spent.queue += 1;
        self.0.call("give back", &(receipts.len() as u64).to_be_bytes()).await?;
        self.0.state.lock().line(queue).give_back(receipts);
        self.0.bell(queue).notify_one();
        Ok(())
    }

    async fn dead(&self, queue: QueueName, spent: &mut Units) -> Result<Vec<Dead>, PortError> {
        spent.queue += 1;
        self.0.call("dead", &[]).await?;
        let mut state = self.0.state.lock();
        let dead = state.line(queue).dead(DEAD);
        let with_job = |Failure { number, failures }: Failure| Some(Dead { job: state.jobs.get(&number)?.clone(), attempts: failures });
        Ok(dead.into_iter().filter_map(with_job).collect())
    }

    async fn release(&self, queue: QueueName, group: &str, spent: &mut Units) -> Result<usize, PortError> {
        spent.queue += 1;
        self.0.call("release", group.as_bytes()).await?;
        let (jobs, _) = self.0.state.lock().line(queue).release(group);
        self.0.bell(queue).notify_one();
        Ok(jobs)
    }

    async fn oldest(&self, queue: QueueName) -> Result<Duration, PortError> {
        Ok(self.0.state.lock().line(queue).oldest(self.0.env.now()))
    }

    async fn backlog(&self, queue: QueueName, tenant: TenantId) -> Result<usize, PortError> {
        Ok(self.0.state.lock().line(queue).backlog(tenant))
    }
}
