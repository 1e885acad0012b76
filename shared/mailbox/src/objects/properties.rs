//! What clients keep beside objects and folders without its meaning anything here (RFC 4918 §4.1, dead properties). Those of a
//! folder are each viewer's own, where they are not the owner's: colours, orders, names.

use super::no_folder;
use crate::account::Mailbox;
use crate::change::Entry;
use crate::commit::Outcome;
use crate::draft::Draft;
use crate::folder::{Folder, Kind};
use crate::verbs::{ROUNDS, busy};
use bytes::Bytes;
use penfold_ports::{Query, Rights, Row, Sk, Write};
use penfold_types::{Error, FolderId, ItemId, PrincipalId, Result};
use std::collections::BTreeMap;

/// Properties that a viewer may set for a folder.
pub const PROPERTIES: usize = 100;
/// Properties of one object: it is moved with them in one commit.
pub const PROPERTIES_OF_OBJECT: usize = 25;
/// Events and tasks that one attachment is attached to: a property each. It is never moved, but removed with them in one commit.
pub const USES_OF_ATTACHMENT: usize = 75;
/// Properties of an attachment beside those.
const BESIDE_USES: usize = 5;
/// Properties that one change sets or removes: a commit holds no more.
const CHANGED: usize = 90;
/// Bytes of one.
pub const PROPERTY_BYTES: usize = 16 * 1024;
/// Bytes of what one is called.
const KEY_BYTES: usize = 500;

/// What a note is kept under: no property is called so.
pub(super) const NOTE: &[u8] = b"\n";

/// What it is called, and its value.
pub type Property = (Vec<u8>, Bytes);

impl Mailbox {
    /// Of a folder (`object` is empty) or of an object in it. Where the viewer set none of a name, the owner's counts.
    pub async fn properties(&self, folder: FolderId, object: &str) -> Result<BTreeMap<Vec<u8>, Bytes>> {
        let enough = |own: Rights| if object.is_empty() { super::in_part(own) } else { own.has(Rights::READ) };
        self.judge_in(folder, enough).await?;
        let owner = self.account().principal;
        let mut found = self.properties_of(folder, object, owner).await?;
        let viewer = self.scope().viewer();
        if viewer != owner && object.is_empty() {
            found.extend(self.properties_of(folder, object, viewer).await?);
        }
        Ok(found)
    }

    /// What the viewer, who is not the owner, keeps of objects: by name and id, in the order asked for. Of an object that took the
    /// place of another nothing is kept.
    pub async fn own_notes(&self, folder: FolderId, objects: &[(&str, ItemId)]) -> Result<Vec<Option<Bytes>>> {
        self.judge_in(folder, super::in_part).await?;
        let key = |name: &str| self.scope().key(Sk::property(folder, name, self.scope().viewer(), NOTE));
        let keys: Vec<_> = objects.iter().map(|(name, _)| key(name)).collect();
        let mut out = Vec::with_capacity(objects.len());
        for (((_, id), key), row) in objects.iter().zip(&keys).zip(self.inner.world.table.batch_get(&keys).await?) {
            let of_it = row.filter(|row| row.bytes("o").is_some_and(|own| own[..] == id.as_bytes()[..]));
            out.push(match of_it.as_ref().and_then(|row| row.bytes("v")) {
                Some(sealed) => Some(self.open_sealed(key.sk().as_bytes(), sealed).await?.into()),
                None => None,
            });
        }
        Ok(out)
    }

    /// One that the owner set for a folder, for who learns when they are busy: in which zone their days begin.
    pub async fn owners_property(&self, folder: FolderId, key: &[u8]) -> Result<Option<Bytes>> {
        self.judge_in(folder, |own| own.has_some(Rights::READ.and(Rights::FREE_BUSY))).await?;
        let sk = Sk::property(folder, "", self.account().principal, key);
        let Some(row) = self.inner.world.table.get(&self.scope().key(sk.clone())).await? else { return Ok(None) };
        let sealed = row.bytes("v").ok_or_else(super::read::damaged)?;
        Ok(Some(self.open_sealed(sk.as_bytes(), sealed).await?.into()))
    }

