//! DELETE (RFC 9051 §6.3.5).

use crate::session::{Outcome, Output, Session, Stop};
use penfold_types::Kind;

pub async fn run(session: &mut Session, name: &[u8], out: &mut Output) -> Outcome {
    let place = session.place(name).await?;
    let (_, folder) = place.folder().await?;
    match place.mailbox.delete_folder(folder.id).await {
        Ok(()) => {
            if session.selected.as_ref().is_some_and(|selected| selected.folder == folder.id) {
                session.close(out);
            }
            Ok("deleted".into())
        }
        Err(error) if error.kind() == Kind::Denied => Err(Stop::no("[NOPERM] this mailbox cannot be deleted")),
        Err(error) if error.kind() == Kind::Conflict => Err(Stop::no("[HASCHILDREN] delete the mailboxes in it first")),
        Err(error) => Err(error.into()),
    }
}
