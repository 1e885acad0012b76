//! The way of a message: who sent it to whom, what was decided about it and why, where it went. Best effort on purpose: entries
//! are gathered in memory, written in the background many to a row, and dropped where there are too many. What must not be
//! lost is in the jobs and in the change logs. A row lives for 90 days.

mod search;

pub use search::{Found, Search, find, search};

use crate::codec::{Reader, Writer};
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_ports::{Commit, Query, Row, Sk, TenantScope, Value, World, Write, limits};
use penfold_types::{AcceptanceId, CommitId, FolderId, PrincipalId, Result, TenantId, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Notify, watch};

const DAY: i64 = 86_400;
/// Bytes of entries in one row.
const ROW: usize = 32 * 1024;
/// Bytes of entries that wait to be written; more are dropped.
const WAITING: usize = 8 * 1024 * 1024;
/// How long entries are gathered.
const GATHER: Duration = Duration::from_secs(1);
/// For how many days what was traced can be asked for.
pub const KEPT_DAYS: i64 = 90;
/// Mail that is turned away is noted so often a minute for one tenant: anybody can make us refuse something.
const TURNED: u32 = 100;
/// Recipients in one entry.
const RECIPIENTS: usize = 40;
/// The longest text that an entry keeps.
const TEXT: usize = 250;
/// The longest Authentication-Results that an entry keeps.
const RESULTS: usize = 1000;
const VERSION: u64 = 1;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hop {
    Accepted {
        message_id: String,
        from: String,
        peer: String,
        bytes: u64,
    },
    /// To whom, as the envelope said.
    To {
        to: Vec<String>,
    },
    /// What was found out about where it comes from (RFC 8601), and where that puts it.
    Judged {
        results: String,
        junk: bool,
    },
    /// It was not taken; `to` is empty where that was about all recipients.
    Turned {
        from: String,
        to: String,
        peer: String,
        why: String,
    },
    Queued {
        jobs: u64,
    },
    /// It does not leave before its time.
    Held {
        until: Timestamp,
    },
    /// A page of a group became jobs.
    Expanded {
        group: PrincipalId,
        members: u64,
    },
    Delivered {
        account: PrincipalId,
        folder: FolderId,
        uid: u32,
        modseq: u64,
    },
    /// Was there already: the job was done twice.
    Repeated {
        account: PrincipalId,
    },
    Failed {
        target: PrincipalId,
        text: String,
    },
    /// Another host took it.
    Sent {
        to: String,
        text: String,
        /// How the connection was protected; empty where it was not.
        tls: String,
    },
    /// Another host will not take it.
    Refused {
        to: String,
        text: String,
    },
    /// It is tried again. `unsure`: the other host may have taken it all the same.
    Delayed {
        to: String,
        text: String,
        unsure: bool,
    },
    /// An attempt ended without anybody knowing how.
    Unsure {
        destination: String,
    },
    /// It was a report about the tenant's mail and is kept as such; or it was none, and went to the postmaster.
    Filed {
        text: String,
    },
    /// The sender was told, by a message of this id.
    Told {
        of: String,
        what: String,
        report: AcceptanceId,
    },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    pub at: Timestamp,
    pub acceptance: AcceptanceId,
    pub hop: Hop,
}

impl Entry {
    fn encode(&self, out: &mut Writer) {
        out.i64(self.at.millis()).id(self.acceptance.as_bytes());
        match &self.hop {
            Hop::Accepted { message_id, from, peer, bytes } => {
                out.u8(1).bytes(cut(message_id)).bytes(cut(from)).bytes(cut(peer)).number(*bytes);
            }
            Hop::Queued { jobs } => {
                out.u8(2).number(*jobs);
            }
            Hop::To { to } => {
                out.u8(14).number(to.len() as u64);
                for one in to {
                    out.bytes(cut(one));
                }
            }
            Hop::Judged { results, junk } => {
                out.u8(15).bytes(results.as_bytes().get(..RESULTS).unwrap_or(results.as_bytes())).u8((*junk).into());
            }
            Hop::Turned { from, to, peer, why } => {
                out.u8(16).bytes(cut(from)).bytes(cut(to)).bytes(cut(peer)).bytes(cut(why));
            }
            Hop::Held { until } => {
                out.u8(13).i64(until.millis());
            }
            Hop::Expanded { group, members } => {
                out.u8(3).id(group.as_bytes()).number(*members);
            }
            Hop::Delivered { account, folder, uid, modseq } => {
                out.u8(4).id(account.as_bytes()).id(folder.as_bytes()).number(u64::from(*uid)).number(*modseq);
            }
            Hop::Repeated { account } => {
                out.u8(5).id(account.as_bytes());
            }
            Hop::Failed { target, text } => {
                out.u8(7).id(target.as_bytes()).bytes(cut(text));
            }
            Hop::Sent { to, text, tls } => {
                out.u8(8).bytes(cut(to)).bytes(cut(text)).bytes(cut(tls));
            }
            Hop::Refused { to, text } => {
                out.u8(9).bytes(cut(to)).bytes(cut(text));
            }
            Hop::Delayed { to, text, unsure } => {
                out.u8(10).bytes(cut(to)).bytes(cut(text)).u8((*unsure).into());
            }
            Hop::Unsure { destination } => {
                out.u8(11).bytes(cut(destination));
            }
            Hop::Filed { text } => {
                out.u8(40).bytes(cut(text));
            }
            Hop::Told { of, what, report } => {
                out.u8(12).bytes(cut(of)).bytes(cut(what)).id(report.as_bytes());
            }
        }
    }

