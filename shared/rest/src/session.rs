//! How a session is shown, to its owner and to who administers.

use crate::When;
use penfold_directory::{Session, SessionKind};
use serde::Serialize;
use utoipa::ToSchema;

/// Where somebody is signed in, or a token of a program.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Session)]
pub struct SessionView {
    id: String,
    kind: Kind,
    name: String,
    created: When,
    expires: When,
    /// To the hour.
    used: When,
    /// The client's address.
    from: String,
    /// What the client says it is.
    agent: String,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = SessionKind)]
enum Kind {
    Session,
    Token,
    Reset,
}

impl From<Session> for SessionView {
    fn from(session: Session) -> Self {
        let kind = match session.kind {
            SessionKind::Session => Kind::Session,
            SessionKind::Token => Kind::Token,
            SessionKind::Reset => Kind::Reset,
        };
        Self {
            id: session.id.to_string(),
            kind,
            name: session.name,
            created: When(session.created),
            expires: When(session.expires),
            used: When(session.used),
            from: session.from,
            agent: session.agent,
        }
    }
}
