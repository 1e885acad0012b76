use crate::{PortError, Units};
use async_trait::async_trait;
use bytes::Bytes;
use penfold_types::TenantId;
use std::fmt;
use std::ops::Range;

/// Names a blob: its tenant, then an id that is never used again.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlobKey(String);

impl BlobKey {
    pub(crate) fn new(tenant: TenantId, name: &str) -> Self {
        Self(format!("{tenant}/{name}"))
    }

    pub fn from_stored(text: &str) -> Self {
        Self(text.to_owned())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn tenant(&self) -> Option<TenantId> {
        self.0.split_once('/')?.0.parse().ok()
    }
}

impl fmt::Debug for BlobKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Immutable bytes. A key is written once and never reused.
///
/// `put` may return before the bytes are durable or readable; they are both when the commit or send that was asked for
/// after it, and names it, has returned. `get` of a key that is not there is `Missing`. Deleting an absent one is no
/// error.
#[async_trait]
pub trait Blobs: Send + Sync {
    /// The parts are joined; at most 5 GB in all.
    async fn put(&self, key: &BlobKey, parts: Vec<Bytes>, spent: &mut Units) -> Result<(), PortError>;

    async fn get(&self, key: &BlobKey, spent: &mut Units) -> Result<Bytes, PortError>;

    /// A range that reaches past the end gives what there is.
    async fn get_range(&self, key: &BlobKey, range: Range<u64>, spent: &mut Units) -> Result<Bytes, PortError>;

    async fn delete(&self, key: &BlobKey, spent: &mut Units) -> Result<(), PortError>;

    /// Keys of one tenant in order, after `after`, at most 1,000.
    async fn list(&self, tenant: TenantId, after: Option<&BlobKey>, spent: &mut Units) -> Result<Vec<BlobKey>, PortError>;
}
