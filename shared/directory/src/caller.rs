//! Who asks for something that an administrator does, and whether they may.

use crate::dynamic::fitting;
use crate::profile::ProfileChange;
use crate::roles::{Permission, RoleGrant, Within};
use crate::rows::{Principal, PrincipalKind, sk};
use crate::sessions::Session;
use crate::{Directory, Operator, SignedIn, access};
use penfold_ports::{Account, Key, Query, Sk};
use penfold_types::{Address, Error, PrincipalId, Result, TenantId};
use std::collections::BTreeSet;

/// Somebody with a valid token.
#[derive(Debug, Clone)]
pub struct Caller {
    who: Who,
}

#[derive(Debug, Clone)]
enum Who {
    /// Whoever runs the service.
    Operator(String),
    Person(Box<Person>),
}

#[derive(Debug, Clone)]
struct Person {
    who: SignedIn,
    roles: Vec<RoleGrant>,
    session: Session,
}

/// For whom something may be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    Everybody,
    /// Those in one of these.
    Only(Vec<Within>),
}

impl Caller {
    pub(crate) fn operator(name: &str) -> Self {
        Self { who: Who::Operator(name.to_owned()) }
    }

    pub(crate) fn person(who: SignedIn, roles: Vec<RoleGrant>, session: Session) -> Self {
        Self { who: Who::Person(Box::new(Person { who, roles, session })) }
    }

    /// As they stand in the audit log.
    pub fn actor(&self) -> String {
        match &self.who {
            Who::Operator(name) => format!("operator {name}"),
            Who::Person(person) => person.who.address.to_string(),
        }
    }

    /// Unlike that of anybody else; for limits.
    pub fn key(&self) -> String {
        match &self.who {
            Who::Operator(name) => format!("operator {name}"),
            Who::Person(person) => format!("{}#{}", person.who.account.tenant, person.who.account.principal),
        }
    }

    pub fn is_operator(&self) -> bool {
        matches!(self.who, Who::Operator(_))
    }

    /// The person, with the session that they came in by; `None`: the operator.
    pub fn signed_in(&self) -> Option<(&SignedIn, &Session)> {
        match &self.who {
            Who::Operator(_) => None,
            Who::Person(person) => Some((&person.who, &person.session)),
        }
    }

    /// The tenant that they belong to; `None`: the operator.
    pub fn tenant(&self) -> Option<TenantId> {
        self.signed_in().map(|(who, _)| who.account.tenant)
    }

    /// For whom in a tenant they have a permission. Another tenant is not there for them, and neither is a tenant that does
    /// not exist.
    pub fn reach(&self, permission: Permission, tenant: TenantId) -> Result<Reach> {
        let Who::Person(person) = &self.who else { return Ok(Reach::Everybody) };
        if person.who.account.tenant != tenant {
            return Err(Error::not_found("there is no such tenant"));
        }
        let limit = person.session.roles.as_deref();
        if limit.is_some_and(|roles| !roles.iter().any(|grant| grant.role.allows(permission))) {
            return Err(denied(permission));
        }
        let given: Vec<_> = person.roles.iter().filter(|grant| grant.role.allows(permission)).map(|grant| grant.within.clone()).collect();
        if given.contains(&Within::Tenant) {
            Ok(Reach::Everybody)
        } else if given.is_empty() || !permission.is_about_one() {
            Err(denied(permission))
        } else {
            Ok(Reach::Only(given))
        }
    }

    /// Everything that somebody's roles allow, this caller may for everybody: so they gain nothing by becoming them.
    fn is_above(&self, roles: &[RoleGrant], tenant: TenantId) -> bool {
        let mut needed = Permission::ALL.into_iter().filter(|permission| roles.iter().any(|grant| grant.role.allows(*permission)));
        needed.all(|permission| self.reach(permission, tenant).is_ok_and(|reach| reach == Reach::Everybody))
    }
}

fn denied(permission: Permission) -> Error {
    let name = format!("{permission:?}");
    Error::denied(format!("none of your roles has the permission {name}"))
}

impl Directory {
    /// The right to change the tenant's directory in the caller's name; what it is used for was judged before.
    pub fn operator_for(&self, caller: &Caller) -> Operator {
        self.operator().acting_as(&caller.actor())
    }

    /// Whether the caller may do something with one principal of a tenant.
    pub async fn allow(&self, caller: &Caller, permission: Permission, tenant: TenantId, subject: PrincipalId) -> Result<()> {
        let reach = caller.reach(permission, tenant)?;
        let principal = self.principal_now(Account { tenant, principal: subject }).await?;
        if !self.is_within(&reach, tenant, subject, &principal).await? {
            return Err(Error::not_found("there is no such person or group"));
        }
        if !permission.reads() && !caller.is_above(&principal.roles, tenant) {
            return Err(Error::denied("this person has roles that you do not have"));
        }
        Ok(())
    }

