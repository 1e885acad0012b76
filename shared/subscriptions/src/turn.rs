//! What a worker does with a subscription whose turn it is. Each way out is one commit, with the next turn in it.

use crate::schedule::{after_failure, after_success, is_over};
use crate::subscription::Subscription;
use crate::subscriptions::{Subscriptions, Ticket};
use penfold_ports::{Account, Job, QueueName};
use penfold_transport::outbound::due;
use penfold_types::{Kind, Result};
use std::time::Duration;

/// Why a calendar could not be fetched, or not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// For whoever subscribed.
    pub text: String,
    /// For how long the server wants to be left alone.
    pub after: Option<Duration>,
    pub tells: Tells,
}

/// What a failure tells of whether there is something for us at the URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tells {
    /// The server says that there is nothing.
    Gone,
    /// A file came, though it could not be used.
    There,
    /// Nobody answered, or who did was busy with something else.
    Nothing,
}

impl Failure {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), after: None, tells: Tells::Nothing }
    }

    /// Of a file that came.
    pub fn of_file(text: impl Into<String>) -> Self {
        Self { tells: Tells::There, ..Self::new(text) }
    }
}

impl Subscriptions {
    /// Whose turn a job is; `None` where it was somebody's, or is over.
    pub async fn turn(&self, job: &Job) -> Result<Option<Subscription>> {
        let Ok(ticket) = serde_json::from_slice::<Ticket>(&job.body) else {
            tracing::error!(job = %job.id, "the job of a subscription cannot be read and is dropped");
            return Ok(None);
        };
        match self.find(Account { tenant: ticket.tenant, principal: ticket.principal }, ticket.folder).await {
            Ok(one) => Ok(Some(one).filter(|one| one.turn == ticket.turn && !one.stopped)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// It was fetched, and the folder is as the file says. `before` is as it was read.
    pub async fn succeed(&self, before: &Subscription, mut after: Subscription) -> Result<()> {
        let now = self.world.env.now();
        (after.fetched, after.failures, after.error, after.gone, after.file) = (Some(now), 0, None, None, None);
        let wait = after_success(&after, self.world.env.random_u64());
        self.later(before, after, wait).await
    }

    pub async fn fail(&self, before: &Subscription, mut after: Subscription, failure: Failure) -> Result<()> {
        let now = self.world.env.now();
        (after.failures, after.error) = (after.failures + 1, Some(failure.text));
        after.forget_file();
        // Two weeks of "there is nothing" are not interrupted by a server that is down meanwhile, which says neither yes nor no; a
        // file that comes ends them, however bad it is. And only who says so once more is given up, so that no outage ends anything.
        match failure.tells {
            Tells::Gone => drop(after.gone.get_or_insert(now)),
            Tells::There => after.gone = None,
            Tells::Nothing => {}
        }
        after.stopped = failure.tells == Tells::Gone && is_over(&after, now);
        let wait = after_failure(&after, failure.after, self.world.env.random_u64());
        self.later(before, after, wait).await
    }

    /// Its next turn comes after a while; nothing was found out.
    pub async fn put_off(&self, before: &Subscription, wait: Duration) -> Result<()> {
        self.later(before, before.clone(), wait).await
    }

    /// Others are next, and then it goes on.
    pub async fn hand_over(&self, before: &Subscription, after: Subscription) -> Result<()> {
        self.later(before, after, Duration::ZERO).await
    }

    async fn later(&self, before: &Subscription, mut after: Subscription, wait: Duration) -> Result<()> {
        after.turn = before.turn + 1;
        after.due = self.world.env.now().plus(wait);
        let job = self.job(&after)?;
        let mut writes = vec![self.moved(before, &mut after).await?];
        if !after.stopped {
            writes.push(due(after.due, QueueName::Subscribe, &job));
        }
        match self.table().commit(writes).await {
            // Somebody changed it meanwhile, and has called its next turn.
            Err(penfold_ports::PortError::Condition { .. }) => return Ok(()),
            done => done?,
        }
        if wait.is_zero() {
            self.send(job).await;
        }
        Ok(())
    }
}
