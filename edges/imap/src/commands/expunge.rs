//! EXPUNGE (RFC 9051 §6.4.3) and UID EXPUNGE (RFC 4315 §2.1).

use crate::grammar::SequenceSet;
use crate::session::{Outcome, Output, Selected, Session, Stop, pieces};
use penfold_mailbox::UidSet;

pub async fn run(session: &mut Session, set: Option<&SequenceSet>, out: &mut Output) -> Outcome {
    let selected = session.selected()?;
    selected.writable()?;
    // Only what the client knows of: another's new message is not its to expunge unseen.
    let uids = match set {
        Some(set) => selected.uids(set, true)?,
        None => selected.announced.clone(),
    };
    let (mailbox, folder) = (selected.mailbox.clone(), selected.folder);
    let uids = marked(selected, uids).await?;
    let mut any = false;
    for piece in pieces(&uids).filter(|piece| !piece.is_empty()) {
        any |= !mailbox.expunge(folder, Some(&piece), true).await?.is_empty();
        out.turn.pass().await;
    }
    if session.enabled.qresync && any {
        // RFC 7162 §3.2.7.
        let folder = mailbox.folder(folder).await?;
        return Ok(format!("[HIGHESTMODSEQ {}] expunged", super::select::highest(&folder)).into());
    }
    Ok("expunged".into())
}

/// Of many, those that are marked `\\Deleted`: the others need not be gone through piece by piece.
async fn marked(selected: &Selected, uids: UidSet) -> Result<UidSet, Stop> {
    if pieces(&uids).nth(1).is_none() {
        return Ok(uids);
    }
    let index = selected.index().await?;
    Ok(index.select(&uids).filter(|message| message.keywords.deleted()).map(|message| message.uid).collect())
}
