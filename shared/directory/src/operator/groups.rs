use super::principals::act;
use super::{GroupChange, GroupInfo, NewGroup, Operator, Page};
use crate::access;
use crate::rows::{Principal, PrincipalKind, sk};
use penfold_ports::{Account, Query, Row, Write};
use penfold_types::{Address, Error, Result, TenantId};
use std::collections::BTreeMap;

impl Operator {
    pub async fn create_group(&self, new: &NewGroup) -> Result<Account> {
        let created = self.directory.env().now();
        let group = Principal { who_may_post: new.who_may_post, ..Principal::new(PrincipalKind::Group, &new.address, &new.name, created) };
        self.create_principal(&group, |_| Vec::new()).await
    }

    pub async fn group(&self, address: &Address) -> Result<GroupInfo> {
        let (account, group) = self.find_kind(address, PrincipalKind::Group).await?;
        let prefix = sk::posters();
        let mut query = Query::prefix(access::organisation(account.tenant).member(account.principal, prefix.clone()).pk().clone(), &prefix);
        query.limit = 1000;
        let rows = self.directory.store().query_all(&query).await?;
        let posters = rows.iter().filter_map(|(_, row)| row.str("a")?.parse().ok()).collect();
        Ok(GroupInfo { posters, ..group_info(account, group) })
    }

    /// A page of a tenant's groups by address, without who is named.
    pub async fn groups(&self, tenant: TenantId, after: Option<&str>, limit: usize) -> Result<Page<GroupInfo>> {
        let page = self.list_principals(tenant, PrincipalKind::Group, after, limit).await?;
        let info = |(principal, group)| group_info(Account { tenant, principal }, group);
        Ok(Page { items: page.items.into_iter().map(info).collect(), next: page.next })
    }

    pub async fn update_group(&self, address: &Address, change: &GroupChange) -> Result<GroupInfo> {
        let (account, group) = self.find_kind(address, PrincipalKind::Group).await?;
        let (mut set, mut detail) = (Vec::new(), Vec::new());
        if let Some(name) = &change.name {
            super::check_name(name)?;
            set.push(("n".into(), name.as_str().into()));
            detail.push(format!("name {name}"));
        }
        if let Some(policy) = change.who_may_post {
            set.push(("wp".into(), policy.number().into()));
            detail.push(format!("posters {policy:?}"));
        }
        if change.add_posters.len() + change.remove_posters.len() > 90 {
            return Err(Error::limit("at most 90 posters are changed at once"));
        }
        let scope = access::organisation(account.tenant);
        let mut writes = vec![self.principal_update(account, &group, set, vec![])?];
        let add: BTreeMap<String, &Address> = change.add_posters.iter().map(|poster| (poster.key(), poster)).collect();
        let remove: BTreeMap<String, &Address> = change.remove_posters.iter().map(|poster| (poster.key(), poster)).collect();
        for poster in add.values() {
            writes.push(Write::put(scope.member(account.principal, sk::poster(poster)), Row::new().with("a", poster.to_string())));
            detail.push(format!("+{poster}"));
        }
        for (_, poster) in remove.iter().filter(|(key, _)| !add.contains_key(*key)) {
            writes.push(Write::delete(scope.member(account.principal, sk::poster(poster))));
            detail.push(format!("-{poster}"));
        }
        let act = self.act(account.tenant, act(PrincipalKind::Group, "update"), &group.address.to_string(), &detail.join(", "));
        self.commit(writes, act).await?;
        self.directory.forget_principal(account);
        self.group(address).await
    }

    pub async fn delete_group(&self, address: &Address) -> Result<()> {
        self.delete_principal(address, PrincipalKind::Group).await
    }
}

fn group_info(account: Account, group: Principal) -> GroupInfo {
    GroupInfo {
        id: account.principal,
        tenant: account.tenant,
        address: group.address,
        name: group.name,
        who_may_post: group.who_may_post,
        posters: Vec::new(),
        revision: group.revision,
        created: group.created,
    }
}
