//! COPY and MOVE (RFC 9051 §6.4.7 and §6.4.8), inside an account and between accounts of one tenant. A copy is an item of
//! its own that shares its source's blob; a move keeps the item.

use super::append::within;
use super::{Chunk, in_chunks};
use crate::account::Mailbox;
use crate::change::{Entry, Placed};
use crate::draft::{Arrival, Draft};
use crate::state;
use crate::uidset::UidSet;
use async_trait::async_trait;
use bytes::Bytes;
use penfold_ports::{Key, Rights, Row, Sk, When, Write};
use penfold_types::{Error, FolderId, ItemId, Modseq, Result, Timestamp, Uid, UidValidity};
use std::collections::BTreeSet;

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Copied {
    /// Of the folder copied to.
    pub uidvalidity: UidValidity,
    /// Uids before and after, in the order of the former.
    pub pairs: Vec<(Uid, Uid)>,
}

struct CopyChunk<'a> {
    target: &'a Mailbox,
    quota: u64,
    from: FolderId,
    to: FolderId,
    /// In the folder copied to.
    rights: Rights,
}

impl CopyChunk<'_> {
    /// The rows of items in one folder; `None` for one that is gone meanwhile.
    async fn rows(source: &Mailbox, messages: &[(Placed, Modseq)], key: impl Fn(&Placed) -> Sk) -> Result<Vec<Option<Row>>> {
        let keys: Vec<Key> = messages.iter().map(|(placed, _)| source.scope().key(key(placed))).collect();
        Ok(source.inner.world.table.batch_get(&keys).await?)
    }
}

#[async_trait]
impl Chunk for CopyChunk<'_> {
    type Out = (Uid, Uid);
    const WRITES: usize = 3;

    async fn plan(&mut self, source: &Mailbox, draft: &mut Draft, messages: &[(Placed, Modseq)]) -> Result<Vec<(Uid, Uid)>> {
        let contents = Self::rows(source, messages, |p| Sk::content(p.item)).await?;
        let states = Self::rows(source, messages, |p| Sk::state(self.from, p.item)).await?;
        let other = source.account() != self.target.account();
        let world = &source.inner.world;
        let mut out = Vec::with_capacity(messages.len());
        for (((placed, _), content), state) in messages.iter().zip(contents).zip(states) {
            let (Some(content), Some(state)) = (content, state) else { continue };
            let item = ItemId::shaped(Timestamp::from_millis(placed.item.time().millis()), *ItemId::new(&world.env).as_bytes());
            let copy = source.copied_rows(placed.item, item, self.to, content, &state).await?;
            if other {
                // The source must still be there, or a sweep could take the blob (§ "A blob" of the architecture).
                let when = When::Present;
                draft.write(Write::Check { key: source.scope().key(Sk::state(self.from, placed.item)), when });
            }
            // RFC 4314 §4: flags that may not be set there are left out.
            let keywords = placed.keywords.allowed(self.rights);
            let arrival = Arrival { placed: Placed { item, keywords, ..placed.clone() }, ..copy };
            out.push((placed.uid, draft.arrive(self.to, arrival)?));
        }
        within(self.quota, draft)?;
        Ok(out)
    }
}

struct MoveChunk {
    from: FolderId,
    to: FolderId,
    damaged: BTreeSet<ItemId>,
}

#[async_trait]
impl Chunk for MoveChunk {
    type Out = (Uid, Uid);
    const WRITES: usize = 3;

    fn without_content(&mut self, item: ItemId) {
        self.damaged.insert(item);
    }

