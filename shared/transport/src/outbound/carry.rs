//! One attempt for a parcel. The row says before each attempt that it begins, and after it how it ended, so a relay that
//! dies between the two is noticed: SMTP itself cannot tell then whether the message was taken, and the trace says so.

use super::later::postpone;
use super::parcel::{Fate, Parcel, Passage, State};
use super::report::{self, Action, Report};
use super::schedule::next;
use super::submission::{Addressee, Envelope, Late, Submission};
use crate::codec::{Reader, Writer};
use crate::job::{Delivery, Mail, To};
use crate::naming::name;
use crate::plan::send_batch;
use crate::trace::Hop;
use crate::work::{self, Worker};
use crate::{Target, Transport, send_jobs};
use async_trait::async_trait;
use bytes::Bytes;
use penfold_directory::{Recipient, TenantStatus};
use penfold_formats::mime;
use penfold_mailbox::{Blob, Mailboxes};
use penfold_ports::{
    Attempt, ByTime, Fetch, Job, JobId, Message, Outcome, Outgoing, PortError, QueueName, Received, Relay, Said, Sk, TenantScope, World,
    Write,
};
use penfold_types::{AcceptanceId, Address, Error, Result, TenantId, Timestamp};
use std::sync::Arc;
use std::time::Duration;

const VERSION: u8 = 1;
/// A queue's group has so many bytes at most, with the tenant and the lane.
const DESTINATION: usize = 90;
/// Lanes of one tenant to one destination: so many batches at a time.
const LANES: u8 = 4;

/// A job of the queue `relay`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Leave {
    pub acceptance: AcceptanceId,
    pub part: u64,
    /// Attempts that were made when the job was; a row that is further on makes it an old one.
    pub attempts: u32,
}

impl Leave {
    pub fn job(self, tenant: TenantId, destination: &str) -> Job {
        let mut out = Writer(Vec::with_capacity(32));
        out.u8(VERSION).id(self.acceptance.as_bytes()).number(self.part).number(self.attempts.into());
        let lane = self.acceptance.as_bytes().last().copied().unwrap_or_default() % LANES;
        let group = format!("{tenant}/{}/{lane}", short(destination));
        Job { id: self.id(*b"leave"), tenant, group, body: Bytes::from(out.0) }
    }

    fn id(self, what: [u8; 5]) -> JobId {
        name(self.acceptance, &[&what, &self.part.to_be_bytes(), &self.attempts.to_be_bytes()])
    }

    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let mut from = Reader(bytes.clone());
        if from.u8()? != VERSION {
            return None;
        }
        let acceptance = AcceptanceId::from_bytes(from.id()?);
        let (part, attempts) = (from.number()?, u32::try_from(from.number()?).ok()?);
        from.is_empty().then_some(Self { acceptance, part, attempts })
    }
}

/// How often it is looked whether a tenant is still suspended.
const SUSPENDED: Duration = Duration::from_secs(1800);

/// A domain's end tells more than its beginning.
fn short(destination: &str) -> &str {
    destination.get(destination.len().saturating_sub(DESTINATION)..).unwrap_or("long")
}

/// Carries parcels by a relay. Cheap to clone.
#[derive(Clone)]
pub struct Carrier {
    transport: Transport,
    relay: Arc<dyn Relay>,
}

impl Carrier {
    pub fn new(transport: Transport, relay: Arc<dyn Relay>) -> Self {
        Self { transport, relay }
    }

    /// Does one job of the queue `relay`. When this returns, what follows from it is durable.
    pub async fn carry(&self, job: &Job) -> Result<()> {
        let leave = Leave::decode(&job.body).ok_or_else(|| Error::broken("a job cannot be read"))?;
        let scope = self.transport.directory().tenant_scope(job.tenant);
        let key = scope.outgoing(Sk::outgoing(leave.acceptance, leave.part));
        let Some(row) = self.transport.0.world.table.get(&key).await? else { return Ok(()) };
        let parcel = Parcel::from_row(leave.acceptance, &row)?;
        Trip { carrier: self, scope, part: leave.part, parcel }.go(leave.attempts).await
    }
}

impl Worker for Carrier {
    const QUEUE: QueueName = QueueName::Relay;

    fn world(&self) -> &World {
        &self.transport.0.world
    }

