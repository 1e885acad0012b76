//! A folder's list, current at the head: from the cache, the stored segments or the state rows, and the log after it.

use crate::account::{Mailbox, UNDER_WAY};
use crate::change::{Change, Entry};
use crate::checkpoint::{self, Manifest, StoredSegment};
use crate::index::Index;
use crate::keywords::Keywords;
use crate::sealed::{BlobHead, DataCipher};
use crate::state;
use crate::view::{Head, View};
use bytes::Bytes;
use penfold_ports::{BlobKey, Query, Rights, Row, Sk, When, Write};
use penfold_types::{AcceptanceId, Error, FolderId, ItemId, Modseq, Result, Uid};
use std::sync::Arc;

/// What happened in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Event {
    Added { uid: Uid, keywords: Keywords },
    Keywords { uid: Uid, keywords: Keywords },
    Vanished { uid: Uid },
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Delta {
    /// In order, each with the modseq of its commit. `to` is where the next call goes on.
    Events { to: Modseq, events: Vec<(Modseq, Event)> },
    /// The changes are no longer kept: compare with the folder's list.
    TooOld,
    /// The folder was deleted.
    Gone,
}

/// More changes than this are not read one by one; the list is read anew.
const LOG_LIMIT: u64 = 20_000;

fn gone() -> Error {
    Error::not_found("no such folder")
}

/// Where a folder's changes are collected from a commit.
fn events_of(change: &Change, folder: FolderId, events: &mut Vec<(Modseq, Event)>) -> bool {
    let mut alive = true;
    for entry in &change.entries {
        let event = match entry {
            Entry::Added { folder: own, placed } if *own == folder => Event::Added { uid: placed.uid, keywords: placed.keywords.clone() },
            Entry::Keywords { folder: own, uid, after, .. } if *own == folder => Event::Keywords { uid: *uid, keywords: after.clone() },
            Entry::Removed { folder: own, placed } if *own == folder => Event::Vanished { uid: placed.uid },
            Entry::Moved { from, from_uid, to, placed } => {
                if *from == folder {
                    events.push((change.modseq, Event::Vanished { uid: *from_uid }));
                }
                if *to != folder {
                    continue;
                }
                Event::Added { uid: placed.uid, keywords: placed.keywords.clone() }
            }
            Entry::FolderGone(own) if *own == folder => {
                alive = false;
                continue;
            }
            _ => continue,
        };
        events.push((change.modseq, event));
    }
    alive
}

/// Rows that are read now hold all that was committed before here: of the last commits DynamoDB may show a part only while
/// they are being carried out.
fn before(head: &Head) -> Modseq {
    Modseq(head.modseq.get().saturating_sub(4)).max(head.floor)
}

impl Mailbox {
    /// What happened in a folder after a commit: one read unit where nothing did.
    pub async fn changes(&self, folder: FolderId, after: Modseq) -> Result<Delta> {
        let view = self.view().await?;
        // For whom single folders were opened, one that was closed again is gone.
        if self.scope().grounds().is_empty() {
            self.need(Rights::READ)?;
        } else if view.folders.get(folder).is_none_or(|own| !self.rights(own).has(Rights::READ)) {
            return Ok(Delta::Gone);
        }
        let to = view.head.modseq;
        match view.folders.get(folder) {
            None => return Ok(Delta::Gone),
            Some(own) if own.modseq <= after => return Ok(Delta::Events { to, events: Vec::new() }),
            Some(_) => {}
        }
        if to.get() - after.get() > LOG_LIMIT {
            return Ok(Delta::TooOld);
        }
        let Some(changes) = self.log(after, to).await? else { return Ok(Delta::TooOld) };
        let mut events = Vec::new();
        for change in changes {
            if !events_of(&change, folder, &mut events) {
                return Ok(Delta::Gone);
            }
        }
        Ok(Delta::Events { to, events })
    }

    /// The folder's whole list, as it is now.
    pub async fn index(&self, folder: FolderId) -> Result<Arc<Index>> {
        self.need_in(folder, Rights::READ).await?;
        self.index_now(folder).await
    }

