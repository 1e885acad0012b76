use crate::call::{Fate, Shared};
use async_trait::async_trait;
use bytes::Bytes;
use penfold_ports::{BlobKey, Blobs, PortError, Units};
use penfold_types::TenantId;
use std::ops::{Bound, Range};
use std::sync::Arc;

const LIST: usize = 1000;

pub(crate) struct SimBlobs(pub(crate) Arc<Shared>);

impl SimBlobs {
    async fn read(&self, key: &BlobKey, spent: &mut Units) -> Result<Bytes, PortError> {
        spent.blob_get += 1;
        self.0.call("blob get", key.as_str().as_bytes()).await?;
        let blob = self.0.state.lock().blobs.get(key).cloned();
        self.0.answer("blob", blob.ok_or(PortError::Missing))
    }
}

#[async_trait]
impl Blobs for SimBlobs {
    async fn put(&self, key: &BlobKey, parts: Vec<Bytes>, spent: &mut Units) -> Result<(), PortError> {
        spent.blob_put += 1;
        self.0.call("blob put", key.as_str().as_bytes()).await?;
        let mut state = self.0.state.lock();
        let fate = state.fate();
        if fate != Fate::Lost {
            let blob: Bytes = parts.concat().into();
            state.trace.bytes(&blob);
            state.undurable.insert(key.clone(), blob);
        }
        drop(state);
        self.0.answer("blob put", if fate == Fate::Fine { Ok(()) } else { Err(PortError::Unknown) })
    }

    async fn get(&self, key: &BlobKey, spent: &mut Units) -> Result<Bytes, PortError> {
        self.read(key, spent).await
    }

    async fn get_range(&self, key: &BlobKey, range: Range<u64>, spent: &mut Units) -> Result<Bytes, PortError> {
        let blob = self.read(key, spent).await?;
        let at = |offset: u64| usize::try_from(offset).unwrap_or(usize::MAX).min(blob.len());
        let (start, end) = (at(range.start), at(range.end));
        Ok(if start < end { blob.slice(start..end) } else { Bytes::new() })
    }

    async fn delete(&self, key: &BlobKey, spent: &mut Units) -> Result<(), PortError> {
        spent.blob_delete += 1;
        self.0.call("blob delete", key.as_str().as_bytes()).await?;
        let mut state = self.0.state.lock();
        let fate = state.fate();
        if fate != Fate::Lost {
            state.blobs.remove(key);
            state.undurable.remove(key);
        }
        drop(state);
        self.0.answer("blob delete", if fate == Fate::Fine { Ok(()) } else { Err(PortError::Unknown) })
    }

    async fn list(&self, tenant: TenantId, after: Option<&BlobKey>, spent: &mut Units) -> Result<Vec<BlobKey>, PortError> {
        spent.blob_put += 1;
        self.0.call("blob list", tenant.as_bytes()).await?;
        let first = BlobKey::from_stored(&format!("{tenant}/"));
        let from = match after {
            Some(after) if *after >= first => Bound::Excluded(after.clone()),
            _ => Bound::Included(first),
        };
        let state = self.0.state.lock();
        let keys = state.blobs.range((from, Bound::Unbounded)).map(|(key, _)| key);
        Ok(keys.take_while(|key| key.tenant() == Some(tenant)).take(LIST).cloned().collect())
    }
}
