//! EXPUNGE (RFC 9051 §6.4.3) and UID EXPUNGE (RFC 4315 §2.1).

use crate::grammar::SequenceSet;
use crate::session::{Outcome, Session};

pub async fn run(session: &mut Session, set: Option<&SequenceSet>) -> Outcome {
    let selected = session.selected()?;
    selected.writable()?;
    // Only what the client knows of: another's new message is not its to expunge unseen.
    let uids = match set {
        Some(set) => selected.uids(set, true)?,
        None => selected.announced.clone(),
    };
    let (mailbox, folder) = (selected.mailbox.clone(), selected.folder);
    let gone = if uids.is_empty() { Vec::new() } else { mailbox.expunge(folder, Some(&uids), true).await? };
    if session.enabled.qresync && !gone.is_empty() {
        // RFC 7162 §3.2.7.
        let folder = mailbox.folder(folder).await?;
        return Ok(format!("[HIGHESTMODSEQ {}] expunged", super::select::highest(&folder)).into());
    }
    Ok("expunged".into())
}
