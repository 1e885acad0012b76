//! Whose a domain is. A claim without its proof is a row of the tenant's own, so any number of tenants may claim one name, and
//! none learns of the others; the row that everybody finds is made by the proof.

use crate::rows::{Status, read_time, rest, sk, tenant_of};
use crate::{Directory, access};
use bytes::Bytes;
use penfold_ports::{Query, Row, Sk, shared};
use penfold_types::{Domain, Result, TenantId, Timestamp};
use std::time::Duration;

/// For how long a claim waits for its proof.
pub(crate) const CLAIM: Duration = Duration::from_secs(7 * 24 * 3600);
/// Claims of one tenant that wait.
pub(crate) const CLAIMS: usize = 50;

/// A domain of a tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    pub tenant: TenantId,
    /// Until it is, the domain neither receives nor sends, and no address can be in it.
    pub proved: bool,
    /// When it was claimed, or proved.
    pub since: Timestamp,
    /// What a proof is made from; empty where none is needed.
    pub nonce: Bytes,
}

impl Claim {
    fn waiting(tenant: TenantId, row: &Row) -> Self {
        Self { tenant, proved: false, since: read_time(row), nonce: row.bytes("n").cloned().unwrap_or_default() }
    }

    pub(crate) fn lapses(&self) -> Timestamp {
        self.since.plus(CLAIM)
    }
}

impl Directory {
    /// The tenant to which a domain is proved, as it is now; also while it is being given up.
    pub async fn domain_owner(&self, domain: &Domain) -> Result<Option<TenantId>> {
        self.store().get(&shared::domain(domain)).await?.filter(is_proved).map(|row| tenant_of(&row)).transpose()
    }

    /// What a tenant has of a domain: proved, or claimed and not lapsed. What others have of it makes no difference.
    pub async fn claim(&self, tenant: TenantId, domain: &Domain) -> Result<Option<Claim>> {
        let keys = [shared::domain(domain), access::organisation(tenant).organisation(sk::claim(domain))];
        let rows = self.store().batch_get(&keys).await?;
        let [proved, waiting] = rows.as_slice() else { return Ok(None) };
        if let Some(row) = proved
            && is_proved(row)
            && tenant_of(row)? == tenant
        {
            return Ok(Some(Claim { tenant, proved: true, since: read_time(row), nonce: Bytes::new() }));
        }
        let claim = waiting.as_ref().map(|row| Claim::waiting(tenant, row));
        Ok(claim.filter(|claim| self.env().now() < claim.lapses()))
    }

    /// Claims of a tenant, those that have lapsed too, by domain.
    pub(crate) async fn claims(&self, tenant: TenantId) -> Result<Vec<(Domain, Claim)>> {
        let prefix = Sk::text("claim#");
        let pk = access::organisation(tenant).organisation(prefix.clone()).pk().clone();
        let rows = self.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let read = |(key, row): &(Sk, Row)| {
            let domain = std::str::from_utf8(rest(key, "claim#")?).ok()?.parse().ok()?;
            Some((domain, Claim::waiting(tenant, row)))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// For the operator's own tools: to whom a domain is proved or, where it is to nobody, who claims it.
    pub async fn holders(&self, domain: &Domain) -> Result<Vec<TenantId>> {
        if let Some(owner) = self.domain_owner(domain).await? {
            return Ok(vec![owner]);
        }
        let (all, mut found) = (self.every_tenant().await?, Vec::new());
        for tenants in all.chunks(100) {
            let keys: Vec<_> = tenants.iter().map(|tenant| access::organisation(*tenant).organisation(sk::claim(domain))).collect();
            let rows = self.store().batch_get(&keys).await?;
            let lives = |row: &Row| self.env().now() < read_time(row).plus(CLAIM);
            found.extend(tenants.iter().zip(rows).filter(|(_, row)| row.as_ref().is_some_and(lives)).map(|(tenant, _)| *tenant));
        }
        Ok(found)
    }
}

/// Older versions wrote the row that everybody finds for a claim too, with a mark. Such a row counts as none; upkeep makes it the
/// tenant's own.
pub(crate) fn is_proved(row: &Row) -> bool {
    row.u64("un") != Some(1)
}

/// The condition that a domain is proved to a tenant and not being given up.
pub(crate) fn owned(tenant: TenantId) -> penfold_ports::When {
    penfold_ports::When::Equal(vec![("t".into(), tenant.as_bytes().into()), ("st".into(), Status::Active.number().into())])
}