    async fn handle(&self, batch: &[Received]) -> Vec<work::Outcome> {
        work::in_order(batch, |received| async move { self.carry(&received.job).await }).await
    }
}

/// The octets of a parcel.
struct Content {
    mailboxes: Mailboxes,
    tenant: TenantId,
    blob: Blob,
    head: Bytes,
}

#[async_trait]
impl Fetch for Content {
    fn size(&self) -> u64 {
        self.blob.length + self.head.len() as u64
    }

    async fn fetch(&self) -> Result<Vec<Bytes>> {
        Ok(vec![self.head.clone(), self.mailboxes.blob(self.tenant, self.blob).await?])
    }
}

/// A parcel in a carrier's hands.
struct Trip<'a> {
    carrier: &'a Carrier,
    scope: TenantScope,
    part: u64,
    parcel: Parcel,
}

impl Trip<'_> {
    fn transport(&self) -> &Transport {
        &self.carrier.transport
    }

    fn now(&self) -> Timestamp {
        self.transport().0.world.env.now()
    }

    fn note(&self, hop: Hop) {
        self.transport().tracer().note(self.scope.tenant(), self.parcel.acceptance, hop);
    }

    async fn go(mut self, attempts: u32) -> Result<()> {
        match self.parcel.state {
            State::Done | State::Held => return Ok(()),
            State::Reporting => return self.settle().await,
            State::Waiting if attempts < self.parcel.attempts => return Ok(()),
            State::Waiting if self.is_suspended().await? => return self.wait().await,
            State::Waiting => {}
            // A later job's attempt is under way.
            State::Trying if attempts < self.parcel.job => return Ok(()),
            State::Trying => {
                self.parcel.interrupted = self.parcel.interrupted.saturating_add(1);
                self.note(Hop::Unsure { destination: self.parcel.destination.clone() });
            }
        }
        (self.parcel.state, self.parcel.at, self.parcel.job) = (State::Trying, self.now(), attempts);
        self.parcel.attempts = self.parcel.attempts.saturating_add(1);
        if !self.write().await? {
            return Ok(());
        }
        // Too late is never delivered where the sender said so.
        if !self.parcel.is_too_late(self.now()) {
            let attempt = self.attempt().await?;
            self.apply(attempt);
        }
        if self.now() >= self.parcel.expires {
            self.give_up();
        }
        self.settle().await
    }

    async fn is_suspended(&self) -> Result<bool> {
        Ok(self.transport().directory().tenant_status(self.scope.tenant()).await? == TenantStatus::Suspended)
    }

    /// What a suspended tenant sent waits, and its time does not run out meanwhile.
    async fn wait(mut self) -> Result<()> {
        (self.parcel.at, self.parcel.expires) = (self.now().plus(SUSPENDED), self.parcel.expires.plus(SUSPENDED));
        // So that the job of now is an old one.
        self.parcel.attempts = self.parcel.attempts.saturating_add(1);
        let leave = Leave { acceptance: self.parcel.acceptance, part: self.part, attempts: self.parcel.attempts };
        postpone(&self.transport().0.world, self.parcel.at, QueueName::Relay, &leave.job(self.scope.tenant(), &self.parcel.destination))
            .await?;
        self.write().await?;
        Ok(())
    }

    /// False where somebody else was first.
    async fn write(&mut self) -> Result<bool> {
        let when = self.parcel.stands();
        self.parcel.version += 1;
        let key = self.scope.outgoing(Sk::outgoing(self.parcel.acceptance, self.part));
        let write = Write::Update { key, set: self.parcel.attributes(), remove: Vec::new(), when };
        match self.transport().0.world.table.put(write).await {
            Ok(()) => Ok(true),
            Err(PortError::Condition { .. }) => Ok(false),
            Err(error) => Err(error.into()),
        }
    }

    async fn attempt(&self) -> Result<Attempt> {
        let parcel = &self.parcel;
        let content = Content {
            mailboxes: self.transport().0.mailboxes.clone(),
            tenant: self.scope.tenant(),
            blob: Blob { acceptance: parcel.acceptance, length: parcel.length },
            head: parcel.head.clone(),
        };
        let pool = self.transport().directory().source_pool(self.scope.tenant()).await?;
        let mail = Outgoing {
            pool,
            destination: parcel.destination.clone(),
            from: parcel.from.clone(),
            recipients: parcel.passages.iter().filter(|passage| passage.waits()).map(|passage| passage.to.clone()).collect(),
            message: Message::There(Arc::new(content)),
            body: parcel.envelope.body,
            utf8: parcel.envelope.utf8,
            require_tls: parcel.envelope.require_tls,
            tls_optional: parcel.envelope.tls_optional,
            ret: parcel.envelope.ret,
            envelope_id: parcel.envelope.id.clone(),
            deliver_by: parcel.envelope.deliver_by.map(|by| ByTime {
                seconds: (by.at.millis() - self.now().millis()).div_euclid(1000),
                returns: by.late == Late::Return,
                trace: by.trace,
            }),
        };
        Ok(self.carrier.relay.attempt(&mail).await)
    }

    fn apply(&mut self, attempt: Attempt) {
        let tls = attempt.tls.map(|(version, proof)| format!("{version}{}", proof.map(|by| format!(" ({by})")).unwrap_or_default()));
        // One attempt, however many recipients it was for.
        let unsure = attempt.outcomes.iter().any(|outcome| matches!(outcome, Outcome::Deferred { unsure: true, .. }));
        self.parcel.interrupted = self.parcel.interrupted.saturating_add(unsure.into());
        let waiting: Vec<usize> =
            (0..self.parcel.passages.len()).filter(|at| self.parcel.passages.get(*at).is_some_and(Passage::waits)).collect();
        for (at, outcome) in waiting.into_iter().zip(attempt.outcomes) {
            let Some(passage) = self.parcel.passages.get_mut(at) else { continue };
            let to = passage.to.path.clone();
            let hop = match outcome {
                Outcome::Accepted { said, reports } => {
                    passage.told = reports;
                    let text = said.to_string();
                    passage.fate = Fate::Sent(said);
                    Hop::Sent { to, text, tls: tls.clone().unwrap_or_default() }
                }
                Outcome::Refused { said } => {
                    let text = said.to_string();
                    passage.fate = Fate::Failed(said);
                    Hop::Refused { to, text }
                }
                Outcome::Deferred { said, unsure } => {
                    let text = said.to_string();
                    passage.fate = Fate::Waiting(Some(said));
                    Hop::Delayed { to, text, unsure }
                }
            };
            self.note(hop);
        }
    }

    /// Five days are over, or the time by which the sender wanted it delivered.
    fn give_up(&mut self) {
        for passage in &mut self.parcel.passages {
            if let Fate::Waiting(last) = &passage.fate {
                let last = last.as_ref().map(|said| format!("; last: {said}")).unwrap_or_default();
                let said = Said { code: 554, status: (5, 4, 7), text: format!("It could not be delivered in time{last}"), host: None };
                passage.fate = Fate::Failed(said);
            }
        }
    }

    /// What is to be told is told, then the row says what comes next.
    async fn settle(mut self) -> Result<()> {
        let late = self.now() >= self.parcel.late_from();
        let report = Report::of(&self.parcel, late);
        if !report.is_empty() {
            if self.parcel.state != State::Reporting {
                self.parcel.state = State::Reporting;
                if !self.write().await? {
                    return Ok(());
                }
            }
            self.tell(&report).await?;
        }
        for (at, action) in report.told() {
            if let Some(passage) = self.parcel.passages.get_mut(at) {
                match action {
                    Action::Delayed => passage.told_late = true,
                    Action::Failed | Action::Relayed => passage.told = true,
                }
            }
        }
        let now = self.now();
        if self.parcel.waiting() == 0 {
            (self.parcel.state, self.parcel.at) = (State::Done, now);
        } else {
            let world = &self.transport().0.world;
            let at = next(&world.env, now, self.parcel.attempts, self.parcel.expires);
            // The sender is told in time.
            let at = Some(self.parcel.late_from()).filter(|from| *from > now).map_or(at, |from| at.min(from));
            // First the job, then the row: a job that comes before its row is taken for the next one.
            let leave = Leave { acceptance: self.parcel.acceptance, part: self.part, attempts: self.parcel.attempts };
            postpone(world, at, QueueName::Relay, &leave.job(self.scope.tenant(), &self.parcel.destination)).await?;
            (self.parcel.state, self.parcel.at) = (State::Waiting, at);
        }
        self.write().await?;
        Ok(())
    }

    /// To the sender. What is told is named by the parcel and its version, so telling it twice is telling it once.
    async fn tell(&self, report: &Report) -> Result<()> {
        let Ok(sender) = self.parcel.from.parse::<Address>() else { return Ok(()) };
        let (transport, tenant) = (self.transport(), self.scope.tenant());
        let leave =
            Leave { acceptance: self.parcel.acceptance, part: self.part, attempts: u32::try_from(self.parcel.version).unwrap_or(u32::MAX) };
        let acceptance = AcceptanceId::shaped(self.parcel.at, *leave.id(*b"about").as_bytes());
        let blob = Blob { acceptance: self.parcel.acceptance, length: self.parcel.length };
        let original = transport.0.mailboxes.blob(tenant, blob).await?;
        let message = report::write(report, &self.parcel, &sender, &transport.0.settings.hostname, acceptance, &original);
        let summary = mime::summarise(&message);
        let mail = Mail {
            tenant,
            acceptance,
            length: message.len() as u64,
            received: self.parcel.at,
            prefix: Bytes::from_static(b"Return-Path: <>\r\n"),
            summary: summary.encode().into(),
            from: None,
            junk: false,
            submitted: false,
        };
        match transport.directory().resolve(&sender).await? {
            Recipient::Mailbox(account) => {
                transport.0.mailboxes.put_blob(account.tenant, acceptance, vec![message]).await?;
                let mail = Mail { tenant: account.tenant, ..mail };
                send_jobs(&transport.0.world, &[Delivery { mail, to: To::Mailbox(account.principal), original: sender.to_string() }])
                    .await?;
            }
            Recipient::Outside => {
                transport.0.mailboxes.put_blob(tenant, acceptance, vec![message]).await?;
                let to =
                    Addressee { target: Target::Outside(tenant, sender), path: self.parcel.from.clone(), notify: None, original: None };
                let (from, envelope) = (String::new(), Envelope { utf8: self.parcel.envelope.utf8, ..Envelope::default() });
                let submission = Submission { mail, by: None, from, envelope, recipients: vec![to], first_part: 0, copy: None };
                transport.hand_over(&submission).await?;
            }
            // Whoever sent it is gone, or a list: nobody is to be told.
            Recipient::Group(..) | Recipient::Reports(_) | Recipient::Unknown => return Ok(()),
        }
        for (at, action) in report.told() {
            if let Some(passage) = self.parcel.passages.get(at) {
                self.note(Hop::Told { of: passage.to.path.clone(), what: action.word().to_owned(), report: acceptance });
            }
        }
        Ok(())
    }
}

