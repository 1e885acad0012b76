//! From a submission to what goes where: local recipients become deliveries, the others parcels, one for each destination
//! and hundred recipients. Doing it twice adds nothing: deliveries name their items, and a parcel's row is made once.

use super::carry::Leave;
use super::parcel::{Fate, Parcel, Passage, RECIPIENTS, State};
use super::schedule::LIFETIME;
use super::submission::{Addressee, Late, Submission};
use crate::job::Mail;
use crate::trace::Hop;
use crate::{Target, Transport, plan, prefix, send_jobs};
use bytes::Bytes;
use penfold_formats::mime::Summary;
use penfold_mailbox::Blob;
use penfold_ports::{Job, PortError, QueueName, Recipient, Sk, Write};
use penfold_types::{Address, Domain, Error, Kind, Result, TenantId};
use std::collections::{BTreeMap, BTreeSet};
use tokio::task::{JoinError, JoinSet};

/// Jobs in one request.
const BATCH: usize = 10;
/// Rows that are written at one time.
const SIDE_BY_SIDE: usize = 32;

impl Transport {
    /// When this returns, every recipient has a job of its own or a parcel, and the submission may be forgotten.
    pub async fn dispatch(&self, submission: &Submission) -> Result<()> {
        self.inside(submission).await?;
        let parcels = self.parcels(submission, &self.head(submission).await?);
        let scope = self.directory().tenant_scope(submission.mail.tenant);
        let numbered = || (submission.first_part..).zip(&parcels);
        let mut rows = JoinSet::new();
        for (part, parcel) in numbered() {
            if rows.len() >= SIDE_BY_SIDE {
                made(rows.join_next().await)?;
            }
            let (table, key) = (self.0.world.table.clone(), scope.outgoing(Sk::outgoing(parcel.acceptance, part)));
            let write = Write::put_new(key, parcel.to_row());
            rows.spawn(async move { table.put(write).await });
        }
        while !rows.is_empty() {
            made(rows.join_next().await)?;
        }
        let leave = |(part, parcel): (u64, &Parcel)| {
            Leave { acceptance: parcel.acceptance, part, attempts: 0 }.job(scope.tenant(), &parcel.destination)
        };
        let jobs: Vec<Job> = numbered().map(leave).collect();
        self.tracer().note(scope.tenant(), submission.mail.acceptance, Hop::Queued { jobs: jobs.len() as u64 });
        self.send_relay(&jobs).await?;
        self.note_mailed(submission).await;
        Ok(())
    }

    async fn send_relay(&self, jobs: &[Job]) -> Result<()> {
        for batch in jobs.chunks(BATCH) {
            self.0.world.queue.send(QueueName::Relay, batch.to_vec()).await?;
        }
        Ok(())
    }

    async fn inside(&self, submission: &Submission) -> Result<()> {
        let local = || submission.recipients.iter().filter(|one| !matches!(one.target, Target::Outside(..)));
        let tenants: BTreeSet<TenantId> = local().map(|one| one.target.tenant()).collect();
        let mut deliveries = Vec::new();
        for tenant in tenants {
            let mail = Mail { tenant, ..submission.mail.clone() };
            deliveries.extend(plan::deliveries(&mail, local().map(|one| (&one.target, one.path.as_str()))));
        }
        if let (Some(by), Some(blind)) = (submission.by, &submission.copy) {
            deliveries.push(plan::sent_copy(&submission.mail, by, blind)?);
        }
        Ok(send_jobs(&self.0.world, &deliveries).await?)
    }

    /// In the order of destinations, so that a part's number is the same at every try.
    fn parcels(&self, submission: &Submission, head: &Bytes) -> Vec<Parcel> {
        let mut destinations: BTreeMap<&str, Vec<&Addressee>> = BTreeMap::new();
        for recipient in &submission.recipients {
            if let Target::Outside(_, address) = &recipient.target {
                destinations.entry(destination(address)).or_default().push(recipient);
            }
        }
        let parts = destinations.iter().flat_map(|(destination, all)| all.chunks(RECIPIENTS).map(move |part| (*destination, part)));
        parts.map(|(destination, part)| parcel(submission, destination, part, head.clone())).collect()
    }

