//! Groups: one row a member, members inside and outside, groups in groups, and who may post.

use crate::rows::{PostPolicy, Principal, PrincipalKind, rest, sk};
use crate::{Directory, access};
use penfold_ports::{Account, Query, Row, Sk};
use penfold_types::{Address, Error, PrincipalId, Result, TenantId};
use std::collections::BTreeSet;

/// Groups above or below one that are looked at before giving up: nesting deeper than people can follow is a mistake.
const NESTING: usize = 500;

/// How the names begin that a dynamic group goes through.
const PEOPLE: &[u8] = b"name#p#";
const SHARED: &[u8] = b"name#s#";

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Member {
    /// A person or a shared mailbox of the tenant.
    Mailbox(PrincipalId),
    Group(PrincipalId),
    Outside(Address),
}

/// Where a page of members ended. Its bytes can be kept in a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberKey(Vec<u8>);

impl MemberKey {
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// `None` where the bytes cannot be a member's key.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let begins = [&b"m#"[..], b"o#", PEOPLE, SHARED].iter().any(|begin| bytes.starts_with(begin));
        (bytes.len() <= 400 && begins).then(|| Self(bytes.to_vec()))
    }

    pub(crate) fn at(sk: &Sk) -> Self {
        Self(sk.as_bytes().to_vec())
    }

    pub(crate) fn sk(&self) -> Sk {
        Sk::from_stored(&self.0)
    }

    /// Of a dynamic group: a page may hold few of the people that were looked at for it.
    pub fn goes_through_people(&self) -> bool {
        self.0.starts_with(PEOPLE) || self.0.starts_with(SHARED)
    }
}

/// A member row; `None` for a row that a newer version wrote.
pub(crate) fn read_member(key: &Sk, row: &Row) -> Option<(Member, Option<PrincipalKind>)> {
    if let Some(id) = rest(key, "m#") {
        let (id, kind) = (PrincipalId::from_slice(id)?, PrincipalKind::read(row.u64("k")?)?);
        let member = if kind == PrincipalKind::Group { Member::Group(id) } else { Member::Mailbox(id) };
        return Some((member, Some(kind)));
    }
    Some((Member::Outside(row.str("a")?.parse().ok()?), None))
}

impl Directory {
    /// A page of a group's own members, at most `limit` (and at most 1,000); groups inside it are not opened. The key is
    /// where to go on, `None` at the end. Of a dynamic group a page holds those of the next `limit` people who fit.
    pub async fn members(
        &self,
        tenant: TenantId,
        group: PrincipalId,
        after: Option<&MemberKey>,
        limit: usize,
    ) -> Result<(Vec<Member>, Option<MemberKey>)> {
        if self.is_dynamic(tenant, group).await? {
            return self.dynamic_members(tenant, group, after, limit).await;
        }
        let (rows, next) = self.member_rows(tenant, group, after, limit).await?;
        Ok((rows.iter().filter_map(|(key, row)| read_member(key, row)).map(|(member, _)| member).collect(), next))
    }

    pub(crate) async fn member_rows(
        &self,
        tenant: TenantId,
        group: PrincipalId,
        after: Option<&MemberKey>,
        limit: usize,
    ) -> Result<(Vec<(Sk, Row)>, Option<MemberKey>)> {
        let (first, end) = sk::members();
        let from = after.map_or_else(|| first.clone(), |key| Sk::from_stored(&key.0).successor());
        let pk = access::organisation(tenant).member(group, first).pk().clone();
        let page = self.store().query(&Query { pk, from, to: Some(end), limit: limit.clamp(1, 1000), reverse: false }).await?;
        let next = page.rows.last().filter(|_| page.more).map(|(last, _)| MemberKey::at(last));
        Ok((page.rows, next))
    }

    /// Whether a message from `from` (`None`: the null reverse-path) may be posted to a group. The address is believed:
    /// who wants more must have made sure of it before.
    pub async fn may_post(&self, tenant: TenantId, group: PrincipalId, from: Option<&Address>) -> Result<bool> {
        let account = Account { tenant, principal: group };
        let principal = match self.principal(account).await {
            Err(error) if error.kind() == penfold_types::Kind::NotFound => return Ok(false),
            other => other?,
        };
        if principal.kind != PrincipalKind::Group {
            return Ok(false);
        }
        if principal.who_may_post == PostPolicy::Anyone {
            return Ok(true);
        }
        let Some(from) = from else { return Ok(false) };
        let owner = self.resolve(from).await?.owner().filter(|(home, _)| *home == tenant).map(|(_, id)| id);
        match principal.who_may_post {
            PostPolicy::Anyone => Ok(true),
            PostPolicy::Inside => Ok(owner.is_some()),
            PostPolicy::Members => self.is_member(tenant, group, owner, from).await,
            PostPolicy::Named => self.is_named(tenant, group, owner, from).await,
            PostPolicy::Owners => match owner {
                Some(person) => self.owns(tenant, group, person).await,
                None => Ok(false),
            },
        }
    }

