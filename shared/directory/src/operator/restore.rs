//! A person or shared mailbox that was deleted comes back, for as long as the mailbox was not destroyed.

use super::Operator;
use super::principals::new_address_words;
use crate::access;
use crate::rows::{Principal, PrincipalKind, Route, Status, read_time, rest, sk, stored_time, time};
use penfold_ports::{Account, Query, Row, Sk, When, Write};
use penfold_types::{Address, Error, PrincipalId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deleted {
    pub id: PrincipalId,
    pub kind: PrincipalKind,
    pub address: Address,
    pub name: String,
    pub deleted: Timestamp,
}

/// What stays of a principal: its row as it was, its aliases, and that it may come back.
pub(super) fn gone_row(principal: &Principal, aliases: &[Address], now: Timestamp) -> Row {
    let aliases: Vec<_> = aliases.iter().map(Address::to_string).collect();
    principal.bare().row().with("ca", time(principal.created)).with("at", time(now)).with("al", aliases.join("\n")).with("ok", true)
}

fn read_gone(row: &Row) -> Result<(Principal, Vec<Address>)> {
    let principal = Principal::read(row)?;
    let aliases = row.str("al").unwrap_or_default().lines().filter_map(|line| line.parse().ok()).collect();
    Ok((Principal { created: stored_time(row, "ca").unwrap_or(principal.created), ..principal }, aliases))
}

impl Operator {
    /// Those who were deleted and can be restored, a tenant's, the oldest first.
    pub async fn deleted(&self, tenant: TenantId) -> Result<Vec<Deleted>> {
        let prefix = Sk::text("gone#");
        let pk = access::organisation(tenant).organisation(prefix.clone()).pk().clone();
        let rows = self.directory.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let read = |(key, row): &(Sk, Row)| {
            let (principal, _) = read_gone(row).ok().filter(|_| row.u64("ok") == Some(1))?;
            let id = PrincipalId::from_slice(rest(key, "gone#")?)?;
            Some(Deleted { id, kind: principal.kind, address: principal.address, name: principal.name, deleted: read_time(row) })
        };
        let mut found: Vec<_> = rows.iter().filter_map(read).collect();
        found.sort_by_key(|one| one.deleted);
        Ok(found)
    }

    /// Under the same id, with the mailbox as it was, and those aliases that nobody has taken. Passwords and roles are gone:
    /// both are given anew.
    pub async fn restore(&self, tenant: TenantId, id: PrincipalId) -> Result<Address> {
        let scope = access::organisation(tenant);
        let key = scope.organisation(sk::gone(id));
        let unknown = || Error::not_found("nobody of this id was deleted, or the mailbox is destroyed already");
        let row = self.directory.store().get(&key).await?.filter(|row| row.u64("ok") == Some(1)).ok_or_else(unknown)?;
        let (gone, aliases) = read_gone(&row)?;
        let mut principal = Principal {
            status: Status::Active,
            secret_version: gone.secret_version.saturating_add(2),
            revision: gone.revision.saturating_add(1),
            two_factor: false,
            roles: Vec::new(),
            ..gone
        };
        let account = Account { tenant, principal: id };
        let address = principal.address.clone();
        let route = Route { tenant, principal: id, kind: principal.kind, alias: false };
        let mut writes = self.address_writes(&address, &route);
        let found_by = principal.index(&scope, id, &[]);
        writes.push(Write::put_new(self.principal_key(account), principal.row()));
        writes.push(Write::Delete { key, when: When::Equal(vec![("ok".into(), 1u64.into())]) });
        writes.extend(found_by);
        let verb = if principal.kind == PrincipalKind::Person { "person.restore" } else { "shared.restore" };
        let act = self.act(tenant, verb, &address.to_string(), &principal.name);
        self.commit(writes, act).await.map_err(|refused| refused.explain(|write| new_address_words(&address, write)))?;
        if self.rehearses {
            return Ok(address);
        }
        self.directory.forget_principal(account);
        for alias in aliases {
            match self.add_alias(&address, &alias).await {
                Err(error) if error.kind() == penfold_types::Kind::Conflict => tracing::info!(%alias, "an alias is somebody else's now"),
                answer => answer?,
            }
        }
        Ok(address)
    }
}
