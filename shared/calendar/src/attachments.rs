//! What is attached to events and tasks and kept here (RFC 8607): objects of a folder that nobody sees, each with the UIDs of what it
//! is attached to. Who may read one of those, as far as it is shown to them, may read it. One that nothing names any more goes when
//! somebody sweeps: so no change of an event has to wait for it, and none that was cut off leaves anything behind.

mod check;

pub use check::{Checked, check_attachments};

use bytes::Bytes;
use penfold_formats::icalendar::Object as Calendar;
use penfold_mailbox::{Mailbox, NewObject, Object, Property, Put, Removal, USES_OF_ATTACHMENT, UidHash, uid_hash};
use penfold_types::{Error, FolderId, Kind as Why, Result, Timestamp};
use std::time::Duration;

/// For how long one is kept that nothing names: an upload may still be on its way to its event, and what was deleted may be put back.
const GRACE: Duration = Duration::from_secs(24 * 3600);
/// Properties: each is this with the hash of a UID behind it, so that two who attach it at once are both noted.
const USE: &[u8] = b"use";
/// Since when nothing names it, as far as a sweep saw. Whoever names it again takes that away.
const UNNAMED: &[u8] = b"unnamed";
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

/// That it is attached to this as well. A limit: it is attached to too many already.
pub async fn attach_also(mailbox: &Mailbox, folder: FolderId, id: &str, uid: UidHash) -> Result<()> {
    let known = mailbox.properties(folder, id).await?;
    let own = [USE, &uid[..]].concat();
    let set: &[Property] = if known.contains_key(&own) { &[] } else { &[(own, Bytes::from_static(b"1"))] };
    if !set.is_empty() && uses_in(known.keys()).count() >= USES_OF_ATTACHMENT {
        return Err(Error::limit("it is attached to too many already"));
    }
    // A sweep that is about to take it away finds it changed, and lets it be.
    let remove: &[Vec<u8>] = if known.contains_key(UNNAMED) { &[UNNAMED.to_vec()] } else { &[] };
    if set.is_empty() && remove.is_empty() {
        return Ok(());
    }
    mailbox.set_properties(folder, id, (set, remove), None).await
}

/// An object that somebody takes in from a file, for its own mailbox: attachments of this mailbox learn that it names them. What it
/// names and is gone it names no more.
pub async fn taken_in(mailbox: &Mailbox, bytes: Bytes) -> Result<Bytes> {
    let Ok(read) = Calendar::read(&bytes) else { return Ok(bytes) };
    let owner = mailbox.account().principal;
    let mut named: Vec<String> =
        read.managed_urls().filter(|(id, url)| check::is_at(url, owner, id)).map(|(id, _)| id.to_owned()).collect();
    named.dedup();
    let mut bytes = bytes;
    for id in named {
        let found = match attached(mailbox, &id).await? {
            Some((folder, _)) => attach_also(mailbox, folder, &id, uid_hash(read.uid())).await.map(|()| true),
            None => Ok(false),
        };
        match found {
            Ok(true) => {}
            Err(error) if error.kind() != Why::Limit => return Err(error),
            _ => bytes = Calendar::read(&bytes).map_or(bytes, |read| read.with_managed_instead(&id, None).into()),
        }
    }
    Ok(bytes)
}

fn uses_in<'a>(keys: impl Iterator<Item = &'a Vec<u8>>) -> impl Iterator<Item = UidHash> {
    keys.filter_map(|key| key.strip_prefix(USE)?.try_into().ok())
}

/// To what it is attached, by the UIDs' hashes.
pub async fn uses(mailbox: &Mailbox, folder: FolderId, id: &str) -> Result<Vec<UidHash>> {
    Ok(uses_in(mailbox.properties(folder, id).await?.keys()).collect())
}

pub async fn attached(mailbox: &Mailbox, id: &str) -> Result<Option<(FolderId, Object)>> {
    let Some(folder) = mailbox.attachments().await? else { return Ok(None) };
    Ok(mailbox.object(folder, id).await?.map(|object| (folder, object)))
}

/// Takes away what nothing names any more; how many those were. From one sweep to another a day of grace is kept.
pub async fn sweep_attachments(mailbox: &Mailbox) -> Result<usize> {
    let Some(folder) = mailbox.attachments().await? else { return Ok(0) };
    let (mut after, mut gone): (Option<String>, usize) = (None, 0);
    loop {
        let (page, more) = mailbox.objects(folder, after.as_deref(), PAGE).await?;
        for object in &page {
            gone += usize::from(sweep_one(mailbox, folder, object).await?);
        }
        after = page.last().map(|object| object.name.clone());
        if !more {
            return Ok(gone);
        }
    }
}

/// True where it went.
async fn sweep_one(mailbox: &Mailbox, folder: FolderId, object: &Object) -> Result<bool> {
    let now = mailbox.env().now();
    if now.since(object.made) < GRACE {
        return Ok(false);
    }
    let known = mailbox.properties(folder, &object.name).await?;
    let since = known.get(UNNAMED).map(since);
    let uses: Vec<UidHash> = uses_in(known.keys()).collect();
    if is_named(mailbox, &uses, &object.name).await? {
        if since.is_some() {
            mailbox.set_properties(folder, &object.name, (&[], &[UNNAMED.to_vec()]), None).await?;
        }
        return Ok(false);
    }
    match since {
        None => {
            let mark = (UNNAMED.to_vec(), Bytes::copy_from_slice(&now.millis().to_be_bytes()));
            mailbox.set_properties(folder, &object.name, (&[mark], &[]), None).await?;
            Ok(false)
        }
        Some(since) if now.since(since) < GRACE => Ok(false),
        Some(_) => {
            let same = |now: Option<&Object>| now.is_some_and(|now| (now.item, now.modseq) == (object.item, object.modseq));
            Ok(mailbox.remove_object(folder, &object.name, &same).await? == Removal::Done)
        }
    }
}

/// What cannot be read was long ago.
fn since(mark: &Bytes) -> Timestamp {
    Timestamp::from_millis(mark[..].try_into().map_or(0, i64::from_be_bytes))
}

async fn is_named(mailbox: &Mailbox, uses: &[UidHash], id: &str) -> Result<bool> {
    for uid in uses {
        for (folder, name) in mailbox.objects_of_uid(uid).await? {
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
