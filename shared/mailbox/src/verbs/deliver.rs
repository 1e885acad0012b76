//! Delivery: everything that waits for an account, in as few commits as it fits into.

use super::arrive::{Thread, item_id, threads};
use super::twin::{Maker, Twin};
use super::{ROUNDS, busy};
use crate::account::Mailbox;
use crate::commit::Outcome;
use crate::content::{Blob, NewContent};
use crate::draft::{Draft, arrival, items_per_commit};
use crate::folder::Role;
use crate::keywords::Keywords;
use bytes::Bytes;
use penfold_formats::mime::Summary;
use penfold_ports::Sk;
use penfold_types::{Error, FolderId, ItemId, Modseq, Result, Timestamp, Uid};
use std::collections::BTreeSet;

/// Where a message is put. INBOX where the account has no such folder, or no longer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    Role(Role),
    Folder(FolderId),
    /// The copy of what the owner sent, into Sent; none where one of the same Message-ID came within the hour before.
    SentCopy,
}

/// One message for this account.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub blob: Blob,
    /// Our own header fields, whole lines.
    pub prefix: Bytes,
    /// [`Summary::encode`] of the blob.
    pub summary: Bytes,
    /// The time of the 250: the item's INTERNALDATE.
    pub received: Timestamp,
    pub place: Place,
    pub keywords: Keywords,
}

/// Where a delivery ended up.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivered {
    pub item: ItemId,
    pub folder: FolderId,
    pub uid: Uid,
    pub modseq: Modseq,
    /// It had been delivered before; folder, uid and modseq are not known then.
    pub again: bool,
}

const BATCH: usize = items_per_commit(3);

impl Mailbox {
    /// Puts messages into the account. Delivering an acceptance a second time changes nothing. No quota is looked at: what
    /// was accepted is delivered.
    pub async fn deliver(&self, batch: &[Delivery]) -> Result<Vec<Delivered>> {
        let mut out = Vec::with_capacity(batch.len());
        for part in batch.chunks(BATCH) {
            out.extend(self.deliver_part(part).await?);
        }
        Ok(out)
    }

    async fn deliver_part(&self, batch: &[Delivery]) -> Result<Vec<Delivered>> {
        let env = &self.inner.world.env;
        let now = env.now();
        let summaries = batch
            .iter()
            .map(|d| Summary::decode(&d.summary).ok_or_else(|| Error::broken("a job's summary cannot be read")))
            .collect::<Result<Vec<_>>>()?;
        let twins: Vec<Option<Twin>> =
            batch.iter().zip(&summaries).map(|(d, s)| Twin::of(s).filter(|_| d.place == Place::SentCopy)).collect();
        let id = |(d, twin): (&Delivery, &Option<Twin>)| match twin {
            Some(twin) => twin.item(Maker::Server, self.account(), d.received),
            None => item_id(d.blob.acceptance, self.account(), d.received, now),
        };
        let ids: Vec<ItemId> = batch.iter().zip(&twins).map(id).collect();
        let cipher = self.inner.cipher(self.scope().tenant()).await?;
        let mut there: BTreeSet<ItemId> = BTreeSet::new();
        let turn = self.shared.writing.lock().await;
        for round in 0..ROUNDS + batch.len() {
            // The view first: whoever names a thread after it makes this commit a stale one.
            let view = self.view_to_write().await?;
            let decided = threads(self, &ids.iter().copied().zip(&summaries).collect::<Vec<_>>()).await?;
            let inbox = view.folders.with_role(Role::Inbox).ok_or_else(|| Error::broken("the account has no INBOX"))?.id;
            let mut draft = Draft::delivery(self.scope(), &view);
            let mut out = Vec::with_capacity(batch.len());
            let mut seen = there.clone();
            for (at, delivery) in batch.iter().enumerate() {
                let wanted = match delivery.place {
                    Place::Role(role) => view.folders.with_role(role),
                    Place::SentCopy => view.folders.with_role(Role::Sent),
                    Place::Folder(id) => view.folders.get(id),
                };
                let folder = wanted.map_or(inbox, |folder| folder.id);
                let mut one = Delivered { item: ids[at], folder, uid: Uid(0), modseq: draft.modseq(), again: true };
                let came = match twins[at] {
                    Some(twin) => self.twin(folder, twin, &[Maker::Server, Maker::Client], delivery.received).await?.is_some(),
                    None => false,
                };
                // Also where one batch holds the same acceptance twice.
                if !came && seen.insert(ids[at]) {
                    let Thread { thread, names } = decided[at];
                    let new = NewContent {
                        item: ids[at],
                        blob: delivery.blob,
                        prefix: &delivery.prefix,
                        summary: &delivery.summary,
                        received: delivery.received.seconds(),
                        zone: 0,
                        thread,
                        folder,
                    };
                    let arrival = arrival(env, &cipher, &new, &summaries[at], delivery.keywords.clone(), names)?;
                    one.uid = draft.arrive(folder, arrival)?;
                    one.again = false;
                }
                out.push(one);
            }
            if draft.is_empty() {
                return Ok(out);
            }
            match self.commit(draft).await? {
                Outcome::Done => {
                    drop(turn);
                    self.store_due_lists().await;
                    return Ok(out);
                }
                Outcome::Exists(item) => {
                    if !there.insert(item) {
                        self.reread(round).await?;
                    }
                    // One that came again seldom comes alone: the rest of the batch is looked up at once.
                    let keys: Vec<_> = ids.iter().map(|id| self.scope().key(Sk::content(*id))).collect();
                    let rows = self.inner.world.table.batch_get(&keys).await?;
                    there.extend(ids.iter().zip(rows).filter(|(_, row)| row.is_some()).map(|(id, _)| *id));
                }
                Outcome::Stale => self.reread(round).await?,
            }
        }
        Err(busy())
    }
}