    async fn is_member(&self, tenant: TenantId, group: PrincipalId, owner: Option<PrincipalId>, from: &Address) -> Result<bool> {
        if let Some(id) = owner {
            return Ok(self.groups_above(tenant, id).await?.contains(&group));
        }
        // Somebody outside: a member of this group, or of one inside it.
        for inner in self.groups_below(tenant, group).await? {
            let key = access::organisation(tenant).member(inner, sk::outside(from));
            if self.store().get(&key).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn is_named(&self, tenant: TenantId, group: PrincipalId, owner: Option<PrincipalId>, from: &Address) -> Result<bool> {
        let scope = access::organisation(tenant);
        let mut keys = vec![scope.member(group, sk::poster(from))];
        if let Some(id) = owner {
            // Named by the primary address, writing from an alias or with a detail.
            let person = self.principal(Account { tenant, principal: id }).await?;
            keys.push(scope.member(group, sk::poster(&person.address)));
        }
        keys.dedup();
        Ok(self.store().batch_get(&keys).await?.iter().any(Option::is_some))
    }

    pub(crate) async fn owns(&self, tenant: TenantId, group: PrincipalId, person: PrincipalId) -> Result<bool> {
        let key = access::organisation(tenant).member(group, sk::owner(person));
        Ok(self.store().get(&key).await?.is_some())
    }

    /// Every group that holds `principal`, directly, by its filter or through groups.
    pub(crate) async fn groups_above(&self, tenant: TenantId, principal: PrincipalId) -> Result<BTreeSet<PrincipalId>> {
        let chosen = self.chosen(tenant, principal).await?;
        self.groups_over(tenant, principal, chosen).await
    }

    /// The same, where it is known which dynamic groups hold it.
    pub(crate) async fn groups_over(
        &self,
        tenant: TenantId,
        principal: PrincipalId,
        chosen: Vec<PrincipalId>,
    ) -> Result<BTreeSet<PrincipalId>> {
        let mut found: BTreeSet<_> = chosen.into_iter().collect();
        let mut todo: Vec<_> = found.iter().copied().chain([principal]).collect();
        while let Some(next) = todo.pop() {
            for (id, _) in self.memberships(tenant, next, PrincipalKind::Group).await? {
                if found.insert(id) {
                    todo.push(id);
                }
            }
            if found.len() > NESTING {
                return Err(Error::limit(format!("more than {NESTING} groups are nested here")));
            }
        }
        Ok(found)
    }

    /// `group` and the groups inside it.
    async fn groups_below(&self, tenant: TenantId, group: PrincipalId) -> Result<BTreeSet<PrincipalId>> {
        let (mut found, mut todo) = (BTreeSet::from([group]), vec![group]);
        while let Some(next) = todo.pop() {
            let mut after = None;
            loop {
                // Those that a filter chooses are no groups, and nobody outside.
                let (rows, more) = self.member_rows(tenant, next, after.as_ref(), 1000).await?;
                let members = rows.iter().filter_map(|(key, row)| read_member(key, row));
                todo.extend(members.filter_map(|(member, _)| match member {
                    Member::Group(id) if found.len() <= NESTING && found.insert(id) => Some(id),
                    _ => None,
                }));
                match more {
                    Some(key) => after = Some(key),
                    None => break,
                }
            }
        }
        Ok(found)
    }

    /// The containers of one kind that a principal is directly in, from its own rows: one query.
    pub(crate) async fn memberships(
        &self,
        tenant: TenantId,
        principal: PrincipalId,
        kind: PrincipalKind,
    ) -> Result<Vec<(PrincipalId, Row)>> {
        let prefix = sk::memberships(kind);
        let pk = access::organisation(tenant).principal(principal, prefix.clone()).pk().clone();
        let rows = self.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let text = if kind == PrincipalKind::Shared { "in#s#" } else { "in#g#" };
        Ok(rows.into_iter().filter_map(|(key, row)| Some((PrincipalId::from_slice(rest(&key, text)?)?, row))).collect())
    }

    /// Principals by id, in order; those that are gone are left out.
    pub(crate) async fn principals_now(&self, tenant: TenantId, ids: &[PrincipalId]) -> Result<Vec<(PrincipalId, Principal)>> {
        let scope = access::organisation(tenant);
        let keys: Vec<_> = ids.iter().map(|id| scope.principal(*id, sk::principal())).collect();
        let rows = self.store().batch_get(&keys).await?;
        ids.iter().zip(rows).filter_map(|(id, row)| row.map(|row| Ok((*id, Principal::read(&row)?)))).collect()
    }
}
