//! What an administrator does. Each act is one commit with its audit row; what is too large for one commit is marked
//! first, so that it can be done again from the start after a crash, and nothing new is added meanwhile.

mod aliases;
mod app_passwords;
mod by_id;
mod contacts;
mod delete;
mod domain_keys;
mod domains;
mod groups;
mod info;
mod joining;
mod life;
mod many;
mod members;
mod naming;
mod owners;
mod password_rules;
mod passwords;
mod people;
mod photos;
mod principals;
mod restore;
mod roles;
mod shared;
mod tenants;

use crate::audit::{Act, AuditEntry, AuditProof};
use crate::rows::PrincipalKind;
use crate::store::Refused;
use crate::{Directory, access};
use penfold_ports::{Account, Scope, Write};
use penfold_types::{Address, Error, PrincipalId, Result, TenantId};

pub use contacts::ContactChange;
pub(crate) use groups::group_info;
pub use info::{
    AppPassword, DomainInfo, GroupChange, GroupInfo, MemberInfo, NewGroup, NewPerson, NewShared, Page, PersonChange, PersonInfo, Quota,
    SharedInfo, TenantInfo,
};
pub use joining::{JoinRequest, Joined};
pub use life::GRACE;
pub use many::OneOfMany;
pub use restore::Deleted;

/// The directory with the right to change it. `actor` stands in the audit rows.
#[derive(Clone)]
pub struct Operator {
    pub(crate) directory: Directory,
    actor: String,
    /// The revision that the caller saw: another one is a conflict.
    expected: Option<u64>,
    /// Nothing is changed; the answer is what it would be.
    rehearses: bool,
}

impl Operator {
    pub(crate) fn new(directory: Directory, actor: &str) -> Self {
        Self { directory, actor: actor.to_owned(), expected: None, rehearses: false }
    }

    /// The same rights under another name.
    #[must_use]
    pub fn acting_as(&self, actor: &str) -> Self {
        Self { actor: actor.to_owned(), ..self.clone() }
    }

    /// Changes and deletes a principal or a tenant only where it is still of this revision.
    #[must_use]
    pub fn expecting(&self, revision: Option<u64>) -> Self {
        Self { expected: revision, ..self.clone() }
    }

    /// Does nothing, and says what doing it would: conditions are looked at, and nothing is written.
    #[must_use]
    pub fn rehearsing(&self, rehearses: bool) -> Self {
        Self { rehearses, ..self.clone() }
    }

    /// The owner's right to a person's or shared mailbox, noted in the audit log before it is given.
    pub async fn open_mailbox(&self, address: &Address, why: &str) -> Result<Scope> {
        let (account, principal) = self.find(address).await?;
        if principal.kind == PrincipalKind::Group {
            return Err(Error::invalid(format!("{address} is a group and has no mailbox")));
        }
        self.commit(Vec::new(), self.act(account.tenant, "mailbox.open", &principal.address.to_string(), why)).await?;
        Ok(self.directory.job_scope(account))
    }

    /// The right to see which folders a person's or shared mailbox has, and how much is in them, noted like any other access.
    pub async fn open_folder_names(&self, tenant: TenantId, of: PrincipalId, kind: PrincipalKind) -> Result<Scope> {
        let address = self.address_of(tenant, of, kind).await?;
        // Also where nothing is to be changed: what was seen was seen.
        let act = self.act(tenant, "mailbox.open", &address.to_string(), "the names of its folders");
        self.directory.commit_noted(Vec::new(), &[act]).await?;
        Ok(access::names_only(Account { tenant, principal: of }))
    }

    /// The right to give others rights to the folders of a mailbox, and to see who has some; each change is noted where it is made.
    pub async fn open_rights(&self, tenant: TenantId, of: PrincipalId, kind: PrincipalKind) -> Result<Scope> {
        self.address_of(tenant, of, kind).await?;
        Ok(access::rights_only(Account { tenant, principal: of }))
    }

    /// In whose name this one acts.
    pub fn actor(&self) -> &str {
        &self.actor
    }

    /// One day's acts in a tenant, the newest first; `day` counts from 1970-01-01.
    pub async fn audit_log(&self, tenant: TenantId, day: i64, limit: usize) -> Result<Vec<AuditEntry>> {
        self.directory.audit_day(tenant, day, None, limit.min(10_000)).await
    }

    /// The same before a number, for going on.
    pub async fn audit_page(&self, tenant: TenantId, day: i64, before: Option<u64>, limit: usize) -> Result<Vec<AuditEntry>> {
        self.directory.audit_day(tenant, day, before, limit.min(1000)).await
    }

    /// Whether the log is as it was written.
    pub async fn verify_audit(&self, tenant: TenantId) -> Result<AuditProof> {
        self.directory.verify_audit(tenant).await
    }

    /// Notes what is no change of a row of the directory: a tenant that left as a copy, mail that was taken off the queue.
    pub async fn note(&self, tenant: TenantId, act: &'static str, target: &str, detail: &str) -> Result<()> {
        Ok(self.commit(Vec::new(), self.act(tenant, act, target, detail)).await?)
    }

    /// An act on rows that are not the directory's own, noted in the same commit. Another state than theirs is a conflict.
    pub async fn carry_out(&self, tenant: TenantId, writes: Vec<Write>, act: &'static str, target: &str, detail: &str) -> Result<()> {
        let changed = |_| Error::conflict("changed by somebody else meanwhile; try again");
        self.commit(writes, self.act(tenant, act, target, detail)).await.map_err(|refused| refused.explain(changed))
    }

    /// Nothing is changed; see [`Operator::rehearsing`].
    pub fn rehearses(&self) -> bool {
        self.rehearses
    }

    /// A token of the operator's, under a name that stands in the audit log. Its text is in this answer and nowhere else.
    pub async fn make_token(&self, name: &str) -> Result<String> {
        check_name(name)?;
        self.directory.make_operator_token(name).await
    }

    pub(crate) fn act(&self, tenant: TenantId, act: &'static str, target: &str, detail: &str) -> Act {
        Act { tenant, actor: self.actor.clone(), act, target: target.to_owned(), detail: detail.to_owned(), first: false }
    }

    /// Carries out `writes` and notes the act in the same commit; where this operator only rehearses, looks whether it would.
    pub(crate) async fn commit(&self, writes: Vec<Write>, act: Act) -> Result<(), Refused> {
        self.commit_all(writes, &[act]).await
    }

    async fn commit_all(&self, writes: Vec<Write>, acts: &[Act]) -> Result<(), Refused> {
        if self.rehearses { self.directory.store().would(&writes).await } else { self.directory.commit_noted(writes, acts).await }
    }
}

/// What people and things are called: not empty, at most 200 bytes, no control characters.
pub fn check_name(name: &str) -> Result<()> {
    if name.trim().is_empty() || name.len() > 200 || name.chars().any(char::is_control) {
        return Err(Error::invalid("a name has 1 to 200 bytes and no control characters"));
    }
    Ok(())
}
