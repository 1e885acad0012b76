use crate::{PortError, Units};
use async_trait::async_trait;
use bytes::Bytes;
use penfold_types::{CommitId, TenantId};
use std::time::Duration;

/// The queues there are.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum QueueName {
    /// Mail for one account or one group.
    Deliver,
    /// What people and programs have handed in to be sent.
    Send,
    /// Mail for the hosts of one destination.
    Relay,
    /// Imports and exports, a turn at a time.
    Transfer,
    /// Calendars that are fetched from elsewhere.
    Subscribe,
}

impl QueueName {
    pub const ALL: [Self; 5] = [Self::Deliver, Self::Send, Self::Relay, Self::Transfer, Self::Subscribe];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deliver => "deliver",
            Self::Send => "send",
            Self::Relay => "relay",
            Self::Transfer => "transfer",
            Self::Subscribe => "subscribe",
        }
    }
}

/// Names a job; sending the same id again within five minutes adds nothing.
pub type JobId = CommitId;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Job {
    pub id: JobId,
    /// Whose turn it takes: tenants are served in turn.
    pub tenant: TenantId,
    /// Jobs of one group are handed out in order, one batch at a time.
    pub group: String,
    /// At most 256 KB.
    pub body: Bytes,
}

/// Names one handing out of one job.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Receipt(pub u64);

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Received {
    pub job: Job,
    pub receipt: Receipt,
    /// 1 at the first handing out.
    pub attempt: u32,
}

/// A job that was given up, or that waits behind such a one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dead {
    pub job: Job,
    pub attempts: u32,
}

/// At-least-once jobs. Order holds inside a group only, and a group has at most one batch out at a time. There is no
/// delay: later work is a due row that a timer moves into the queue.
///
/// A job handed out [`Queue::ATTEMPTS`] times without `done` becomes a dead letter and parks its group: the group's
/// other jobs stay behind it, in order, until it is released. Other groups go on.
#[async_trait]
pub trait Queue: Send + Sync {
    /// At most 10 jobs; durable when it returns. After an error some may have been sent.
    async fn send(&self, queue: QueueName, jobs: Vec<Job>, spent: &mut Units) -> Result<(), PortError>;

    /// Waits for work, then gives 1 to `max` (at most 10) jobs of one group, each hidden from others for `hidden`.
    async fn receive(&self, queue: QueueName, max: usize, hidden: Duration, spent: &mut Units) -> Result<Vec<Received>, PortError>;

    /// Hides jobs that are still being worked on for another `hidden`. A receipt that ran out is `Missing`.
    async fn extend(&self, queue: QueueName, receipts: &[Receipt], hidden: Duration, spent: &mut Units) -> Result<(), PortError>;

    /// Forgets jobs whose work is durable. May be lost in a crash: the job is then handed out again.
    async fn done(&self, queue: QueueName, receipts: &[Receipt], spent: &mut Units) -> Result<(), PortError>;

    /// Hands jobs back, to be given out again at once; the attempt counts.
    async fn give_back(&self, queue: QueueName, receipts: &[Receipt], spent: &mut Units) -> Result<(), PortError>;

    /// Dead letters and the jobs parked behind them, at most 1,000.
    async fn dead(&self, queue: QueueName, spent: &mut Units) -> Result<Vec<Dead>, PortError>;

    /// Lets a parked group go on, with fresh attempts. Gives back how many jobs were parked.
    async fn release(&self, queue: QueueName, group: &str, spent: &mut Units) -> Result<usize, PortError>;

    /// How long the oldest job that can be handed out has waited, for shedding load.
    async fn oldest(&self, queue: QueueName) -> Result<Duration, PortError>;

    /// How many of one tenant's jobs wait.
    async fn backlog(&self, queue: QueueName, tenant: TenantId) -> Result<usize, PortError>;
}

/// Handings out before a job is given up.
pub(crate) const ATTEMPTS: u32 = 3;

impl dyn Queue {
    pub const ATTEMPTS: u32 = ATTEMPTS;
}