    /// The same, for what does not show it to anybody.
    pub(crate) async fn index_now(&self, folder: FolderId) -> Result<Arc<Index>> {
        let view = self.view().await?;
        self.index_at(folder, &view).await
    }

    /// The list as of a view, or later.
    pub(crate) async fn index_at(&self, folder: FolderId, view: &View) -> Result<Arc<Index>> {
        view.folders.get(folder).ok_or_else(gone)?;
        let key = (self.account(), folder);
        let to = view.head.modseq;
        let known = match self.inner.indexes.get(&key) {
            Some(index) if index.modseq() >= to => return Ok(index),
            Some(mut index) if to.get() - index.modseq().get() <= LOG_LIMIT => {
                if self.move_on(&mut index, view).await? {
                    index
                } else {
                    self.read_anew(folder).await?
                }
            }
            _ => self.read_anew(folder).await?,
        };
        self.inner.indexes.insert(key, known.clone());
        Ok(known)
    }

    /// Moves a list on to a view by the log; false where the log does not reach.
    async fn move_on(&self, list: &mut Arc<Index>, view: &View) -> Result<bool> {
        let own = view.folders.get(list.folder()).ok_or_else(gone)?;
        let to = view.head.modseq;
        if list.modseq() >= to {
            return Ok(true);
        }
        // Nothing in this folder since: only the number moves.
        if list.modseq() >= own.modseq {
            Arc::make_mut(list).move_to(to);
            return Ok(true);
        }
        let Some(changes) = self.log(list.modseq(), to).await? else { return Ok(false) };
        let list = Arc::make_mut(list);
        for change in changes {
            if !list.apply(&change) {
                return Err(gone());
            }
        }
        Ok(true)
    }

    /// Rows are read one page after another while others write, so what was read may hold a part of what came meanwhile.
    /// The log up to a head that is read afterwards makes it whole: every entry says how things stand after it.
    async fn read_anew(&self, folder: FolderId) -> Result<Arc<Index>> {
        let mut list = Arc::new(self.read_list(folder).await?);
        for _ in 0..4 {
            let view = self.view().await?;
            if self.move_on(&mut list, &view).await? {
                return Ok(list);
            }
            // The log's beginning moved since this view was made, or its last change is still being written.
            self.inner.world.env.sleep_jittered(UNDER_WAY).await;
            list = Arc::new(self.read_rows(folder, view.head.modseq).await?);
        }
        Err(Error::retry("the account is being changed too fast to be read"))
    }

    /// From the stored segments where there are any that the log still reaches, or else from the state rows.
    async fn read_list(&self, folder: FolderId) -> Result<Index> {
        let row = self.inner.world.table.get(&self.scope().key(Sk::checkpoint(folder))).await?;
        let head = self.view().await?.head.clone();
        if let Some(manifest) = row.as_ref().and_then(Manifest::from_row) {
            let near = head.modseq.get().saturating_sub(manifest.modseq.get()) <= LOG_LIMIT;
            if near && manifest.modseq >= head.floor {
                match self.read_segments(folder, &manifest).await {
                    Ok(index) => return Ok(index),
                    Err(error) => tracing::warn!(%error, "a stored list cannot be read; it is made from the rows"),
                }
            }
        }
        self.read_rows(folder, before(&head)).await
    }

    async fn read_segments(&self, folder: FolderId, manifest: &Manifest) -> Result<Index> {
        let mut index = checkpoint::empty(folder, manifest);
        for segment in &manifest.segments {
            let key = self.scope().segment(segment.blob);
            let sealed = self.inner.world.blobs.get(&key).await?;
            let head = BlobHead::read(&sealed)?;
            let cipher = self.inner.cipher_of(self.scope().tenant(), head.version).await?;
            let plain = open_whole(&cipher, &key, &head, &sealed)?;
            checkpoint::decode_into(&mut index, &plain).ok_or_else(|| Error::broken("a stored list is damaged"))?;
        }
        Ok(index)
    }

