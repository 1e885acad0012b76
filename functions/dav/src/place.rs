//! A folder as a collection: what somebody may do there, and how much of its objects they are shown.

use crate::limits;
use crate::path::Home;
use crate::wrong::Wrong;
use crate::xml::href;
use bytes::Bytes;
use penfold_calendar::Sight;
use penfold_mailbox::{Folder, Mailbox, Object};
use penfold_ports::Rights;
use penfold_types::{ItemId, PrincipalId};
use std::collections::BTreeMap;

/// Properties that clients set, by what they are kept under.
pub type Stored = BTreeMap<Vec<u8>, Bytes>;

/// How often an object is read anew that is replaced all the time.
const READ_ROUNDS: usize = 8;

/// A folder as a collection.
#[derive(Clone)]
pub struct Place {
    pub mailbox: Mailbox,
    pub folder: Folder,
    pub rights: Rights,
    pub home: Home,
    /// Its own path, encoded, with a slash at the end.
    pub href: String,
    /// How much of its objects is shown.
    pub sight: Sight,
}

impl Place {
    pub fn of(mailbox: &Mailbox, folder: &Folder, home: Home, href: String) -> Self {
        let rights = mailbox.rights(folder);
        let sight = if mailbox.scope().grounds().is_empty() {
            Sight::All
        } else if rights.has(Rights::READ) {
            Sight::Shared
        } else {
            Sight::Titles
        };
        Self { mailbox: mailbox.clone(), rights, folder: folder.clone(), home, href, sight }
    }

    pub fn owner(&self) -> PrincipalId {
        self.mailbox.account().principal
    }

    pub fn has(&self, rights: Rights) -> bool {
        self.rights.has(rights)
    }

    /// Whether this person knows what is in it, though perhaps not all of each object.
    pub fn is_read(&self) -> bool {
        self.rights.has_some(Rights::READ.and(Rights::DETAILS))
    }

    pub fn need_read(&self) -> Result<(), Wrong> {
        if self.is_read() { Ok(()) } else { self.need(Rights::READ, "read") }
    }

    /// Refuses where the right is missing, with the name of what would be needed.
    pub fn need(&self, rights: Rights, privilege: &'static str) -> Result<(), Wrong> {
        if self.has(rights) {
            return Ok(());
        }
        let privilege = penfold_formats::xml::Name::known(penfold_formats::xml::DAV, privilege);
        Err(crate::xml::Precondition::NEED_PRIVILEGES.needing(&self.href, privilege).into())
    }

    /// Whether private things are shown as they are: to their owner, and to the members of a shared mailbox.
    pub fn sees_private(&self) -> bool {
        self.sight == Sight::All
    }

    pub fn is_seen_in_part(&self) -> bool {
        self.sight == Sight::Titles
    }

    /// A version's entity tag: strong, for a version never changes. What is shown in part is something else than the whole.
    pub fn etag(&self, object: &Object) -> String {
        let part = if self.is_seen_in_part() { "-titles" } else { "" };
        format!("\"{}{part}\"", object.item)
    }

    /// Whether this person is whose folder it is.
    pub fn is_own(&self) -> bool {
        self.mailbox.scope().viewer() == self.owner()
    }

