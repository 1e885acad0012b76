//! FETCH (RFC 9051 §6.4.5). What the list knows is written at once; what needs the messages' own rows or bytes is made
//! ready by the batch on other tasks while the batch before it goes out. Each batch takes a place of its own while it is made
//! ready; the command holds none meanwhile.

mod envelope;
mod items;
mod plan;
mod section;
mod structure;

use super::{After, select, store};
use crate::grammar::Fetch;
use crate::session::{Outcome, Output, Ranks, Selected, Session, Stop};
use items::Row;
use penfold_mailbox::{Index, Keywords, Mailbox, Store, UidSet};
use penfold_ports::Turn;
use penfold_types::Modseq;
use plan::Plan;
use std::collections::VecDeque;
use std::sync::Arc;
use tokio::task::JoinHandle;

/// Messages of one batch, and octets where bodies are asked for.
const BATCH: usize = 200;
const BATCH_OCTETS: u64 = 1 << 20;
/// Batches that are made ready at once.
const WIDTH: usize = 3;

pub async fn run(session: &mut Session, fetch: Fetch, after: &mut After, out: &mut Output) -> Outcome {
    if fetch.vanished && !session.enabled.qresync {
        return Err(Stop::bad("ENABLE QRESYNC first"));
    }
    let plan = Arc::new(Plan::new(&fetch, session.enabled)?);
    if plan.enables_condstore {
        session.enable_condstore();
    }
    let by_uid = fetch.uid;
    let selected = session.selected()?;
    let uids = selected.uids(&fetch.set, by_uid)?;
    let mut index = selected.index().await?;
    let mut fresh = UidSet::new();
    if plan.sets_seen && !selected.read_only {
        (index, fresh) = set_seen(selected, index, &uids, after, out).await?;
    }
    if fetch.vanished {
        let largest = index.uids().max().map_or(0, |uid| uid.get());
        let known = fetch.set.plain_uids(u32::MAX, &selected.saved);
        let vanished = select::vanished_since(selected, &index, plan.changed_since.unwrap_or_default(), &known, largest).await?;
        select::earlier(&vanished, out);
    }
    let found = if plan.needs_content() {
        with_content(selected, &index, &uids, &fresh, plan.clone(), out).await?
    } else {
        from_list(selected, &index, &uids, &plan, out).await?
    };
    // Where nothing was changed by this command, the list that was read tells how far the log need be looked at.
    if fresh.is_empty() {
        after.seen = Some(index.modseq());
    }
    match found {
        Found { broken: true, .. } => Err(Stop::no("[SERVERBUG] some messages cannot be read")),
        Found { unknown_encoding: true, .. } => Err(Stop::no("[UNKNOWN-CTE] a part has an encoding that is not known")),
        // RFC 2180 §4.1 and RFC 5530: asked for by number, and gone meanwhile.
        Found { missing, .. } if missing > 0 && !by_uid => Err(Stop::no("[EXPUNGEISSUED] some messages are gone")),
        _ => Ok("fetched".into()),
    }
}

/// How it went.
#[derive(Clone, Copy, Default)]
pub struct Found {
    missing: u32,
    broken: bool,
    unknown_encoding: bool,
}

impl Found {
    fn add(&mut self, other: Self) {
        self.missing += other.missing;
        self.broken |= other.broken;
        self.unknown_encoding |= other.unknown_encoding;
    }
}

/// RFC 9051 §6.4.5: reading a body sets `\Seen`. Done for all of them first; the new flags go out with the bodies.
async fn set_seen(
    selected: &Selected,
    index: Arc<Index>,
    uids: &UidSet,
    after: &mut After,
    out: &mut Output,
) -> Result<(Arc<Index>, UidSet), Stop> {
    let unseen: UidSet = index.select(uids).filter(|message| !message.keywords.seen()).map(|message| message.uid).collect();
    if unseen.is_empty() {
        return Ok((index, unseen));
    }
    // A mailbox that may only be read is read all the same.
    let Ok(stored) = store::change(selected, &unseen, Store::Add, &Keywords::SEEN, None, &mut out.turn).await else {
        return Ok((index, UidSet::new()));
    };
    after.told = stored.now.iter().map(|(uid, _, modseq)| (*uid, *modseq)).collect();
    Ok((selected.index().await?, unseen))
}

