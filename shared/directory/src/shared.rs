//! Shared mailboxes: a principal that has a mailbox and no password, opened by its members.

use crate::rows::{PrincipalKind, Status, sk};
use crate::{Directory, SignedIn, access};
use penfold_ports::{Account, Row, Scope};
use penfold_types::{Address, Error, PrincipalId, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SharedMailbox {
    pub principal: PrincipalId,
    pub address: Address,
    pub name: String,
}

impl Directory {
    /// The shared mailboxes that somebody may open, by address.
    pub async fn shared_mailboxes(&self, who: &SignedIn) -> Result<Vec<SharedMailbox>> {
        let (tenant, viewer) = (who.scope.tenant(), who.scope.viewer());
        let ids: Vec<_> = self.memberships(tenant, viewer, PrincipalKind::Shared).await?.into_iter().map(|(id, _)| id).collect();
        let mut found: Vec<_> = self
            .principals_now(tenant, &ids)
            .await?
            .into_iter()
            .filter(|(_, shared)| shared.kind == PrincipalKind::Shared && shared.status != Status::Deleting)
            .map(|(principal, shared)| SharedMailbox { principal, address: shared.address, name: shared.name })
            .collect();
        found.sort_by_key(|shared| shared.address.key());
        Ok(found)
    }

    /// The right to a shared mailbox, read anew at each use: one read unit. `NotFound` where there is none, whatever the
    /// reason.
    pub async fn open_shared(&self, who: &SignedIn, owner: PrincipalId) -> Result<Scope> {
        let (tenant, viewer) = (who.scope.tenant(), who.scope.viewer());
        let key = access::organisation(tenant).member(owner, sk::member(viewer));
        if opens(self.store().get(&key).await?.as_ref()) {
            Ok(access::member(Account { tenant, principal: owner }, viewer, who.scope.rights()))
        } else {
            Err(Error::not_found("there is no such mailbox"))
        }
    }

    /// All of them with the right to each, read anew.
    pub(crate) async fn open_all_shared(&self, who: &SignedIn) -> Result<Vec<(SharedMailbox, Scope)>> {
        let (tenant, viewer) = (who.scope.tenant(), who.scope.viewer());
        let found = self.shared_mailboxes(who).await?;
        let scope = access::organisation(tenant);
        let keys: Vec<_> = found.iter().map(|one| scope.member(one.principal, sk::member(viewer))).collect();
        let open = found.into_iter().zip(self.store().batch_get(&keys).await?).filter(|(_, row)| opens(row.as_ref()));
        let right = |one: &SharedMailbox| access::member(Account { tenant, principal: one.principal }, viewer, who.scope.rights());
        Ok(open.map(|(one, _)| (one.clone(), right(&one))).collect())
    }
}

/// A group's members stand under keys of the same shape and open nothing.
fn opens(member: Option<&Row>) -> bool {
    member.is_some_and(|row| row.u64("g") == Some(PrincipalKind::Shared.number()))
}