    /// Of the objects of a folder from one name to another, both included: one query.
    pub async fn properties_of_objects(
        &self,
        folder: FolderId,
        first: &str,
        last: &str,
    ) -> Result<BTreeMap<String, BTreeMap<Vec<u8>, Bytes>>> {
        self.need_in(folder, Rights::READ).await?;
        let (prefix, owner) = (Sk::all_properties(folder), self.account().principal);
        let (from, to) = (Sk::all_properties_of(folder, first), Sk::all_properties_of(folder, last).after_prefix());
        let query = Query { from, to: Some(to), ..Query::prefix(self.scope().pk().clone(), &prefix) };
        let rows = self.inner.world.table.query_all(query).await?;
        let mut found: BTreeMap<String, BTreeMap<Vec<u8>, Bytes>> = BTreeMap::new();
        for (sk, row) in rows {
            let Some((object, rest)) = sk.as_bytes().strip_prefix(prefix.as_bytes()).and_then(split) else { continue };
            let Some(key) = rest.strip_prefix(owner.as_bytes()).filter(|_| !object.is_empty()) else { continue };
            let sealed = row.bytes("v").ok_or_else(super::read::damaged)?;
            let value = self.open_sealed(sk.as_bytes(), sealed).await?.into();
            found.entry(object.to_owned()).or_default().insert(key.to_vec(), value);
        }
        Ok(found)
    }

    /// Sets some and removes others, all or none. `rename`: the folder's name, for everybody; for its owner alone.
    pub async fn set_properties(
        &self,
        folder: FolderId,
        object: &str,
        change: (&[Property], &[Vec<u8>]),
        rename: Option<&str>,
    ) -> Result<()> {
        let (set, remove) = change;
        check_properties(set)?;
        let owner = self.account().principal;
        let whose = if object.is_empty() { self.scope().viewer() } else { owner };
        self.need_in(folder, if object.is_empty() { Rights::LOOKUP } else { Rights::WRITE }).await?;
        let cipher = self.inner.cipher(self.scope().tenant()).await?;
        let _turn = self.shared.writing.lock().await;
        for round in 0..ROUNDS {
            let view = self.view_to_decide().await?;
            let own = view.folders.get(folder).cloned().ok_or_else(no_folder)?;
            let before = self.properties_of(folder, object, whose).await?;
            let mut after = before.clone();
            after.retain(|key, _| !remove.contains(key));
            after.extend(set.iter().cloned());
            if after.len() > most_of(&own, object) {
                return Err(Error::limit("there are too many properties already"));
            }
            let mut draft = Draft::new(self.scope(), &view);
            for (key, value) in set {
                let sk = Sk::property(folder, object, whose, key);
                let sealed = cipher.seal_row(&self.inner.world.env, sk.as_bytes(), value)?;
                draft.write(Write::put(self.scope().key(sk), Row::new().with("v", sealed)));
            }
            let gone: Vec<&Vec<u8>> =
                remove.iter().filter(|key| before.contains_key(*key) && set.iter().all(|(other, _)| other != *key)).collect();
            if set.len() + gone.len() > CHANGED {
                return Err(Error::limit("so many properties are not changed at once"));
            }
            for key in gone {
                draft.write(Write::delete(self.scope().key(Sk::property(folder, object, whose, key))));
            }
            self.note_properties(&mut draft, own, object, rename).await?;
            match self.commit(draft).await? {
                Outcome::Done => return Ok(()),
                Outcome::Stale | Outcome::Exists(_) => self.reread(round).await?,
            }
        }
        Err(busy())
    }

    /// The entry that says so in the log.
    async fn note_properties(&self, draft: &mut Draft, own: Folder, object: &str, rename: Option<&str>) -> Result<()> {
        let folder = own.id;
        if !object.is_empty() {
            let old = self.object_now(folder, object).await?.ok_or_else(|| Error::not_found("no such object"))?;
            let modseq = draft.modseq();
            draft.write(Write::put(self.scope().key(Sk::object(folder, object)), super::Object { modseq, ..old.clone() }.to_row()));
            draft.entry(Entry::Object { folder, name: object.to_owned(), before: Some(old.version()), after: Some(old.version()) });
        } else if self.scope().viewer() == self.account().principal {
            let name = rename.map_or_else(|| own.name.clone(), str::to_owned);
            draft.entry(Entry::FolderSet(Folder { name, ..own }));
        } else {
            draft.entry(Entry::Viewer { folder, viewer: self.scope().viewer() });
        }
        Ok(())
    }