/// Everything asked for is in the list.
async fn from_list(selected: &Selected, index: &Index, uids: &UidSet, plan: &Plan, out: &mut Output) -> Result<Found, Stop> {
    let mut ranks = Ranks::new(&selected.announced);
    let mut count = 0u32;
    for message in index.select(uids) {
        count += 1;
        let Some(rank) = ranks.of(message.uid) else { continue };
        if plan.changed_since.is_some_and(|since| message.modseq <= since) {
            continue;
        }
        items::from_list(&mut out.buf, rank, &message, plan);
        out.breathe().await?;
    }
    Ok(Found { missing: uids.len().saturating_sub(count), ..Found::default() })
}

/// A batch that is being made ready.
struct Pending(JoinHandle<Result<Ready, Stop>>);

impl Drop for Pending {
    fn drop(&mut self) {
        self.0.abort();
    }
}

enum Ready {
    Written(Vec<u8>, Found),
    /// Too large to be collected: it is written piece by piece, as fast as the client takes it.
    Large(Row),
}

async fn with_content(
    selected: &Selected,
    index: &Index,
    uids: &UidSet,
    fresh: &UidSet,
    plan: Arc<Plan>,
    out: &mut Output,
) -> Result<Found, Stop> {
    let mut found = Found::default();
    let mut ranks = Ranks::new(&selected.announced);
    let mut pending: VecDeque<Pending> = VecDeque::new();
    let mut batch: Vec<Row> = Vec::new();
    let mut octets = 0u64;
    let mut count = 0u32;
    out.turn.rest();
    for message in index.select(uids) {
        count += 1;
        let Some(rank) = ranks.of(message.uid) else { continue };
        if plan.changed_since.is_some_and(|since| message.modseq <= since) {
            continue;
        }
        let size = if plan.reads_bodies { u64::from(message.size) } else { 0 };
        if batch.len() >= BATCH || (octets + size > BATCH_OCTETS && !batch.is_empty()) {
            start(&mut pending, selected, &plan, std::mem::take(&mut batch), octets, out.turn.another());
            octets = 0;
            if pending.len() >= WIDTH {
                write_first(&mut pending, selected, &plan, &mut found, out).await?;
            }
        }
        octets += size;
        batch.push(Row::new(rank, &message, fresh.contains(message.uid)));
    }
    found.missing = uids.len().saturating_sub(count);
    if !batch.is_empty() {
        start(&mut pending, selected, &plan, batch, octets, out.turn.another());
    }
    while !pending.is_empty() {
        write_first(&mut pending, selected, &plan, &mut found, out).await?;
    }
    out.turn.take().await;
    Ok(found)
}

fn start(pending: &mut VecDeque<Pending>, selected: &Selected, plan: &Arc<Plan>, rows: Vec<Row>, octets: u64, turn: Turn) {
    let (mailbox, plan) = (selected.mailbox.clone(), plan.clone());
    pending.push_back(Pending(tokio::spawn(make_ready(mailbox, plan, rows, octets, turn))));
}

async fn make_ready(mailbox: Mailbox, plan: Arc<Plan>, mut rows: Vec<Row>, octets: u64, mut turn: Turn) -> Result<Ready, Stop> {
    if octets > BATCH_OCTETS
        && rows.len() == 1
        && let Some(row) = rows.pop()
    {
        return Ok(Ready::Large(row));
    }
    turn.take().await;
    let mut out = Output::memory();
    let found = items::with_content(&mailbox, &plan, &rows, &mut out).await?;
    Ok(Ready::Written(out.buf, found))
}

async fn write_first(
    pending: &mut VecDeque<Pending>,
    selected: &Selected,
    plan: &Plan,
    found: &mut Found,
    out: &mut Output,
) -> Result<(), Stop> {
    let Some(mut first) = pending.pop_front() else { return Ok(()) };
    let ready = match (&mut first.0).await {
        Ok(ready) => ready?,
        Err(error) => {
            tracing::error!(%error, "a batch of FETCH ended early");
            return Err(Stop::no("[SERVERBUG] the messages cannot be read"));
        }
    };
    match ready {
        Ready::Written(bytes, one) => {
            found.add(one);
            if out.buf.is_empty() {
                out.buf = bytes;
            } else {
                out.buf.extend_from_slice(&bytes);
            }
        }
        Ready::Large(row) => {
            out.turn.take().await;
            found.add(items::with_content(&selected.mailbox, plan, std::slice::from_ref(&row), out).await?);
            out.turn.rest();
        }
    }
    Ok(out.breathe().await?)
}

/// The modseq that CHANGEDSINCE names.
fn since(fetch: &Fetch) -> Option<Modseq> {
    fetch.changed_since.map(Modseq)
}
