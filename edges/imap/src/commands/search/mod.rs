//! SEARCH (RFC 9051 §6.4.4, RFC 4731, RFC 5182). Keys about flags, numbers, sizes and dates are answered from the list;
//! only what they leave open is looked up, and only what that leaves open is read.

mod deep;
mod test;

use super::After;
use crate::grammar::write::number;
use crate::grammar::{Returns, Search, sequence::write_set};
use crate::session::{Outcome, Output, Ranks, Selected, Session};
use penfold_mailbox::UidSet;
use penfold_ports::Turn;
use penfold_types::{Modseq, Uid};
use std::collections::BTreeMap;
use std::sync::Arc;
use test::{Listed, Test};

/// Messages that are judged before others go first.
const JUDGED: usize = 4096;

/// What was found.
struct Hits {
    uids: UidSet,
    /// With MODSEQ among the keys: that of each hit.
    modseqs: Option<BTreeMap<Uid, Modseq>>,
}

impl Hits {
    fn highest(&self, of: impl Iterator<Item = Uid>) -> Option<Modseq> {
        let modseqs = self.modseqs.as_ref()?;
        of.filter_map(|uid| modseqs.get(&uid).copied()).max()
    }
}

pub async fn run(session: &mut Session, tag: &str, search: &Search, after: &mut After, out: &mut Output) -> Outcome {
    let names_modseq = search.key.names_modseq();
    if names_modseq {
        session.enable_condstore();
    }
    let saves = search.returns.is_some_and(|returns| returns.save);
    let hits = find(session, search, names_modseq, after, &mut out.turn).await;
    if saves && hits.is_err() {
        // RFC 5182 §2.1: after a search that failed, `$` is empty.
        session.selected_mut()?.saved = UidSet::new();
    }
    let hits = hits?;
    let esearch = search.returns.is_some() || session.enabled.rev2;
    let selected = session.selected_mut()?;
    if let Some(returns) = search.returns.filter(|returns| returns.save) {
        selected.saved = saved(&hits.uids, returns);
    }
    if esearch {
        extended(selected, tag, search, &hits, &mut out.buf);
    } else {
        plain(selected, search.uid, &hits, out).await?;
    }
    Ok("searched".into())
}

async fn find(
    session: &Session,
    search: &Search,
    names_modseq: bool,
    after: &mut After,
    turn: &mut Turn,
) -> Result<Hits, crate::session::Stop> {
    let selected = session.selected()?;
    let index = selected.index().await?;
    after.seen = Some(index.modseq());
    let now = session.server.env.now().seconds();
    let test = Arc::new(Test::new(&search.key, selected, now)?);
    let mut found = Vec::new();
    let mut open = Vec::new();
    for (at, message) in index.select(&selected.announced).enumerate() {
        if at % JUDGED == JUDGED - 1 {
            turn.pass().await;
            tokio::task::yield_now().await;
        }
        match test.judge(&Listed::of(&message), None, None) {
            Some(true) => found.push(message.uid),
            Some(false) => {}
            None => open.push(Listed::of(&message)),
        }
    }
    let mut uids: UidSet = found.into_iter().collect();
    if !open.is_empty() {
        uids = uids.union(&deep::search(&selected.mailbox, test, open, turn).await?);
    }
    let modseqs = names_modseq.then(|| index.select(&uids).map(|message| (message.uid, message.modseq)).collect());
    Ok(Hits { uids, modseqs })
}

/// RFC 5182 §2.4: MIN and MAX alone save only what they tell.
fn saved(uids: &UidSet, returns: Returns) -> UidSet {
    if returns.all || returns.count || !(returns.min || returns.max) {
        return uids.clone();
    }
    let min = uids.min().filter(|_| returns.min);
    let max = uids.max().filter(|_| returns.max);
    min.into_iter().chain(max).collect()
}

/// Numbers or uids, as the command wants them.
fn numbers(selected: &Selected, uid: bool, uids: &UidSet) -> UidSet {
    if uid {
        return uids.clone();
    }
    let mut ranks = Ranks::new(&selected.announced);
    uids.iter().filter_map(|uid| ranks.of(uid).map(Uid)).collect()
}

/// `* SEARCH 2 3 6 (MODSEQ 917162500)`
async fn plain(selected: &Selected, uid: bool, hits: &Hits, out: &mut Output) -> Result<(), crate::session::Stop> {
    out.buf.extend_from_slice(b"* SEARCH");
    for one in numbers(selected, uid, &hits.uids).iter() {
        out.buf.push(b' ');
        number(&mut out.buf, one.get().into());
        out.breathe().await?;
    }
    if let Some(highest) = hits.highest(hits.uids.iter()) {
        out.buf.extend_from_slice(b" (MODSEQ ");
        number(&mut out.buf, highest.get());
        out.buf.push(b')');
    }
    out.buf.extend_from_slice(b"\r\n");
    Ok(())
}

/// `* ESEARCH (TAG "a") UID MIN 2 ALL 2:4` (RFC 9051 §7.3.4). Without hits only COUNT is told.
fn extended(selected: &Selected, tag: &str, search: &Search, hits: &Hits, out: &mut Vec<u8>) {
    let returns = search.returns.unwrap_or(Returns { all: true, ..Returns::default() });
    // RFC 5182 §2.2: with SAVE alone nothing is told.
    if returns == (Returns { save: true, ..Returns::default() }) {
        return;
    }
    out.extend_from_slice(b"* ESEARCH (TAG \"");
    out.extend(tag.bytes().flat_map(|b| if b == b'"' || b == b'\\' { vec![b'\\', b] } else { vec![b] }));
    out.extend_from_slice(b"\")");
    if search.uid {
        out.extend_from_slice(b" UID");
    }
    let told = numbers(selected, search.uid, &hits.uids);
    let mut put = |name: &[u8], value: u64| {
        out.extend_from_slice(name);
        number(out, value);
    };
    if let Some(min) = told.min().filter(|_| returns.min) {
        put(b" MIN ", min.get().into());
    }
    if let Some(max) = told.max().filter(|_| returns.max) {
        put(b" MAX ", max.get().into());
    }
    if returns.count {
        put(b" COUNT ", told.len().into());
    }
    if returns.all && !told.is_empty() {
        out.extend_from_slice(b" ALL ");
        write_set(out, &told);
    }
    // RFC 4731 §3.2: of what is told, where that is only the ends.
    let all = returns.all || returns.count;
    let ends = hits.uids.min().filter(|_| returns.min).into_iter().chain(hits.uids.max().filter(|_| returns.max));
    let highest = if all { hits.highest(hits.uids.iter()) } else { hits.highest(ends) };
    if let Some(highest) = highest {
        out.extend_from_slice(b" MODSEQ ");
        number(out, highest.get());
    }
    out.extend_from_slice(b"\r\n");
}
