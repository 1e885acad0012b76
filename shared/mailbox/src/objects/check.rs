//! Proves that the rows of objects agree with one another, and sets them right.

use super::row::{Object, named_by};
use crate::account::Mailbox;
use crate::check::Report;
use crate::content::ContentFacts;
use crate::folder::Folder;
use crate::verbs::once;
use penfold_ports::{Row, Sk, Write};
use penfold_types::{FolderId, ItemId, Modseq, Result};
use std::collections::{BTreeMap, BTreeSet};

/// All rows of an account's objects but their contents.
#[derive(Default)]
pub(crate) struct Objects {
    named: BTreeMap<FolderId, BTreeMap<String, Object>>,
    versions: BTreeSet<(FolderId, ItemId)>,
    /// By what they look up: the folder, the row, and the name that it leads to.
    lookups: Vec<(FolderId, Sk, String)>,
}

impl Objects {
    pub fn take(&mut self, sk: &Sk, row: &Row) -> Option<()> {
        let bytes = sk.as_bytes();
        if let Some((folder, name)) = named_by(sk) {
            let object = Object::from_row(name, row)?;
            self.versions.insert((folder, object.item));
            self.named.entry(folder).or_default().insert(name.to_owned(), object);
            return Some(());
        }
        let folder = match bytes.get(..2)? {
            b"u#" => bytes.get(18..)?,
            b"x#" => bytes.get(2..18)?,
            _ => return None,
        };
        self.lookups.push((FolderId::from_slice(folder)?, sk.clone(), row.str("n")?.to_owned()));
        Some(())
    }

    pub fn all(&self) -> impl Iterator<Item = (FolderId, &Object)> {
        self.named.iter().flat_map(|(folder, objects)| objects.values().map(|object| (*folder, object)))
    }

    pub fn is_in(&self, folder: FolderId, item: ItemId) -> bool {
        self.versions.contains(&(folder, item))
    }

    /// Names and versions of a folder.
    pub fn items(&self, folder: FolderId) -> BTreeMap<String, ItemId> {
        self.named.get(&folder).into_iter().flatten().map(|(name, object)| (name.clone(), object.item)).collect()
    }

    /// The rows by which an object is found.
    fn wanted(folder: FolderId, object: &Object) -> impl Iterator<Item = Sk> {
        let uid = object.uid.map(|uid| Sk::object_uid(&uid, folder));
        uid.into_iter().chain(object.place.map(|(level, start)| Sk::span(folder, level, start, object.id)))
    }

    pub fn check(
        &self,
        folders: &BTreeMap<FolderId, Folder>,
        contents: &BTreeMap<ItemId, (ContentFacts, Option<Modseq>)>,
        report: &mut Report,
    ) {
        let mut expected: BTreeMap<Sk, &str> = BTreeMap::new();
        for (folder, object) in self.all() {
            if !folders.contains_key(&folder) {
                report.unfinished.push(format!("the object {} of a deleted folder is still to be taken out", object.name));
                continue;
            }
            match contents.get(&object.item) {
                None => report.problems.push(format!("object {} has a row and no content", object.name)),
                Some((facts, _)) if facts.folder != Some(folder) || !facts.object => {
                    report.problems.push(format!("object {} has the content of another", object.name));
                }
                Some((facts, _)) if facts.size != u64::from(object.size) => {
                    report.problems.push(format!("object {} has two sizes", object.name));
                }
                Some(_) => {}
            }
            expected.extend(Self::wanted(folder, object).map(|sk| (sk, object.name.as_str())));
        }
        for (folder, sk, name) in self.lookups.iter().filter(|(folder, ..)| folders.contains_key(folder)) {
            if expected.remove(sk) != Some(name.as_str()) {
                report.problems.push(format!("the row {sk:?} of folder {folder} leads to an object {name} that does not belong to it"));
            }
        }
        for (sk, name) in expected {
            report.problems.push(format!("the object {name} is not found by {sk:?}"));
        }
    }
}

impl Mailbox {
    /// Takes out objects whose content is not there, and rows that lead nowhere. What is found by no UID or no time is written
    /// anew by whoever puts it again.
    pub(crate) async fn repair_objects(
        &self,
        objects: &Objects,
        folders: &BTreeMap<FolderId, Folder>,
        missing: &BTreeSet<ItemId>,
    ) -> Result<usize> {
        let mut repaired = 0;
        let gone: BTreeSet<FolderId> = objects.all().map(|(folder, _)| folder).filter(|id| !folders.contains_key(id)).collect();
        for folder in gone {
            self.empty_gone(folder).await?;
            repaired += 1;
        }
        let mut kept: BTreeSet<Sk> = BTreeSet::new();
        for (folder, object) in objects.all().filter(|(folder, _)| folders.contains_key(folder)) {
            // It may have been replaced since all rows were read.
            if self.object_now(folder, &object.name).await?.is_none_or(|now| now.item != object.item) {
                kept.extend(Objects::wanted(folder, object));
                continue;
            }
            if missing.contains(&object.item) || self.bytes_of_versions(folder, &[object.item]).await?.iter().all(Option::is_none) {
                once(self, |draft| {
                    draft.write(Write::delete(self.scope().key(Sk::object(folder, &object.name))));
                    let before = Some(object.version());
                    draft.entry(crate::change::Entry::Object { folder, name: object.name.clone(), before, after: None });
                    Ok(())
                })
                .await?;
                repaired += 1;
            } else {
                kept.extend(Objects::wanted(folder, object));
            }
        }
        for (_, sk, _) in objects.lookups.iter().filter(|(_, sk, _)| !kept.contains(sk)) {
            self.inner.world.table.put(Write::delete(self.scope().key(sk.clone()))).await?;
            repaired += 1;
        }
        Ok(repaired)
    }
}
