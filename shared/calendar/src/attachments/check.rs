//! Proves that events and what is attached to them name one another. That the bytes of each attachment are there, and as many as its
//! row says, is proved with those of all other objects ([`Mailbox::check`]).

use super::{GRACE, Looks, PAGE, UNNAMED, USE, attach_also, since, uses_in};
use bytes::Bytes;
use penfold_formats::icalendar::Object as Calendar;
use penfold_mailbox::{Kind, Mailbox, Object, UidHash, uid_hash};
use penfold_types::{FolderId, Kind as Why, PrincipalId, Result};
use std::collections::BTreeMap;

/// Where they are all read, by their owner's id.
const ATTACHMENTS: &str = "/dav/attachments/";

/// What a check found: one sentence each.
#[derive(Clone, Default, Debug)]
pub struct Checked {
    pub problems: Vec<String>,
    /// What goes on by itself: no fault.
    pub unfinished: Vec<String>,
    pub repaired: usize,
}

/// Of one attachment: by whom it is named, each with the name of its object.
type Named = BTreeMap<UidHash, String>;

/// With `repair`, attachments learn of what they are attached to. One that is gone cannot be brought back.
pub async fn check_attachments(mailbox: &Mailbox, repair: bool) -> Result<Checked> {
    let mut out = Checked::default();
    // First those who name: what they name was noted before them.
    let mut named = all_named(mailbox).await?;
    if let Some(folder) = mailbox.attachments().await? {
        let mut after: Option<String> = None;
        loop {
            let (page, more) = mailbox.objects(folder, after.as_deref(), PAGE).await?;
            for object in &page {
                one(mailbox, folder, object, &named.remove(&object.name).unwrap_or_default(), repair, &mut out).await?;
            }
            after = page.last().map(|object| object.name.clone());
            if !more {
                break;
            }
        }
    }
    for (id, by) in named {
        out.problems.extend(by.into_values().map(|name| format!("object {name} names the attachment {id}, which is not there")));
    }
    Ok(out)
}

async fn one(mailbox: &Mailbox, folder: FolderId, object: &Object, by: &Named, repair: bool, out: &mut Checked) -> Result<()> {
    let known = mailbox.properties(folder, &object.name).await?;
    for (uid, name) in by.iter().filter(|(uid, _)| !known.contains_key(&[USE, &uid[..]].concat())) {
        out.problems.push(format!("attachment {} does not know that object {name} names it", object.name));
        if repair {
            match attach_also(mailbox, folder, &object.name, *uid, &mut Looks::default()).await {
                Ok(()) => out.repaired += 1,
                // It has as many as it may, or is gone by now: what comes behind it is told all the same.
                Err(error) if matches!(error.kind(), Why::Limit | Why::NotFound) => {
                    out.problems.push(format!("attachment {} cannot learn that of {name}: {}", object.name, error.text()));
                }
                Err(error) => return Err(error),
            }
        }
    }
    let now = mailbox.env().now();
    let overdue = known.get(UNNAMED).map(since).is_some_and(|since| now.since(since) >= GRACE);
    if by.is_empty() && overdue {
        let uses = uses_in(known.keys()).count();
        out.unfinished.push(format!("attachment {}, which {uses} objects had, is named by none and still to be taken away", object.name));
    }
    Ok(())
}

/// Each attachment of this mailbox that something in it names.
async fn all_named(mailbox: &Mailbox) -> Result<BTreeMap<String, Named>> {
    let (owner, folders) = (mailbox.account().principal, mailbox.folders().await?);
    let mut named: BTreeMap<String, Named> = BTreeMap::new();
    // What comes from elsewhere says what it likes.
    for folder in folders.collections().filter(|own| matches!(own.kind, Kind::Events | Kind::Tasks | Kind::Notes) && !own.fed) {
        let mut after: Option<String> = None;
        loop {
            let (page, more) = mailbox.objects(folder.id, after.as_deref(), PAGE).await?;
            for (object, bytes) in page.iter().zip(bytes_of(mailbox, folder.id, &page).await?) {
                let Some(read) = bytes.and_then(|bytes| Calendar::read(&bytes).ok()) else { continue };
                for (id, _) in read.managed_urls().filter(|(id, url)| is_at(url, owner, id)) {
                    named.entry(id.to_owned()).or_default().insert(uid_hash(read.uid()), object.name.clone());
                }
            }
            after = page.last().map(|object| object.name.clone());
            if !more {
                break;
            }
        }
    }
    Ok(named)
}

/// Those whose bytes are lost are told of elsewhere.
async fn bytes_of(mailbox: &Mailbox, folder: FolderId, page: &[Object]) -> Result<Vec<Option<Bytes>>> {
    let items: Vec<_> = page.iter().map(|object| object.item).collect();
    match mailbox.object_bytes(folder, &items).await {
        Err(error) if error.kind() != Why::Retry => {}
        all => return all,
    }
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        out.push(match mailbox.object_bytes(folder, &[item]).await {
            Err(error) if error.kind() == Why::Retry => return Err(error),
            bytes => bytes.ok().and_then(|mut bytes| bytes.pop().flatten()),
        });
    }
    Ok(out)
}

/// Whether a URL is where this mailbox's attachment of that id is read.
pub(super) fn is_at(url: &str, owner: PrincipalId, id: &str) -> bool {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest.find('/').and_then(|at| rest.get(at..)).unwrap_or_default());
    let rest = path.strip_prefix(&format!("{ATTACHMENTS}{owner}/{id}"));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
