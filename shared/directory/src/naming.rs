//! In whose name somebody may write: their own, and that of others who let them, as Exchange's "send as" and "send on behalf".

use crate::rows::{PrincipalKind, sk};
use crate::{Directory, SignedIn, access};
use penfold_ports::Row;
use penfold_types::{Address, PrincipalId, Result};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SendRight {
    /// The reader sees both: From is the other, Sender is who wrote it (RFC 5322 §3.6.2).
    OnBehalf,
    /// The reader sees the other only.
    As,
}

impl SendRight {
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::OnBehalf => 1,
            Self::As => 2,
        }
    }

    /// A right that this version does not know is none.
    pub(crate) fn of(row: &Row) -> Option<Self> {
        [Self::OnBehalf, Self::As].into_iter().find(|right| row.u64("r") == Some(right.number()))
    }
}

impl Directory {
    /// How a person may write in the name of `from` (RFC 6409 §6.1): as themselves with any address, alias and `+detail` of
    /// theirs; as a shared mailbox that they open; as whoever gave them the right to.
    pub async fn send_right(&self, who: &SignedIn, from: &Address) -> Result<Option<SendRight>> {
        let me = who.scope.viewer();
        let owner = match self.resolve(from).await?.owner() {
            Some((tenant, owner)) if tenant == who.scope.tenant() => owner,
            _ => return Ok(None),
        };
        if owner == me { Ok(Some(SendRight::As)) } else { self.given(who, owner).await }
    }

    async fn given(&self, who: &SignedIn, owner: PrincipalId) -> Result<Option<SendRight>> {
        let (scope, me) = (access::organisation(who.scope.tenant()), who.scope.viewer());
        let keys = [scope.member(owner, sk::delegate(me)), scope.member(owner, sk::member(me))];
        let rows = self.store().batch_get(&keys).await?;
        let [given, member] = rows.as_slice() else { return Ok(None) };
        // A group's members stand under keys of the same shape and may not speak for it.
        if member.as_ref().is_some_and(|row| row.u64("g") == Some(PrincipalKind::Shared.number())) {
            return Ok(Some(SendRight::As));
        }
        Ok(given.as_ref().and_then(SendRight::of))
    }
}
