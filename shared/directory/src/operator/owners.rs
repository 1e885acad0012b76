//! Who manages a group without being an administrator.

use super::Operator;
use super::principals::moved;
use crate::access;
use crate::filter::Filter;
use crate::rows::{PrincipalKind, alive, rest, sk, time};
use penfold_ports::{Account, Query, Row, Sk, When, Write};
use penfold_types::{Address, Error, PrincipalId, Result, TenantId};

/// Owners of one group, and how many come and go in one change.
const OWNERS: usize = 100;
pub(super) const AT_ONCE: usize = 20;
/// Dynamic groups of a tenant.
const DYNAMIC: usize = 100;

impl Operator {
    /// People who own a group, by id.
    pub(super) async fn owners(&self, group: Account) -> Result<Vec<Address>> {
        let ids = self.owner_ids(group).await?;
        Ok(self.directory.principals_now(group.tenant, &ids).await?.into_iter().map(|(_, person)| person.address).collect())
    }

    async fn owner_ids(&self, group: Account) -> Result<Vec<PrincipalId>> {
        let prefix = Sk::text("a#");
        let pk = access::organisation(group.tenant).member(group.principal, prefix.clone()).pk().clone();
        let rows = self.directory.store().query_all(&Query::prefix(pk, &prefix)).await?;
        Ok(rows.iter().filter_map(|(key, _)| PrincipalId::from_slice(rest(key, "a#")?)).collect())
    }

    /// The writes by which people become owners, and cease to be; the group's revision is moved beside them.
    pub(super) async fn owner_writes(&self, group: Account, before: usize, add: &[Address], remove: &[Address]) -> Result<Vec<Write>> {
        if add.len() + remove.len() > AT_ONCE {
            return Err(Error::limit(format!("at most {AT_ONCE} owners are changed at once")));
        }
        if before + add.len() > OWNERS + remove.len() {
            return Err(Error::limit(format!("a group has at most {OWNERS} owners")));
        }
        let (scope, mut writes) = (access::organisation(group.tenant), Vec::new());
        let mut seen = std::collections::BTreeSet::new();
        for (person, comes) in add.iter().map(|one| (one, true)).chain(remove.iter().map(|one| (one, false))) {
            let none = || Error::invalid(format!("{person} is not a person of this organisation; owners are"));
            let (id, kind) = self.id_of(group.tenant, person).await.map_err(|error| match error.kind() {
                penfold_types::Kind::NotFound => none(),
                _ => error,
            })?;
            if kind != PrincipalKind::Person {
                return Err(none());
            }
            if !seen.insert(id) {
                continue;
            }
            let (theirs, its) = (scope.principal(id, sk::owned(group.principal)), scope.member(group.principal, sk::owner(id)));
            if comes {
                let at = Row::new().with("at", time(self.directory.env().now()));
                writes.extend([Write::put(theirs, at.clone()), Write::put(its, at)]);
                let key = self.principal_key(Account { tenant: group.tenant, principal: id });
                writes.push(Write::Check { key, when: alive(Some(PrincipalKind::Person)) });
            } else {
                writes.extend([Write::delete(theirs), Write::delete(its)]);
            }
        }
        Ok(writes)
    }

    pub(super) async fn owner_count(&self, group: Account) -> Result<usize> {
        Ok(self.owner_ids(group).await?.len())
    }

    /// The writes that give a new group its filter.
    pub(super) async fn first_filter(&self, tenant: TenantId) -> Result<Write> {
        let key = access::organisation(tenant).organisation(sk::filters());
        let before = self.directory.store().get(&key).await?.and_then(|row| row.u64("v"));
        if self.directory.filters(tenant).await?.len() >= DYNAMIC {
            return Err(Error::limit(format!("there are {DYNAMIC} groups with a filter already")));
        }
        Ok(moved(key, before))
    }

    pub(super) fn filter_write(&self, group: Account, filter: &Filter, when: When) -> Result<Write> {
        filter.check()?;
        let row = Row::new().with("f", filter.write()).with("at", time(self.directory.env().now()));
        Ok(Write::Put { key: access::organisation(group.tenant).organisation(sk::filter(group.principal)), row, when })
    }
}