    pub(super) async fn properties_of(&self, folder: FolderId, object: &str, whose: PrincipalId) -> Result<BTreeMap<Vec<u8>, Bytes>> {
        let prefix = Sk::properties(folder, object, whose);
        let rows = self.inner.world.table.query_all(Query::prefix(self.scope().pk().clone(), &prefix)).await?;
        let mut found = BTreeMap::new();
        for (sk, row) in rows {
            let Some(key) = sk.as_bytes().strip_prefix(prefix.as_bytes()) else { continue };
            let sealed = row.bytes("v").ok_or_else(super::read::damaged)?;
            found.insert(key.to_vec(), self.open_sealed(sk.as_bytes(), sealed).await?.into());
        }
        Ok(found)
    }

    /// What takes an object's properties away with it.
    pub(super) async fn without_properties(&self, folder: FolderId, object: &str) -> Result<Vec<Write>> {
        // Of all viewers; what others keep beyond that belongs to no object any more, and is passed over.
        let prefix = Sk::all_properties_of(folder, object);
        let query = Query { limit: USES_OF_ATTACHMENT + BESIDE_USES, ..Query::prefix(self.scope().pk().clone(), &prefix) };
        let page = self.inner.world.table.query(&query).await?;
        Ok(page.rows.into_iter().map(|(sk, _)| Write::delete(self.scope().key(sk))).collect())
    }

    /// Moves them with their object; those of what it replaces go.
    pub(super) async fn write_properties_moved(&self, draft: &mut Draft, from: (FolderId, &str), to: (FolderId, &str)) -> Result<()> {
        let moved = self.properties_of(from.0, from.1, self.account().principal).await?;
        for key in moved.keys() {
            draft.write(Write::delete(self.scope().key(Sk::property(from.0, from.1, self.account().principal, key))));
        }
        self.write_properties_of(draft, to, &moved).await
    }

    /// Gives an object these and no others.
    pub(super) async fn write_properties_of(&self, draft: &mut Draft, to: (FolderId, &str), new: &BTreeMap<Vec<u8>, Bytes>) -> Result<()> {
        let owner = self.account().principal;
        let cipher = self.inner.cipher(self.scope().tenant()).await?;
        for (key, value) in new {
            let sk = Sk::property(to.0, to.1, owner, key);
            let sealed = cipher.seal_row(&self.inner.world.env, sk.as_bytes(), value)?;
            draft.write(Write::put(self.scope().key(sk), Row::new().with("v", sealed)));
        }
        for key in self.properties_of(to.0, to.1, owner).await?.into_keys().filter(|key| !new.contains_key(key)) {
            draft.write(Write::delete(self.scope().key(Sk::property(to.0, to.1, owner, &key))));
        }
        Ok(())
    }
}

/// Properties that a folder or an object has at most.
fn most_of(folder: &Folder, object: &str) -> usize {
    match folder.kind {
        _ if object.is_empty() => PROPERTIES,
        Kind::Attachments => USES_OF_ATTACHMENT + BESIDE_USES,
        _ => PROPERTIES_OF_OBJECT,
    }
}

/// An object's name, and what stands behind it.
fn split(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let at = bytes.iter().position(|byte| *byte == 0)?;
    Some((std::str::from_utf8(&bytes[..at]).ok()?, &bytes[at + 1..]))
}

/// Refuses what cannot be kept together, or at all.
pub(super) fn check_properties(set: &[Property]) -> Result<()> {
    if set.len() > CHANGED || set.iter().any(|(key, value)| key.len() > KEY_BYTES || value.len() > PROPERTY_BYTES) {
        return Err(Error::limit("a property has at most 16 KB, and 90 are set at once"));
    }
    Ok(())
}
