//! What an object names that comes from a file.

use super::{Looks, attach_also, attached, check};
use bytes::Bytes;
use penfold_formats::icalendar::Object as Calendar;
use penfold_mailbox::{Mailbox, USES_OF_ATTACHMENT, uid_hash};
use penfold_types::{Kind as Why, Result};
use std::collections::BTreeSet;

/// What goes into the folder, and what was left out of it: a sentence each.
#[derive(Debug)]
pub struct TakenIn {
    pub bytes: Bytes,
    pub left_out: Vec<String>,
}

/// An object that somebody takes in from a file, for its own mailbox: attachments of this mailbox learn that it names them. What it
/// names and is gone it names no more. It has at most [`super::ATTACHMENTS`]: each is looked up.
pub async fn taken_in(mailbox: &Mailbox, bytes: Bytes, read: &Calendar) -> Result<TakenIn> {
    let owner = mailbox.account().principal;
    let ours: BTreeSet<&str> = read.managed_urls().filter(|(id, url)| check::is_at(url, owner, id)).map(|(id, _)| id).collect();
    let (mut gone, mut left_out, mut looks) = (BTreeSet::new(), Vec::new(), Looks::default());
    for id in ours {
        let noted = match attached(mailbox, id).await? {
            Some((folder, _)) => attach_also(mailbox, folder, id, uid_hash(read.uid()), &mut looks).await.map(|()| true),
            None => Ok(false),
        };
        let why = match noted {
            Ok(true) => continue,
            Err(error) if error.kind() == Why::Limit => format!("is attached to {USES_OF_ATTACHMENT} others already"),
            Err(error) if error.kind() != Why::NotFound => return Err(error),
            Ok(false) | Err(_) => "is not there any more".to_owned(),
        };
        gone.insert(id);
        left_out.push(format!("it comes without the attachment {id}, which {why}"));
    }
    let bytes = if gone.is_empty() { bytes } else { read.without_managed(&gone).into() };
    Ok(TakenIn { bytes, left_out })
}
