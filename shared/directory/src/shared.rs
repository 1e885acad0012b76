//! Shared mailboxes: a principal that has a mailbox and no password, opened by its members.

use crate::rows::{PrincipalKind, Status, sk};
use crate::{Directory, SignedIn, access};
use penfold_ports::{Account, Scope};
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
        let row = self.store().get(&key).await?;
        // A group's members stand under keys of the same shape and open nothing.
        let opens = row.is_some_and(|row| row.u64("g") == Some(PrincipalKind::Shared.number()));
        if opens {
            Ok(access::member(Account { tenant, principal: owner }, viewer, who.scope.rights()))
        } else {
            Err(Error::not_found("there is no such mailbox"))
        }
    }
}
