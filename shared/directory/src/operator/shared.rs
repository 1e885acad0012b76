use super::principals::{act, quota_change};
use super::{MemberInfo, NewShared, Operator, Page, PersonChange, SharedInfo};
use crate::rows::{Principal, PrincipalKind};
use crate::{MemberKey, ProfileChange};
use penfold_ports::Account;
use penfold_types::{Address, Result, TenantId};

impl Operator {
    pub async fn create_shared(&self, new: &NewShared) -> Result<Account> {
        self.create_shared_with(new, &ProfileChange::default()).await
    }

    /// With a department and the like.
    pub async fn create_shared_with(&self, new: &NewShared, profile: &ProfileChange) -> Result<Account> {
        let created = self.directory.env().now();
        let mut shared = Principal { quota: new.quota, ..Principal::new(PrincipalKind::Shared, &new.address, &new.name, created) };
        let manager = self.fill_in(&mut shared, profile).await?;
        self.create_principal(&shared, |_| manager.into_iter().collect()).await
    }

    pub async fn shared(&self, address: &Address) -> Result<SharedInfo> {
        let (account, shared) = self.find_kind(address, PrincipalKind::Shared).await?;
        Ok(self.shared_info(account, shared))
    }

    pub async fn shared_mailboxes(&self, tenant: TenantId, after: Option<&str>, limit: usize) -> Result<Page<SharedInfo>> {
        let page = self.list_principals(tenant, PrincipalKind::Shared, after, limit).await?;
        let info = |(principal, shared)| self.shared_info(Account { tenant, principal }, shared);
        Ok(Page { items: page.items.into_iter().map(info).collect(), next: page.next })
    }

    /// The name, the quota and the profile; a shared mailbox has no status.
    pub async fn update_shared(&self, address: &Address, change: &PersonChange) -> Result<SharedInfo> {
        let (account, shared) = self.find_kind(address, PrincipalKind::Shared).await?;
        let (mut set, mut remove, mut detail) = (Vec::new(), Vec::new(), Vec::new());
        if let Some(name) = &change.name {
            super::check_name(name)?;
            set.push(("n".into(), name.as_str().into()));
        }
        quota_change(change.quota, &mut set, &mut remove);
        detail.push(format!("name {:?}, quota {:?}", change.name, change.quota));
        if let Some(hidden) = change.hidden {
            set.push(("hi".into(), hidden.into()));
            detail.push(format!("hidden {hidden}"));
        }
        change.profile.write(&mut set, &mut remove, &mut detail)?;
        let words = self.reword(account, &shared, &shared.changed(change), &mut set).await?;
        if !set.is_empty() || !remove.is_empty() {
            let act = self.act(account.tenant, act(PrincipalKind::Shared, "update"), &shared.address.to_string(), &detail.join(", "));
            let mut writes = vec![self.principal_update(account, &shared, set, remove)?];
            if let Some(principal) = change.profile.manager.flatten() {
                writes.extend(self.managed_by(Account { tenant: account.tenant, principal }, None).await?);
            }
            writes.extend(words);
            self.update_principal_with(account, writes, act).await?;
        }
        self.shared(address).await
    }

    pub async fn add_shared_members(&self, shared: &Address, people: &[Address]) -> Result<usize> {
        let (account, container) = self.find_kind(shared, PrincipalKind::Shared).await?;
        self.add(account, &container, people).await
    }

    pub async fn remove_shared_member(&self, shared: &Address, person: &Address) -> Result<()> {
        let (account, container) = self.find_kind(shared, PrincipalKind::Shared).await?;
        self.remove(account, &container, person).await
    }

    pub async fn shared_members(
        &self,
        shared: &Address,
        after: Option<&MemberKey>,
        limit: usize,
    ) -> Result<(Vec<MemberInfo>, Option<MemberKey>)> {
        self.find_kind(shared, PrincipalKind::Shared).await?;
        self.list_members(shared, after, limit).await
    }

    pub async fn delete_shared(&self, address: &Address) -> Result<()> {
        self.delete_principal(address, PrincipalKind::Shared).await
    }

    fn shared_info(&self, account: Account, shared: Principal) -> SharedInfo {
        SharedInfo {
            id: account.principal,
            tenant: account.tenant,
            address: shared.address,
            name: shared.name,
            quota: shared.quota.unwrap_or(self.directory.inner.options.quota),
            hidden: shared.group.hidden,
            profile: shared.profile,
            revision: shared.revision,
            created: shared.created,
        }
    }
}
