//! What an administrator does. Each act is one commit with its audit row; what is too large for one commit is marked
//! first, so that it can be done again from the start after a crash, and nothing new is added meanwhile.

mod aliases;
mod app_passwords;
mod delete;
mod domain_keys;
mod domains;
mod groups;
mod info;
mod members;
mod naming;
mod passwords;
mod people;
mod principals;
mod shared;
mod tenants;

use crate::Directory;
use crate::audit::AuditEntry;
use crate::rows::PrincipalKind;
use penfold_ports::Scope;
use penfold_types::{Address, Error, Result, TenantId};

pub use info::{
    AppPassword, DomainInfo, GroupChange, GroupInfo, MemberInfo, NewGroup, NewPerson, NewShared, Page, PersonChange, PersonInfo, Quota,
    SharedInfo, TenantInfo,
};

/// The directory with the right to change it. `actor` stands in the audit rows.
#[derive(Clone)]
pub struct Operator {
    directory: Directory,
    actor: String,
}

impl Operator {
    pub(crate) fn new(directory: Directory, actor: &str) -> Self {
        Self { directory, actor: actor.to_owned() }
    }

    /// The same rights under another name.
    #[must_use]
    pub fn acting_as(&self, actor: &str) -> Self {
        Self::new(self.directory.clone(), actor)
    }

    /// The owner's right to a person's or shared mailbox, noted in the audit log before it is given.
    pub async fn open_mailbox(&self, address: &Address, why: &str) -> Result<Scope> {
        let (account, principal) = self.find(address).await?;
        if principal.kind == PrincipalKind::Group {
            return Err(Error::invalid(format!("{address} is a group and has no mailbox")));
        }
        let audit = self.audit(account.tenant, "mailbox.open", &principal.address.to_string(), why);
        self.directory.store().put(audit).await?;
        Ok(self.directory.job_scope(account))
    }

    /// One day's acts in a tenant, the newest first; `day` counts from 1970-01-01.
    pub async fn audit_log(&self, tenant: TenantId, day: i64, limit: usize) -> Result<Vec<AuditEntry>> {
        self.directory.audit_day(tenant, day, limit.min(10_000)).await
    }

    /// Notes that a tenant left as a copy, came in, was frozen or thawed.
    pub async fn note_move(&self, tenant: TenantId, act: &str, name: &str) -> Result<()> {
        Ok(self.directory.store().put(self.audit(tenant, act, name, "")).await?)
    }

    fn audit(&self, tenant: TenantId, act: &str, target: &str, detail: &str) -> penfold_ports::Write {
        self.directory.audit_write(tenant, &self.actor, act, target, detail)
    }
}

/// What people are called: not empty, at most 200 bytes, no control characters.
fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        return Err(Error::invalid("a name has 1 to 200 bytes and no control characters"));
    }
    Ok(())
}
