//! Who administers, and the second factor of people.

use super::Operator;
use super::principals::moved;
use crate::roles::{RoleGrant, Within, write};
use crate::rows::{Principal, PrincipalKind, Status, sk};
use crate::{Directory, access};
use penfold_ports::{Account, Row, When, Write};
use penfold_types::{Address, Error, PrincipalId, Result, TenantId};
use std::collections::BTreeSet;

const GRANTS: usize = 50;
/// Of these, for groups.
const FOR_GROUPS: usize = 25;

/// The groups that roles are for, each once.
pub(super) fn role_groups<'a>(grants: impl IntoIterator<Item = &'a RoleGrant>) -> impl Iterator<Item = PrincipalId> {
    let groups: BTreeSet<_> = grants
        .into_iter()
        .filter_map(|grant| match &grant.within {
            Within::Group(group) => Some(*group),
            Within::Tenant | Within::Domain(_) => None,
        })
        .collect();
    groups.into_iter()
}

impl Directory {
    /// Roles that an older version gave stand in nobody's group: they are written there once, before anybody asks.
    pub(crate) async fn index_roles(&self, tenant: TenantId) -> Result<()> {
        let key = access::organisation(tenant).organisation(sk::roles_indexed());
        if self.store().get(&key).await?.is_some() {
            return Ok(());
        }
        self.operator().write_role_holders(tenant).await?;
        Ok(self.store().put(Write::put(key, Row::new().with("v", 1u64))).await?)
    }
}

impl Operator {
    /// All roles of a person; those that are not named are gone. A tenant keeps somebody who administers it.
    pub async fn set_roles(&self, address: &Address, grants: &[RoleGrant]) -> Result<()> {
        let (account, person) = self.find_kind(address, PrincipalKind::Person).await?;
        let grants: BTreeSet<RoleGrant> = grants.iter().cloned().collect();
        if grants.len() > GRANTS {
            return Err(Error::limit(format!("a person has at most {GRANTS} roles")));
        }
        if role_groups(&grants).count() > FOR_GROUPS {
            return Err(Error::limit(format!("a person has roles for at most {FOR_GROUPS} groups")));
        }
        for grant in &grants {
            self.check_within(account.tenant, &grant.within).await?;
        }
        let grants: Vec<_> = grants.into_iter().collect();
        let administers = RoleGrant::everywhere(crate::Role::TenantAdministrator);
        let guard = if grants.contains(&administers) { None } else { self.keep_an_administrator(account, &person).await? };
        let text = write(&grants);
        let (set, remove) =
            if grants.is_empty() { (vec![], vec!["ro".into()]) } else { (vec![("ro".into(), text.as_str().into())], vec![]) };
        let act = self.act(account.tenant, "role.set", &person.address.to_string(), if text.is_empty() { "none" } else { &text });
        let mut writes = vec![self.principal_update(account, &person, set, remove)?];
        writes.extend(guard);
        writes.extend(self.role_holder(account, &person.roles, &grants));
        self.update_principal_with(account, writes, act).await
    }

    async fn write_role_holders(&self, tenant: TenantId) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.list_principals(tenant, PrincipalKind::Person, after.as_deref(), 500).await?;
            for (principal, person) in page.items {
                if role_groups(&person.roles).next().is_some() {
                    self.write_role_holder(Account { tenant, principal }).await?;
                }
            }
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(()),
            }
        }
    }

    /// As the roles are at this moment; where they change in between, whoever asked comes again.
    async fn write_role_holder(&self, account: Account) -> Result<()> {
        let key = self.principal_key(account);
        let Some(text) = self.directory.store().get(&key).await?.and_then(|row| row.str("ro").map(str::to_owned)) else { return Ok(()) };
        let mut writes = self.role_holder(account, &[], &crate::roles::read(&text));
        writes.push(Write::Check { key, when: When::Equal(vec![("ro".into(), text.into())]) });
        Ok(self.directory.store().commit(writes).await?)
    }

    /// Each group for which somebody has a role says so, so that it can be asked whether there are any.
    fn role_holder(&self, account: Account, before: &[RoleGrant], after: &[RoleGrant]) -> Vec<Write> {
        let (before, after): (BTreeSet<_>, BTreeSet<_>) = (role_groups(before).collect(), role_groups(after).collect());
        let key = |group: &PrincipalId| access::organisation(account.tenant).member(*group, sk::role_holder(account.principal));
        let gone = before.difference(&after).map(|group| Write::delete(key(group)));
        gone.chain(after.iter().map(|group| Write::put(key(group), Row::new().with("v", 1u64)))).collect()
    }

    async fn check_within(&self, tenant: TenantId, within: &Within) -> Result<()> {
        match within {
            Within::Tenant => Ok(()),
            Within::Domain(domain) => match self.directory.claim(tenant, domain).await? {
                Some(_) => Ok(()),
                None => Err(Error::invalid(format!("{domain} is not a domain of this tenant"))),
            },
            Within::Group(group) => match self.directory.principal_now(Account { tenant, principal: *group }).await {
                Ok(principal) if principal.kind == PrincipalKind::Group => Ok(()),
                _ => Err(Error::invalid(format!("{group} is not a group of this tenant"))),
            },
        }
    }

    /// Refused where this person administers the tenant and nobody else does. Else the write that goes with whatever ends that,
    /// so that the last two cannot both go at once.
    pub(super) async fn keep_an_administrator(&self, but: Account, person: &Principal) -> Result<Option<Write>> {
        if person.status != Status::Active || !person.roles.contains(&RoleGrant::everywhere(crate::Role::TenantAdministrator)) {
            return Ok(None);
        }
        let key = access::organisation(but.tenant).organisation(sk::administrators());
        let before = self.directory.store().get(&key).await?.and_then(|row| row.u64("v"));
        let mut after = None;
        loop {
            let page = self.list_principals(but.tenant, PrincipalKind::Person, after.as_deref(), 500).await?;
            let administers = RoleGrant::everywhere(crate::Role::TenantAdministrator);
            let other = page
                .items
                .iter()
                .any(|(id, person)| *id != but.principal && person.status == Status::Active && person.roles.contains(&administers));
            match page.next {
                _ if other => return Ok(Some(moved(key, before))),
                Some(next) => after = Some(next),
                None => return Err(Error::conflict("this is the last administrator of the tenant; make somebody else one first")),
            }
        }
    }

    pub(crate) async fn change_second_factor(&self, account: Account, writes: Vec<Write>, on: bool) -> Result<()> {
        let person = self.directory.principal_now(account).await?;
        let (mut set, remove) = if on { (vec![("tf".into(), true.into())], vec![]) } else { (vec![], vec!["tf".into()]) };
        // What was verified before is asked for again.
        set.push(("sv".into(), person.secret_version.saturating_add(1).into()));
        let mut update = self.principal_update(account, &person, set, remove)?;
        if let Write::Update { when: When::Equal(still), .. } = &mut update {
            still.push(("sv".into(), person.secret_version.into()));
        }
        let mut all = vec![update];
        all.extend(writes);
        let act = self.act(account.tenant, if on { "second-factor.set" } else { "second-factor.remove" }, &person.address.to_string(), "");
        self.commit(all, act).await?;
        self.directory.forget_principal(account);
        Ok(())
    }
}
