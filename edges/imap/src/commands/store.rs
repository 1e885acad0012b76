//! STORE (RFC 9051 §6.4.6) with UNCHANGEDSINCE and MODSEQ (RFC 7162 §3.1.3).

use super::After;
use crate::grammar::sequence::write_set;
use crate::grammar::{Store, StoreHow};
use crate::session::notices::flags;
use crate::session::{Outcome, Output, Ranks, Selected, Session, Stop, pieces};
use penfold_mailbox::{Index, Keywords, Store as How, Stored, UidSet};
use penfold_ports::Turn;
use penfold_types::{Error, Modseq, Uid};
use std::sync::Arc;

/// Reads flags as a client wrote them. `\Recent` is the server's and is passed over; the second value says so.
pub fn keywords(names: &[String]) -> Result<(Keywords, bool), Stop> {
    let recent = |name: &&String| name.eq_ignore_ascii_case("\\Recent");
    let skipped = names.iter().any(|name| recent(&name));
    let keywords = Keywords::parse(names.iter().filter(|name| !recent(name)).map(String::as_str));
    keywords.map(|keywords| (keywords, skipped)).map_err(|error| match error.kind() {
        penfold_types::Kind::Limit => Stop::no("[LIMIT] too many keywords"),
        _ => Stop::bad("not a flag that can be set"),
    })
}

pub async fn run(session: &mut Session, store: Store, after: &mut After, out: &mut Output) -> Outcome {
    if store.unchanged_since.is_some() {
        session.enable_condstore();
    }
    let condstore = session.enabled.condstore;
    let named = store.uid || session.enabled.qresync;
    let selected = session.selected()?;
    selected.writable()?;
    let uids = selected.uids(&store.set, store.uid)?;
    let (keywords, _) = keywords(&store.flags)?;
    let how = match store.how {
        StoreHow::Set => How::Set,
        StoreHow::Add => How::Add,
        StoreHow::Remove => How::Remove,
    };
    // What the client knows now: after .SILENT it reckons the new flags itself, which is right only where nobody else
    // changed the message meanwhile.
    let before = if store.silent { Some(selected.index().await?) } else { None };
    let stored = change(selected, &uids, how, &keywords, store.unchanged_since.map(Modseq), &mut out.turn).await?;
    let mut ranks = Ranks::new(&selected.announced);
    for (uid, now, modseq) in &stored.now {
        let Some(rank) = ranks.of(*uid) else { continue };
        let expected = before.as_ref().is_none_or(|before| expected(before, *uid, selected.modseq, how, &keywords).as_ref() == Some(now));
        if expected {
            after.told.push((*uid, *modseq));
        }
        if !store.silent {
            flags(&mut out.buf, rank, named.then_some(*uid), Some(now), condstore.then_some(*modseq));
        } else if expected && condstore && *modseq > selected.modseq {
            flags(&mut out.buf, rank, named.then_some(*uid), None, Some(*modseq));
        }
        out.breathe().await?;
    }
    if let Some(code) = modified(&stored, &selected.announced, store.uid) {
        return Ok(format!("[MODIFIED {code}] not all").into());
    }
    if !store.uid && uids.len() as usize != stored.now.len() {
        return Err(Stop::no("[EXPUNGEISSUED] some messages are gone"));
    }
    Ok("done".into())
}

/// Changes keywords, of many messages a part at a time: others go first in between.
pub async fn change(
    selected: &Selected,
    uids: &UidSet,
    how: How,
    keywords: &Keywords,
    unchanged_since: Option<Modseq>,
    turn: &mut Turn,
) -> Result<Stored, Error> {
    let mut all = Stored::default();
    for piece in pieces(uids) {
        let part = selected.mailbox.store(selected.folder, &piece, how, keywords, unchanged_since).await?;
        all.now.extend(part.now);
        all.modified = all.modified.union(&part.modified);
        turn.pass().await;
    }
    Ok(all)
}

/// The flags that the client must come to, if it knows the message as it was; `None` if it does not.
fn expected(before: &Arc<Index>, uid: Uid, known: Modseq, how: How, change: &Keywords) -> Option<Keywords> {
    let message = before.get(uid).filter(|message| message.modseq <= known)?;
    match how {
        How::Set => Some(change.clone()),
        How::Add => message.keywords.with(change).ok(),
        How::Remove => Some(message.keywords.without(change)),
    }
}

/// What UNCHANGEDSINCE held back, as numbers or uids.
fn modified(stored: &Stored, announced: &UidSet, uid: bool) -> Option<String> {
    if stored.modified.is_empty() {
        return None;
    }
    let set = if uid { stored.modified.clone() } else { stored.modified.iter().filter_map(|uid| announced.rank(uid).map(Uid)).collect() };
    let mut text = Vec::new();
    write_set(&mut text, &set);
    Some(String::from_utf8_lossy(&text).into_owned())
}
