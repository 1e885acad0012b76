//! Secrets that belong to the cell and to no tenant, such as the keys of its certificates. Sealed as a tenant's are, under a
//! key of their own.

use crate::keys::DataKey;
use crate::sealing::{open, seal};
use crate::store::Refused;
use crate::{Directory, directory::FRESH};
use bytes::Bytes;
use penfold_ports::{Row, Write, shared};
use penfold_types::{Error, Result, TenantId};

/// For whom the key is wrapped: no tenant has this id, whose version bits are those of no id that is made.
const NOBODY: TenantId = TenantId::from_bytes([0; 16]);

impl Directory {
    /// `aad` is what it belongs to: it opens there only.
    pub async fn seal_for_cell(&self, aad: &[u8], plain: &[u8]) -> Result<Bytes> {
        seal(self.env(), &self.cell_key().await?, aad, plain)
    }

    pub async fn open_for_cell(&self, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
        open(&self.cell_key().await?, aad, sealed.get(crate::sealing::VERSION..).unwrap_or_default())
    }

    /// Made when it is first needed, by whoever comes first.
    async fn cell_key(&self) -> Result<DataKey> {
        let now = self.env().monotonic();
        if let Some(known) = self.inner.keys.get(&(NOBODY, 1), now) {
            return Ok(known);
        }
        let mark = self.inner.keys.mark();
        let wrapped = match self.wrapped_cell_key().await? {
            Some(wrapped) => wrapped,
            None => self.make_cell_key().await?,
        };
        let key = DataKey { version: 1, key: self.store().unwrap(NOBODY, &wrapped).await? };
        self.inner.keys.put_read(mark, (NOBODY, 1), key.clone(), now + 10 * FRESH);
        Ok(key)
    }

    async fn wrapped_cell_key(&self) -> Result<Option<Bytes>> {
        let Some(row) = self.store().get(&shared::service_key()).await? else { return Ok(None) };
        row.bytes("w").cloned().map(Some).ok_or_else(|| Error::broken("the key row of the cell is damaged"))
    }

    async fn make_cell_key(&self) -> Result<Bytes> {
        let mut key = [0; 32];
        self.env().fill(&mut key);
        let wrapped = self.store().wrap(NOBODY, &key).await?;
        let row = Row::new().with("w", wrapped);
        match self.store().put(Write::put_new(shared::service_key(), row)).await {
            // Another process was faster, or our own answer was lost: what stands there counts.
            Ok(()) | Err(Refused::Condition(_)) => {}
            Err(Refused::Other(error)) => return Err(error),
        }
        self.wrapped_cell_key().await?.ok_or_else(|| Error::retry("the key of the cell is not there yet"))
    }
}
