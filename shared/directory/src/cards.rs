//! What everybody of a tenant may know of whoever is in it: names and addresses.

use crate::rows::{PrincipalKind, Status};
use crate::{Directory, Profile, access};
use penfold_ports::{Account, Query, Sk};
use penfold_types::{Address, PrincipalId, Result, TenantId};

/// An entry of the organisation's directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DirectoryCard {
    pub id: PrincipalId,
    pub kind: PrincipalKind,
    pub address: Address,
    pub name: String,
    pub profile: Profile,
}

impl Directory {
    /// Those of some ids who are there and not hidden, in the order asked for.
    pub async fn cards(&self, tenant: TenantId, ids: &[PrincipalId]) -> Result<Vec<DirectoryCard>> {
        let found = self.principals_now(tenant, ids).await?.into_iter();
        let seen = found.filter(|(_, own)| own.status != Status::Deleting && !(own.kind == PrincipalKind::Group && own.group.hidden));
        let card = |(id, own): (PrincipalId, crate::rows::Principal)| DirectoryCard {
            id,
            kind: own.kind,
            address: own.address,
            name: own.name,
            profile: own.profile,
        };
        Ok(seen.map(card).collect())
    }

    /// Whom `fits` picks among people, groups and shared mailboxes, by address; at most `limit`, and whether there are more.
    pub async fn search_cards(
        &self,
        tenant: TenantId,
        words: &[&str],
        any: bool,
        limit: usize,
        fits: impl Fn(&DirectoryCard) -> bool + Send,
    ) -> Result<(Vec<DirectoryCard>, bool)> {
        let _ = (words, any);
        let mut found = Vec::new();
        for kind in [PrincipalKind::Person, PrincipalKind::Group, PrincipalKind::Shared] {
            for ids in self.names(tenant, kind).await?.chunks(100) {
                found.extend(self.cards(tenant, ids).await?.into_iter().filter(&fits));
                if found.len() > limit {
                    found.truncate(limit);
                    return Ok((found, true));
                }
            }
        }
        Ok((found, false))
    }

    /// All addresses of somebody, the primary one first.
    pub async fn addresses(&self, account: Account) -> Result<Vec<Address>> {
        let primary = self.principal_now(account).await?.address;
        let prefix = Sk::text("alias#");
        let pk = access::organisation(account.tenant).principal(account.principal, prefix.clone()).pk().clone();
        let rows = self.store().query_all(&Query::prefix(pk, &prefix)).await?;
        let aliases = rows.iter().filter_map(|(_, row)| row.str("a")?.parse().ok());
        Ok(std::iter::once(primary).chain(aliases).collect())
    }
}
