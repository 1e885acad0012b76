//! What a key of a tenant's data is built from: the right to its organisation, or to one account.

use super::{Key, Pk, Sk};
use crate::BlobKey;
use crate::rights::{Grantee, Rights};
use penfold_types::{AcceptanceId, Modseq, PrincipalId, TenantId};
use std::sync::Arc;

/// The rows and blobs of one tenant's organisation: itself, its domains, people, groups and audit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TenantScope {
    tenant: TenantId,
}

impl TenantScope {
    /// Only the directory calls this: for the operator, for an administrator who signed in, or for a resolved address.
    pub fn grant(tenant: TenantId) -> Self {
        Self { tenant }
    }

    pub fn tenant(&self) -> TenantId {
        self.tenant
    }

    /// `t#T`: the tenant's row, its domains and its data keys.
    pub fn organisation(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("t#{}", self.tenant)), sk }
    }

    /// `p#T#P`: a principal, its secrets and settings.
    pub fn principal(&self, principal: PrincipalId, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("p#{}#{principal}", self.tenant)), sk }
    }

    /// `g#T#G`: one row a member.
    pub fn member(&self, group: PrincipalId, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("g#{}#{group}", self.tenant)), sk }
    }

    /// `au#T#day`: acts, by their number.
    pub fn audit(&self, day: i64, number: u64) -> Key {
        Key { pk: Pk::new(format!("au#{}#{day}", self.tenant)), sk: Sk(number.to_be_bytes().to_vec()) }
    }

    /// `on#T`: answers to requests that may come again; with `exp`.
    pub fn once(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("on#{}", self.tenant)), sk }
    }

    /// `x#T#day`: the way of messages.
    pub fn trace(&self, day: i64, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("x#{}#{day}", self.tenant)), sk }
    }

    /// `u#T`: what its mailboxes used.
    pub fn usage(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("u#{}", self.tenant)), sk }
    }

    /// `o#T`: mail on its way to other hosts.
    pub fn outgoing(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("o#{}", self.tenant)), sk }
    }

    /// `rp#T`: what others reported about its domains.
    pub fn report(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("rp#{}", self.tenant)), sk }
    }

    /// `tf#T`: imports and exports.
    pub fn transfer(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("tf#{}", self.tenant)), sk }
    }

    /// `sb#T`: calendars that come from elsewhere.
    pub fn subscription(&self, sk: Sk) -> Key {
        Key { pk: Pk::new(format!("sb#{}", self.tenant)), sk }
    }

    pub fn blob(&self, acceptance: AcceptanceId) -> BlobKey {
        BlobKey::new(self.tenant, &acceptance.to_string())
    }
}

/// One account of one tenant, named without any right to it: for logs, wakes and caches.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Account {
    pub tenant: TenantId,
    pub principal: PrincipalId,
}

/// The one kind of row that needs no right to the account: it says who wants wakes, and nothing of what is in there.
impl Account {
    /// `a#T#A`, for the rows that begin with [`Sk::watches`].
    pub fn watches(&self) -> Pk {
        account_pk(*self)
    }

    pub fn watch(&self, edge: &str) -> Key {
        Key { pk: account_pk(*self), sk: Sk::watch(edge) }
    }
}

fn account_pk(account: Account) -> Pk {
    Pk::new(format!("a#{}#{}", account.tenant, account.principal))
}

/// A ground on which somebody may have rights to single folders: what was granted to them, to a group that they are in, or to
/// everybody, by this commit of the owner's account or a later one. What was granted before is as if it had never been.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ground {
    pub to: Grantee,
    pub since: Modseq,
}

/// The right to one account's rows: who acts, on which account, and what they may do there: in all of its folders, or in those
/// alone whose own rows name one of the grounds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scope {
    account: Account,
    viewer: PrincipalId,
    rights: Rights,
    grounds: Arc<[Ground]>,
    most: Rights,
    feeds: bool,
    pk: Pk,
}

impl Scope {
    /// Only the directory calls this, after a sign-in or from a job's header.
    pub fn grant(account: Account, viewer: PrincipalId, rights: Rights) -> Self {
        Self { account, viewer, rights, grounds: Arc::default(), most: Rights::ALL, feeds: false, pk: account_pk(account) }
    }

    /// The same for somebody to whom single folders were opened. The rights in each are in the folder's own row and are judged
    /// where it is read; `most` is what there may be at all.
    pub fn grant_folders(account: Account, viewer: PrincipalId, grounds: &[Ground], most: Rights) -> Self {
        Self { account, viewer, rights: Rights::NONE, grounds: grounds.into(), most, feeds: false, pk: account_pk(account) }
    }

    pub fn account(&self) -> Account {
        self.account
    }

    pub fn tenant(&self) -> TenantId {
        self.account.tenant
    }

    /// Whose sign-in this is; not the account's owner where a mailbox is shared.
    pub fn viewer(&self) -> PrincipalId {
        self.viewer
    }

    /// In every folder, and in the account as a whole.
    pub fn rights(&self) -> Rights {
        self.rights
    }

    /// Why there may be rights to single folders; none where there is a right to all.
    pub fn grounds(&self) -> &[Ground] {
        &self.grounds
    }

    /// The same for whoever brings what comes from elsewhere: it may also write to folders that are filled from there.
    #[must_use]
    pub fn feeding(self) -> Self {
        Self { feeds: true, ..self }
    }

    pub fn feeds(&self) -> bool {
        self.feeds
    }

    /// No right to a folder goes further.
    pub fn most(&self) -> Rights {
        self.most
    }

    pub fn pk(&self) -> &Pk {
        &self.pk
    }

    /// `a#T#A`
    pub fn key(&self, sk: Sk) -> Key {
        Key { pk: self.pk.clone(), sk }
    }

    pub fn blob(&self, acceptance: AcceptanceId) -> BlobKey {
        BlobKey::new(self.account.tenant, &acceptance.to_string())
    }

    /// A segment of a folder's checkpoint.
    pub fn segment(&self, id: AcceptanceId) -> BlobKey {
        BlobKey::new(self.account.tenant, &format!("k-{}-{id}", self.account.principal))
    }
}