impl Transport {
    /// Hands a submission in; durable when it returns.
    pub(crate) async fn hand_over(&self, submission: &Submission) -> Result<(), PortError> {
        self.hand_over_as(JobId::from_bytes(*submission.mail.acceptance.as_bytes()), submission).await
    }

    pub(super) async fn hand_over_as(&self, id: JobId, submission: &Submission) -> Result<(), PortError> {
        if let Some(until) = submission.envelope.hold_until.filter(|until| *until > self.0.world.env.now()) {
            return self.hold(submission, until).await;
        }
        let job = Job { id, tenant: submission.mail.tenant, group: submission.group(), body: submission.encode() };
        // Said to have failed, it would be handed in again, and both would leave.
        send_batch(&self.0.world, QueueName::Send, vec![job]).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    /// A queue drops a job whose id it knows: a message to a thousand destinations is a thousand jobs, and their retries.
    #[test]
    fn every_part_and_attempt_has_a_job_of_its_own() {
        let acceptance = AcceptanceId::shaped(Timestamp::from_seconds(1_000_000), [7; 16]);
        let leaves = (0..1000).flat_map(|part| (0..10).map(move |attempts| Leave { acceptance, part: 5 << 24 | 2048 | part, attempts }));
        let ids: BTreeSet<JobId> = leaves.flat_map(|leave| [leave.id(*b"leave"), leave.id(*b"about")]).collect();
        assert_eq!(ids.len(), 20_000);
    }
}
