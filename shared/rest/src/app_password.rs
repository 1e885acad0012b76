//! How an app password is asked for and shown, to its owner and to who administers.

use crate::When;
use penfold_directory::{AppPassword as Info, Use};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A password for one program, made by the server.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AppPassword)]
pub struct AppPasswordView {
    id: String,
    name: String,
    /// What it opens.
    opens: Vec<Opens>,
    created: When,
    /// The day of its last use.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<When>,
    /// The password itself; only in the answer to its making.
    #[serde(skip_serializing_if = "Option::is_none")]
    password: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Opens {
    Imap,
    Submission,
    Http,
}

impl From<Use> for Opens {
    fn from(purpose: Use) -> Self {
        match purpose {
            Use::Imap => Self::Imap,
            Use::Submission => Self::Submission,
            Use::Http => Self::Http,
        }
    }
}

impl From<Opens> for Use {
    fn from(opens: Opens) -> Self {
        match opens {
            Opens::Imap => Self::Imap,
            Opens::Submission => Self::Submission,
            Opens::Http => Self::Http,
        }
    }
}

impl AppPasswordView {
    pub fn of(info: Info, password: Option<String>) -> Self {
        let Info { id, name, opens, created, used } = info;
        Self { id, name, opens: opens.into_iter().map(Opens::from).collect(), created: When(created), used: used.map(When), password }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Phone", "opens": ["imap", "submission"] }))]
pub struct NewAppPassword {
    pub name: String,
    /// Everything where it is absent.
    #[serde(default)]
    pub opens: Vec<Opens>,
}