    fn decode(from: &mut Reader) -> Option<Self> {
        let (at, acceptance) = (Timestamp::from_millis(from.i64()?), AcceptanceId::from_bytes(from.id()?));
        let hop = match from.u8()? {
            1 => Hop::Accepted { message_id: lossy(from)?, from: lossy(from)?, peer: lossy(from)?, bytes: from.number()? },
            2 => Hop::Queued { jobs: from.number()? },
            3 => Hop::Expanded { group: PrincipalId::from_bytes(from.id()?), members: from.number()? },
            4 => Hop::Delivered {
                account: PrincipalId::from_bytes(from.id()?),
                folder: FolderId::from_bytes(from.id()?),
                uid: u32::try_from(from.number()?).ok()?,
                modseq: from.number()?,
            },
            5 => Hop::Repeated { account: PrincipalId::from_bytes(from.id()?) },
            7 => Hop::Failed { target: PrincipalId::from_bytes(from.id()?), text: lossy(from)? },
            8 => Hop::Sent { to: lossy(from)?, text: lossy(from)?, tls: lossy(from)? },
            9 => Hop::Refused { to: lossy(from)?, text: lossy(from)? },
            10 => Hop::Delayed { to: lossy(from)?, text: lossy(from)?, unsure: from.u8()? > 0 },
            11 => Hop::Unsure { destination: lossy(from)? },
            40 => Hop::Filed { text: lossy(from)? },
            12 => Hop::Told { of: lossy(from)?, what: lossy(from)?, report: AcceptanceId::from_bytes(from.id()?) },
            14 => Hop::To { to: (0..from.number()?.min(RECIPIENTS as u64)).map(|_| lossy(from)).collect::<Option<_>>()? },
            15 => Hop::Judged { results: lossy(from)?, junk: from.u8()? > 0 },
            16 => Hop::Turned { from: lossy(from)?, to: lossy(from)?, peer: lossy(from)?, why: lossy(from)? },
            13 => Hop::Held { until: Timestamp::from_millis(from.i64()?) },
            _ => return None,
        };
        Some(Self { at, acceptance, hop })
    }
}

fn cut(text: &str) -> &[u8] {
    text.as_bytes().get(..TEXT).unwrap_or(text.as_bytes())
}

fn lossy(from: &mut Reader) -> Option<String> {
    Some(String::from_utf8_lossy(&from.bytes()?).into_owned())
}

/// Gathers entries. Cheap to clone.
#[derive(Clone)]
pub struct Tracer {
    world: World,
    waiting: Arc<Waiting>,
}

#[derive(Default)]
struct Waiting {
    entries: Mutex<(BTreeMap<TenantId, Writer>, usize)>,
    /// The minute, and how much was turned away in it.
    turned: Mutex<(i64, BTreeMap<TenantId, u32>)>,
    some: Notify,
}

impl Tracer {
    pub(crate) fn new(world: World) -> Self {
        Self { world, waiting: Arc::default() }
    }

    pub fn note(&self, tenant: TenantId, acceptance: AcceptanceId, hop: Hop) {
        let entry = Entry { at: self.world.env.now(), acceptance, hop };
        let mut waiting = self.waiting.entries.lock();
        let (tenants, size) = &mut *waiting;
        if *size > WAITING {
            return;
        }
        let out = tenants.entry(tenant).or_default();
        let before = out.0.len();
        entry.encode(out);
        *size += out.0.len() - before;
        self.waiting.some.notify_one();
    }

