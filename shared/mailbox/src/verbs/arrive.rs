//! What delivery, APPEND and COPY have in common: an item's id, its thread, and the rows it needs.

use crate::account::Mailbox;
use penfold_formats::mime::Summary;
use penfold_ports::{Account, Sk};
use penfold_types::{AcceptanceId, ItemId, Result, Timestamp};
use std::collections::BTreeMap;
use std::time::Duration;

/// Referenced messages that are looked at for an item's thread.
const REFERENCES: usize = 8;

/// The item that an acceptance becomes in an account: always the same one, so that delivering twice changes nothing.
pub(super) fn item_id(acceptance: AcceptanceId, account: Account, received: Timestamp, now: Timestamp) -> ItemId {
    let mut hash = aws_lc_rs::digest::Context::new(&aws_lc_rs::digest::SHA256);
    hash.update(acceptance.as_bytes());
    hash.update(account.tenant.as_bytes());
    hash.update(account.principal.as_bytes());
    let tomorrow = now.plus(Duration::from_secs(86_400));
    let at = Timestamp::from_millis(received.millis().clamp(0, tomorrow.millis()));
    ItemId::shaped(at, first_16(hash.finish().as_ref()))
}

pub(crate) fn first_16(hash: &[u8]) -> [u8; 16] {
    let mut out = [0; 16];
    for (to, from) in out.iter_mut().zip(hash) {
        *to = *from;
    }
    out
}

pub(crate) fn message_id_hash(message_id: &[u8]) -> [u8; 16] {
    let trimmed = message_id.trim_ascii();
    let bare = trimmed.strip_prefix(b"<").and_then(|m| m.strip_suffix(b">")).unwrap_or(trimmed);
    first_16(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bare).as_ref())
}

/// The thread of a new item, and the hash under which it is to be found where no row names it yet.
#[derive(Clone, Copy)]
pub(super) struct Thread {
    pub thread: ItemId,
    pub names: Option<[u8; 16]>,
}

/// Decides threads for a batch: the thread of the newest message referred to that is known, or else the item's own id.
/// Threads are decided once and never merged.
pub(super) async fn threads(mailbox: &Mailbox, items: &[(ItemId, &Summary)]) -> Result<Vec<Thread>> {
    let own: Vec<Option<[u8; 16]>> = items.iter().map(|(_, s)| s.envelope.message_id.as_deref().map(message_id_hash)).collect();
    let referred: Vec<Vec<[u8; 16]>> =
        items.iter().map(|(_, s)| s.references.iter().rev().take(REFERENCES).map(|r| message_id_hash(r.as_bytes())).collect()).collect();
    let mut wanted: Vec<[u8; 16]> = own.iter().flatten().chain(referred.iter().flatten()).copied().collect();
    wanted.sort_unstable();
    wanted.dedup();
    let keys: Vec<_> = wanted.iter().map(|hash| mailbox.scope().key(Sk::message_id(hash))).collect();
    let rows = mailbox.inner.world.table.batch_get(&keys).await?;
    let mut known: BTreeMap<[u8; 16], ItemId> = BTreeMap::new();
    for (hash, row) in wanted.iter().zip(rows) {
        if let Some(thread) = row.as_ref().and_then(|row| row.bytes("th")).and_then(|b| ItemId::from_slice(b)) {
            known.insert(*hash, thread);
        }
    }
    let mut out = Vec::with_capacity(items.len());
    for (at, (item, _)) in items.iter().enumerate() {
        let found = own[at].iter().chain(&referred[at]).find_map(|hash| known.get(hash)).copied();
        let thread = found.unwrap_or(*item);
        let names = own[at].filter(|hash| !known.contains_key(hash));
        if let Some(hash) = names {
            known.insert(hash, thread);
        }
        out.push(Thread { thread, names });
    }
    Ok(out)
}
