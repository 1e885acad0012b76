//! Acceptance: what stands between a protocol that takes a message and the account that keeps it. A recipient is judged
//! ([`Transport::recipient`]), a message is screened, kept once for each tenant and turned into jobs
//! ([`Transport::accept`]), and only then may the protocol say yes. `functions/deliver` does the jobs.
//!
//! | file | what |
//! |---|---|
//! | accept.rs | the order of things at acceptance |
//! | authenticate.rs | SPF, DKIM and DMARC of a message that comes from another host |
//! | screen.rs | the one decision whether a message may come in; a spam filter will speak there |
//! | submitted.rs | what a message gets when a person hands it in |
//! | allowance.rs | how much a person may hand in |
//! | prefix.rs | our fields in front of the message: Return-Path, Received |
//! | header.rs | the few facts of a header that acceptance needs |
//! | plan.rs, job.rs | the jobs of a message, and their bytes |
//! | outbound/ | the way out: submissions, parcels, attempts, reports |
//! | work.rs | the loop of a process that takes jobs |
//! | recipient.rs, overload.rs | the answers before the data |
//! | trace.rs | the way of a message, for `penfold trace` |

mod accept;
mod allowance;
mod authenticate;
mod codec;
mod date;
mod header;
pub mod job;
mod naming;
pub mod outbound;
mod overload;
mod plan;
mod prefix;
mod recipient;
mod refusal;
mod screen;
mod submitted;
pub mod trace;
pub mod work;

#[cfg(test)]
mod tests;

pub use accept::{Incoming, Origin, To};
pub use date::date;
pub use header::HEADER_LIMIT;
pub use plan::{job_id, send_jobs};
pub use recipient::Target;
pub use refusal::Refusal;

use overload::Load;
use parking_lot::Mutex;
use penfold_authentication::Algorithm;
use penfold_directory::Directory;
use penfold_domains::{Domains, Signers};
use penfold_mailbox::Mailboxes;
use penfold_ports::{Turns, World};
use penfold_reports::Tally;
use penfold_types::Address;
use recipient::Room;
use std::sync::Arc;
use std::time::Duration;
use trace::Tracer;

/// Recipients a day of a person whose tenant is on trial.
const TRIAL_RECIPIENTS: u64 = 200;

#[derive(Clone, Debug)]
pub struct Settings {
    /// Our name in Received; a fully qualified domain name.
    pub hostname: String,
    /// Octets of one message at most.
    pub size_limit: u64,
    /// No new mail while the oldest job waits longer.
    pub oldest: Duration,
    /// Jobs of one tenant that may wait before its new mail has to.
    pub share: usize,
    /// Who reads mail to the postmaster of the host itself (RFC 5321 §4.5.1).
    pub postmaster: Option<Address>,
    /// There is a relay, so that mail may leave.
    pub sends: bool,
    /// What a new domain's mail is signed with.
    pub signatures: &'static [Algorithm],
    /// What one person may hand in: recipients a day (UTC), messages a minute. 0 is no limit.
    pub recipients_per_day: u64,
    pub messages_per_minute: u64,
    /// What is found of strangers' mail is counted for reports to their domains (RFC 9990).
    pub reports: bool,
    /// Places for messages to be taken in: read, sealed and kept.
    pub turns: Turns,
}

impl Settings {
    /// What a person of a tenant on trial may hand in.
    pub(crate) fn on_trial(&self) -> Self {
        let at_most = |limit: u64, most: u64| if limit == 0 { most } else { limit.min(most) };
        Self { recipients_per_day: at_most(self.recipients_per_day, TRIAL_RECIPIENTS), ..self.clone() }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            hostname: "localhost".to_owned(),
            size_limit: 50 * 1024 * 1024,
            oldest: Duration::from_secs(60),
            share: 20_000,
            postmaster: None,
            sends: false,
            signatures: &[Algorithm::RsaSha256, Algorithm::Ed25519Sha256],
            recipients_per_day: 10_000,
            messages_per_minute: 30,
            reports: false,
            turns: Turns::new(0),
        }
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Transport(Arc<Inner>);

struct Inner {
    world: World,
    directory: Directory,
    mailboxes: Mailboxes,
    settings: Settings,
    signers: Signers,
    tracer: Tracer,
    tally: Tally,
    load: Load,
    room: Mutex<Room>,
}

impl Transport {
    pub fn new(world: &World, directory: Directory, mailboxes: Mailboxes, settings: Settings) -> Self {
        let tracer = Tracer::new(world.named("trace"));
        let tally = Tally::new(world);
        let signers = Signers::new(Domains::with_algorithms(&world.named("domains"), directory.clone(), settings.signatures));
        let world = world.named("accept");
        Self(Arc::new(Inner {
            world,
            directory,
            mailboxes,
            settings,
            signers,
            tracer,
            tally,
            load: Load::default(),
            room: Mutex::default(),
        }))
    }

    /// Where the ways of messages are noted. Its [`Tracer::run`] must be running for them to be kept.
    pub fn tracer(&self) -> &Tracer {
        &self.0.tracer
    }

    /// What is counted for reports. Its [`Tally::run`] must be running for them to be sent.
    pub fn tally(&self) -> &Tally {
        &self.0.tally
    }

    pub fn directory(&self) -> &Directory {
        &self.0.directory
    }
}
