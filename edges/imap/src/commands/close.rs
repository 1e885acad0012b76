//! CLOSE and UNSELECT (RFC 9051 §6.4.1 and §6.4.2).

use crate::session::{Outcome, Session};
use penfold_types::Kind;

/// With `expunge`, what is marked `\Deleted` goes without a word; a mailbox selected read-only stays as it is.
pub async fn run(session: &mut Session, expunge: bool) -> Outcome {
    let Some(selected) = session.selected.take() else { return Ok("closed".into()) };
    if expunge && !selected.read_only {
        match selected.mailbox.expunge(selected.folder, None, true).await {
            // RFC 4314 §4: without the right nothing is expunged, and nothing is said.
            Err(error) if error.kind() == Kind::Denied => {}
            done => drop(done?),
        }
    }
    Ok("closed".into())
}
