//! The jobs of a message.

use crate::job::{Delivery, Mail, To, Walk};
use crate::naming::name;
use crate::{Inner, Refusal, Target};
use bytes::Bytes;
use penfold_formats::mime::{self, Summary};
use penfold_ports::{Job, JobId, PortError, QueueName, World};
use penfold_types::{AcceptanceId, Error, PrincipalId, Result};
use std::collections::BTreeSet;
use std::time::Duration;

/// A queue takes 256 KB in one request.
const REQUEST: usize = 256 * 1024;
/// Jobs in one request.
const BATCH: usize = 10;
const TRIES: u32 = 4;
/// In place of a principal, for the job that reads reports.
const REPORTS: PrincipalId = PrincipalId::from_bytes(*b"reports of mail.");

/// One delivery for each mailbox and group of one tenant: what two recipients both reach is reached once.
pub(crate) fn deliveries<'a>(mail: &Mail, recipients: impl Iterator<Item = (&'a Target, &'a str)>) -> Vec<Delivery> {
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (target, original) in recipients {
        let to = match *target {
            Target::Mailbox(account) if account.tenant == mail.tenant && seen.insert(account.principal) => To::Mailbox(account.principal),
            Target::Group(tenant, group) if tenant == mail.tenant && seen.insert(group) => To::List(Walk::new(group)),
            Target::Reports(tenant) if tenant == mail.tenant && seen.insert(REPORTS) => To::Reports,
            _ => continue,
        };
        out.push(Delivery { mail: mail.clone(), to, original: original.to_owned() });
    }
    out
}

/// The copy of whoever handed it in, who alone sees whom they sent it to unseen by the others: `blind` are those fields.
pub(crate) fn sent_copy(mail: &Mail, by: PrincipalId, blind: &Bytes) -> Result<Delivery> {
    let mut summary = Summary::decode(&mail.summary).ok_or_else(|| Error::broken("a job's summary cannot be read"))?;
    summary.envelope.bcc = mime::summarise(blind).envelope.bcc;
    let mail = Mail { prefix: blind.clone(), summary: summary.encode().into(), junk: false, ..mail.clone() };
    Ok(Delivery { mail, to: To::Sent(by), original: String::new() })
}

/// Names a job by what it does, so that sending it again adds nothing. `step` tells the jobs of a walk apart.
pub fn job_id(acceptance: AcceptanceId, target: PrincipalId, step: u64) -> JobId {
    name(acceptance, &[target.as_bytes(), &step.to_be_bytes()])
}

pub(crate) fn job(delivery: &Delivery) -> Job {
    let (target, step) = match &delivery.to {
        To::Mailbox(principal) => (*principal, 0),
        To::Sent(principal) => (*principal, u64::MAX),
        To::Reports => (REPORTS, 0),
        // A group and a mailbox have different ids; the walk's own steps are counted from 1.
        To::List(walk) => (walk.root, walk.step.saturating_add(1)),
    };
    let mail = &delivery.mail;
    Job { id: job_id(mail.acceptance, target, step), tenant: mail.tenant, group: delivery.group(), body: delivery.encode() }
}

/// Sends jobs, as many in one request as it takes; durable when it returns. What may or may not have been sent is sent
/// again, for its id makes that harmless.
pub async fn send_jobs(world: &World, deliveries: &[Delivery]) -> Result<(), PortError> {
    let mut batch: Vec<Job> = Vec::with_capacity(deliveries.len().min(BATCH));
    let mut bytes = 0;
    for delivery in deliveries {
        let job = job(delivery);
        if batch.len() == BATCH || (!batch.is_empty() && bytes + job.body.len() > REQUEST) {
            send_batch(world, QueueName::Deliver, std::mem::take(&mut batch)).await?;
            bytes = 0;
        }
        bytes += job.body.len();
        batch.push(job);
    }
    if batch.is_empty() { Ok(()) } else { send_batch(world, QueueName::Deliver, batch).await }
}

pub(crate) async fn send_batch(world: &World, queue: QueueName, batch: Vec<Job>) -> Result<(), PortError> {
    for attempt in 1..TRIES {
        match world.queue.send(queue, batch.clone()).await {
            Err(PortError::Throttled | PortError::Unknown) => {
                world.env.sleep_jittered(Duration::from_millis(20 << attempt)).await;
            }
            answer => return answer,
        }
    }
    world.queue.send(queue, batch).await
}

impl Inner {
    pub(crate) async fn send(&self, deliveries: &[Delivery]) -> Result<(), Refusal> {
        send_jobs(&self.world, deliveries).await.map_err(|error| self.stopped(error))
    }

    /// Remembers a full disk, so that the next message is refused before its bytes come.
    pub(crate) fn stopped(&self, error: PortError) -> Refusal {
        if error == PortError::Full {
            self.load.is_full(&self.world.env);
            return Refusal::Busy;
        }
        Refusal::Later(error.into())
    }
}
