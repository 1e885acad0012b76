//! RENAME (RFC 9051 §6.3.6).

use crate::session::{OTHER_USERS, Outcome, Session, Stop};
use penfold_mailbox::Role;
use penfold_types::Kind;

pub async fn run(session: &mut Session, from: &[u8], to: &[u8]) -> Outcome {
    let source = session.place(from).await?;
    let target = session.place(to).await?;
    if source.owner != target.owner {
        return Err(Stop::no("[CANNOT] a mailbox stays with its owner"));
    }
    if target.path.eq_ignore_ascii_case(OTHER_USERS) {
        return Err(Stop::no("[CANNOT] the name is taken"));
    }
    let (folders, folder) = source.folder().await?;
    if folders.find(&target.path).is_some_and(|other| other.id != folder.id || folder.role == Some(Role::Inbox)) {
        return Err(Stop::no("[ALREADYEXISTS] there is such a mailbox"));
    }
    if folder.role == Some(Role::Inbox) {
        if source.is_in_part() {
            return Err(Stop::no("[NOPERM] this mailbox stays where it is"));
        }
        // INBOX stays, empty; its messages move to a new mailbox, its children do not.
        let made = source.mailbox.create_folder(&target.path, None).await?;
        let index = source.mailbox.index(folder.id).await?;
        source.mailbox.move_items(folder.id, &index.uids(), &source.mailbox, made).await?;
        return Ok("renamed".into());
    }
    match source.mailbox.rename_folder(folder.id, &target.path).await {
        Ok(()) => Ok("renamed".into()),
        Err(error) if error.kind() == Kind::Conflict => Err(Stop::no("[ALREADYEXISTS] there is such a mailbox")),
        Err(error) => Err(error.into()),
    }
}
