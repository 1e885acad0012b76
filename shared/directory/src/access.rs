//! The only file in which a scope is granted. A test reads the sources for that: whoever wants the rows of a tenant or of
//! an account comes through one of these functions, and each says on what ground.

use crate::rows::{PrincipalKind, gone_entry, read_time, rest, sk, tenant_of};
use crate::{Directory, TenantInfo};
use penfold_ports::{Account, Ground, Query, Rights, Row, Scope, Sk, TenantScope, Write, shared};
use penfold_types::{PrincipalId, Result, TenantId, Timestamp};

/// The owner of the account, after a sign-in.
pub(crate) fn own(account: Account) -> Scope {
    Scope::grant(account, account.principal, Rights::ALL)
}

/// The owner of an account whose tenant is suspended: everything is there to read, and nothing is changed.
pub(crate) fn reader(account: Account) -> Scope {
    Scope::grant(account, account.principal, Rights::LOOKUP.and(Rights::READ))
}

/// A member of a shared mailbox, after its member row was read. `most`: what they may do in their own.
pub(crate) fn member(account: Account, viewer: PrincipalId, most: Rights) -> Scope {
    Scope::grant(account, viewer, Rights::MEMBER.within(most))
}

/// Somebody to whom single folders were opened, after the rows that say so were read.
pub(crate) fn folders(account: Account, viewer: PrincipalId, grounds: &[Ground], most: Rights) -> Scope {
    Scope::grant_folders(account, viewer, grounds, most)
}

/// An administrator who gives rights to folders: what is in them, and what they are called, is not theirs to see.
pub(crate) fn rights_only(account: Account) -> Scope {
    Scope::grant(account, account.principal, Rights::ADMINISTER)
}

/// An administrator who looks which folders there are, after that was noted.
pub(crate) fn names_only(account: Account) -> Scope {
    Scope::grant(account, account.principal, Rights::LOOKUP)
}

/// The organisation's rows, for the directory itself.
pub(crate) fn organisation(tenant: TenantId) -> TenantScope {
    TenantScope::grant(tenant)
}

impl Directory {
    /// For a job, from its own header: the account that it was sent for.
    pub fn job_scope(&self, account: Account) -> Scope {
        own(account)
    }

    /// For a job that fills somebody's folders from elsewhere.
    pub fn feeding_scope(&self, account: Account) -> Scope {
        own(account).feeding()
    }

    /// For a job or a resolved address: the tenant that it names.
    pub fn tenant_scope(&self, tenant: TenantId) -> TenantScope {
        organisation(tenant)
    }

    /// For upkeep and the checker: every tenant there is.
    pub async fn every_tenant(&self) -> Result<Vec<TenantId>> {
        Ok(self.every_tenant_with_info().await?.into_iter().map(|tenant| tenant.id).collect())
    }

    /// The same, with what is known of each: it costs no more.
    pub async fn every_tenant_with_info(&self) -> Result<Vec<TenantInfo>> {
        let (operator, mut found, mut after) = (self.operator(), Vec::new(), None);
        loop {
            let page = operator.tenants(after.as_deref(), 1000).await?;
            found.extend(page.items);
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// For upkeep and the checker: every mailbox of a tenant, people's and shared ones, also those that are being deleted.
    pub async fn every_account(&self, tenant: TenantId) -> Result<Vec<Scope>> {
        let mut found = Vec::new();
        for kind in [PrincipalKind::Person, PrincipalKind::Shared] {
            let principals = self.names(tenant, kind).await?;
            found.extend(principals.into_iter().map(|principal| own(Account { tenant, principal })));
        }
        Ok(found)
    }

    /// Mailboxes whose owner was deleted, and when, for upkeep, which destroys them in time and then calls
    /// [`Directory::forget_gone`].
    pub async fn gone_accounts(&self, tenant: TenantId) -> Result<Vec<(Scope, Timestamp)>> {
        let prefix = Sk::text("gone#");
        let pk = organisation(tenant).organisation(prefix.clone()).pk().clone();
        let rows = self.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let read = |(key, row): &(Sk, Row)| {
            let principal = PrincipalId::from_slice(rest(key, "gone#")?)?;
            Some((own(Account { tenant, principal }), read_time(row)))
        };
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Tenants that were removed and of which something may be left.
    pub async fn gone_tenants(&self) -> Result<Vec<TenantId>> {
        let rows = self.store().query_all(&Query::prefix(shared::tenants(), &Sk::text("~"))).await?;
        rows.iter().map(|(_, row)| tenant_of(row)).collect()
    }

    /// From here on a deleted owner is not restored any more.
    pub async fn begin_destruction(&self, account: Account) -> Result<()> {
        let key = organisation(account.tenant).organisation(sk::gone(account.principal));
        let write = Write::Update { key, set: vec![("ok".into(), 0u64.into())], remove: vec![], when: penfold_ports::When::Present };
        Ok(self.store().put(write).await?)
    }

    /// Once nothing of a removed tenant is left.
    pub async fn forget_tenant(&self, tenant: TenantId) -> Result<()> {
        Ok(self.store().put(Write::delete(gone_entry(tenant))).await?)
    }

    /// Once nothing of a deleted owner's mailbox is left.
    pub async fn forget_gone(&self, account: Account) -> Result<()> {
        let key = organisation(account.tenant).organisation(sk::gone(account.principal));
        Ok(self.store().put(Write::delete(key)).await?)
    }
}
