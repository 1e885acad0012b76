//! What is said of a group in its row, beside its name and who posts to it.

use penfold_ports::Row;
use serde::{Deserialize, Serialize};

/// Who may become a member by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JoinPolicy {
    /// Everybody of the tenant, at once.
    Open,
    /// Who asks, once an owner or an administrator said yes.
    Approval,
    /// Nobody.
    #[default]
    Closed,
}

impl JoinPolicy {
    pub(crate) fn number(self) -> u64 {
        match self {
            Self::Open => 1,
            Self::Approval => 2,
            Self::Closed => 3,
        }
    }

    /// A policy that this version does not know lets nobody in.
    fn read(number: u64) -> Self {
        match number {
            1 => Self::Open,
            2 => Self::Approval,
            _ => Self::Closed,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupRules {
    pub description: String,
    pub join: JoinPolicy,
    /// Members may leave by themselves. Nobody leaves a hidden group: they do not see it.
    pub may_leave: bool,
    /// Only its owners and administrators see that it is there.
    pub hidden: bool,
    /// Its members are those who fit its filter.
    pub dynamic: bool,
}

impl Default for GroupRules {
    fn default() -> Self {
        Self { description: String::new(), join: JoinPolicy::default(), may_leave: true, hidden: false, dynamic: false }
    }
}

impl GroupRules {
    pub(crate) fn read(row: &Row) -> Self {
        Self {
            description: row.str("ds").unwrap_or_default().to_owned(),
            join: JoinPolicy::read(row.u64("jo").unwrap_or(0)),
            may_leave: row.u64("le") != Some(0) && row.u64("hi") != Some(1),
            hidden: row.u64("hi") == Some(1),
            dynamic: row.u64("dy") == Some(1),
        }
    }

    pub(crate) fn write(&self, row: &mut Row) {
        if !self.description.is_empty() {
            row.set("ds", self.description.as_str());
        }
        if self.join != JoinPolicy::default() {
            row.set("jo", self.join.number());
        }
        for (name, value, usual) in [("le", self.may_leave, true), ("hi", self.hidden, false), ("dy", self.dynamic, false)] {
            if value != usual {
                row.set(name, value);
            }
        }
    }
}
