//! Groups as people see them who administer nothing: those they are in, those they own, those they could join.

use crate::group_rules::JoinPolicy;
use crate::operator::{GroupInfo, Page, group_info};
use crate::rows::{Principal, PrincipalKind, Route, Status, rest, sk};
use crate::{Directory, access};
use penfold_ports::{Account, Query, Sk, shared};
use penfold_types::{Address, Error, Kind, PrincipalId, Result, TenantId};
use std::collections::BTreeSet;

/// A group, and what somebody has to do with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MyGroup {
    pub group: GroupInfo,
    /// Also through other groups, or by its filter.
    pub member: bool,
    /// A member of the group itself, who may leave where the group lets them.
    pub direct: bool,
    pub owner: bool,
    pub asked: bool,
}

/// What somebody has to do with groups at all.
struct Mine {
    within: BTreeSet<PrincipalId>,
    direct: BTreeSet<PrincipalId>,
    owned: BTreeSet<PrincipalId>,
    asked: BTreeSet<PrincipalId>,
}

impl Mine {
    /// One that is hidden is there for its owners only.
    fn sees(&self, id: PrincipalId, group: &Principal) -> bool {
        let there = group.kind == PrincipalKind::Group && group.status != Status::Deleting;
        there && (!group.group.hidden || self.owned.contains(&id))
    }

    fn view(&self, account: Account, group: Principal) -> MyGroup {
        let has = |of: &BTreeSet<PrincipalId>| of.contains(&account.principal);
        let (member, direct, owner, asked) = (has(&self.within), has(&self.direct), has(&self.owned), has(&self.asked));
        MyGroup { group: group_info(account, group), member, direct, owner, asked }
    }
}

impl Directory {
    async fn mine(&self, person: Account) -> Result<Mine> {
        let direct = self.memberships(person.tenant, person.principal, PrincipalKind::Group).await?;
        Ok(Mine {
            within: self.groups_above(person.tenant, person.principal).await?,
            direct: direct.into_iter().map(|(id, _)| id).collect(),
            owned: self.named_in(person, "owns#").await?,
            asked: self.named_in(person, "asks#").await?,
        })
    }

    /// The groups that rows of somebody's own name.
    async fn named_in(&self, person: Account, begins: &str) -> Result<BTreeSet<PrincipalId>> {
        let prefix = Sk::text(begins);
        let pk = access::organisation(person.tenant).principal(person.principal, prefix.clone()).pk().clone();
        let rows = self.store().query_all(&Query::prefix(pk, &prefix)).await?;
        Ok(rows.iter().filter_map(|(key, _)| PrincipalId::from_slice(rest(key, begins)?)).collect())
    }

    /// A group of somebody's tenant, unless it is hidden from them.
    pub(crate) async fn visible_group(&self, person: Account, group: PrincipalId) -> Result<Principal> {
        let none = || Error::not_found("there is no such group");
        let found = match self.principal_now(Account { tenant: person.tenant, principal: group }).await {
            Err(error) if error.kind() == Kind::NotFound => return Err(none()),
            found => found?,
        };
        if found.kind != PrincipalKind::Group || found.status == Status::Deleting {
            return Err(none());
        }
        if found.group.hidden && !self.owns(person.tenant, group, person.principal).await? {
            return Err(none());
        }
        Ok(found)
    }

    pub async fn my_group(&self, person: Account, group: PrincipalId) -> Result<MyGroup> {
        let found = self.visible_group(person, group).await?;
        let mine = self.mine(person).await?;
        Ok(mine.view(Account { tenant: person.tenant, principal: group }, found))
    }

    /// The group, where the person owns it; anything else is not there.
    pub async fn own_group(&self, person: Account, group: PrincipalId) -> Result<GroupInfo> {
        if !self.owns(person.tenant, group, person.principal).await? {
            return Err(Error::not_found("there is no such group that you own"));
        }
        let found = self.visible_group(person, group).await?;
        Ok(group_info(Account { tenant: person.tenant, principal: group }, found))
    }

