//! IDLE (RFC 9051 §6.3.13). The driver waits; a wake, or a look from time to time, comes in here.

use super::finish;
use crate::session::notices::When;
use crate::session::{Next, Outcome, Output, Session, Stop, Waiting};

pub async fn run(session: &mut Session, tag: &str, out: &mut Output) -> Outcome {
    session.recheck_right(out).await?;
    out.buf.extend_from_slice(b"+ idling\r\n");
    session.waiting = Waiting::Idle { tag: tag.to_owned() };
    // Watched before the first look: nothing falls in between.
    session.watch = session.selected.as_ref().map(|selected| selected.mailbox.watch());
    look(session, out).await?;
    Ok("".into())
}

/// Something may have changed.
pub async fn look(session: &mut Session, out: &mut Output) -> Result<(), Stop> {
    if session.recheck_right(out).await.is_err() {
        return Ok(());
    }
    session.notices(When { expunge: true, ..When::default() }, out).await
}

/// The client ended it.
pub async fn done(session: &mut Session, tag: &str, line: &[u8], out: &mut Output) -> Next {
    session.watch = None;
    if !line.eq_ignore_ascii_case(b"DONE") {
        out.tagged(tag, "BAD expected DONE");
        return Next::Go;
    }
    let outcome = look(session, out).await.map(|()| "idled".into());
    finish(tag, outcome, out)
}
