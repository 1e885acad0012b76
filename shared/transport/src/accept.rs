//! The order of things at acceptance: screen, keep the bytes once for each tenant, send the jobs, and only then answer.

use crate::header::Header;
use crate::job::Mail;
use crate::outbound::{Addressee, Envelope, Submission};
use crate::screen::{Facts, Place, screen};
use crate::trace::Hop;
use crate::{Refusal, Target, Transport, header, plan, prefix, submitted};
use bytes::Bytes;
use penfold_directory::{SendRight, SignedIn};
use penfold_formats::mime::{self, Summary};
use penfold_ports::{Body, Notify, PortError, Turn};
use penfold_types::{AcceptanceId, Address, TenantId, Timestamp};
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Range;

/// Authors of one message that are looked at.
const AUTHORS: usize = 20;
/// Bytes of Bcc fields that the sender's copy keeps.
const BLIND: usize = 32 * 1024;

/// Who handed the message to us, for Received (RFC 5321 §4.4) and for what they may do.
#[derive(Clone, Debug)]
pub struct Origin {
    /// The name of HELO or EHLO.
    pub helo: String,
    pub peer: IpAddr,
    pub esmtp: bool,
    pub tls: bool,
    /// SMTPUTF8 was asked for.
    pub utf8: bool,
    /// The peer's word is taken for where its mail comes from: SPF, DKIM and DMARC are not asked.
    pub trusted: bool,
    /// Who signed in; their From must be their own.
    pub submitter: Option<SignedIn>,
}

#[derive(Clone, Debug)]
pub struct To {
    pub target: Target,
    /// As it was written in the envelope: text between angle brackets, without control characters.
    pub original: String,
    /// NOTIFY, and ORCPT as it was given (RFC 3461).
    pub notify: Option<Notify>,
    pub orcpt: Option<String>,
}

impl To {
    /// Of whom nothing more was said.
    pub fn new(target: Target, original: impl Into<String>) -> Self {
        Self { target, original: original.into(), notify: None, orcpt: None }
    }
}

/// A message on the threshold.
#[derive(Clone, Debug)]
pub struct Incoming {
    pub origin: Origin,
    /// The reverse-path as it was written; empty for the null one.
    pub from_text: String,
    pub from: Option<Address>,
    pub envelope: Envelope,
    pub recipients: Vec<To>,
    pub message: Bytes,
    pub received: Timestamp,
}

impl Transport {
    /// Takes responsibility for a message: when this returns an id, its bytes and its jobs are durable.
    pub async fn accept(&self, mut incoming: Incoming) -> Result<AcceptanceId, Refusal> {
        let inner = &self.0;
        let head = header::read(&incoming.message, &inner.settings.hostname);
        let mut facts = Facts { header: &head, size: incoming.message.len() as u64, size_limit: inner.settings.size_limit, author: None };
        self.turned(&incoming, screen(&facts))?;
        let verdicts = self.authenticate(&incoming).await;
        self.count(&incoming, verdicts.as_ref());
        facts.author = verdicts.as_ref().map(|verdicts| verdicts.dmarc.handling());
        let junk = self.turned(&incoming, screen(&facts))? == Place::Junk;
        // Not before it is known who vouches for it: other hosts are asked that, and they may be slow.
        let mut turn = self.turn(&incoming);
        turn.take().await;
        let acceptance = AcceptanceId::new(&inner.world.env);
        let not_theirs = head.not_theirs(&incoming.message, &inner.settings.hostname);
        let mut parts = match &incoming.origin.submitter {
            Some(submitter) => mended(&incoming, submitter, &head, not_theirs, acceptance),
            None => without(&incoming.message, &not_theirs),
        };
        let mut message = joined(&parts);
        let mut summary = mime::summarise(&message);
        if let Some(submitter) = &incoming.origin.submitter {
            if self.authors(submitter, &summary, head.senders).await? == SendRight::OnBehalf && head.senders == 0 {
                parts.insert(0, format!("Sender: {}\r\n", submitter.address).into());
                message = joined(&parts);
                summary = mime::summarise(&message);
            }
            self.spend(submitter, incoming.recipients.len() as u64, incoming.received).await?;
        }
        incoming.envelope.tls_optional = head.tls_optional;
        // Many say nothing of it: a host without 8BITMIME gets it converted all the same.
        if incoming.envelope.body == Body::SevenBit && !message.is_ascii() {
            incoming.envelope.body = Body::EightBit;
        }
        let prefix = prefix::build(&incoming, verdicts.as_ref(), &inner.settings.hostname, acceptance);
        let encoded = Bytes::from(summary.encode());
        let mut mails = Vec::with_capacity(1);
        let submitter = incoming.origin.submitter.as_ref();
        let home = submitter.map(|submitter| submitter.scope.tenant());
        let copy = submitter.filter(|submitter| submitter.sent_copy).map(|_| blind(&incoming.message, &head));
        let held = incoming.envelope.hold_until.is_some_and(|at| at > incoming.received);
        let mut tenants: BTreeSet<TenantId> = incoming.recipients.iter().map(|to| to.target.tenant()).collect();
        tenants.extend(home.filter(|_| held || copy.is_some()));
        for tenant in tenants {
            let blob = inner.mailboxes.put_blob(tenant, acceptance, parts.clone()).await.map_err(|error| self.refused(error))?;
            mails.push(Mail {
                tenant,
                acceptance,
                length: blob.length,
                received: incoming.received,
                prefix: prefix.clone(),
                summary: encoded.clone(),
                from: incoming.from.clone(),
                junk,
                submitted: incoming.origin.submitter.is_some(),
            });
        }
        if let Some(verdicts) = &verdicts {
            let field = verdicts.authentication_results(&inner.settings.hostname);
            let results = field.split_once(';').map_or("", |(_, results)| results).split_whitespace().collect::<Vec<_>>().join(" ");
            for mail in &mails {
                inner.tracer.note(mail.tenant, acceptance, Hop::Judged { results: results.clone(), junk });
            }
        }
        let outside = incoming.recipients.iter().find_map(|to| match &to.target {
            Target::Outside(tenant, _) => Some(*tenant),
            _ => None,
        });
        let jobs = match outside.or(home.filter(|_| held)) {
            Some(tenant) => self.submit(&incoming, tenant, &mails, &summary, copy).await?,
            None => self.deliver(&incoming, &mails, &summary, copy).await?,
        };
        tracing::info!(target: "mail", trace = %acceptance, from = %incoming.from_text, recipients = incoming.recipients.len(), jobs, bytes = message.len(), peer = %incoming.origin.peer, "accepted");
        Ok(acceptance)
    }

