//! What a tenant's own rows say about where else it has rows: for moving a whole tenant from one store to another.

use crate::Directory;
use crate::check::listed_address;
use crate::rows::{gone_entry, principal_of, rest};
use penfold_ports::{Key, Row, Sk, shared};
use penfold_types::{Domain, PrincipalId, Result, TenantId};

/// The row outside of the tenant's own that a row of its partition stands for: an address's route, or a domain. Both are
/// unique in a store. The row of an address that cannot be read leads to nothing, and `penfold check` names it.
pub fn claimed_by(sk: &Sk) -> Option<Key> {
    if sk.as_bytes().starts_with(b"name#") {
        return listed_address(sk.as_bytes()).map(|address| shared::route(&address));
    }
    let domain: Domain = std::str::from_utf8(rest(sk, "domain#")?).ok()?.parse().ok()?;
    Some(shared::domain(&domain))
}

/// The row by which a tenant is found, also unique.
pub fn tenant_entry(name: &str) -> Key {
    shared::tenant_entry(&name.to_lowercase())
}

/// Whom a row of the tenant's partition names: somebody with an address, or somebody deleted whose mailbox is still there.
pub fn named_by(sk: &Sk, row: &Row) -> Option<PrincipalId> {
    match rest(sk, "gone#") {
        Some(id) => PrincipalId::from_slice(id),
        None if sk.as_bytes().starts_with(b"name#") => principal_of(row).ok(),
        None => None,
    }
}

impl Directory {
    /// Whether something of a removed tenant may be left, which upkeep takes away.
    pub async fn is_being_removed(&self, tenant: TenantId) -> Result<bool> {
        Ok(self.store().get(&gone_entry(tenant)).await?.is_some())
    }
}