    /// Those that somebody is in, also through others and by filters; or those they own.
    pub async fn my_groups(&self, person: Account, owned: bool) -> Result<Vec<MyGroup>> {
        let mine = self.mine(person).await?;
        let ids: Vec<_> = if owned { &mine.owned } else { &mine.within }.iter().copied().collect();
        let mut found = Vec::with_capacity(ids.len());
        for some in ids.chunks(100) {
            for (id, group) in self.principals_now(person.tenant, some).await? {
                if mine.sees(id, &group) {
                    found.push(mine.view(Account { tenant: person.tenant, principal: id }, group));
                }
            }
        }
        found.sort_by_key(|one| one.group.address.key());
        Ok(found)
    }

    /// Of the next `limit` that somebody sees, those that they are not in and could join or ask to be in, by address. Neither what
    /// a page holds nor where it ends tells of one that is hidden from them.
    pub async fn joinable_groups(&self, person: Account, after: Option<&str>, limit: usize) -> Result<Page<MyGroup>> {
        let mine = self.mine(person).await?;
        let (seen, more) = self.seen_groups(&mine, person.tenant, after, limit.clamp(1, 1000)).await?;
        let key = |group: &Principal| String::from_utf8(sk::name(PrincipalKind::Group, &group.address).as_bytes().to_vec()).ok();
        let next = seen.last().filter(|_| more).and_then(|(_, group)| key(group));
        let joinable = |id: PrincipalId, group: &Principal| {
            !group.group.dynamic && group.group.join != JoinPolicy::Closed && !mine.direct.contains(&id)
        };
        let items = seen.into_iter().filter(|(id, group)| joinable(*id, group));
        let items = items.map(|(id, group)| mine.view(Account { tenant: person.tenant, principal: id }, group)).collect();
        Ok(Page { items, next })
    }

    /// The next groups that somebody sees, `limit` of them where there are so many, and whether there are more.
    async fn seen_groups(
        &self,
        mine: &Mine,
        tenant: TenantId,
        after: Option<&str>,
        limit: usize,
    ) -> Result<(Vec<(PrincipalId, Principal)>, bool)> {
        let (mut found, mut after, mut size) = (Vec::new(), after.map(str::to_owned), limit + 1);
        loop {
            let page = self.operator().list_principals(tenant, PrincipalKind::Group, after.as_deref(), size).await?;
            found.extend(page.items.into_iter().filter(|(id, group)| mine.sees(*id, group)));
            if found.len() > limit {
                found.truncate(limit);
                return Ok((found, true));
            }
            let Some(next) = page.next else { return Ok((found, false)) };
            (after, size) = (Some(next), size.max(200));
        }
    }

    /// Refuses groups that somebody does not own among those whom they add to a group of theirs: by it they would write to whoever
    /// is in there. One that is hidden from them is told like one that does not exist. A group with a filter takes in anybody.
    pub async fn allow_owned(&self, person: Account, members: &[Address]) -> Result<()> {
        let keys: Vec<_> = members.iter().map(shared::route).collect();
        for (address, row) in members.iter().zip(self.store().batch_get(&keys).await?) {
            let Some(row) = row else { continue };
            let route = Route::read(&row)?;
            if route.tenant != person.tenant || route.kind != PrincipalKind::Group {
                continue;
            }
            let found = match self.visible_group(person, route.principal).await {
                Err(error) if error.kind() == Kind::NotFound => return Err(Error::not_found(format!("there is no {address}"))),
                found => found?,
            };
            if found.group.dynamic || !self.owns(person.tenant, route.principal, person.principal).await? {
                return Err(Error::denied(format!("{address} is put into others by administrators: it has a filter, or is not yours")));
            }
        }
        Ok(())
    }

    /// Whether those who come into a group come into the reach of somebody's role: then its owners add nobody by themselves.
    pub async fn is_for_roles(&self, person: Account, group: PrincipalId) -> Result<bool> {
        self.gives_reach(person.tenant, group).await
    }
}
