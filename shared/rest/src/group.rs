//! Groups, as they are shown to their administrators and to the people in them.

use crate::{Problem, When};
use penfold_directory::{JoinPolicy, JoinRequest, MemberInfo, PostPolicy, PrincipalKind};
use penfold_types::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Addresses in one request.
const MOST: usize = 1000;

/// Who may write to a group.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Posting {
    Anyone,
    /// Every address of the tenant.
    Inside,
    Members,
    /// Those who are named.
    Named,
    Owners,
}

impl From<PostPolicy> for Posting {
    fn from(policy: PostPolicy) -> Self {
        match policy {
            PostPolicy::Anyone => Self::Anyone,
            PostPolicy::Inside => Self::Inside,
            PostPolicy::Members => Self::Members,
            PostPolicy::Named => Self::Named,
            PostPolicy::Owners => Self::Owners,
        }
    }
}

impl From<Posting> for PostPolicy {
    fn from(posting: Posting) -> Self {
        match posting {
            Posting::Anyone => Self::Anyone,
            Posting::Inside => Self::Inside,
            Posting::Members => Self::Members,
            Posting::Named => Self::Named,
            Posting::Owners => Self::Owners,
        }
    }
}

/// Who becomes a member of a group by themselves.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Joining {
    /// Everybody of the organisation, at once.
    Open,
    /// Who asks, once an owner or an administrator says yes.
    Approval,
    /// Nobody.
    Closed,
}

impl From<JoinPolicy> for Joining {
    fn from(policy: JoinPolicy) -> Self {
        match policy {
            JoinPolicy::Open => Self::Open,
            JoinPolicy::Approval => Self::Approval,
            JoinPolicy::Closed => Self::Closed,
        }
    }
}

impl From<Joining> for JoinPolicy {
    fn from(joining: Joining) -> Self {
        match joining {
            Joining::Open => Self::Open,
            Joining::Approval => Self::Approval,
            Joining::Closed => Self::Closed,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Member {
    address: String,
    kind: MemberKind,
    name: String,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub enum MemberKind {
    Person,
    Group,
    SharedMailbox,
    /// Of another organisation.
    Outside,
}

impl From<MemberInfo> for Member {
    fn from(info: MemberInfo) -> Self {
        let kind = match info.kind {
            Some(PrincipalKind::Person) => MemberKind::Person,
            Some(PrincipalKind::Group) => MemberKind::Group,
            Some(PrincipalKind::Shared) => MemberKind::SharedMailbox,
            None => MemberKind::Outside,
        };
        Self { address: info.address.to_string(), kind, name: info.name }
    }
}

/// Who is to be a member.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "addresses": ["ann@example.test"] }))]
pub struct NewMembers {
    /// 1 to 1,000.
    addresses: Vec<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Added {
    /// How many were no members before.
    pub added: usize,
}

impl NewMembers {
    pub fn read(&self) -> Result<Vec<Address>, Problem> {
        if self.addresses.is_empty() || self.addresses.len() > MOST {
            return Err(Problem::field("/addresses", format!("1 to {MOST} addresses")));
        }
        let address = |(at, text): (usize, &String)| {
            text.parse().map_err(|error| Problem::field(format!("/addresses/{at}"), format!("{text}: {error}")))
        };
        self.addresses.iter().enumerate().map(address).collect()
    }
}

/// Somebody who asks to be in a group.
#[derive(Debug, Serialize, ToSchema)]
pub struct JoinRequestView {
    address: String,
    name: String,
    /// What they say.
    text: String,
    asked: When,
}

impl From<JoinRequest> for JoinRequestView {
    fn from(request: JoinRequest) -> Self {
        Self { address: request.address.to_string(), name: request.name, text: request.words, asked: When(request.asked) }
    }
}

/// What is said to somebody who asks.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "accept": true }))]
pub struct JoinAnswer {
    pub accept: bool,
}
