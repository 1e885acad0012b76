//! Jobs -> mailboxes. [`Deliver::handle`] does a batch of one queue group and says what became of each job; whoever hosts
//! it (the workers of `penfold_transport::work`, a function) answers the queue. A job may come twice: delivering names its item by the
//! acceptance and the mailbox, and expanding names its jobs by what they do, so twice changes nothing.
//!
//! | file | what |
//! |---|---|
//! | mailbox.rs | all jobs of one mailbox in one commit |
//! | rules.rs | where in it a message goes |
//! | report.rs | a report about the tenant's mail, read and kept |
//! | list.rs | one step of expanding a group |

mod list;
mod mailbox;
mod report;
mod rules;

#[cfg(test)]
mod tests;

use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_ports::{QueueName, Received, World};
use penfold_transport::Transport;
use penfold_transport::job::{Delivery, To};
use penfold_transport::trace::Tracer;
use penfold_transport::work::{Outcome, Worker};
use penfold_types::{Error, Result};
use std::sync::Arc;
use tokio::sync::Semaphore;

/// Cheap to clone.
#[derive(Clone)]
pub struct Deliver {
    world: World,
    directory: Directory,
    mailboxes: Mailboxes,
    transport: Transport,
    tracer: Tracer,
    /// One report is read at a time: it may unpack to much more than itself.
    reading: Arc<Semaphore>,
}

impl Deliver {
    pub fn new(world: &World, mailboxes: &Mailboxes, transport: &Transport) -> Self {
        Self {
            world: world.named("deliver"),
            directory: transport.directory().clone(),
            mailboxes: mailboxes.named("deliver"),
            transport: transport.clone(),
            tracer: transport.tracer().clone(),
            reading: Arc::new(Semaphore::new(1)),
        }
    }

    /// Stops at the first that fails, whose outcome is then the last.
    async fn readable(&self, jobs: &[Delivery]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(jobs.len());
        let mut rest = jobs;
        while let Some((first, others)) = rest.split_first() {
            let alike = match &first.to {
                To::List(_) | To::Reports => 1,
                _ => 1 + others.iter().take_while(|job| job.mailbox().is_some() && job.mailbox() == first.mailbox()).count(),
            };
            let (now, later) = rest.split_at(alike);
            let (done, error) = match &first.to {
                To::Mailbox(principal) | To::Sent(principal) => self.mailbox(*principal, now).await,
                To::List(walk) => count(self.list(first, walk.clone()).await),
                To::Reports => count(self.report(first).await),
            };
            outcomes.extend((0..done).map(|_| Outcome::Done));
            if let Some(error) = error {
                outcomes.push(Outcome::Again(error));
                return outcomes;
            }
            rest = later;
        }
        outcomes
    }
}

impl Worker for Deliver {
    const QUEUE: QueueName = QueueName::Deliver;

    fn world(&self) -> &World {
        &self.world
    }

    async fn handle(&self, batch: &[Received]) -> Vec<Outcome> {
        let mut jobs = Vec::with_capacity(batch.len());
        for received in batch {
            match Delivery::decode(&received.job.body) {
                Some(delivery) => jobs.push(delivery),
                None => break,
            }
        }
        let mut outcomes = self.readable(&jobs).await;
        if outcomes.len() < batch.len() && outcomes.iter().all(Outcome::is_done) {
            outcomes.push(Outcome::Again(Error::broken("a job cannot be read")));
        }
        let cause = outcomes.iter().find_map(|o| if let Outcome::Again(e) = o { Some(e.clone()) } else { None });
        outcomes.resize_with(batch.len(), || Outcome::Again(cause.clone().unwrap_or_else(|| Error::retry("behind another"))));
        outcomes
    }
}

fn count(result: Result<()>) -> (usize, Option<Error>) {
    match result {
        Ok(()) => (1, None),
        Err(error) => (0, Some(error)),
    }
}
