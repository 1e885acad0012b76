//! What happened in the selected mailbox since the client was told last: EXISTS, EXPUNGE or VANISHED, FETCH FLAGS
//! (RFC 9051 §7.4 and §7.5, RFC 7162 §3.2.10). All of it is read off the change log, for other sessions' changes and for
//! our own alike.

use super::{Output, Selected, Session, Stop};
use crate::grammar::sequence::write_set;
use crate::grammar::write::{number, words};
use penfold_mailbox::{Delta, Event, Keywords, UidSet};
use penfold_types::{Modseq, Uid};
use std::collections::BTreeMap;

/// What may be said, and what has been said already.
#[derive(Clone, Copy, Default)]
pub struct When<'a> {
    /// EXPUNGE and VANISHED are allowed here.
    pub expunge: bool,
    /// Messages, ascending, whose flags the client knows as they were at a commit: the command itself has told them.
    pub told: &'a [(Uid, Modseq)],
    /// The command saw the mailbox at this commit: nothing newer need be looked for.
    pub seen: Option<Modseq>,
}

/// The sum of a stretch of the log.
#[derive(Default)]
struct News {
    to: Modseq,
    added: UidSet,
    vanished: UidSet,
    flags: BTreeMap<Uid, (Modseq, Keywords)>,
}

impl Session {
    /// Announces what is new. The mailbox is closed where it is gone or may no longer be seen.
    pub async fn notices(&mut self, when: When<'_>, out: &mut Output) -> Result<(), Stop> {
        let Some(selected) = self.selected.as_deref() else { return Ok(()) };
        let nothing = when.seen == Some(selected.modseq) && (selected.gone.is_empty() || !when.expunge);
        if nothing {
            return Ok(());
        }
        let news = if when.seen == Some(selected.modseq) {
            News { to: selected.modseq, ..News::default() }
        } else {
            match news(selected, when.told).await? {
                Some(news) => news,
                None => {
                    self.close(out);
                    return Ok(());
                }
            }
        };
        let (qresync, condstore, rev2) = (self.enabled.qresync, self.enabled.condstore, self.enabled.rev2);
        let Some(selected) = self.selected.as_deref_mut() else { return Ok(()) };
        selected.modseq = news.to;
        let mut gone = std::mem::take(&mut selected.gone);
        if !news.vanished.is_empty() {
            gone = gone.union(&news.vanished.intersection(&selected.announced));
        }
        if when.expunge && !gone.is_empty() {
            expunged(&mut out.buf, &selected.announced, &gone, qresync);
            selected.announced = selected.announced.difference(&gone);
            selected.saved = selected.saved.difference(&gone);
        } else {
            selected.gone = gone;
        }
        let added = news.added.difference(&selected.announced);
        if !added.is_empty() {
            selected.announced = selected.announced.union(&added);
            out.buf.extend_from_slice(b"* ");
            number(&mut out.buf, selected.announced.len().into());
            out.buf.extend_from_slice(b" EXISTS\r\n");
        }
        let mut ranks = super::Ranks::new(&selected.announced);
        for (uid, (modseq, keywords)) in &news.flags {
            if let Some(rank) = ranks.of(*uid) {
                flags(&mut out.buf, rank, (qresync || rev2).then_some(*uid), Some(keywords), condstore.then_some(*modseq));
            }
        }
        drop(news);
        out.breathe().await?;
        Ok(())
    }

    /// The selected mailbox may no longer be seen: it is closed, and the client is told (RFC 7162 §3.2.11, CLOSED).
    pub fn close(&mut self, out: &mut Output) {
        if self.selected.take().is_some() {
            out.untagged("OK [CLOSED] the mailbox is closed");
        }
    }

