use crate::engine::Engine;
use crate::files::Files;
use crate::health::broken;
use crate::intake::{Change, Work};
use crate::layout::{Space, blob_key, blob_name, blob_names, blob_of_name};
use async_trait::async_trait;
use bytes::{BufMut, Bytes, BytesMut};
use fjall::Readable;
use penfold_ports::{BlobKey, Blobs, PortError, Units};
use penfold_types::TenantId;
use std::io;
use std::ops::Range;
use std::sync::Arc;
use tokio::sync::oneshot;

/// Larger blobs are files.
const SMALL: usize = 256 * 1024;
/// What S3 takes in one put.
const LARGEST: usize = 5 * 1024 * 1024 * 1024;
const LIST: usize = 1000;

const INLINE: u8 = 0;
const FILE: u8 = 1;

pub(crate) struct LocalBlobs {
    pub(crate) core: Arc<Engine>,
    pub(crate) files: Arc<Files>,
}

fn failed(error: io::Error) -> PortError {
    match error.kind() {
        io::ErrorKind::NotFound => PortError::Missing,
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => PortError::Full,
        _ => broken(error),
    }
}

/// The value's two rows: the blob itself, and its name for lists.
fn changes(stored: Bytes, key: &BlobKey, value: Option<Bytes>) -> Vec<Change> {
    let name = value.as_ref().map(|_| Bytes::new());
    vec![Change { space: Space::Blobs, key: stored, value }, Change { space: Space::Rows, key: blob_name(key.as_str()), value: name }]
}

impl LocalBlobs {
    /// Work on files blocks, so it is done on a thread for that.
    async fn on_files<T: Send + 'static>(&self, work: impl FnOnce(&Files) -> io::Result<T> + Send + 'static) -> Result<T, PortError> {
        let files = self.files.clone();
        let done = tokio::task::spawn_blocking(move || work(&files)).await;
        done.map_err(broken)?.map_err(failed)
    }

    async fn read(&self, key: &BlobKey, range: Option<Range<u64>>) -> Result<Bytes, PortError> {
        let stored = self.core.get(Space::Blobs, &blob_key(key)?)?.ok_or(PortError::Missing)?;
        match stored.first() {
            Some(&INLINE) => Ok(cut(stored.slice(1..), range)),
            Some(&FILE) => {
                let key = key.clone();
                self.on_files(move |files| files.read(&key, range)).await
            }
            _ => Err(PortError::Broken(format!("blob {key:?} has an unknown format"))),
        }
    }

    async fn put_file(&self, key: &BlobKey, parts: Vec<Bytes>, len: u64) -> Result<Bytes, PortError> {
        let (name, mark) = (key.clone(), self.core.env.random_u64());
        self.on_files(move |files| files.put(&name, &parts, mark)).await?;
        let mut value = BytesMut::with_capacity(9);
        value.put_u8(FILE);
        value.put_u64(len);
        Ok(value.freeze())
    }
}

fn cut(bytes: Bytes, range: Option<Range<u64>>) -> Bytes {
    let Some(range) = range else { return bytes };
    let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(bytes.len());
    let (start, end) = (at(range.start), at(range.end));
    if start < end { bytes.slice(start..end) } else { Bytes::new() }
}

fn join(parts: &[Bytes], len: usize) -> Bytes {
    let mut value = BytesMut::with_capacity(1 + len);
    value.put_u8(INLINE);
    parts.iter().for_each(|part| value.put_slice(part));
    value.freeze()
}

#[async_trait]
impl Blobs for LocalBlobs {
    async fn put(&self, key: &BlobKey, parts: Vec<Bytes>, spent: &mut Units) -> Result<(), PortError> {
        let stored = blob_key(key)?;
        let len = parts.iter().map(Bytes::len).sum();
        if len > LARGEST {
            return Err(PortError::Limit("a blob has at most 5 GB"));
        }
        self.core.health.may_bring_in()?;
        spent.blob_put += 1;
        let value = if len <= SMALL { join(&parts, len) } else { self.put_file(key, parts, len as u64).await? };
        let size = value.len();
        self.core.submit(Work::Set { changes: changes(stored, key, Some(value)), answer: None }, size).await
    }

    async fn get(&self, key: &BlobKey, spent: &mut Units) -> Result<Bytes, PortError> {
        spent.blob_get += 1;
        self.read(key, None).await
    }

    async fn get_range(&self, key: &BlobKey, range: Range<u64>, spent: &mut Units) -> Result<Bytes, PortError> {
        spent.blob_get += 1;
        self.read(key, Some(range)).await
    }

    async fn delete(&self, key: &BlobKey, spent: &mut Units) -> Result<(), PortError> {
        let stored = blob_key(key)?;
        self.core.health.may_free()?;
        spent.blob_delete += 1;
        let is_file = self.core.get(Space::Blobs, &stored)?.is_some_and(|value| value.first() == Some(&FILE));
        let (answer, answered) = oneshot::channel();
        self.core.submit(Work::Set { changes: changes(stored, key, None), answer: Some(answer) }, 0).await?;
        self.core.answer(answered).await??;
        // The row goes first: a file without a row is waste, a row without its file would be a loss.
        if is_file {
            let key = key.clone();
            self.on_files(move |files| files.remove(&key)).await?;
        }
        Ok(())
    }

    async fn list(&self, tenant: TenantId, after: Option<&BlobKey>, spent: &mut Units) -> Result<Vec<BlobKey>, PortError> {
        spent.blob_put += 1;
        let (mut from, end) = blob_names(tenant);
        if let Some(after) = after {
            let next = [&blob_name(after.as_str())[..], &[0]].concat();
            from = from.max(next.into());
        }
        if from >= end {
            return Ok(Vec::new());
        }
        let snapshot = self.core.snapshot();
        let names = snapshot.range(self.core.space(Space::Rows), from..end).take(LIST);
        names
            .map(|name| name.key().map_err(broken).and_then(|key| blob_of_name(&key).ok_or_else(|| broken("a blob's name is damaged"))))
            .collect()
    }
}