    /// Whether a new principal of this address may be made.
    pub fn allow_new(&self, caller: &Caller, permission: Permission, tenant: TenantId, address: &Address) -> Result<()> {
        match caller.reach(permission, tenant)? {
            Reach::Everybody => Ok(()),
            Reach::Only(parts) if parts.contains(&Within::Domain(address.domain().clone())) => Ok(()),
            Reach::Only(_) => Err(Error::denied(format!("your roles do not reach to {}", address.domain()))),
        }
    }

    /// Whether the caller may change what is known of somebody. Where that takes them into a group for which roles are given, they
    /// come into the reach of others; where folders are open to it, they read what they did not: so only who manages all groups
    /// does that.
    pub async fn allow_profile(&self, caller: &Caller, tenant: TenantId, subject: PrincipalId, change: &ProfileChange) -> Result<()> {
        if change.is_empty() || caller.reach(Permission::GroupWrite, tenant).is_ok_and(|reach| reach == Reach::Everybody) {
            return Ok(());
        }
        let before = self.principal_now(Account { tenant, principal: subject }).await?;
        self.judge_profile(tenant, &before, change).await
    }

    /// The same of somebody who is being made: as if they were there without it.
    pub async fn allow_new_profile(
        &self,
        caller: &Caller,
        tenant: TenantId,
        kind: PrincipalKind,
        address: &Address,
        change: &ProfileChange,
    ) -> Result<()> {
        if change.is_empty() || caller.reach(Permission::GroupWrite, tenant).is_ok_and(|reach| reach == Reach::Everybody) {
            return Ok(());
        }
        self.judge_profile(tenant, &Principal::new(kind, address, "", self.env().now()), change).await
    }

    async fn judge_profile(&self, tenant: TenantId, before: &Principal, change: &ProfileChange) -> Result<()> {
        let filters = self.filters(tenant).await?;
        let after = Principal { profile: before.profile.with(change), ..before.clone() };
        let was = fitting(&filters, before);
        for group in fitting(&filters, &after).into_iter().filter(|group| !was.contains(group)) {
            if self.gives_reach(tenant, group).await? || self.opens_folders(tenant, group).await? {
                return Err(Error::denied(
                    "this would take them into a group for which roles are given, or folders are open; who manages all groups may do it",
                ));
            }
        }
        Ok(())
    }

    /// Whether roles are given for those in a group, or in one that holds it: whoever comes in comes into somebody's reach.
    pub(crate) async fn gives_reach(&self, tenant: TenantId, group: PrincipalId) -> Result<bool> {
        self.index_roles(tenant).await?;
        self.any_above(tenant, group, |group| access::organisation(tenant).member(group, Sk::text("r#"))).await
    }

    /// Whether somebody opened folders to those in a group, or in one that holds it.
    async fn opens_folders(&self, tenant: TenantId, group: PrincipalId) -> Result<bool> {
        self.any_above(tenant, group, |group| access::organisation(tenant).principal(group, Sk::text(sk::OPEN_TO))).await
    }

    /// Whether a group, or one that holds it, has a row that begins like this.
    async fn any_above(&self, tenant: TenantId, group: PrincipalId, begins: impl Fn(PrincipalId) -> Key) -> Result<bool> {
        let mut all: BTreeSet<_> = self.groups_over(tenant, group, Vec::new()).await?;
        all.insert(group);
        for group in all {
            let begin = begins(group);
            let query = Query { limit: 1, ..Query::prefix(begin.pk().clone(), begin.sk()) };
            if !self.store().query(&query).await?.rows.is_empty() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn is_within(&self, reach: &Reach, tenant: TenantId, subject: PrincipalId, principal: &Principal) -> Result<bool> {
        let Reach::Only(parts) = reach else { return Ok(true) };
        if parts.iter().any(|part| *part == Within::Domain(principal.address.domain().clone())) {
            return Ok(true);
        }
        if !parts.iter().any(|part| matches!(part, Within::Group(_))) {
            return Ok(false);
        }
        let chosen = fitting(&self.filters(tenant).await?, principal);
        let above = self.groups_over(tenant, subject, chosen).await?;
        Ok(parts.iter().any(|part| matches!(part, Within::Group(group) if above.contains(group))))
    }

    /// Those of a page whom the reach covers.
    pub async fn within(&self, reach: &Reach, tenant: TenantId, ids: &[PrincipalId]) -> Result<Vec<PrincipalId>> {
        if *reach == Reach::Everybody {
            return Ok(ids.to_vec());
        }
        let mut found = Vec::with_capacity(ids.len());
        for (id, principal) in self.principals_now(tenant, ids).await? {
            if self.is_within(reach, tenant, id, &principal).await? {
                found.push(id);
            }
        }
        Ok(found)
    }
}