    /// Reads the right to a selected mailbox of somebody else's again. Without it the mailbox is closed and no data is given.
    pub async fn recheck_right(&mut self, out: &mut Output) -> Result<(), Stop> {
        let Some(selected) = self.selected.as_deref() else { return Ok(()) };
        let Some(owner) = selected.owner else { return Ok(()) };
        match self.open_others_folder(owner, selected.folder).await {
            // What it may do is as it is now.
            Ok(mailbox) => {
                let unnoted = selected.unnoted && !self.note_visit(owner).await?;
                let selected = self.selected_mut()?;
                (selected.mailbox, selected.unnoted) = (mailbox, unnoted);
                Ok(())
            }
            Err(stop) => {
                self.close(out);
                Err(stop)
            }
        }
    }
}

/// `None` where the folder is gone.
async fn news(selected: &Selected, told: &[(Uid, Modseq)]) -> Result<Option<News>, Stop> {
    let mut news = News::default();
    match selected.mailbox.changes(selected.folder, selected.modseq).await? {
        Delta::Gone => return Ok(None),
        Delta::Events { to, events } => {
            news.to = to;
            for (modseq, event) in events {
                match event {
                    Event::Added { uid, .. } => news.added.insert(uid),
                    Event::Keywords { uid, keywords } => {
                        // A message that is new to the client is asked about by itself.
                        let known = told
                            .binary_search_by_key(&uid, |(uid, _)| *uid)
                            .is_ok_and(|at| told.get(at).is_some_and(|(_, to)| modseq <= *to));
                        if !known && !news.added.contains(uid) {
                            news.flags.insert(uid, (modseq, keywords));
                        }
                    }
                    Event::Vanished { uid } => {
                        news.flags.remove(&uid);
                        if !news.added.remove(uid) {
                            news.vanished.insert(uid);
                        }
                    }
                }
            }
        }
        Delta::TooOld => {
            // The log no longer goes back so far: the list itself tells the difference.
            let index = selected.index().await?;
            let alive = index.uids();
            news.to = index.modseq();
            news.vanished = selected.announced.difference(&alive);
            news.added = alive.difference(&selected.announced);
            for message in index.select(&selected.announced) {
                if message.modseq > selected.modseq {
                    news.flags.insert(message.uid, (message.modseq, message.keywords.clone()));
                }
            }
        }
    }
    Ok(Some(news))
}

/// `* n EXPUNGE` from the highest number down, so that no number has to be reckoned anew; or one VANISHED.
fn expunged(out: &mut Vec<u8>, announced: &UidSet, gone: &UidSet, qresync: bool) {
    if qresync {
        out.extend_from_slice(b"* VANISHED ");
        write_set(out, gone);
        out.extend_from_slice(b"\r\n");
        return;
    }
    for (from, to) in gone.runs().iter().rev() {
        // A run of what is gone is a run of what was announced: nothing lies between.
        let Some(first) = announced.rank(Uid(*from)) else { continue };
        for rank in (first..=first + (to - from)).rev() {
            out.extend_from_slice(b"* ");
            number(out, rank.into());
            out.extend_from_slice(b" EXPUNGE\r\n");
        }
    }
}

/// A FETCH response about flags.
pub fn flags(out: &mut Vec<u8>, rank: u32, uid: Option<Uid>, keywords: Option<&Keywords>, modseq: Option<Modseq>) {
    out.extend_from_slice(b"* ");
    number(out, rank.into());
    out.extend_from_slice(b" FETCH (");
    let mut first = true;
    let mut next = |out: &mut Vec<u8>| {
        if !std::mem::take(&mut first) {
            out.push(b' ');
        }
    };
    if let Some(uid) = uid {
        next(out);
        out.extend_from_slice(b"UID ");
        number(out, uid.get().into());
    }
    if let Some(keywords) = keywords {
        next(out);
        out.extend_from_slice(b"FLAGS (");
        words(out, keywords.iter());
        out.push(b')');
    }
    if let Some(modseq) = modseq {
        next(out);
        out.extend_from_slice(b"MODSEQ (");
        number(out, modseq.get());
        out.push(b')');
    }
    out.extend_from_slice(b")\r\n");
}
