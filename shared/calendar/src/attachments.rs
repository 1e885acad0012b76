//! What is attached to events and tasks and kept here (RFC 8607): objects of a folder that nobody sees, each with the UIDs of what it
//! is attached to. Who may read one of those, as far as it is shown to them, may read it. One that nothing names any more goes when
//! somebody sweeps: so no change of an event has to wait for it, and none that was cut off leaves anything behind.

use bytes::Bytes;
use penfold_formats::icalendar::Object as Calendar;
use penfold_mailbox::{Mailbox, NewObject, Object, Put, Removal, UidHash};
use penfold_types::{Error, FolderId, Result};
use std::time::Duration;

/// An upload may still be on its way to its event.
const GRACE: Duration = Duration::from_secs(24 * 3600);
/// Properties: each is this with the hash of a UID behind it, so that two who attach it at once are both noted.
const USE: &[u8] = b"use";
const PAGE: usize = 100;

/// Keeps one, for what has this UID. The mailbox is its owner's, whoever brings it.
pub async fn attach(mailbox: &Mailbox, id: &str, bytes: Bytes, media: &str, uid: UidHash) -> Result<()> {
    let folder = mailbox.attachments_or_new().await?;
    let new = NewObject { name: id.to_owned(), bytes, uid: None, span: None, facts: Bytes::new(), media: media.to_owned(), note: None };
    match mailbox.put_object(folder, &new, &|old| old.is_none()).await? {
        Put::Done { .. } => attach_also(mailbox, folder, id, uid).await,
        Put::Failed | Put::UidTaken(_) => Err(Error::conflict("there is an attachment of that id")),
    }
}

/// That it is attached to this as well.
pub async fn attach_also(mailbox: &Mailbox, folder: FolderId, id: &str, uid: UidHash) -> Result<()> {
    if uses(mailbox, folder, id).await?.contains(&uid) {
        return Ok(());
    }
    mailbox.set_properties(folder, id, (&[([USE, &uid[..]].concat(), Bytes::from_static(b"1"))], &[]), None).await
}

/// To what it is attached, by the UIDs' hashes.
pub async fn uses(mailbox: &Mailbox, folder: FolderId, id: &str) -> Result<Vec<UidHash>> {
    let all = mailbox.properties(folder, id).await?;
    Ok(all.keys().filter_map(|key| key.strip_prefix(USE)?.try_into().ok()).collect())
}

pub async fn attached(mailbox: &Mailbox, id: &str) -> Result<Option<(FolderId, Object)>> {
    let Some(folder) = mailbox.attachments().await? else { return Ok(None) };
    Ok(mailbox.object(folder, id).await?.map(|object| (folder, object)))
}

/// Takes away what nothing names any more; how many those were.
pub async fn sweep_attachments(mailbox: &Mailbox) -> Result<usize> {
    let Some(folder) = mailbox.attachments().await? else { return Ok(0) };
    let (mut after, mut gone): (Option<String>, usize) = (None, 0);
    loop {
        let (page, more) = mailbox.objects(folder, after.as_deref(), PAGE).await?;
        for object in &page {
            if mailbox.env().now().since(object.made) >= GRACE && !is_named(mailbox, folder, &object.name).await? {
                let same = |now: Option<&Object>| now.is_some_and(|now| (now.item, now.modseq) == (object.item, object.modseq));
                gone += usize::from(mailbox.remove_object(folder, &object.name, &same).await? == Removal::Done);
            }
        }
        after = page.last().map(|object| object.name.clone());
        if !more {
            return Ok(gone);
        }
    }
}

async fn is_named(mailbox: &Mailbox, folder: FolderId, id: &str) -> Result<bool> {
    for uid in uses(mailbox, folder, id).await? {
        for (folder, name) in mailbox.objects_of_uid(&uid).await? {
            let Some(object) = mailbox.object(folder, &name).await? else { continue };
            let bytes = mailbox.object_bytes(folder, &[object.item]).await?.pop().flatten();
            // What cannot be read may name it.
            if bytes.is_none_or(|bytes| Calendar::read(&bytes).map_or(true, |object| object.manages(id))) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}
