use super::principals::act;
use super::{GroupChange, GroupInfo, NewGroup, Operator, Page};
use crate::access;
use crate::group_rules::GroupRules;
use crate::rows::{Principal, PrincipalKind, sk};
use penfold_ports::{Account, Name, Query, Row, Value, When, Write};
use penfold_types::{Address, Error, PrincipalId, Result, TenantId};
use std::collections::BTreeMap;

/// Bytes of a description.
const DESCRIPTION: usize = 1000;

impl Operator {
    pub async fn create_group(&self, new: &NewGroup) -> Result<Account> {
        self.create_group_with(new, &GroupChange::default()).await
    }

    /// With what a change could say of it as well. With a filter it is dynamic, and stays so.
    pub async fn create_group_with(&self, new: &NewGroup, more: &GroupChange) -> Result<Account> {
        check_description(more.description.as_deref())?;
        check_leaving(more, false)?;
        let created = self.directory.env().now();
        let mut group =
            Principal { who_may_post: new.who_may_post, ..Principal::new(PrincipalKind::Group, &new.address, &new.name, created) };
        let usual = GroupRules::default();
        group.group = GroupRules {
            description: more.description.clone().unwrap_or_default(),
            join: more.join.unwrap_or(usual.join),
            may_leave: more.may_leave.unwrap_or(usual.may_leave),
            hidden: more.hidden.unwrap_or(usual.hidden),
            dynamic: more.filter.is_some(),
        };
        let tenant = self.owner_of(new.address.domain()).await?;
        let account = Account { tenant, principal: PrincipalId::new(self.directory.env()) };
        let mut writes = self.owner_writes(account, 0, &more.add_owners, &[]).await?;
        if let Some(filter) = &more.filter {
            writes.push(self.filter_write(account, filter, When::Absent)?);
            writes.push(self.first_filter(tenant).await?);
        }
        self.create_principal_as(account, &group, writes).await
    }

    pub async fn group(&self, address: &Address) -> Result<GroupInfo> {
        let (account, group) = self.find_kind(address, PrincipalKind::Group).await?;
        let prefix = sk::posters();
        let mut query = Query::prefix(access::organisation(account.tenant).member(account.principal, prefix.clone()).pk().clone(), &prefix);
        query.limit = 1000;
        let rows = self.directory.store().query_all(&query).await?;
        let posters = rows.iter().filter_map(|(_, row)| row.str("a")?.parse().ok()).collect();
        let filter = if group.group.dynamic { self.directory.filter(account.tenant, account.principal).await? } else { None };
        Ok(GroupInfo { posters, owners: self.owners(account).await?, filter, ..group_info(account, group) })
    }

    /// A page of a tenant's groups by address, without who is named, who owns them, and by what they choose.
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
        check_leaving(change, group.group.hidden)?;
        rules(change, &mut set, &mut detail)?;
        if change.add_posters.len() + change.remove_posters.len() > 30 {
            return Err(Error::limit("at most 30 posters are changed at once"));
        }
        let mut after = Principal { name: change.name.clone().unwrap_or_else(|| group.name.clone()), ..group.clone() };
        after.group.hidden = change.hidden.unwrap_or(group.group.hidden);
        let words = self.reword(account, &group, &after, &mut set).await?;
        let scope = access::organisation(account.tenant);
        let mut writes = vec![self.principal_update(account, &group, set, vec![])?];
        writes.extend(words);
        if let Some(filter) = &change.filter {
            if !group.group.dynamic {
                return Err(Error::conflict(format!("{address} has members of its own; a group with a filter is made as one")));
            }
            writes.push(self.filter_write(account, filter, When::Present)?);
            detail.push("filter".to_owned());
        }
        if !change.add_owners.is_empty() || !change.remove_owners.is_empty() {
            let before = self.owner_count(account).await?;
            writes.extend(self.owner_writes(account, before, &change.add_owners, &change.remove_owners).await?);
            detail.extend(change.add_owners.iter().map(|owner| format!("owner +{owner}")));
            detail.extend(change.remove_owners.iter().map(|owner| format!("owner -{owner}")));
        }
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

fn check_description(text: Option<&str>) -> Result<()> {
    let fits = |text: &str| text.len() <= DESCRIPTION && !text.chars().any(|c| c.is_control() && c != '\n');
    if text.is_none_or(fits) {
        Ok(())
    } else {
        Err(Error::invalid(format!("a description has at most {DESCRIPTION} bytes and no control characters")))
    }
}

/// Nobody leaves what they do not see.
fn check_leaving(change: &GroupChange, hidden: bool) -> Result<()> {
    if change.may_leave == Some(true) && change.hidden.unwrap_or(hidden) {
        return Err(Error::invalid("members do not see a hidden group, so they cannot leave it"));
    }
    Ok(())
}

/// The changes of a group's rules.
fn rules(change: &GroupChange, set: &mut Vec<(Name, Value)>, detail: &mut Vec<String>) -> Result<()> {
    check_description(change.description.as_deref())?;
    if let Some(text) = &change.description {
        set.push(("ds".into(), text.as_str().into()));
        detail.push("description".to_owned());
    }
    if let Some(join) = change.join {
        set.push(("jo".into(), join.number().into()));
        detail.push(format!("join {join:?}"));
    }
    for (column, name, value) in [("le", "may leave", change.may_leave), ("hi", "hidden", change.hidden)] {
        if let Some(value) = value {
            set.push((column.into(), value.into()));
            detail.push(format!("{name} {value}"));
        }
    }
    Ok(())
}

pub(crate) fn group_info(account: Account, group: Principal) -> GroupInfo {
    GroupInfo {
        id: account.principal,
        tenant: account.tenant,
        address: group.address,
        name: group.name,
        who_may_post: group.who_may_post,
        rules: group.group,
        posters: Vec::new(),
        owners: Vec::new(),
        filter: None,
        revision: group.revision,
        created: group.created,
    }
}
