//! Objects and their bytes.

use super::row::{Object, named_by};
use crate::account::Mailbox;
use crate::content::{Blob, ContentFacts};
use crate::sealed::row_version;
use bytes::Bytes;
use penfold_ports::{Query, Rights, Row, Sk};
use penfold_types::{Error, FolderId, ItemId, Result};

pub(crate) fn damaged() -> Error {
    Error::broken("an object's row cannot be read")
}

/// Whether somebody knows what is in a folder, though perhaps not all of each object.
pub(crate) fn in_part(own: Rights) -> bool {
    own.has_some(Rights::READ.and(Rights::DETAILS))
}

impl Mailbox {
    pub async fn object(&self, folder: FolderId, name: &str) -> Result<Option<Object>> {
        self.judge_in(folder, in_part).await?;
        self.object_now(folder, name).await
    }

    pub(crate) async fn object_now(&self, folder: FolderId, name: &str) -> Result<Option<Object>> {
        let Some(row) = self.inner.world.table.get(&self.scope().key(Sk::object(folder, name))).await? else { return Ok(None) };
        Object::from_row(name, &row).ok_or_else(damaged).map(Some)
    }

    /// Objects by name, in the order asked for; `None` where there is none.
    pub async fn objects_named(&self, folder: FolderId, names: &[&str]) -> Result<Vec<Option<Object>>> {
        self.judge_in(folder, in_part).await?;
        let keys: Vec<_> = names.iter().map(|name| self.scope().key(Sk::object(folder, name))).collect();
        let rows = self.inner.world.table.batch_get(&keys).await?;
        names.iter().zip(rows).map(|(name, row)| row.map(|row| Object::from_row(name, &row).ok_or_else(damaged)).transpose()).collect()
    }

    /// Objects of a folder by name, after one; at most `limit`, and whether there are more.
    pub async fn objects(&self, folder: FolderId, after: Option<&str>, limit: usize) -> Result<(Vec<Object>, bool)> {
        self.judge_in(folder, in_part).await?;
        let prefix = Sk::objects(folder);
        let from = after.map_or_else(|| prefix.clone(), |name| Sk::object(folder, name).successor());
        let mut query = Query { from, limit, ..Query::prefix(self.scope().pk().clone(), &prefix) };
        let mut found = Vec::new();
        loop {
            let page = self.inner.world.table.query(&query).await?;
            for (sk, row) in &page.rows {
                let (_, name) = named_by(sk).ok_or_else(damaged)?;
                found.push(Object::from_row(name, row).ok_or_else(damaged)?);
            }
            match page.rows.last() {
                Some((last, _)) if page.more && found.len() < limit => {
                    query.from = last.successor();
                    query.limit = limit - found.len();
                }
                _ => return Ok((found, page.more)),
            }
        }
    }

    /// In which folders there is an object of this UID, and under what name: only those that may be read.
    pub async fn objects_of_uid(&self, uid: &super::UidHash) -> Result<Vec<(FolderId, String)>> {
        let prefix = Sk::object_uids(uid);
        let folders = self.folders().await?;
        let rows = self.inner.world.table.query_all(Query::prefix(self.scope().pk().clone(), &prefix)).await?;
        let read = |(sk, row): &(Sk, Row)| {
            let folder = FolderId::from_slice(sk.as_bytes().strip_prefix(prefix.as_bytes())?)?;
            let seen = folders.get(folder).is_some_and(|own| self.rights(own).has(Rights::READ));
            seen.then_some(()).and_then(|()| Some((folder, row.str("n")?.to_owned())))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// The bytes of versions, in the order asked for, as they were written; `None` where one is gone from this folder
    /// meanwhile.
    pub async fn object_bytes(&self, folder: FolderId, items: &[ItemId]) -> Result<Vec<Option<Bytes>>> {
        self.need_in(folder, Rights::READ).await?;
        self.bytes_of_versions(folder, items).await
    }

    /// The same for who may not see all of them: whoever asks shows them no more than they may.
    pub async fn object_bytes_in_part(&self, folder: FolderId, items: &[ItemId]) -> Result<Vec<Option<Bytes>>> {
        self.judge_in(folder, |own| own.has_some(Rights::READ.and(Rights::FREE_BUSY))).await?;
        self.bytes_of_versions(folder, items).await
    }

    pub(crate) async fn bytes_of_versions(&self, folder: FolderId, items: &[ItemId]) -> Result<Vec<Option<Bytes>>> {
        let keys: Vec<_> = items.iter().map(|item| self.scope().key(Sk::content(*item))).collect();
        let rows = self.inner.world.table.batch_get(&keys).await?;
        let mut out = Vec::with_capacity(items.len());
        for (item, row) in items.iter().zip(rows) {
            let there = row.filter(|row| ContentFacts::from_row(row).is_some_and(|facts| facts.folder == Some(folder)));
            out.push(match there {
                Some(row) => Some(self.open_version(*item, &row).await?),
                None => None,
            });
        }
        Ok(out)
    }

    async fn open_version(&self, item: ItemId, row: &Row) -> Result<Bytes> {
        if let Some(sealed) = row.bytes("b") {
            return Ok(self.open_sealed(item.as_bytes(), sealed).await?.into());
        }
        let ContentFacts { blob, .. } = ContentFacts::from_row(row).ok_or_else(damaged)?;
        self.mailboxes().blob(self.scope().tenant(), Blob { acceptance: blob.acceptance, length: blob.length }).await
    }

    pub(crate) async fn open_sealed(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        let version = row_version(sealed).ok_or_else(damaged)?;
        self.inner.cipher_of(self.scope().tenant(), version).await?.open_row(aad, sealed)
    }
}
