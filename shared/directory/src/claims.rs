//! Whose a domain is said to be, and whether that is proved. A row without the mark is proved.

use crate::Directory;
use crate::rows::{read_time, tenant_of};
use bytes::Bytes;
use penfold_ports::{Row, shared};
use penfold_types::{Domain, Result, TenantId, Timestamp};
use std::time::Duration;

/// After this, another tenant may claim what was not proved.
pub(crate) const CLAIM: Duration = Duration::from_secs(7 * 24 * 3600);

/// A domain of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub tenant: TenantId,
    /// Until it is, the domain neither receives nor sends, and no address can be in it.
    pub proved: bool,
    /// When it was claimed; of no meaning where it is proved.
    pub since: Timestamp,
    /// What a proof is made from; empty where none is needed.
    pub nonce: Bytes,
}

pub(crate) fn is_proved(row: &Row) -> bool {
    row.u64("un") != Some(1)
}

impl Claim {
    pub(crate) fn read(row: &Row) -> Result<Self> {
        let nonce = row.bytes("n").cloned().unwrap_or_default();
        Ok(Self { tenant: tenant_of(row)?, proved: is_proved(row), since: read_time(row), nonce })
    }
}

impl Directory {
    /// As it is now.
    pub async fn claim(&self, domain: &Domain) -> Result<Option<Claim>> {
        self.store().get(&shared::domain(domain)).await?.map(|row| Claim::read(&row)).transpose()
    }
}
