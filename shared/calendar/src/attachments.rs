//! What is attached to events and tasks and kept here (RFC 8607): objects of a folder that nobody sees, each with the UIDs of what it
//! is attached to. Who may read one of those, as far as it is shown to them, may read it. One that nothing names any more goes when
//! somebody sweeps: so no change of an event has to wait for it, and none that was cut off leaves anything behind.

mod check;
mod room;
mod taken_in;

pub use check::{Checked, check_attachments};
pub use room::Looks;
pub use taken_in::{TakenIn, taken_in};

use bytes::Bytes;
use penfold_formats::icalendar::Object as Calendar;
use penfold_mailbox::{Mailbox, NewObject, Object, Property, Put, Removal, USES_OF_ATTACHMENT, UidHash};
use penfold_types::{Error, FolderId, Kind as Why, Result, Timestamp};
use std::time::Duration;

/// Attachments of one event or task (RFC 8607 §6.3).
pub const ATTACHMENTS: usize = 50;
/// For how long one is kept that nothing names: an upload may still be on its way to its event, and what was deleted may be put back.
const GRACE: Duration = Duration::from_secs(24 * 3600);
/// For how long a use is noted, before it is noted anew by who names it anew.
const NOTED: Duration = Duration::from_secs(3600);
/// Properties: each is this with the hash of a UID behind it, so that two who attach it at once are both noted. The value is when.
const USE: &[u8] = b"use";
/// Since when nothing names it, as far as a sweep saw. Whoever names it again takes that away.
const UNNAMED: &[u8] = b"unnamed";
const PAGE: usize = 100;

/// Keeps one, for what has this UID. The mailbox is its owner's, whoever brings it.
pub async fn attach(mailbox: &Mailbox, id: &str, bytes: Bytes, media: &str, uid: UidHash) -> Result<()> {
    let folder = mailbox.attachments_or_new().await?;
    let new = NewObject { name: id.to_owned(), bytes, uid: None, span: None, facts: Bytes::new(), media: media.to_owned(), note: None };
    match mailbox.put_object(folder, &new, &|old| old.is_none()).await? {
        Put::Done { .. } => attach_also(mailbox, folder, id, uid, &mut Looks::default()).await,
        Put::Failed | Put::UidTaken(_) => Err(Error::conflict("there is an attachment of that id")),
    }
}

/// That it is attached to this as well, for what is put next. A limit: it is attached to too many already that still name it.
pub async fn attach_also(mailbox: &Mailbox, folder: FolderId, id: &str, uid: UidHash, looks: &mut Looks) -> Result<()> {
    let known = mailbox.properties(folder, id).await?;
    let own = [USE, &uid[..]].concat();
    let now = mailbox.env().now();
    let noted = known.get(&own).map(since);
    // Noted anew now and then, so that it is not taken for one of long ago before the object is there.
    let set: &[Property] = match noted {
        Some(noted) if now.since(noted) < NOTED => &[],
        _ => &[(own, Bytes::copy_from_slice(&now.millis().to_be_bytes()))],
    };
    if noted.is_none() && uses_in(known.keys()).count() >= USES_OF_ATTACHMENT && !room::make(mailbox, folder, id, looks).await? {
        return Err(Error::limit("it is attached to too many already"));
    }
    // A sweep that is about to take it away finds it changed, and lets it be.
    let remove: &[Vec<u8>] = if known.contains_key(UNNAMED) { &[UNNAMED.to_vec()] } else { &[] };
    if set.is_empty() && remove.is_empty() {
        return Ok(());
    }
    mailbox.set_properties(folder, id, (set, remove), None).await
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
            gone += match sweep_one(mailbox, folder, object).await {
                // Somebody else sweeps, or took it away: the next one comes by again, and the others do not wait for it.
                Err(error) if matches!(error.kind(), Why::NotFound | Why::Limit) => 0,
                swept => usize::from(swept?),
            };
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
    let mut looks = Looks::all();
    for uid in uses {
        if names(mailbox, &mailbox.objects_of_uid(uid).await?, id, &mut looks).await? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether one of these objects names it. What cannot be read may, and so may what moves meanwhile and what is not looked at.
async fn names(mailbox: &Mailbox, objects: &[(FolderId, String)], id: &str, looks: &mut Looks) -> Result<bool> {
    for (folder, name) in objects {
        let Some(object) = mailbox.object(*folder, name).await?.filter(|object| looks.take(object.size)) else { return Ok(true) };
        let bytes = mailbox.object_bytes(*folder, &[object.item]).await?.pop().flatten();
        if bytes.is_none_or(|bytes| Calendar::read(&bytes).map_or(true, |object| object.manages(id))) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
