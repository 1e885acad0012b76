//! APPEND and uploads: new messages put into a folder by its user (RFC 9051 §6.3.12, RFC 3502 for several at once).

use super::arrive::{Thread, item_id, message_id_hash, threads};
use super::expunge::ExpungeChunk;
use super::twin::{Maker, Twin, keeps_copies};
use super::{ROUNDS, busy};
use crate::account::Mailbox;
use crate::commit::Outcome;
use crate::content::{Blob, ContentFacts, NewContent};
use crate::draft::{Draft, arrival, items_per_commit};
use crate::keywords::Keywords;
use bytes::Bytes;
use penfold_formats::mime::{Summary, summarise};
use penfold_ports::{Rights, Sk};
use penfold_types::{AcceptanceId, Error, FolderId, ItemId, Modseq, Result, Timestamp, Uid, UidValidity};

/// Messages in one APPEND: as many as one commit holds.
pub const APPEND_LIMIT: usize = items_per_commit(3);
/// Seconds between the date that a client gives a message in Sent and now, where it may be the copy of one just sent.
const FRESH: u64 = 24 * 3600;
/// The same where each may take the place of another.
const REPLACING: usize = items_per_commit(5);

#[derive(Clone, Debug)]
pub struct NewMessage {
    pub bytes: Bytes,
    pub keywords: Keywords,
    /// INTERNALDATE as the client gave it: unix seconds and minutes east; now where it gave none.
    pub received: Option<(i64, i16)>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Appended {
    pub uidvalidity: UidValidity,
    pub uids: Vec<Uid>,
    pub modseq: Modseq,
}

struct Ready {
    item: ItemId,
    /// Where it goes to Sent.
    twin: Option<Twin>,
    blob: Blob,
    summary: Summary,
    encoded: Vec<u8>,
    keywords: Keywords,
    received: (i64, i16),
}

impl Mailbox {
    /// All of the messages or none of them.
    pub async fn append(&self, folder: FolderId, messages: Vec<NewMessage>) -> Result<Appended> {
        let rights = self.judge_in(folder, |own| own.has(Rights::INSERT)).await?;
        if messages.len() > APPEND_LIMIT {
            return Err(Error::limit("too many messages in one APPEND"));
        }
        let size: u64 = messages.iter().map(|m| m.bytes.len() as u64).sum();
        let quota = self.room_for(size).await?;
        let own = self.folder(folder).await?;
        if messages.is_empty() {
            return Ok(Appended { uidvalidity: own.uidvalidity, uids: Vec::new(), modseq: own.modseq });
        }
        // RFC 4314 §4: flags that may not be set are left out.
        let allowed = |message: NewMessage| NewMessage { keywords: message.keywords.allowed(rights), ..message };
        let messages = messages.into_iter().map(allowed).collect();
        let mut ready = self.make_ready(messages, keeps_copies(&own)).await?;
        let cipher = self.inner.cipher(self.scope().tenant()).await?;
        let env = &self.inner.world.env;
        let turn = self.shared.writing.lock().await;
        for round in 0..ROUNDS {
            // The view first: whoever names a thread after it makes this commit a stale one.
            let view = self.view_to_decide().await?;
            let decided = threads(self, &ready.iter().map(|r| (r.item, &r.summary)).collect::<Vec<_>>()).await?;
            let mut draft = Draft::new(self.scope(), &view);
            let uidvalidity = view.folders.get(folder).ok_or_else(|| Error::not_found("no such folder"))?.uidvalidity;
            let mut uids = Vec::with_capacity(ready.len());
            for (one, Thread { thread, names }) in ready.iter().zip(&decided) {
                let replaced = self.replace(one, folder, &mut draft).await?;
                let thread = replaced.as_ref().unwrap_or(thread);
                // The row of its Message-ID goes with the item that made it, so that is this one from here on.
                let names =
                    names.or_else(|| one.summary.envelope.message_id.as_deref().map(message_id_hash).filter(|_| replaced.is_some()));
                let new = NewContent {
                    item: one.item,
                    blob: one.blob,
                    prefix: b"",
                    summary: &one.encoded,
                    received: one.received.0,
                    zone: one.received.1,
                    thread: *thread,
                    folder,
                };
                uids.push(draft.arrive(folder, arrival(env, &cipher, &new, &one.summary, one.keywords.clone(), names)?)?);
            }
            within(quota, &draft)?;
            let modseq = draft.modseq();
            match self.commit(draft).await? {
                Outcome::Done => {
                    drop(turn);
                    self.store_due_lists().await;
                    return Ok(Appended { uidvalidity, uids, modseq });
                }
                Outcome::Stale => self.reread(round).await?,
                // Another of the same Message-ID in the same millisecond: two all the same.
                Outcome::Exists(item) => {
                    for one in ready.iter_mut().filter(|one| one.item == item) {
                        one.item = item_id(one.blob.acceptance, self.account(), one.item.time(), env.now());
                    }
                    self.reread(round).await?;
                }
            }
        }
        Err(busy())
    }

