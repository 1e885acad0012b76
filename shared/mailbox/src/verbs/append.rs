//! APPEND and uploads: new messages put into a folder by its user (RFC 9051 §6.3.12, RFC 3502 for several at once).

use super::arrive::{Thread, item_id, threads};
use super::{ROUNDS, busy};
use crate::account::Mailbox;
use crate::commit::Outcome;
use crate::content::{Blob, NewContent};
use crate::draft::{Draft, arrival, items_per_commit};
use crate::keywords::Keywords;
use bytes::Bytes;
use penfold_formats::mime::{Summary, summarise};
use penfold_ports::Rights;
use penfold_types::{AcceptanceId, Error, FolderId, ItemId, Modseq, Result, Timestamp, Uid, UidValidity};

/// Messages in one APPEND: as many as one commit holds.
pub const APPEND_LIMIT: usize = items_per_commit(3);

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
    blob: Blob,
    summary: Summary,
    encoded: Vec<u8>,
    keywords: Keywords,
    received: (i64, i16),
}

impl Mailbox {
    /// All of the messages or none of them.
    pub async fn append(&self, folder: FolderId, messages: Vec<NewMessage>) -> Result<Appended> {
        self.need(Rights::INSERT)?;
        if messages.len() > APPEND_LIMIT {
            return Err(Error::limit("too many messages in one APPEND"));
        }
        let size: u64 = messages.iter().map(|m| m.bytes.len() as u64).sum();
        let quota = self.room_for(size).await?;
        let own = self.folder(folder).await?;
        if messages.is_empty() {
            return Ok(Appended { uidvalidity: own.uidvalidity, uids: Vec::new(), modseq: own.modseq });
        }
        let ready = self.make_ready(messages).await?;
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
                uids.push(draft.arrive(folder, arrival(env, &cipher, &new, &one.summary, one.keywords.clone(), *names)?)?);
            }
            within(quota, &draft)?;
            let modseq = draft.modseq();
            match self.commit(draft).await? {
                Outcome::Done => {
                    drop(turn);
                    self.store_due_lists().await;
                    return Ok(Appended { uidvalidity, uids, modseq });
                }
                Outcome::Stale | Outcome::Exists(_) => self.reread(round).await?,
            }
        }
        Err(busy())
    }

    /// Refuses what would go over the quota, before any work is done; gives the quota, for the commit judges again.
    pub(super) async fn room_for(&self, bytes: u64) -> Result<u64> {
        let (used, quota) = self.usage().await?;
        if used.saturating_add(bytes) > quota { Err(full()) } else { Ok(quota) }
    }

    async fn make_ready(&self, messages: Vec<NewMessage>) -> Result<Vec<Ready>> {
        let env = &self.inner.world.env;
        let now = env.now();
        let mut ready = Vec::with_capacity(messages.len());
        for message in messages {
            let acceptance = AcceptanceId::new(env);
            let received = message.received.unwrap_or((now.seconds(), 0));
            let summary = summarise(&message.bytes);
            let blob = self.mailboxes().put_blob(self.scope().tenant(), acceptance, vec![message.bytes]).await?;
            ready.push(Ready {
                item: item_id(acceptance, self.account(), Timestamp::from_seconds(received.0), now),
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
pub(super) fn within(quota: u64, draft: &Draft) -> Result<()> {
    if draft.view().head.used > quota { Err(full()) } else { Ok(()) }
}
