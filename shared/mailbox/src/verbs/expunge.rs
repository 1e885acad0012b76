//! Taking messages out of the account (RFC 9051 §6.4.3, RFC 4315 §2.1). Their content stays, marked, for as long as the
//! history that names it is kept.

use super::{Chunk, in_chunks};
use crate::account::Mailbox;
use crate::change::{Entry, Placed};
use crate::draft::Draft;
use crate::uidset::UidSet;
use async_trait::async_trait;
use penfold_ports::{Rights, Sk, When, Write};
use penfold_types::{FolderId, ItemId, Modseq, Result, Uid};
use std::collections::BTreeSet;

pub(super) struct ExpungeChunk {
    pub folder: FolderId,
    pub only_deleted: bool,
    pub damaged: BTreeSet<ItemId>,
}

impl ExpungeChunk {
    pub fn new(folder: FolderId, only_deleted: bool) -> Self {
        Self { folder, only_deleted, damaged: BTreeSet::new() }
    }
}

#[async_trait]
impl Chunk for ExpungeChunk {
    type Out = Uid;
    const WRITES: usize = 2;

    fn without_content(&mut self, item: ItemId) {
        self.damaged.insert(item);
    }

    async fn plan(&mut self, source: &Mailbox, draft: &mut Draft, messages: &[(Placed, Modseq)]) -> Result<Vec<Uid>> {
        Ok(self.remove(source, draft, messages))
    }
}

impl ExpungeChunk {
    pub fn remove(&self, source: &Mailbox, draft: &mut Draft, messages: &[(Placed, Modseq)]) -> Vec<Uid> {
        let mut out = Vec::new();
        for (placed, _) in messages {
            if self.only_deleted && !placed.keywords.deleted() {
                continue;
            }
            draft.write(Write::delete(source.scope().key(Sk::state(self.folder, placed.item))));
            if !self.damaged.contains(&placed.item) {
                draft.write(Write::Update {
                    key: source.scope().key(Sk::content(placed.item)),
                    set: vec![("g".into(), draft.modseq().get().into())],
                    remove: vec!["f".into()],
                    when: When::Present,
                });
            }
            draft.entry(Entry::Removed { folder: self.folder, placed: placed.clone() });
            out.push(placed.uid);
        }
        out
    }
}

impl Mailbox {
    /// Expunges messages: all of the folder or some, those marked `\Deleted` only or regardless. Gives back their uids.
    pub async fn expunge(&self, folder: FolderId, uids: Option<&UidSet>, only_deleted: bool) -> Result<Vec<Uid>> {
        let needed = if only_deleted { Rights::EXPUNGE } else { Rights::EXPUNGE.and(Rights::DELETE_ITEM) };
        self.need_in(folder, needed).await?;
        let index = self.index_now(folder).await?;
        let picked: UidSet = match uids {
            Some(uids) => index.select(uids).filter(|m| !only_deleted || m.keywords.deleted()).map(|m| m.uid).collect(),
            None => index.iter().filter(|m| !only_deleted || m.keywords.deleted()).map(|m| m.uid).collect(),
        };
        if picked.is_empty() {
            return Ok(Vec::new());
        }
        in_chunks(&mut ExpungeChunk::new(folder, only_deleted), self, folder, &picked, self).await
    }
}