    /// Takes out the server's own copy of what the owner puts into Sent now; gives its thread.
    async fn replace(&self, one: &Ready, folder: FolderId, draft: &mut Draft) -> Result<Option<ItemId>> {
        let Some(twin) = one.twin else { return Ok(None) };
        let found = self.twin(folder, twin, &[Maker::Server], self.inner.world.env.now()).await?;
        let Some(copy) = found.filter(|(placed, _)| draft.keeps(placed.item)) else { return Ok(None) };
        let row = self.inner.world.table.get(&self.scope().key(Sk::content(copy.0.item))).await?;
        let Some(facts) = row.as_ref().and_then(ContentFacts::from_row) else { return Ok(None) };
        ExpungeChunk::new(folder, false).remove(self, draft, &[copy]);
        Ok(Some(facts.thread))
    }

    /// Refuses what would go over the quota, before any work is done; gives the quota, for the commit judges again.
    pub(crate) async fn room_for(&self, bytes: u64) -> Result<u64> {
        let (used, quota) = self.used_and_allowed().await?;
        if used.saturating_add(bytes) > quota { Err(full()) } else { Ok(quota) }
    }

    async fn make_ready(&self, messages: Vec<NewMessage>, sent: bool) -> Result<Vec<Ready>> {
        let env = &self.inner.world.env;
        let now = env.now();
        let mut ready = Vec::with_capacity(messages.len());
        // What others put into somebody's Sent takes nothing out of it.
        let sent = sent && self.scope().viewer() == self.account().principal && messages.len() <= REPLACING;
        for message in messages {
            let acceptance = AcceptanceId::new(env);
            let received = message.received.unwrap_or((now.seconds(), 0));
            let summary = summarise(&message.bytes);
            let blob = self.mailboxes().put_blob(self.scope().tenant(), acceptance, vec![message.bytes]).await?;
            // What was sent long ago is moved here, and would only be looked at again by each that follows.
            let fresh = now.seconds().abs_diff(received.0) <= FRESH;
            let twin = Twin::of(&summary).filter(|_| sent && fresh);
            let named = twin.map(|twin| twin.item(Maker::Client, self.account(), now));
            ready.push(Ready {
                // Two of one Message-ID at once are two.
                item: named
                    .filter(|item| ready.iter().all(|other: &Ready| other.item != *item))
                    .unwrap_or_else(|| item_id(acceptance, self.account(), Timestamp::from_seconds(received.0), now)),
                twin,
                blob,
                encoded: summary.encode(),
                summary,
                keywords: message.keywords,
                received,
            });
        }
        Ok(ready)
    }
}

fn full() -> Error {
    Error::limit("the mailbox is full")
}

/// Refuses a draft that goes over the quota: others may have written since it was first looked at.
pub(crate) fn within(quota: u64, draft: &Draft) -> Result<()> {
    let used = draft.view().head.used;
    // Whoever is over it may still make less of what there is.
    if used > quota && used > draft.used_before() { Err(full()) } else { Ok(()) }
}