    /// To whom a message goes.
    pub(crate) fn note_recipients<'a>(&self, tenant: TenantId, acceptance: AcceptanceId, to: impl Iterator<Item = &'a str>) {
        let to: Vec<String> = to.map(str::to_owned).collect();
        for part in to.chunks(RECIPIENTS) {
            self.note(tenant, acceptance, Hop::To { to: part.to_vec() });
        }
    }

    /// What was not taken. Some of it, where there is very much.
    pub(crate) fn note_turned(&self, tenant: TenantId, from: &str, to: &str, peer: &str, why: &str) {
        let minute = self.world.env.now().seconds() / 60;
        {
            let mut turned = self.waiting.turned.lock();
            if turned.0 != minute {
                *turned = (minute, BTreeMap::new());
            }
            let count = turned.1.entry(tenant).or_default();
            *count += 1;
            if *count > TURNED {
                return;
            }
        }
        let [from, to, peer, why] = [from, to, peer, why].map(str::to_owned);
        self.note(tenant, AcceptanceId::new(&self.world.env), Hop::Turned { from, to, peer, why });
    }

    /// Writes entries in the background until the shutdown, and once more then.
    pub async fn run(self, grant: impl Fn(TenantId) -> TenantScope, mut shutdown: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                _ = shutdown.wait_for(|down| *down) => break,
                () = self.waiting.some.notified() => (),
            }
            tokio::select! {
                biased;
                _ = shutdown.wait_for(|down| *down) => break,
                () = self.world.env.sleep(GATHER) => (),
            }
            self.flush(&grant).await;
        }
        self.flush(&grant).await;
    }

    /// Writes what was gathered so far.
    pub async fn flush(&self, grant: &impl Fn(TenantId) -> TenantScope) {
        let (tenants, _) = std::mem::take(&mut *self.waiting.entries.lock());
        for (tenant, entries) in tenants {
            let scope = grant(tenant);
            let mut rest = Bytes::from(entries.0);
            while !rest.is_empty() {
                let piece = whole_entries(&mut rest);
                if piece.is_empty() {
                    break;
                }
                if let Err(error) = self.world.table.put(self.row(&scope, piece)).await {
                    tracing::warn!(target: "mail", %error, "a piece of the message trace was dropped");
                }
            }
        }
    }

    fn row(&self, scope: &TenantScope, piece: Bytes) -> Write {
        let now = self.world.env.now();
        let unique = self.world.env.random_u64();
        let sk = [now.millis().max(0).to_be_bytes(), unique.to_be_bytes()].concat();
        let ends = now.seconds().saturating_add((KEPT_DAYS + 1) * DAY).max(0).unsigned_abs();
        let row = Row::new().with("v", VERSION).with("e", Value::B(piece)).with("exp", ends);
        Write::put(scope.trace(day(now), Sk::from_stored(&sk)), row)
    }
}

/// Takes entries off the front until they fill a row.
fn whole_entries(rest: &mut Bytes) -> Bytes {
    let mut reader = Reader(rest.clone());
    let mut end = 0;
    while end < ROW && Entry::decode(&mut reader).is_some() {
        end = rest.len() - reader.0.len();
    }
    rest.split_to(end)
}

fn day(at: Timestamp) -> i64 {
    at.seconds().div_euclid(DAY)
}

/// Forgets what is older than can be asked for, where the store does not do that by itself. Stops at a month of nothing.
pub async fn forget_old(world: &World, scope: &TenantScope) -> Result<()> {
    const MONTH: u32 = 30;
    let (mut old, mut empty) = (day(world.env.now()) - KEPT_DAYS - 1, 0);
    while empty < MONTH && old >= 0 {
        let start = Sk::from_stored(&[0]);
        let pk = scope.trace(old, start.clone()).pk().clone();
        let page = world.table.query(&Query { pk, from: start, to: None, limit: limits::WRITES, reverse: false }).await?;
        empty = if page.rows.is_empty() { empty + 1 } else { 0 };
        if page.rows.is_empty() {
            old -= 1;
            continue;
        }
        let writes = page.rows.iter().map(|(sk, _)| Write::delete(scope.trace(old, sk.clone()))).collect();
        world.table.commit(&Commit { id: CommitId::new(&world.env), writes }).await?;
    }
    Ok(())
}
