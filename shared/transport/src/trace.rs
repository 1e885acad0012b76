//! The way of a message: accepted, queued, expanded, delivered. Best effort on purpose: entries are gathered in memory,
//! written in the background many to a row, and dropped where there are too many. What must not be lost is in the jobs
//! and in the change logs.

use crate::codec::{Reader, Writer};
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_ports::{Query, Row, Sk, TenantScope, Value, World, Write};
use penfold_types::{AcceptanceId, Error, FolderId, PrincipalId, Result, TenantId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
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
/// How far back a Message-ID is looked for, and how long after its acceptance a message is followed.
const BACK_DAYS: i64 = 14;
const AHEAD_DAYS: i64 = 5;
/// Entries of one answer.
const ENTRIES: usize = 10_000;
/// The longest text that an entry keeps.
const TEXT: usize = 250;
const VERSION: u64 = 1;

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hop {
    Accepted {
        message_id: String,
        from: String,
        peer: String,
        bytes: u64,
    },
    Queued {
        jobs: u64,
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
                if let Err(error) = self.world.table.put(Write::put(self.key(&scope), row(piece))).await {
                    tracing::warn!(target: "mail", %error, "a piece of the message trace was dropped");
                }
            }
        }
    }

    fn key(&self, scope: &TenantScope) -> penfold_ports::Key {
        let now = self.world.env.now();
        let unique = self.world.env.random_u64();
        let sk = [now.millis().max(0).to_be_bytes(), unique.to_be_bytes()].concat();
        scope.trace(day(now), Sk::from_stored(&sk))
    }
}

fn row(piece: Bytes) -> Row {
    Row::new().with("v", VERSION).with("e", Value::B(piece))
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

/// What is known of a message, by its acceptance id (as in Received and in the 250) or its Message-ID, in order of time.
pub async fn find(world: &World, scope: &TenantScope, wanted: &str) -> Result<Vec<Entry>> {
    let wanted = wanted.trim();
    if let Ok(acceptance) = wanted.parse::<AcceptanceId>() {
        return follow(world, scope, &BTreeSet::from([acceptance])).await;
    }
    let bare = wanted.trim_start_matches('<').trim_end_matches('>');
    if bare.is_empty() {
        return Err(Error::invalid("give a Message-ID, or the id that the 250 answer named"));
    }
    let today = day(world.env.now());
    for back in 0..BACK_DAYS {
        let mut found = BTreeSet::new();
        each(world, scope, today - back, 0, |entry| {
            if matches!(&entry.hop, Hop::Accepted { message_id, .. } if is_id(message_id, bare)) {
                found.insert(entry.acceptance);
            }
            found.len() < ENTRIES
        })
        .await?;
        if !found.is_empty() {
            return follow(world, scope, &found).await;
        }
    }
    Ok(Vec::new())
}

fn is_id(message_id: &str, bare: &str) -> bool {
    let known = message_id.trim().trim_start_matches('<').trim_end_matches('>');
    known == bare || (known.len() >= TEXT - 2 && bare.starts_with(known))
}

async fn follow(world: &World, scope: &TenantScope, acceptances: &BTreeSet<AcceptanceId>) -> Result<Vec<Entry>> {
    let mut out = Vec::new();
    let Some(first) = acceptances.first().map(AcceptanceId::time) else { return Ok(out) };
    let last = acceptances.last().map_or(first, AcceptanceId::time);
    // An edge with a slow clock may have written a little before.
    let from = first.millis().saturating_sub(60_000);
    for day in day(first)..=(day(last) + AHEAD_DAYS).min(day(world.env.now())) {
        each(world, scope, day, from, |entry| {
            if acceptances.contains(&entry.acceptance) {
                out.push(entry);
            }
            out.len() < ENTRIES
        })
        .await?;
    }
    out.sort_by_key(|entry| (entry.at, entry.acceptance));
    Ok(out)
}

/// Reads a day's entries in the order they were written, until `keep_on` says no.
async fn each(world: &World, scope: &TenantScope, day: i64, from: i64, mut keep_on: impl FnMut(Entry) -> bool) -> Result<()> {
    let start = Sk::from_stored(&from.max(0).to_be_bytes());
    let pk = scope.trace(day, start.clone()).pk().clone();
    let mut query = Query { pk, from: start, to: None, limit: 1000, reverse: false };
    loop {
        let page = world.table.query(&query).await?;
        for (_, row) in &page.rows {
            let mut reader = Reader(row.bytes("e").cloned().unwrap_or_default());
            while let Some(entry) = Entry::decode(&mut reader) {
                if !keep_on(entry) {
                    return Ok(());
                }
            }
        }
        match page.rows.last() {
            Some((last, _)) if page.more => query.from = last.successor(),
            _ => return Ok(()),
        }
    }
}