    /// What stands in front of the message once it leaves: how it came to us, and below that who vouches for it.
    async fn head(&self, submission: &Submission) -> Result<Bytes> {
        let mail = &submission.mail;
        let own = prefix::leaving(&self.0.settings.hostname, mail.acceptance, submission.by.is_some(), mail.received);
        // A stranger's way to us is for everybody to see; where a person of ours sits is not.
        let before = if submission.by.is_some() { Bytes::new() } else { prefix::without_return_path(&mail.prefix) };
        Ok([own, before, self.signatures(mail).await?].concat().into())
    }

    /// By the domain of From, where it is the tenant's and a person of it wrote the message.
    async fn signatures(&self, mail: &Mail) -> Result<Bytes> {
        if !mail.submitted {
            return Ok(Bytes::new());
        }
        let summary = Summary::decode(&mail.summary).ok_or_else(|| Error::broken("a job's summary cannot be read"))?;
        let [author] = summary.envelope.from.as_slice() else { return Ok(Bytes::new()) };
        let host = author.host.as_deref().and_then(|host| std::str::from_utf8(host).ok());
        let Some(domain) = host.and_then(|host| host.parse::<Domain>().ok()) else { return Ok(Bytes::new()) };
        if self.directory().domain_tenant(&domain).await? != Some(mail.tenant) {
            return Ok(Bytes::new());
        }
        let message = self.0.mailboxes.blob(mail.tenant, Blob { acceptance: mail.acceptance, length: mail.length }).await?;
        match self.0.signers.sign(mail.tenant, &domain, &message).await {
            // It has two From fields, say: others will not think much of it, signed or not.
            Err(error) if error.kind() == Kind::Invalid => {
                tracing::info!(target: "mail", trace = %mail.acceptance, %error, "not signed");
                Ok(Bytes::new())
            }
            signed => signed,
        }
    }
}

/// What became of a parcel's row.
fn made(joined: Option<Result<Result<(), PortError>, JoinError>>) -> Result<()> {
    match joined {
        // There already: made by an earlier try, and perhaps far on its way.
        None | Some(Ok(Ok(()) | Err(PortError::Condition { .. }))) => Ok(()),
        Some(Ok(Err(error))) => Err(error.into()),
        Some(Err(died)) => Err(Error::broken("a row was not written").because(died)),
    }
}

/// The address's domain, as names are compared.
fn destination(address: &Address) -> &str {
    address.domain().as_str()
}

fn parcel(submission: &Submission, destination: &str, part: &[&Addressee], head: Bytes) -> Parcel {
    let passage = |one: &&Addressee| Passage {
        to: Recipient { path: one.path.clone(), notify: one.notify, original: one.original.clone() },
        fate: Fate::Waiting(None),
        told: false,
        told_late: false,
    };
    let (mail, envelope) = (&submission.mail, &submission.envelope);
    // What was held begins its way only now.
    let begins = envelope.hold_until.map_or(mail.received, |until| until.max(mail.received));
    let expires = begins.plus(LIFETIME);
    let by = envelope.deliver_by.filter(|by| by.late == Late::Return);
    Parcel {
        acceptance: mail.acceptance,
        length: mail.length,
        accepted: begins,
        expires: by.map_or(expires, |by| by.at.min(expires)),
        destination: destination.to_owned(),
        from: submission.from.clone(),
        envelope: submission.envelope.clone(),
        head,
        passages: part.iter().map(passage).collect(),
        state: State::Waiting,
        at: begins,
        version: 1,
        job: 0,
        attempts: 0,
        interrupted: 0,
    }
}
