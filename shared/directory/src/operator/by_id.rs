//! What an API names by id leads here to the address that everything else is done by.

use super::Operator;
use crate::rows::{PrincipalKind, Status};
use crate::{Permission, Within};
use penfold_ports::Account;
use penfold_types::{Address, Domain, Error, PrincipalId, Result, TenantId};

impl Operator {
    /// The primary address of somebody of this kind in this tenant; another tenant's id is nobody's here.
    pub async fn address_of(&self, tenant: TenantId, id: PrincipalId, kind: PrincipalKind) -> Result<Address> {
        let unknown = || Error::not_found(format!("there is no such {}", kind.words()));
        match self.directory.principal_now(Account { tenant, principal: id }).await {
            Ok(principal) if principal.kind == kind => Ok(principal.address),
            Ok(_) => Err(unknown()),
            Err(error) if error.kind() == penfold_types::Kind::NotFound => Err(unknown()),
            Err(error) => Err(error),
        }
    }

    /// Whether whoever stands in the audit log under this name still has a permission for the whole tenant.
    pub async fn actor_may(&self, tenant: TenantId, actor: &str, permission: Permission) -> Result<bool> {
        // Whoever runs the service is no address.
        let Ok(address) = actor.parse::<Address>() else { return Ok(true) };
        let person = match self.person(&address).await {
            Err(error) if matches!(error.kind(), penfold_types::Kind::NotFound | penfold_types::Kind::Invalid) => return Ok(false),
            found => found?,
        };
        let given = person.roles.iter().any(|grant| grant.role.allows(permission) && grant.within == Within::Tenant);
        Ok(given && person.tenant == tenant && person.status == Status::Active)
    }

    /// The primary address of a person or shared mailbox of this tenant.
    pub async fn mailbox_address(&self, tenant: TenantId, id: PrincipalId) -> Result<Address> {
        match self.address_of(tenant, id, PrincipalKind::Person).await {
            Err(error) if error.kind() == penfold_types::Kind::NotFound => self.address_of(tenant, id, PrincipalKind::Shared).await,
            found => found,
        }
    }

    /// Refuses a domain that this tenant neither has nor claims; whether it is somebody else's is not told.
    pub async fn own_domain(&self, tenant: TenantId, domain: &Domain) -> Result<()> {
        match self.directory.claim(tenant, domain).await? {
            Some(_) => Ok(()),
            None => Err(Error::not_found(format!("{domain} is not a domain of this tenant"))),
        }
    }

    /// Refuses a domain in which this tenant can have no address: also one that it only claims, and another may have.
    pub async fn address_domain(&self, tenant: TenantId, domain: &Domain) -> Result<()> {
        match self.directory.claim(tenant, domain).await? {
            Some(claim) if claim.proved => Ok(()),
            Some(_) => Err(Error::conflict(format!("{domain} is not proved yet; publish its record, and have it verified"))),
            None => Err(Error::not_found(format!("{domain} is not a domain of this tenant"))),
        }
    }

    /// The id behind an address of this tenant.
    pub async fn id_of(&self, tenant: TenantId, address: &Address) -> Result<(PrincipalId, PrincipalKind)> {
        match self.find(address).await {
            Ok((account, principal)) if account.tenant == tenant => Ok((account.principal, principal.kind)),
            Ok(_) => Err(Error::not_found(format!("there is no {address}"))),
            Err(error) => Err(error),
        }
    }
}
