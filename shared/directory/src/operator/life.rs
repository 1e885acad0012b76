//! The life of a tenant: on trial, active, suspended, closed, destroyed.

use super::{Operator, TenantInfo};
use crate::access;
use crate::rows::{PrincipalKind, TenantStatus, sk, time};
use penfold_ports::{Name, Row, Value, When, Write, shared};
use penfold_types::{Domain, Error, Result, TenantId, Timestamp};
use std::time::Duration;

/// For how long a closed tenant can be exported and opened again.
pub const GRACE: Duration = Duration::from_secs(30 * 24 * 3600);

impl Operator {
    /// Active, suspended or closed. A trial begins with the tenant only.
    pub async fn set_tenant_status(&self, name: &str, status: TenantStatus) -> Result<TenantInfo> {
        let tenant = self.tenant(name).await?;
        self.expects(tenant.revision)?;
        if matches!(status, TenantStatus::Deleting | TenantStatus::Trial) || tenant.status == TenantStatus::Deleting {
            return Err(Error::invalid("a tenant is made active, suspended or closed; to delete it, remove it"));
        }
        if status == tenant.status {
            return Ok(tenant);
        }
        let (mut set, mut remove): (Vec<(Name, Value)>, Vec<Name>) = (vec![("st".into(), status.number().into())], Vec::new());
        match status {
            TenantStatus::Closed => set.push(("cl".into(), time(self.directory.env().now()).into())),
            TenantStatus::Active => remove.extend([Name::new("tr"), Name::new("cl")]),
            _ => remove.push("cl".into()),
        }
        let act = self.act(tenant.id, "tenant.status", &tenant.name, &format!("{status:?}").to_lowercase());
        self.update_tenant_row(&tenant, set, remove, Vec::new(), act).await
    }

    /// A closed tenant is destroyed with the next upkeep.
    pub async fn end_grace(&self, name: &str) -> Result<()> {
        let tenant = self.tenant(name).await?;
        if tenant.status != TenantStatus::Closed {
            return Err(Error::conflict("close the tenant first"));
        }
        let act = self.act(tenant.id, "tenant.end-grace", &tenant.name, "");
        self.update_tenant_row(&tenant, vec![("cl".into(), 0u64.into())], Vec::new(), Vec::new(), act).await.map(|_| ())
    }

    /// A tenant whose trial ends at a time; `note` is written in the same commit.
    pub(crate) async fn create_trial(&self, name: &str, ends: Timestamp, note: impl FnOnce(TenantId) -> Write) -> Result<TenantInfo> {
        self.make_tenant(name, Some(ends), |id| vec![note(id)]).await
    }

    /// Whether a tenant may be called so.
    pub fn check_company(&self, name: &str) -> Result<()> {
        super::tenants::check(name).map(|_| ())
    }

    /// Under another name; addresses and domains stay.
    pub async fn rename_tenant(&self, name: &str, new: &str) -> Result<TenantInfo> {
        let tenant = self.tenant(name).await?;
        self.expects(tenant.revision)?;
        let (folded, old) = (super::tenants::check(new)?, tenant.name.to_lowercase());
        let mut extra = Vec::new();
        if folded != old {
            extra.push(Write::put_new(shared::tenant_entry(&folded), Row::new().with("t", tenant.id.as_bytes())));
            extra.push(Write::delete(shared::tenant_entry(&old)));
        }
        let act = self.act(tenant.id, "tenant.rename", &tenant.name, new);
        self.update_tenant_row(&tenant, vec![("n".into(), new.into())], Vec::new(), extra, act).await
    }

    pub(super) async fn update_tenant_row(
        &self,
        tenant: &TenantInfo,
        mut set: Vec<(Name, Value)>,
        remove: Vec<Name>,
        extra: Vec<Write>,
        act: crate::audit::Act,
    ) -> Result<TenantInfo> {
        set.push(("rv".into(), tenant.revision.saturating_add(1).into()));
        let mut still = vec![("st".into(), tenant.status.number().into())];
        if tenant.revision > 0 {
            still.push(("rv".into(), tenant.revision.into()));
        }
        let key = access::organisation(tenant.id).organisation(sk::tenant());
        let mut writes = vec![Write::Update { key, set, remove, when: When::Equal(still) }];
        writes.extend(extra);
        let words = |write| match write {
            0 => Error::conflict("changed by somebody else meanwhile; try again"),
            _ => Error::conflict("there is a tenant of this name already"),
        };
        self.commit(writes, act).await.map_err(|refused| refused.explain(words))?;
        self.directory.inner.tenants.remove(&tenant.id);
        self.tenant(&tenant.id.to_string()).await
    }

    /// What is due of the lives of all tenants.
    pub async fn age(&self) -> Result<()> {
        for tenant in self.directory.every_tenant_with_info().await? {
            self.age_one(&tenant).await;
        }
        Ok(())
    }

    /// A trial that is over is suspended, a tenant that was closed destroyed after the grace, a removal that was cut off finished.
    pub async fn age_one(&self, tenant: &TenantInfo) {
        let (now, id) = (self.directory.env().now(), tenant.id.to_string());
        let aged = match tenant.status {
            TenantStatus::Trial if tenant.trial_ends.is_some_and(|ends| ends <= now) => {
                self.set_tenant_status(&id, TenantStatus::Suspended).await.map(|_| ())
            }
            TenantStatus::Closed if tenant.closed.is_some_and(|closed| now.since(closed) >= GRACE) => self.destroy_tenant(&id).await,
            TenantStatus::Deleting => self.remove_tenant(&id).await,
            _ => Ok(()),
        };
        if let Err(error) = aged {
            tracing::warn!(tenant = %id, %error, "a tenant stays as it is until the next time");
        }
    }

    /// Everybody, every domain, the tenant and its keys: nothing of it can be read again. Whatever stops it, doing it again
    /// goes on.
    pub async fn destroy_tenant(&self, name: &str) -> Result<()> {
        let tenant = self.tenant(name).await?;
        // Groups first, so that nobody is taken out of one that goes anyway.
        for kind in [PrincipalKind::Group, PrincipalKind::Shared, PrincipalKind::Person] {
            let mut after = None;
            loop {
                // A page may hold aliases only.
                let page = self.list_principals(tenant.id, kind, after.as_deref(), 500).await?;
                for (_, principal) in &page.items {
                    self.delete_principal(&principal.address, kind).await?;
                }
                match page.next {
                    Some(next) => after = Some(next),
                    None => break,
                }
            }
        }
        for domain in self.domains(&tenant.id.to_string()).await? {
            let domain: Domain = domain.domain.parse().map_err(|_| Error::broken("a domain of the tenant cannot be read"))?;
            self.remove_domain(tenant.id, &domain).await?;
        }
        self.remove_tenant(&tenant.id.to_string()).await
    }
}
