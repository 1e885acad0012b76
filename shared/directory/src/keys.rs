//! Each tenant's data keys. A new version is a new row, so what was sealed under an older one stays readable; the tenant's
//! row says which is current. All are wrapped by the tenant's own secret: destroying that destroys what they sealed, also where
//! a backup has the rows.

use crate::directory::{FRESH, Tenant};
use crate::rows::{TenantStatus, read_time, sk, stored_time, time};
use crate::{Directory, access};
use penfold_ports::{Row, Write};
use penfold_types::{Error, Kind, Result, TenantId};
use std::fmt;
use std::time::Duration;

/// How long an unwrapped key is used from memory, and so how long after its tenant's end. A phone asks every quarter of an hour;
/// if each time cost an unwrap, that would be a twelfth of what a mailbox costs.
const KEPT: Duration = Duration::from_secs(3600);

#[derive(Clone, PartialEq, Eq)]
pub struct DataKey {
    pub version: u32,
    pub key: [u8; 32],
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey {}", self.version)
    }
}

impl Directory {
    /// The key to seal with now.
    pub async fn data_key(&self, tenant: TenantId) -> Result<DataKey> {
        let version = self.tenant(tenant).await?.key_version;
        self.data_key_version(tenant, version).await
    }

    /// The key that something was sealed with.
    pub async fn data_key_version(&self, tenant: TenantId, version: u32) -> Result<DataKey> {
        let now = self.env().monotonic();
        if let Some(known) = self.inner.keys.get(&(tenant, version), now) {
            return Ok(known);
        }
        let mark = self.inner.keys.mark();
        let row = self.store().get(&access::organisation(tenant).organisation(sk::data_key(version))).await?;
        let row = row.ok_or_else(|| Error::not_found("the key of this data is gone"))?;
        let wrapped = row.bytes("w").ok_or_else(|| Error::broken("a key row is damaged"))?;
        let key = DataKey { version, key: self.store().unwrap(tenant, wrapped).await? };
        self.inner.keys.put_read(mark, (tenant, version), key.clone(), now + KEPT);
        Ok(key)
    }

    /// The write that makes a version of a tenant's key.
    pub(crate) async fn new_data_key(&self, tenant: TenantId, version: u32) -> Result<Write> {
        let mut key = [0; 32];
        self.env().fill(&mut key);
        let wrapped = self.store().wrap(tenant, &key).await?;
        let row = Row::new().with("w", wrapped).with("at", time(self.env().now()));
        Ok(Write::put_new(access::organisation(tenant).organisation(sk::data_key(version)), row))
    }

    /// A tenant's row, at most a minute old.
    pub(crate) async fn tenant(&self, tenant: TenantId) -> Result<Tenant> {
        let now = self.env().monotonic();
        if let Some(known) = self.inner.tenants.get(&tenant, now) {
            return Ok(known);
        }
        let mark = self.inner.tenants.mark();
        let found = self.tenant_now(tenant).await?;
        self.inner.tenants.put_read(mark, tenant, found.clone(), now + FRESH);
        Ok(found)
    }

    /// How far a tenant is in its life; at most a minute old. One that is not there is as one being taken apart.
    pub async fn tenant_status(&self, tenant: TenantId) -> Result<TenantStatus> {
        match self.tenant(tenant).await {
            Err(error) if error.kind() == Kind::NotFound => Ok(TenantStatus::Deleting),
            tenant => Ok(tenant?.status),
        }
    }

    /// The addresses that a tenant's mail leaves from, by their name, where it is not everybody's; at most a minute old.
    pub async fn source_pool(&self, tenant: TenantId) -> Result<Option<String>> {
        match self.tenant(tenant).await {
            // What a tenant that was removed left behind goes out as everybody's.
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            tenant => Ok(tenant?.pool),
        }
    }

    pub(crate) async fn tenant_now(&self, tenant: TenantId) -> Result<Tenant> {
        let row = self.store().get(&access::organisation(tenant).organisation(sk::tenant())).await?;
        let row = row.ok_or_else(|| Error::not_found("there is no such tenant"))?;
        let read = || {
            Some(Tenant {
                name: row.str("n")?.to_owned(),
                status: TenantStatus::read(&row)?,
                trial_ends: stored_time(&row, "tr"),
                closed: stored_time(&row, "cl"),
                revision: row.u64("rv").unwrap_or(0),
                key_version: u32::try_from(row.u64("kv")?).ok()?,
                pool: row.str("po").map(str::to_owned),
                created: read_time(&row),
            })
        };
        read().ok_or_else(|| Error::broken("a tenant's row is damaged"))
    }
}