    /// The bytes of versions, as this person may see them: what is private of others only in part, and no alarms but their own.
    pub async fn bytes(&self, versions: &[Version<'_>]) -> Result<Vec<Option<Bytes>>, Wrong> {
        let items: Vec<ItemId> = versions.iter().map(|version| version.item).collect();
        let sight = self.sight;
        let all = match sight {
            Sight::Titles | Sight::Times => self.mailbox.object_bytes_in_part(self.folder.id, &items).await?,
            Sight::All | Sight::Shared => self.mailbox.object_bytes(self.folder.id, &items).await?,
        };
        if self.is_own() && sight == Sight::All {
            return Ok(all);
        }
        let kind = self.folder.kind;
        let named: Vec<(&str, ItemId)> = versions.iter().map(|version| (version.name, version.id)).collect();
        let notes = if self.is_own() { vec![None; named.len()] } else { self.mailbox.own_notes(self.folder.id, &named).await? };
        let seen = |bytes: Bytes| penfold_calendar::seen(kind, bytes, sight);
        let each = all.into_iter().zip(notes);
        Ok(each.map(|(bytes, note)| bytes.map(|bytes| penfold_calendar::as_seen(kind, seen(bytes), note.as_deref()))).collect())
    }

    /// Objects with the bytes of just that version. One that was replaced in between is read again; one that is gone is left out.
    pub async fn read(&self, objects: Vec<Object>) -> Result<Vec<(Object, Bytes)>, Wrong> {
        let mut found: Vec<Option<(Object, Bytes)>> = vec![None; objects.len()];
        let mut left: Vec<(usize, Object)> = objects.into_iter().enumerate().collect();
        for _ in 0..READ_ROUNDS {
            let versions: Vec<Version<'_>> = left.iter().map(|(_, object)| object.into()).collect();
            let all = self.bytes(&versions).await?;
            let mut again = Vec::new();
            for ((at, object), bytes) in left.into_iter().zip(all) {
                match bytes {
                    Some(bytes) => found[at] = Some((object, bytes)),
                    None => again.push((at, object.name)),
                }
            }
            if again.is_empty() {
                return Ok(found.into_iter().flatten().collect());
            }
            let names: Vec<&str> = again.iter().map(|(_, name)| name.as_str()).collect();
            let now = self.mailbox.objects_named(self.folder.id, &names).await?;
            left = again.iter().zip(now).filter_map(|((at, _), now)| Some((*at, now?))).collect();
        }
        if left.is_empty() {
            return Ok(found.into_iter().flatten().collect());
        }
        Err(Wrong::Busy)
    }

    /// Whether an object is still the version that was judged, for whom not everything is shown.
    pub fn is_as_seen(&self, judged: &Object, now: Option<&Object>) -> bool {
        self.sees_private() || now.is_some_and(|now| now.item == judged.item)
    }

    /// Refuses to change what is seen in part only.
    pub async fn need_sight(&self, object: &Object) -> Result<(), Wrong> {
        match self.sight {
            Sight::All => return Ok(()),
            Sight::Titles | Sight::Times => return Err(Wrong::FORBIDDEN),
            Sight::Shared => {}
        }
        let bytes = self.mailbox.object_bytes(self.folder.id, &[object.item]).await?.pop().flatten().unwrap_or_default();
        if penfold_calendar::is_private(self.folder.kind, &bytes) { Err(Wrong::FORBIDDEN) } else { Ok(()) }
    }

    /// What clients set for objects, without that of objects which are seen in part only.
    pub async fn shown(&self, objects: &[Object], mut stored: BTreeMap<String, Stored>) -> Result<BTreeMap<String, Stored>, Wrong> {
        match self.sight {
            Sight::All => return Ok(stored),
            Sight::Titles | Sight::Times => return Ok(BTreeMap::new()),
            Sight::Shared => {}
        }
        let asked: Vec<&Object> = objects.iter().filter(|object| stored.contains_key(&object.name)).collect();
        for some in asked.chunks(limits::BATCH) {
            let items: Vec<ItemId> = some.iter().map(|object| object.item).collect();
            for (object, bytes) in some.iter().zip(self.mailbox.object_bytes(self.folder.id, &items).await?) {
                // What it is by now was not judged.
                if bytes.is_none_or(|bytes| penfold_calendar::is_private(self.folder.kind, &bytes)) {
                    stored.remove(&object.name);
                }
            }
        }
        Ok(stored)
    }

    pub fn href_of(&self, name: &str) -> String {
        format!("{}{}", self.href, href::segment(name))
    }

    /// A folder in it.
    pub fn below(&self, folder: &Folder) -> Self {
        let href = format!("{}{}/", self.href, href::segment(&folder.segment));
        Place::of(&self.mailbox, folder, self.home, href)
    }
}

/// A version of an object that is read.
pub struct Version<'a> {
    pub name: &'a str,
    pub id: ItemId,
    pub item: ItemId,
}

impl<'a> From<&'a Object> for Version<'a> {
    fn from(object: &'a Object) -> Self {
        Self { name: &object.name, id: object.id, item: object.item }
    }
}
