//! An address -> who receives there. First the address itself, then, where there is none, the address without its
//! `+detail` (RFC 5233 §2). What was found may be believed for a minute; that there is nobody is never remembered, so a
//! `550` always comes from the store itself.

use crate::Directory;
use crate::claims::is_proved;
use crate::directory::FRESH;
use crate::rows::{PrincipalKind, Route, Status, tenant_of};
use penfold_ports::{Account, shared};
use penfold_types::{Address, Domain, PrincipalId, Result, TenantId};

/// Names in every domain under which reports are received, unless somebody else has them.
pub const DMARC_REPORTS: &str = "dmarc-reports";
pub const TLS_REPORTS: &str = "tls-reports";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// A person's or a shared mailbox.
    Mailbox(Account),
    Group(TenantId, PrincipalId),
    /// Reports about the tenant's mail (RFC 9990, RFC 8460); programs write there, and a program reads it.
    Reports(TenantId),
    /// The domain is ours; the address is nobody's.
    Unknown,
    /// The domain is not ours: it is proved to nobody.
    Outside,
}

impl Recipient {
    fn of(route: &Route) -> Self {
        match route.kind {
            PrincipalKind::Group => Self::Group(route.tenant, route.principal),
            PrincipalKind::Person | PrincipalKind::Shared => Self::Mailbox(Account { tenant: route.tenant, principal: route.principal }),
        }
    }

    pub(crate) fn owner(&self) -> Option<(TenantId, PrincipalId)> {
        match self {
            Self::Mailbox(account) => Some((account.tenant, account.principal)),
            Self::Group(tenant, principal) => Some((*tenant, *principal)),
            Self::Reports(_) | Self::Unknown | Self::Outside => None,
        }
    }
}

impl Directory {
    /// Who receives at `address`. A positive answer may be a minute old.
    pub async fn resolve(&self, address: &Address) -> Result<Recipient> {
        let (key, now) = (address.key(), self.env().monotonic());
        if let Some(known) = self.inner.routes.get(&key, now) {
            return Ok(known);
        }
        let mark = self.inner.routes.mark();
        let found = self.resolve_now(address).await?;
        if found.owner().is_some() {
            self.inner.routes.put_read(mark, key, found, now + FRESH);
        }
        Ok(found)
    }

    /// The same, always from the store: for deliver, which decides for good.
    pub async fn resolve_now(&self, address: &Address) -> Result<Recipient> {
        let mut keys = vec![shared::route(address)];
        keys.extend(address.without_detail().map(|plain| shared::route(&plain)));
        if let Some(row) = self.store().batch_get(&keys).await?.into_iter().flatten().next() {
            return Ok(Recipient::of(&Route::read(&row)?));
        }
        let Some(tenant) = self.domain_tenant(address.domain()).await? else { return Ok(Recipient::Outside) };
        let is = |names: &[&str]| names.iter().any(|name| address.local().eq_ignore_ascii_case(name));
        if !is(&["postmaster", DMARC_REPORTS, TLS_REPORTS]) {
            return Ok(Recipient::Unknown);
        }
        // RFC 5321 §4.5.1: every domain has a postmaster. Where none is named, it is the first person of the organisation.
        // What comes for reports and is none goes there too, so both names are there or neither is.
        Ok(match self.names(tenant, PrincipalKind::Person).await?.into_iter().min() {
            Some(principal) if is(&["postmaster"]) => Recipient::Mailbox(Account { tenant, principal }),
            Some(_) => Recipient::Reports(tenant),
            None => Recipient::Unknown,
        })
    }

    /// The tenant that a domain belongs to and is proved to; a positive answer may be a minute old.
    pub async fn domain_tenant(&self, domain: &Domain) -> Result<Option<TenantId>> {
        let now = self.env().monotonic();
        if let Some(tenant) = self.inner.domains.get(domain, now) {
            return Ok(Some(tenant));
        }
        let mark = self.inner.domains.mark();
        let Some(row) = self.store().get(&shared::domain(domain)).await?.filter(is_proved) else { return Ok(None) };
        let tenant = tenant_of(&row)?;
        if Status::read(row.u64("st").unwrap_or(0)) == Status::Active {
            self.inner.domains.put_read(mark, domain.clone(), tenant, now + FRESH);
        }
        Ok(Some(tenant))
    }
}