    /// Of whoever hands it in. What a stranger brings takes the turn of a recipient; of several that of the tenant for which the
    /// least waits, so that nobody's mail waits longer for being addressed to a flooded one as well.
    fn turn(&self, incoming: &Incoming) -> Turn {
        let turns = &self.0.settings.turns;
        if let Some(submitter) = &incoming.origin.submitter {
            return turns.of(submitter.account);
        }
        let accounts = incoming.recipients.iter().map(|to| to.target.account());
        accounts.min_by_key(|account| turns.waiting_of(account.tenant)).map_or_else(Turn::free, |account| turns.of(account))
    }

    /// Everybody is here: the jobs of mailboxes and groups at once.
    async fn deliver(&self, incoming: &Incoming, mails: &[Mail], summary: &Summary, copy: Option<Bytes>) -> Result<usize, Refusal> {
        let mut deliveries = Vec::with_capacity(incoming.recipients.len());
        for mail in mails {
            let planned = plan::deliveries(mail, incoming.recipients.iter().map(|to| (&to.target, to.original.as_str())));
            self.note(mail, incoming, summary, planned.len());
            deliveries.extend(planned);
        }
        if let (Some(blind), Some(submitter)) = (copy, &incoming.origin.submitter)
            && let Some(mail) = mails.iter().find(|mail| mail.tenant == submitter.scope.tenant())
        {
            deliveries.push(plan::sent_copy(mail, submitter.scope.viewer(), &blind)?);
        }
        self.0.send(&deliveries).await?;
        Ok(deliveries.len())
    }

    /// Somebody is elsewhere, or it is not its time yet: one job, so that all of it is handed in or nothing.
    async fn submit(
        &self,
        incoming: &Incoming,
        tenant: TenantId,
        mails: &[Mail],
        summary: &Summary,
        copy: Option<Bytes>,
    ) -> Result<usize, Refusal> {
        for mail in mails {
            self.note(mail, incoming, summary, 1);
        }
        let Some(mail) = mails.iter().find(|mail| mail.tenant == tenant) else { return Err(Refusal::Outside) };
        let addressee =
            |to: &To| Addressee { target: to.target.clone(), path: to.original.clone(), notify: to.notify, original: to.orcpt.clone() };
        let submission = Submission {
            mail: mail.clone(),
            by: incoming.origin.submitter.as_ref().map(|submitter| submitter.scope.viewer()),
            from: incoming.from_text.clone(),
            envelope: incoming.envelope.clone(),
            recipients: incoming.recipients.iter().map(addressee).collect(),
            first_part: 0,
            copy,
        };
        self.hand_over(&submission).await.map_err(|error| self.0.stopped(error))?;
        Ok(1)
    }

    /// Every address of From must be one that the person may write as, or on whose behalf, and that of Sender the person's own
    /// (RFC 6409 §6.1): the least of these rights.
    async fn authors(&self, submitter: &SignedIn, summary: &Summary, senders: usize) -> Result<SendRight, Refusal> {
        let mut least = SendRight::As;
        let mut authors = 0;
        for author in addresses(&summary.envelope.from) {
            authors += 1;
            least = least.min(self.right(submitter, author, authors).await?);
        }
        if senders > 0 {
            let mut named = addresses(&summary.envelope.sender);
            // RFC 5322 §3.6.2: one address.
            let (Some(sender), None, 1) = (named.next(), named.next(), senders) else { return Err(Refusal::NotYours) };
            if self.right(submitter, sender, 1).await? != SendRight::As {
                return Err(Refusal::NotYours);
            }
        }
        if authors == 0 { Err(Refusal::NoAuthor) } else { Ok(least) }
    }