    /// From the state rows. They may be newer than `at`, never older; the log, applied from there, says the same again.
    pub(crate) async fn read_rows(&self, folder: FolderId, at: Modseq) -> Result<Index> {
        let prefix = Sk::states(folder);
        let rows = self.inner.world.table.query_all(Query::prefix(self.scope().pk().clone(), &prefix)).await?;
        let mut found = Vec::with_capacity(rows.len());
        for (sk, row) in rows {
            let item = sk.as_bytes().strip_prefix(prefix.as_bytes()).and_then(ItemId::from_slice);
            let read = item.and_then(|item| state::from_row(item, &row));
            found.push(read.ok_or_else(|| Error::broken("a message's row cannot be read"))?);
        }
        found.sort_unstable_by_key(|(placed, _)| placed.uid);
        let mut index = Index::new(folder, at);
        for (placed, modseq) in found {
            index.put(&placed, modseq);
        }
        Ok(index)
    }

    /// Forgets a stored list, with its segments.
    pub(crate) async fn drop_list(&self, folder: FolderId) -> Result<()> {
        let key = self.scope().key(Sk::checkpoint(folder));
        let Some(row) = self.inner.world.table.get(&key).await? else { return Ok(()) };
        self.inner.world.table.put(Write::delete(key)).await?;
        for segment in Manifest::from_row(&row).unwrap_or_default().segments {
            self.inner.world.blobs.delete(&self.scope().segment(segment.blob)).await?;
        }
        Ok(())
    }

    /// Writes the segments that changed and swaps the manifest.
    pub(crate) async fn store_list(&self, folder: FolderId) -> Result<()> {
        let world = &self.inner.world;
        let index = self.index_now(folder).await?;
        let key = self.scope().key(Sk::checkpoint(folder));
        let row = world.table.get(&key).await?;
        let old = row.as_ref().and_then(Manifest::from_row).unwrap_or_default();
        if old.modseq >= index.modseq() {
            return Ok(());
        }
        let (changed, mut segments) = checkpoint::dirty(&index, &old);
        let cipher = self.inner.cipher(self.scope().tenant()).await?;
        for number in changed {
            let plain = Bytes::from(checkpoint::encode(&index, number));
            let (messages, highest) = checkpoint::facts(&index, number);
            let blob = AcceptanceId::new(&world.env);
            let segment = self.scope().segment(blob);
            let sealed = cipher.seal_blob(&world.env, segment.as_str().as_bytes(), std::slice::from_ref(&plain))?;
            world.blobs.put(&segment, vec![sealed]).await?;
            segments.push(StoredSegment { number, blob, length: plain.len() as u64, messages, highest });
        }
        segments.sort_unstable_by_key(|s| s.number);
        let replaced: Vec<StoredSegment> = old.segments.iter().filter(|s| !segments.iter().any(|n| n.blob == s.blob)).cloned().collect();
        let manifest = Manifest { modseq: index.modseq(), segments };
        let when = match row {
            Some(_) => When::Equal(vec![("m".into(), old.modseq.get().into())]),
            None => When::Absent,
        };
        world.table.put(Write::Put { key, row: manifest_row(&manifest, row.as_ref()), when }).await?;
        for segment in replaced {
            world.blobs.delete(&self.scope().segment(segment.blob)).await?;
        }
        Ok(())
    }
}

/// The manifest's row, with what a newer version may have put beside it.
fn manifest_row(manifest: &Manifest, old: Option<&Row>) -> Row {
    let mut row = old.cloned().unwrap_or_default();
    for (name, value) in manifest.to_row().iter() {
        row.set(*name, value.clone());
    }
    row
}

/// Opens all chunks of a blob whose bytes are at hand.
pub(crate) fn open_whole(cipher: &DataCipher, key: &BlobKey, head: &BlobHead, sealed: &[u8]) -> Result<Bytes> {
    let place = head.place(0..head.chunks());
    let (from, to) = (usize::try_from(place.start).unwrap_or(usize::MAX), usize::try_from(place.end).unwrap_or(usize::MAX));
    let chunks = sealed.get(from..to).ok_or_else(|| Error::broken("a blob ends early"))?;
    Ok(cipher.open_chunks(key.as_str().as_bytes(), head, 0..head.chunks(), chunks)?.freeze())
}
