//! Members of groups and of shared mailboxes. Each is a row in the container and, where it is inside the tenant, a row of
//! its own that names the container: so both questions are one query.

use super::joining::fixed;
use super::principals::moved;
use super::{MemberInfo, Operator};
use crate::access;
use crate::groups::read_member;
use crate::rows::{Principal, PrincipalKind, Route, alive, sk};
use crate::{Member, MemberKey};
use penfold_ports::{Account, Row, When, Write, shared};
use penfold_types::{Address, Error, PrincipalId, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Three rows each, and the container's and the audit's.
const CHUNK: usize = 30;
/// The same of those who ask to be in it: five rows.
const ASKERS: usize = 15;

pub(super) enum Found {
    Inside(PrincipalId, PrincipalKind, Address),
    Outside(Address),
}

impl Operator {
    /// Adds members by address; gives back how many were not members before. An address of the tenant must exist; one of
    /// another domain becomes a member outside. After an error the first ones may have been added.
    pub async fn add_members(&self, group: &Address, members: &[Address]) -> Result<usize> {
        let (account, container) = self.find_kind(group, PrincipalKind::Group).await?;
        self.add(account, &container, members).await
    }

    pub async fn remove_member(&self, group: &Address, member: &Address) -> Result<()> {
        let (account, container) = self.find_kind(group, PrincipalKind::Group).await?;
        self.remove(account, &container, member).await
    }

    /// A page of members as people see them; the key is where to go on.
    pub async fn list_members(
        &self,
        of: &Address,
        after: Option<&MemberKey>,
        limit: usize,
    ) -> Result<(Vec<MemberInfo>, Option<MemberKey>)> {
        let (account, container) = self.find(of).await?;
        if container.kind == PrincipalKind::Person {
            return Err(Error::invalid(format!("{of} is a person and has no members")));
        }
        if container.group.dynamic {
            let (found, next) = self.directory.dynamic_page(account.tenant, account.principal, after, limit).await?;
            let info = |(_, one): (PrincipalId, Principal)| MemberInfo { address: one.address, kind: Some(one.kind), name: one.name };
            return Ok((found.into_iter().map(info).collect(), next));
        }
        let (rows, next) = self.directory.member_rows(account.tenant, account.principal, after, limit).await?;
        let read: Vec<_> = rows.iter().filter_map(|(key, row)| read_member(key, row)).collect();
        let inside: Vec<_> = read
            .iter()
            .filter_map(|(member, _)| match member {
                Member::Mailbox(id) | Member::Group(id) => Some(*id),
                Member::Outside(_) => None,
            })
            .collect();
        let mut known = self.directory.principals_now(account.tenant, &inside).await?.into_iter().peekable();
        let mut out = Vec::with_capacity(read.len());
        for (member, kind) in read {
            match member {
                Member::Outside(address) => out.push(MemberInfo { address, kind: None, name: String::new() }),
                Member::Mailbox(id) | Member::Group(id) => {
                    if let Some((_, principal)) = known.next_if(|(next, _)| *next == id) {
                        out.push(MemberInfo { address: principal.address, kind, name: principal.name });
                    }
                }
            }
        }
        Ok((out, next))
    }

    pub(super) async fn add(&self, account: Account, container: &Principal, members: &[Address]) -> Result<usize> {
        fixed(container)?;
        let mut added = 0;
        for chunk in members.chunks(CHUNK) {
            let mut found = self.find_members(account, container, chunk).await?;
            let groups: Vec<_> = found.extract_if(.., |one| matches!(one, Found::Inside(_, PrincipalKind::Group, _))).collect();
            added += found.len();
            let asking = self.asking(account, &found).await?;
            let asks = |one: &mut Found| matches!(one, Found::Inside(id, ..) if asking.contains(id));
            let mut askers: Vec<_> = found.extract_if(.., asks).collect();
            while !askers.is_empty() {
                let some: Vec<_> = askers.drain(..askers.len().min(ASKERS)).collect();
                let answered = some.iter().flat_map(|one| self.asks_no_more(account, one)).collect();
                self.add_chunk(account, container, some, answered, "member.add").await?;
            }
            if !found.is_empty() {
                self.add_chunk(account, container, found, Vec::new(), "member.add").await?;
            }
            for group in groups {
                added += 1;
                self.nest(account, container, group).await?;
            }
        }
        Ok(added)
    }

    /// Those of some who ask to be in a group.
    async fn asking(&self, group: Account, found: &[Found]) -> Result<BTreeSet<PrincipalId>> {
        let id = |one: &Found| match one {
            Found::Inside(id, PrincipalKind::Person, _) => Some(*id),
            _ => None,
        };
        let ids: Vec<_> = found.iter().filter_map(id).collect();
        let scope = access::organisation(group.tenant);
        let keys: Vec<_> = ids.iter().map(|id| scope.member(group.principal, sk::asker(*id))).collect();
        let rows = self.directory.store().batch_get(&keys).await?;
        Ok(ids.into_iter().zip(rows).filter(|(_, row)| row.is_some()).map(|(id, _)| id).collect())
    }

    pub(super) fn asks_no_more(&self, group: Account, who: &Found) -> Vec<Write> {
        let (Found::Inside(id, ..), scope) = (who, access::organisation(group.tenant)) else { return Vec::new() };
        vec![Write::delete(scope.member(group.principal, sk::asker(*id))), Write::delete(scope.principal(*id, sk::asked(group.principal)))]
    }

    /// Who these addresses are, without those who are members already or stand here twice.
    async fn find_members(&self, account: Account, container: &Principal, addresses: &[Address]) -> Result<Vec<Found>> {
        let addresses: BTreeMap<String, &Address> = addresses.iter().map(|address| (address.key(), address)).collect();
        let keys: Vec<_> = addresses.values().map(|address| shared::route(address)).collect();
        let scope = access::organisation(account.tenant);
        let (mut found, mut rows) = (Vec::new(), Vec::new());
        for (address, row) in addresses.into_values().zip(self.directory.store().batch_get(&keys).await?) {
            let route = row.map(|row| Route::read(&row)).transpose()?.filter(|route| route.tenant == account.tenant);
            let (one, key) = match route {
                Some(route) => (
                    Found::Inside(route.principal, route.kind, address.clone()),
                    scope.member(account.principal, sk::member(route.principal)),
                ),
                None if self.directory.domain_tenant(address.domain()).await? == Some(account.tenant) => {
                    return Err(Error::not_found(format!("there is no {address}")));
                }
                None => (Found::Outside(address.clone()), scope.member(account.principal, sk::outside(address))),
            };
            if container.kind == PrincipalKind::Shared && !matches!(one, Found::Inside(_, PrincipalKind::Person, _)) {
                return Err(Error::invalid(format!("{address} is not a person of this tenant: only people open a shared mailbox")));
            }
            if !rows.contains(&key) {
                found.push(one);
                rows.push(key);
            }
        }
        let there = self.directory.store().batch_get(&rows).await?;
        Ok(found.into_iter().zip(there).filter(|(_, row)| row.is_none()).map(|(one, _)| one).collect())
    }

    pub(super) async fn add_chunk(
        &self,
        account: Account,
        container: &Principal,
        found: Vec<Found>,
        extra: Vec<Write>,
        act: &'static str,
    ) -> Result<()> {
        self.add_where(alive(Some(container.kind)), account, container, found, extra, act).await
    }

    /// The same, on a condition of the container's row.
    pub(super) async fn add_where(
        &self,
        when: When,
        account: Account,
        container: &Principal,
        found: Vec<Found>,
        extra: Vec<Write>,
        act: &'static str,
    ) -> Result<()> {
        let scope = access::organisation(account.tenant);
        let mut writes = vec![Write::Check { key: self.principal_key(account), when }];
        writes.extend(extra);
        let mut names = Vec::with_capacity(found.len());
        for one in found {
            match one {
                Found::Inside(id, kind, address) => {
                    let row = Row::new().with("k", kind.number()).with("g", container.kind.number());
                    writes.push(Write::put(scope.member(account.principal, sk::member(id)), row));
                    writes.push(Write::put(
                        scope.principal(id, sk::membership(container.kind, account.principal)),
                        Row::new().with("v", 1u64),
                    ));
                    let member = Account { tenant: account.tenant, principal: id };
                    writes.push(Write::Check { key: self.principal_key(member), when: alive(None) });
                    names.push(address.to_string());
                }
                Found::Outside(address) => {
                    let row = Row::new().with("a", address.to_string()).with("g", container.kind.number());
                    writes.push(Write::put(scope.member(account.principal, sk::outside(&address)), row));
                    names.push(address.to_string());
                }
            }
        }
        let act = self.act(account.tenant, act, &container.address.to_string(), &names.join(", "));
        Ok(self.commit(writes, act).await?)
    }

    /// A group into a group. All nestings of a tenant pass one row, so two that would close a circle together cannot both
    /// be made.
    async fn nest(&self, account: Account, container: &Principal, group: Found) -> Result<()> {
        let Found::Inside(id, _, _) = group else { return Ok(()) };
        let key = access::organisation(account.tenant).organisation(sk::nesting());
        let before = self.directory.store().get(&key).await?.and_then(|row| row.u64("v"));
        if id == account.principal || self.directory.groups_above(account.tenant, account.principal).await?.contains(&id) {
            return Err(Error::conflict(format!("{} would be a member of itself", container.address)));
        }
        self.add_chunk(account, container, vec![group], vec![moved(key, before)], "member.add").await
    }

    pub(super) async fn remove(&self, account: Account, container: &Principal, member: &Address) -> Result<()> {
        fixed(container)?;
        let scope = access::organisation(account.tenant);
        let route = self.directory.store().get(&shared::route(member)).await?.map(|row| Route::read(&row)).transpose()?;
        let not_there = |_| Error::not_found(format!("{member} is no member of {}", container.address));
        let writes = match route.filter(|route| route.tenant == account.tenant) {
            Some(route) => vec![
                Write::Delete { key: scope.member(account.principal, sk::member(route.principal)), when: When::Present },
                Write::delete(scope.principal(route.principal, sk::membership(container.kind, account.principal))),
            ],
            None => vec![Write::Delete { key: scope.member(account.principal, sk::outside(member)), when: When::Present }],
        };
        let act = self.act(account.tenant, "member.remove", &container.address.to_string(), &member.to_string());
        self.commit(writes, act).await.map_err(|refused| refused.explain(not_there))
    }
}