    async fn right(&self, submitter: &SignedIn, address: String, count: usize) -> Result<SendRight, Refusal> {
        let Ok(address) = address.parse::<Address>() else { return Err(Refusal::NotYours) };
        if count > AUTHORS {
            return Err(Refusal::NotYours);
        }
        self.0.directory.send_right(submitter, &address).await?.ok_or(Refusal::NotYours)
    }

    fn refused(&self, error: penfold_types::Error) -> Refusal {
        // The one cause that a peer must hear before it sends the next message.
        if error.is_full() {
            return self.0.stopped(PortError::Full);
        }
        Refusal::Later(error)
    }

    /// Notes a refusal with each tenant whose people would have got the message.
    fn turned(&self, incoming: &Incoming, screened: Result<Place, Refusal>) -> Result<Place, Refusal> {
        if let Err(refusal) = &screened {
            let tenants: BTreeSet<TenantId> = incoming.recipients.iter().map(|to| to.target.tenant()).collect();
            for tenant in tenants {
                let own: Vec<_> = incoming.recipients.iter().filter(|to| to.target.tenant() == tenant).collect();
                let to = if let [only] = own.as_slice() { only.original.as_str() } else { "" };
                self.0.tracer.note_turned(tenant, &incoming.from_text, to, &incoming.origin.peer.to_string(), refusal.why());
            }
        }
        screened
    }

    fn note(&self, mail: &Mail, incoming: &Incoming, summary: &Summary, jobs: usize) {
        let message_id = summary.envelope.message_id.as_ref().map(|id| String::from_utf8_lossy(id).into_owned()).unwrap_or_default();
        let accepted = Hop::Accepted {
            message_id,
            from: incoming.from_text.clone(),
            peer: incoming.origin.peer.to_string(),
            bytes: incoming.message.len() as u64,
        };
        let tracer = &self.0.tracer;
        tracer.note(mail.tenant, mail.acceptance, accepted);
        // What others are written to besides is not this tenant's business.
        let to = incoming.recipients.iter().filter(|to| to.target.tenant() == mail.tenant).map(|to| to.original.as_str());
        tracer.note_recipients(mail.tenant, mail.acceptance, to);
        tracer.note(mail.tenant, mail.acceptance, Hop::Queued { jobs: jobs as u64 });
    }
}

/// RFC 5322 §3.4: only both together are an address; the rest marks a group.
fn addresses(list: &[mime::Mailbox]) -> impl Iterator<Item = String> + '_ {
    list.iter().filter_map(|one| {
        let (local, host) = (one.mailbox.as_ref()?, one.host.as_ref()?);
        Some(format!("{}@{}", String::from_utf8_lossy(local), String::from_utf8_lossy(host)))
    })
}

/// The fields that only whoever sent the message sees, where they are not longer than a job can carry.
fn blind(message: &Bytes, head: &Header) -> Bytes {
    let fields: Vec<Bytes> = head.blind.iter().map(|field| message.slice(field.clone())).collect();
    Some(fields.concat()).filter(|fields| fields.len() <= BLIND).unwrap_or_default().into()
}

/// The message of a person, as everybody else gets it.
fn mended(incoming: &Incoming, submitter: &SignedIn, head: &Header, mut gaps: Vec<Range<usize>>, acceptance: AcceptanceId) -> Vec<Bytes> {
    let sender = incoming.from.as_ref().unwrap_or(&submitter.address).domain();
    let changes = submitted::changes(head, &incoming.message, acceptance, sender, incoming.received);
    gaps.extend(changes.gaps);
    gaps.sort_unstable_by_key(|gap| gap.start);
    let mut parts = without(&incoming.message, &gaps);
    if !changes.front.is_empty() {
        parts.insert(0, changes.front.into());
    }
    if !changes.behind.is_empty() {
        parts.push(changes.behind.into());
    }
    parts
}

/// The message without some ranges of it, in order and without copying.
fn without(message: &Bytes, gaps: &[Range<usize>]) -> Vec<Bytes> {
    let mut parts = Vec::with_capacity(gaps.len() + 1);
    let mut at = 0;
    for gap in gaps {
        if gap.start > at {
            parts.push(message.slice(at..gap.start));
        }
        at = gap.end;
    }
    parts.push(message.slice(at..));
    parts
}

/// One piece for the parser; copied only where something was cut out of the middle.
fn joined(parts: &[Bytes]) -> Bytes {
    match parts {
        [only] => only.clone(),
        several => several.concat().into(),
    }
}
