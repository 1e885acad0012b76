//! What the operator gives and gets back.

use crate::LogoInfo;
use crate::filter::Filter;
use crate::group_rules::{GroupRules, JoinPolicy};
use crate::profile::{Profile, ProfileChange};
use crate::roles::RoleGrant;
use crate::rows::{PostPolicy, PrincipalKind, Status, TenantStatus};
use crate::sign_in::Use;
use penfold_types::{Address, PrincipalId, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// A part of a list, and where to go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Page<T> {
    pub items: Vec<T>,
    pub next: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TenantInfo {
    pub id: TenantId,
    pub name: String,
    pub status: TenantStatus,
    /// When the trial ends, where it is one.
    pub trial_ends: Option<Timestamp>,
    /// When it was closed, where it is.
    pub closed: Option<Timestamp>,
    /// The pool of addresses that its mail leaves from.
    pub pool: Option<String>,
    /// Moves with each change.
    pub revision: u64,
    pub created: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DomainInfo {
    pub domain: String,
    pub created: Timestamp,
    /// It receives and sends.
    pub proved: bool,
    /// Until when a proof is waited for.
    pub lapses: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub struct NewPerson {
    pub address: Address,
    pub name: String,
    /// Without one, nobody signs in until one is set.
    pub password: Option<String>,
    pub quota: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PersonInfo {
    pub id: PrincipalId,
    pub tenant: TenantId,
    pub address: Address,
    pub name: String,
    pub status: Status,
    pub aliases: Vec<Address>,
    /// Bytes.
    pub quota: u64,
    pub quota_is_own: bool,
    /// What they send is kept in Sent by the server.
    pub sent_copy: bool,
    /// A typed password alone opens nothing.
    pub two_factor: bool,
    pub roles: Vec<RoleGrant>,
    /// Where a forgotten password is mended.
    pub recovery: Option<Address>,
    /// In no search and no address book.
    pub hidden: bool,
    pub photo: Option<LogoInfo>,
    /// Title, department and the like.
    pub profile: Profile,
    /// Moves with each change.
    pub revision: u64,
    pub created: Timestamp,
}

/// How many bytes a mailbox may hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Quota {
    Default,
    Bytes(u64),
}

/// What is `None` stays.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct PersonChange {
    pub name: Option<String>,
    pub quota: Option<Quota>,
    /// Active or suspended.
    pub status: Option<Status>,
    pub sent_copy: Option<bool>,
    /// An address elsewhere, or none.
    pub recovery: Option<Option<Address>>,
    /// In no search and no address book.
    #[serde(default)]
    pub hidden: Option<bool>,
    pub profile: ProfileChange,
}

#[derive(Debug, Clone)]
pub struct NewGroup {
    pub address: Address,
    pub name: String,
    pub who_may_post: PostPolicy,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupInfo {
    pub id: PrincipalId,
    pub tenant: TenantId,
    pub address: Address,
    pub name: String,
    pub who_may_post: PostPolicy,
    pub rules: GroupRules,
    /// Those who are named, at most 1,000.
    pub posters: Vec<Address>,
    /// People who manage it.
    pub owners: Vec<Address>,
    /// By what it chooses its members, where it is dynamic.
    pub filter: Option<Filter>,
    /// Moves with each change.
    pub revision: u64,
    pub created: Timestamp,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct GroupChange {
    pub name: Option<String>,
    pub who_may_post: Option<PostPolicy>,
    pub add_posters: Vec<Address>,
    pub remove_posters: Vec<Address>,
    pub description: Option<String>,
    pub join: Option<JoinPolicy>,
    pub may_leave: Option<bool>,
    pub hidden: Option<bool>,
    pub add_owners: Vec<Address>,
    pub remove_owners: Vec<Address>,
    /// Of a dynamic group; which groups are is decided when they are made.
    pub filter: Option<Filter>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberInfo {
    pub address: Address,
    /// `None`: outside the tenant.
    pub kind: Option<PrincipalKind>,
    pub name: String,
}

#[derive(Debug, Clone)]
pub struct NewShared {
    pub address: Address,
    pub name: String,
    pub quota: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedInfo {
    pub id: PrincipalId,
    pub tenant: TenantId,
    pub address: Address,
    pub name: String,
    /// Bytes.
    pub quota: u64,
    /// In no search and no address book.
    pub hidden: bool,
    pub profile: Profile,
    /// Moves with each change.
    pub revision: u64,
    pub created: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppPassword {
    pub id: String,
    pub name: String,
    /// What it opens.
    pub opens: Vec<Use>,
    pub created: Timestamp,
    /// The beginning of the day of its last use.
    pub used: Option<Timestamp>,
}
