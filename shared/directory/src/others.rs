//! Everything of somebody else's that a person may open: shared mailboxes whole, and folders that were opened to them. All of it at
//! once, for a list, or one by its address, for a command.

use crate::rows::{PrincipalKind, Route, Status, rest, sk};
use crate::sharing::{named, nothing_open, since};
use crate::{Directory, SharedMailbox, SignedIn, access};
use penfold_ports::{Account, Grantee, Ground, Query, Scope, Sk, shared};
use penfold_types::{Address, Kind, PrincipalId, Result, TenantId};
use std::collections::BTreeMap;

/// Owners of opened folders that one list holds. Those who opened something to the person or their groups come before those who did to
/// everybody; whoever is not in it any more is still found by their address.
const OWNERS: usize = 5000;

impl Directory {
    /// All of it, by address, each with the right to it. Which folders of a mailbox are open, and whether there still are any, the
    /// mailbox says. It costs as many queries as the person is in groups, and for each owner the read of a row.
    pub async fn others(&self, who: &SignedIn) -> Result<Vec<(SharedMailbox, Scope)>> {
        let (tenant, viewer) = (who.scope.tenant(), who.scope.viewer());
        let mut found = self.open_all_shared(who).await?;
        let mut opened = self.grounds(tenant, viewer).await?;
        opened.retain(|owner, _| *owner != viewer && found.iter().all(|(known, _)| known.principal != *owner));
        let mut ids: Vec<PrincipalId> = opened.values().flatten().filter_map(|ground| named(ground.to)).collect();
        ids.extend(opened.keys());
        ids.sort_unstable();
        ids.dedup();
        let there: BTreeMap<_, _> =
            self.principals_now(tenant, &ids).await?.into_iter().filter(|(_, own)| own.status != Status::Deleting).collect();
        for (principal, mut grounds) in opened {
            let Some(own) = there.get(&principal).filter(|own| own.kind != PrincipalKind::Group) else { continue };
            // A group that is being deleted opens nothing from the first moment on.
            grounds.retain(|ground| named(ground.to).is_none_or(|id| id == viewer || there.contains_key(&id)));
            if grounds.is_empty() {
                continue;
            }
            let mailbox = SharedMailbox { principal, address: own.address.clone(), name: own.name.clone() };
            found.push((mailbox, access::folders(Account { tenant, principal }, viewer, &grounds, who.scope.rights())));
        }
        found.sort_by_cached_key(|(one, _)| one.address.key());
        Ok(found)
    }

    /// On what grounds something is open to somebody, by owner: each row by which an owner is found is one.
    async fn grounds(&self, tenant: TenantId, viewer: PrincipalId) -> Result<BTreeMap<PrincipalId, Vec<Ground>>> {
        let scope = access::organisation(tenant);
        let mut found: BTreeMap<PrincipalId, Vec<Ground>> = BTreeMap::new();
        for to in self.as_whom(tenant, viewer).await? {
            let (key, prefix) = match to {
                Grantee::Anyone => (scope.organisation(Sk::text(sk::OPEN_TO_ANYONE)), sk::OPEN_TO_ANYONE),
                Grantee::Principal(id) => (scope.principal(id, Sk::text(sk::OPEN_TO)), sk::OPEN_TO),
            };
            let mut query = Query { limit: 1000, ..Query::prefix(key.pk().clone(), key.sk()) };
            loop {
                let page = self.store().query(&query).await?;
                for (key, row) in &page.rows {
                    if let (Some(owner), Some(since)) = (rest(key, prefix).and_then(PrincipalId::from_slice), since(row)) {
                        found.entry(owner).or_default().push(Ground { to, since });
                    }
                }
                if found.len() >= OWNERS {
                    tracing::warn!(%tenant, %viewer, "more people opened folders than one list shows");
                    return Ok(found);
                }
                match page.rows.last() {
                    Some((last, _)) if page.more => query.from = last.successor(),
                    _ => break,
                }
            }
        }
        Ok(found)
    }

    /// Whose mailbox an address names, and the right to it. `NotFound` where there is none, whatever the reason: nobody is told whether
    /// the address is there.
    pub async fn find_others(&self, who: &SignedIn, address: &Address) -> Result<(PrincipalId, Scope)> {
        let tenant = who.scope.tenant();
        let row = self.store().get(&shared::route(address)).await?.ok_or_else(nothing_open)?;
        let route = Route::read(&row)?;
        if route.tenant != tenant || route.kind == PrincipalKind::Group {
            return Err(nothing_open());
        }
        let scope = self.open_others(who, route.principal).await?;
        let own = self.principal_now(Account { tenant, principal: route.principal }).await?;
        // A mailbox has one name, not as many as it has addresses.
        if own.status == Status::Deleting || own.address.key() != address.key() {
            return Err(nothing_open());
        }
        Ok((route.principal, scope))
    }

    /// For a job that somebody ordered: their right to a mailbox of somebody else's as it is now.
    pub async fn visiting_scope(&self, visitor: Account, owner: PrincipalId) -> Result<Scope> {
        let own = self.principal_now(visitor).await?;
        if own.status != Status::Active || own.kind != PrincipalKind::Person {
            return Err(nothing_open());
        }
        let scope = access::own(visitor);
        let who = SignedIn { account: visitor, address: own.address, name: own.name, sent_copy: own.sent_copy, scope };
        self.open_others(&who, owner).await
    }

    /// The right to a mailbox of somebody else's: as a member, or to single folders.
    pub async fn open_others(&self, who: &SignedIn, owner: PrincipalId) -> Result<Scope> {
        match self.open_shared(who, owner).await {
            Err(error) if error.kind() == Kind::NotFound => self.open_folders(who, owner).await,
            opened => opened,
        }
    }
}
