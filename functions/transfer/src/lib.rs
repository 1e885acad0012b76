//! Carries imports and exports on, a turn at a time: one job is one turn of one of them, of as many steps as fit into it. What
//! was cut off goes on at the last step that was written down.

mod holdings;
mod mailbox;
mod objects;
mod people;

use penfold_directory::{Directory, Permission, TenantStatus};
use penfold_mailbox::Mailboxes;
use penfold_ports::{QueueName, Received, World};
use penfold_transfers::{Order, Step, Transfer as One, Transfers, Turn};
use penfold_transport::work::{Outcome, Worker, in_order};
use penfold_types::{Error, Kind, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;

/// How long a turn takes before others are next, but for its last step: in all well below the time of a function (infra/cell.json).
const TURN: Duration = Duration::from_secs(4);

/// Cheap to clone.
#[derive(Clone)]
pub struct Transfer {
    world: World,
    directory: Directory,
    mailboxes: Mailboxes,
    transfers: Transfers,
    /// Passwords of imports are hashed for one of them at a time.
    hashing: Arc<Semaphore>,
    /// So are files looked through, beside the threads that everybody's connections share.
    reading: Arc<Semaphore>,
}

/// What is kept between the steps of a turn.
enum Work {
    TakeIn(people::TakeIn),
    Write(people::Write),
    Archive(Box<mailbox::Archive>),
    TakeObjects(Box<objects::TakeIn>),
    WriteObjects(Box<objects::Write>),
}

impl Transfer {
    pub fn new(world: &World, directory: &Directory, mailboxes: &Mailboxes) -> Self {
        Self {
            world: world.named("transfer"),
            directory: directory.clone(),
            mailboxes: mailboxes.named("transfer"),
            transfers: Transfers::new(world, directory, mailboxes),
            hashing: Arc::new(Semaphore::new(1)),
            reading: Arc::new(Semaphore::new(1)),
        }
    }

    async fn job(&self, received: Received) -> Result<()> {
        let Turn::Yours(mut one) = self.transfers.turn(&received.job).await? else { return Ok(()) };
        match self.carry_on(&mut one).await {
            // It would be the same the next time.
            Err(error) if error.kind() != Kind::Retry => {
                if error.kind() == Kind::Broken {
                    tracing::error!(tenant = %one.tenant, transfer = %one.id, %error, "an import or export failed");
                }
                self.transfers.fail(&mut one, error.text()).await
            }
            done => done,
        }
    }

    async fn carry_on(&self, one: &mut One) -> Result<()> {
        if !self.allowed(one).await? {
            return Ok(());
        }
        let until = self.world.env.monotonic() + TURN;
        let mut work = self.begin(one).await?;
        loop {
            let step = self.step(&mut work, one).await?;
            if !self.transfers.advance(one, step).await? {
                return self.transfers.call_again(one).await;
            }
            if !one.state.is_open() {
                return Ok(());
            }
            if self.world.env.monotonic() >= until {
                return self.transfers.hand_over(one).await;
            }
        }
    }

    /// Whoever is suspended or closed still takes out what is theirs, and nothing comes in: it waits while they are suspended
    /// (`false`; upkeep calls it again). Whoever ordered it must still be allowed to.
    async fn allowed(&self, one: &One) -> Result<bool> {
        let operator = self.directory.operator();
        let status = operator.tenant(&one.tenant.to_string()).await?.status;
        if one.order.is_import() && status == TenantStatus::Suspended {
            return Ok(false);
        }
        if one.order.is_import() && !status.is_open() {
            return Err(Error::denied("the tenant is not active"));
        }
        let needed = match one.order {
            Order::ImportPeople { .. } => Permission::ImportWrite,
            Order::ExportPeople => Permission::ExportWrite,
            Order::ExportMailbox { .. } => Permission::ContentWrite,
            // What is one's own, as long as one is there; where it is another's, more is asked when its folder is opened.
            Order::ImportObjects { mailbox, .. } | Order::ExportObjects { mailbox, .. } => {
                return operator.mailbox_address(one.tenant, mailbox).await.map(|_| true);
            }
        };
        if !operator.actor_may(one.tenant, &one.by, needed).await? {
            return Err(Error::denied("whoever ordered it may not do this any more"));
        }
        Ok(true)
    }

    async fn begin(&self, one: &One) -> Result<Work> {
        Ok(match &one.order {
            Order::ImportPeople { .. } => Work::TakeIn(people::TakeIn::begin(self, one).await?),
            Order::ExportPeople => Work::Write(people::Write),
            Order::ImportObjects { .. } => Work::TakeObjects(Box::new(objects::TakeIn::begin(self, one).await?)),
            Order::ExportObjects { .. } => Work::WriteObjects(Box::new(objects::Write::begin(self, one).await?)),
            Order::ExportMailbox { mailbox } => Work::Archive(Box::new(mailbox::Archive::begin(self, one, *mailbox).await?)),
        })
    }

    async fn step(&self, work: &mut Work, one: &One) -> Result<Step> {
        match work {
            Work::TakeIn(work) => work.step(self, one).await,
            Work::Write(work) => work.step(self, one).await,
            Work::Archive(work) => work.step().await,
            Work::TakeObjects(work) => work.step(one).await,
            Work::WriteObjects(work) => work.step(one).await,
        }
    }
}

impl Worker for Transfer {
    const QUEUE: QueueName = QueueName::Transfer;

    fn world(&self) -> &World {
        &self.world
    }

    async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        in_order(batch, |received| self.job(received)).await
    }
}

#[cfg(test)]
mod tests;
