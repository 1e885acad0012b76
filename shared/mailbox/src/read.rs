//! Items and their bytes.

use crate::account::{Mailbox, Mailboxes};
use crate::content::{self, Blob, Content, ContentFacts};
use crate::list::open_whole;
use crate::sealed::{BlobHead, CHUNK};
use crate::state::Digest;
use bytes::{Bytes, BytesMut};
use penfold_ports::{Query, Rights, Row, Sk};
use penfold_types::{Error, FolderId, ItemId, Result, TenantId};
use std::ops::Range;
use std::sync::Arc;

/// Blobs up to this size are read whole: one request instead of two.
const WHOLE: u64 = 4 * CHUNK as u64;

impl Mailboxes {
    /// The bytes that were put under an acceptance.
    pub async fn blob(&self, tenant: TenantId, blob: Blob) -> Result<Bytes> {
        let key = self.inner().directory.tenant_scope(tenant).blob(blob.acceptance);
        let sealed = self.world().blobs.get(&key).await?;
        let head = BlobHead::read(&sealed)?;
        let cipher = self.inner().cipher_of(tenant, head.version).await?;
        open_whole(&cipher, &key, &head, &sealed)
    }
}

impl Mailbox {
    /// The immutable part of items, in the order asked for; `None` where an item is gone.
    pub async fn contents(&self, items: &[ItemId]) -> Result<Vec<Option<Arc<Content>>>> {
        if !self.scope().grounds().is_empty() {
            return self.contents_in_sight(items).await;
        }
        self.need(Rights::READ)?;
        let account = self.account();
        let mut out: Vec<Option<Arc<Content>>> = items.iter().map(|item| self.inner.contents.get(&(account, *item))).collect();
        let missing: Vec<usize> = (0..items.len()).filter(|at| out[*at].is_none()).collect();
        if missing.is_empty() {
            return Ok(out);
        }
        let keys: Vec<_> = missing.iter().map(|at| self.scope().key(Sk::content(items[*at]))).collect();
        let rows = self.inner.world.table.batch_get(&keys).await?;
        for (at, row) in missing.into_iter().zip(rows) {
            let Some(row) = row else { continue };
            let content = self.open_content(items[at], &row).await?;
            self.inner.contents.insert((account, items[at]), content.clone());
            out[at] = Some(content);
        }
        Ok(out)
    }

    async fn open_content(&self, item: ItemId, row: &Row) -> Result<Arc<Content>> {
        let version = content::version(row).ok_or_else(|| Error::broken("an item's row cannot be read"))?;
        let cipher = self.inner.cipher_of(self.scope().tenant(), version).await?;
        Ok(Arc::new(content::open(item, row, &cipher)?))
    }

    /// For whom single folders were opened: the rows themselves say in which folder an item is now, and one that is in none that
    /// they may read is gone.
    async fn contents_in_sight(&self, items: &[ItemId]) -> Result<Vec<Option<Arc<Content>>>> {
        let keys: Vec<_> = items.iter().map(|item| self.scope().key(Sk::content(*item))).collect();
        let rows = self.inner.world.table.batch_get(&keys).await?;
        let view = self.view().await?;
        let mut out = Vec::with_capacity(items.len());
        for (item, row) in items.iter().zip(rows) {
            let folder = row.as_ref().and_then(ContentFacts::from_row).and_then(|facts| facts.folder);
            let read = folder.and_then(|folder| view.folders.get(folder)).is_some_and(|own| self.rights(own).has(Rights::READ));
            out.push(match row.filter(|_| read) {
                Some(row) => Some(self.open_content(*item, &row).await?),
                None => None,
            });
        }
        Ok(out)
    }

    /// A range of an item's bytes, prefix and blob together; a range past the end gives what there is.
    pub async fn bytes(&self, content: &Content, range: Range<u64>) -> Result<Bytes> {
        match content.folder {
            Some(folder) if !self.scope().grounds().is_empty() => self.need_in(folder, Rights::READ).await?,
            _ => self.need(Rights::READ)?,
        }
        let prefix = content.prefix.len() as u64;
        let range = range.start.min(content.size())..range.end.min(content.size());
        if range.is_empty() {
            return Ok(Bytes::new());
        }
        let in_prefix = range.start.min(prefix) as usize..range.end.min(prefix) as usize;
        let head = content.prefix.slice(in_prefix);
        if range.end <= prefix {
            return Ok(head);
        }
        let body = self.blob_bytes(content, range.start.saturating_sub(prefix)..range.end - prefix).await?;
        if head.is_empty() {
            return Ok(body);
        }
        let mut out = BytesMut::with_capacity(head.len() + body.len());
        out.extend_from_slice(&head);
        out.extend_from_slice(&body);
        Ok(out.freeze())
    }

    async fn blob_bytes(&self, content: &Content, range: Range<u64>) -> Result<Bytes> {
        let key = self.scope().blob(content.blob.acceptance);
        let blobs = &self.inner.world.blobs;
        if content.blob.length <= WHOLE {
            let sealed = blobs.get(&key).await?;
            let head = BlobHead::read(&sealed)?;
            let cipher = self.inner.cipher_of(self.scope().tenant(), head.version).await?;
            let plain = open_whole(&cipher, &key, &head, &sealed)?;
            return Ok(cut(plain, range.start, range.end));
        }
        let head = BlobHead::read(&blobs.get_range(&key, 0..BlobHead::size(content.blob.length) as u64).await?)?;
        let cipher = self.inner.cipher_of(self.scope().tenant(), head.version).await?;
        let chunk = CHUNK as u64;
        let chunks = (range.start / chunk) as usize..(range.end.div_ceil(chunk) as usize).min(head.chunks());
        let base = chunks.start as u64 * chunk;
        let sealed = blobs.get_range(&key, head.place(chunks.clone())).await?;
        let plain = cipher.open_chunks(key.as_str().as_bytes(), &head, chunks, &sealed)?.freeze();
        Ok(cut(plain, range.start - base, range.end - base))
    }

    /// The newest messages of a folder by the time they came, with what a list shows of them: one query.
    pub async fn newest(&self, folder: FolderId, limit: usize) -> Result<Vec<(ItemId, Digest)>> {
        self.need_in(folder, Rights::READ).await?;
        let prefix = Sk::states(folder);
        let query = Query { limit, reverse: true, ..Query::prefix(self.scope().pk().clone(), &prefix) };
        let page = self.inner.world.table.query(&query).await?;
        let mut out = Vec::with_capacity(page.rows.len());
        for (sk, row) in page.rows {
            let damaged = || Error::broken("a message's row cannot be read");
            let item = sk.as_bytes().strip_prefix(prefix.as_bytes()).and_then(ItemId::from_slice).ok_or_else(damaged)?;
            let sealed = row.bytes("g").ok_or_else(damaged)?;
            let version = crate::sealed::row_version(sealed).ok_or_else(damaged)?;
            let cipher = self.inner.cipher_of(self.scope().tenant(), version).await?;
            out.push((item, Digest::open(&cipher, item, sealed)?));
        }
        Ok(out)
    }
}

fn cut(bytes: Bytes, from: u64, to: u64) -> Bytes {
    let len = bytes.len() as u64;
    bytes.slice(from.min(len) as usize..to.min(len) as usize)
}
