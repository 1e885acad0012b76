//! CLOSE and UNSELECT (RFC 9051 §6.4.1 and §6.4.2).

use crate::session::{Outcome, Session};

/// With `expunge`, what is marked `\Deleted` goes without a word; a mailbox selected read-only stays as it is.
pub async fn run(session: &mut Session, expunge: bool) -> Outcome {
    let Some(selected) = session.selected.take() else { return Ok("closed".into()) };
    if expunge && !selected.read_only {
        selected.mailbox.expunge(selected.folder, None, true).await?;
    }
    Ok("closed".into())
}