    async fn plan(&mut self, source: &Mailbox, draft: &mut Draft, messages: &[(Placed, Modseq)]) -> Result<Vec<(Uid, Uid)>> {
        let states = CopyChunk::rows(source, messages, |p| Sk::state(self.from, p.item)).await?;
        let mut out = Vec::with_capacity(messages.len());
        for ((placed, _), state) in messages.iter().zip(states) {
            let Some(state) = state else { continue };
            let uid = draft.next_uid(self.to)?;
            let moved = Placed { uid, ..placed.clone() };
            let mut row = state;
            for (name, value) in state::to_row(&moved, draft.modseq(), row.bytes("g").cloned().unwrap_or_default()).iter() {
                row.set(*name, value.clone());
            }
            // RFC 6851 §3.3: within one folder a message only gets a new uid.
            if self.from != self.to {
                draft.write(Write::delete(source.scope().key(Sk::state(self.from, placed.item))));
                if !self.damaged.contains(&placed.item) {
                    draft.write(Write::Update {
                        key: source.scope().key(Sk::content(placed.item)),
                        set: vec![("f".into(), self.to.as_bytes().into())],
                        remove: Vec::new(),
                        when: When::Present,
                    });
                }
            }
            draft.write(Write::put(source.scope().key(Sk::state(self.to, placed.item)), row));
            draft.entry(Entry::Moved { from: self.from, from_uid: placed.uid, to: self.to, placed: moved });
            out.push((placed.uid, uid));
        }
        Ok(out)
    }
}

impl Mailbox {
    /// A copied item's rows: the content under its new id (sealed anew, for the seal is bound to the id) and its digest.
    async fn copied_rows(&self, from: ItemId, item: ItemId, folder: FolderId, mut content: Row, state: &Row) -> Result<Arrival> {
        let damaged = || Error::broken("an item's row cannot be read");
        let tenant = self.scope().tenant();
        let now = self.inner.cipher(tenant).await?;
        let env = &self.inner.world.env;
        let mut reseal = Vec::with_capacity(2);
        for sealed in [content.bytes("c").ok_or_else(damaged)?, state.bytes("g").ok_or_else(damaged)?] {
            let cipher = self.inner.cipher_of(tenant, crate::sealed::row_version(sealed).ok_or_else(damaged)?).await?;
            reseal.push(now.seal_row(env, item.as_bytes(), &cipher.open_row(from.as_bytes(), sealed)?)?);
        }
        let thread = content.bytes("th").and_then(|b| ItemId::from_slice(b)).ok_or_else(damaged)?;
        let digest = reseal.pop().unwrap_or_else(Bytes::new);
        content.set("c", reseal.pop().unwrap_or_else(Bytes::new));
        content.set("f", folder.as_bytes());
        content.remove("g");
        let nothing = Placed { item, uid: Uid(0), keywords: crate::Keywords::NONE, created: Modseq(0), size: 0, received: 0, zone: 0 };
        Ok(Arrival { content, digest, placed: nothing, thread, names_thread: None })
    }

    /// Copies messages to a folder of this account or of another one of the tenant. INTERNALDATE and keywords come along.
    pub async fn copy(&self, from: FolderId, uids: &UidSet, target: &Mailbox, to: FolderId) -> Result<Copied> {
        self.need_in(from, Rights::READ).await?;
        let rights = target.judge_in(to, |own| own.has(Rights::INSERT)).await?;
        if self.scope().tenant() != target.scope().tenant() {
            return Err(Error::denied("messages are not copied between organisations"));
        }
        let index = self.index(from).await?;
        // All of it or nothing, as far as it is known now; the commits judge again.
        let quota = target.room_for(index.select(uids).map(|m| u64::from(m.size)).sum()).await?;
        let uidvalidity = target.folder(to).await?.uidvalidity;
        let pairs = in_chunks(&mut CopyChunk { target, quota, from, to, rights }, self, from, uids, target).await?;
        Ok(Copied { uidvalidity, pairs })
    }

    /// Moves messages. Between accounts it is a copy and then an expunge: a crash in between leaves both, never neither.
    pub async fn move_items(&self, from: FolderId, uids: &UidSet, target: &Mailbox, to: FolderId) -> Result<Copied> {
        self.need_in(from, Rights::MOVE_OUT).await?;
        target.need_in(to, Rights::INSERT).await?;
        if self.account() != target.account() {
            let copied = self.copy(from, uids, target, to).await?;
            let gone: UidSet = copied.pairs.iter().map(|(uid, _)| *uid).collect();
            self.expunge(from, Some(&gone), false).await?;
            return Ok(copied);
        }
        let uidvalidity = self.folder(to).await?.uidvalidity;
        let pairs = in_chunks(&mut MoveChunk { from, to, damaged: BTreeSet::new() }, self, from, uids, self).await?;
        Ok(Copied { uidvalidity, pairs })
    }
}
