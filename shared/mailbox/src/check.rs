//! Proves that an account's rows agree with one another: the head is the sum of the rows, the log has no gap and leads to
//! what the rows say, and no item's bytes are missing.

use crate::account::{Mailbox, acl_of, modseq_of};
use crate::acl::Acl;
use crate::change::{Change, Entry, Placed};
use crate::content::{self, ContentFacts};
use crate::draft::{Draft, items_per_commit};
use crate::folder::{Folder, Folders};
use crate::objects::Objects;
use crate::sealed::BlobHead;
use crate::state;
use crate::verbs::once;
use crate::view::{Head, View};
use penfold_ports::{Query, Rights, Row, Sk, When, Write};
use penfold_types::{AcceptanceId, Error, FolderId, ItemId, Modseq, Result, Uid};
use std::collections::{BTreeMap, BTreeSet};

/// What a check found.
#[derive(Clone, Default, Debug)]
pub struct Report {
    pub folders: usize,
    pub items: usize,
    pub changes: usize,
    pub blobs: usize,
    /// One sentence each; empty where all is well.
    pub problems: Vec<String>,
    /// Work that a crash interrupted and that goes on by itself: no fault.
    pub unfinished: Vec<String>,
    pub repaired: usize,
}

#[derive(Default)]
struct Rows {
    head: Option<Head>,
    folders: BTreeMap<FolderId, Folder>,
    contents: BTreeMap<ItemId, (ContentFacts, Option<Modseq>)>,
    states: BTreeMap<FolderId, BTreeMap<ItemId, (Placed, Modseq)>>,
    objects: Objects,
    changes: Vec<Change>,
    unreadable: Vec<Sk>,
}

impl Rows {
    fn take(&mut self, sk: &Sk, row: &Row) {
        let bytes = sk.as_bytes();
        let read = match bytes.get(..2) {
            _ if *sk == Sk::head() => Head::from_row(row).map(|head| self.head = Some(head)),
            Some(b"f#") if acl_of(sk).is_some() => Acl::from_row(row).map(|acl| {
                // Behind its folder's row, so that is there already where there is one.
                if let Some(own) = acl_of(sk).and_then(|id| self.folders.get_mut(&id)) {
                    own.acl = acl;
                }
            }),
            Some(b"f#") => {
                FolderId::from_slice(&bytes[2..]).and_then(|id| Some(self.folders.insert(id, Folder::from_row(id, row)?)).map(|_| ()))
            }
            Some(b"i#") => ItemId::from_slice(&bytes[2..])
                .and_then(|id| Some(self.contents.insert(id, (ContentFacts::from_row(row)?, content::gone(row)))).map(|_| ())),
            Some(b"s#") => self.take_state(&bytes[2..], row),
            Some(b"n#" | b"u#" | b"x#") => self.objects.take(sk, row),
            Some(b"c#") => modseq_of(sk).and_then(|modseq| Change::from_row(modseq, row)).map(|change| self.changes.push(change)),
            _ => Some(()),
        };
        if read.is_none() {
            self.unreadable.push(sk.clone());
        }
    }

    fn take_state(&mut self, bytes: &[u8], row: &Row) -> Option<()> {
        let (folder, rest) = bytes.split_at_checked(16)?;
        let (folder, item) = (FolderId::from_slice(folder)?, ItemId::from_slice(rest.strip_prefix(b"#")?)?);
        self.states.entry(folder).or_default().insert(item, state::from_row(item, row)?);
        Some(())
    }

    /// Folders and head as their items say they should be.
    fn counted(&self) -> (BTreeMap<FolderId, Folder>, u64, u64) {
        let mut folders = self.folders.clone();
        let (mut items, mut used) = (0, 0);
        for folder in folders.values_mut() {
            (folder.total, folder.unseen, folder.deleted, folder.bytes) = (0, 0, 0, 0);
        }
        for (id, states) in &self.states {
            for (placed, modseq) in states.values() {
                items += 1;
                used += u64::from(placed.size);
                let Some(folder) = folders.get_mut(id) else { continue };
                folder.total += 1;
                folder.unseen += u32::from(!placed.keywords.seen());
                folder.deleted += u32::from(placed.keywords.deleted());
                folder.bytes += u64::from(placed.size);
                folder.uidnext = folder.uidnext.max(placed.uid.next());
                folder.modseq = folder.modseq.max(*modseq);
            }
        }
        for (id, object) in self.objects.all() {
            items += 1;
            used += u64::from(object.size);
            let Some(folder) = folders.get_mut(&id) else { continue };
            folder.total += 1;
            folder.bytes += u64::from(object.size);
            folder.modseq = folder.modseq.max(object.modseq);
        }
        (folders, items, used)
    }
}

impl Mailbox {
    /// Reads every row of the account. With `repair`, counts are set right, items without bytes or rows are taken out, and
    /// interrupted work is finished.
    pub async fn check(&self, repair: bool) -> Result<Report> {
        self.need(Rights::ALL)?;
        let rows = self.read_all().await?;
        let mut report = Report {
            folders: rows.folders.len(),
            items: rows.states.values().map(BTreeMap::len).sum::<usize>() + rows.objects.all().count(),
            changes: rows.changes.len(),
            problems: rows.unreadable.iter().map(|sk| format!("the row {sk:?} cannot be read")).collect(),
            ..Report::default()
        };
        let Some(head) = rows.head.clone() else {
            // An account that nobody has opened yet has no rows at all.
            if !rows.folders.is_empty() || !rows.states.is_empty() || !rows.changes.is_empty() || rows.objects.all().next().is_some() {
                report.problems.push("the head is missing".to_owned());
            }
            return Ok(report);
        };
        check_counts(&rows, &head, &mut report);
        let lost = check_items(&rows, &mut report);
        rows.objects.check(&rows.folders, &rows.contents, &mut report);
        check_log(&rows, &head, &mut report);
        let missing = self.check_blobs(&rows, &mut report).await?;
        if repair && !(report.problems.is_empty() && report.unfinished.is_empty()) {
            report.repaired = self.repair(&rows, &lost, &missing).await?;
        }
        Ok(report)
    }

    async fn read_all(&self) -> Result<Rows> {
        let mut rows = Rows::default();
        let mut query = Query { pk: self.scope().pk().clone(), from: Sk::text(""), to: None, limit: usize::MAX, reverse: false };
        loop {
            let page = self.inner.world.table.query(&query).await?;
            for (sk, row) in &page.rows {
                rows.take(sk, row);
            }
            match page.rows.last() {
                Some((last, _)) if page.more => query.from = last.successor(),
                _ => return Ok(rows),
            }
        }
    }

    /// Items whose bytes are not there.
    async fn check_blobs(&self, rows: &Rows, report: &mut Report) -> Result<BTreeSet<ItemId>> {
        let mut known: BTreeMap<AcceptanceId, bool> = BTreeMap::new();
        let mut missing = BTreeSet::new();
        for (item, (facts, _)) in rows.contents.iter().filter(|(_, (facts, _))| !facts.inline) {
            let there = match known.get(&facts.blob.acceptance) {
                Some(there) => *there,
                None => {
                    let key = self.scope().blob(facts.blob.acceptance);
                    let size = BlobHead::size(facts.blob.length) as u64;
                    let there = match self.inner.world.blobs.get_range(&key, 0..size).await {
                        Ok(bytes) => BlobHead::read(&bytes).is_ok_and(|head| head.length == facts.blob.length),
                        Err(penfold_ports::PortError::Missing) => false,
                        Err(error) => return Err(error.into()),
                    };
                    known.insert(facts.blob.acceptance, there);
                    there
                }
            };
            if !there {
                report.problems.push(format!("item {item} has no bytes"));
                missing.insert(*item);
            }
        }
        report.blobs = known.len();
        Ok(missing)
    }

    async fn repair(&self, rows: &Rows, lost: &[ItemId], missing: &BTreeSet<ItemId>) -> Result<usize> {
        let mut repaired = 0;
        for folder in rows.states.keys().filter(|id| !rows.folders.contains_key(id)) {
            self.empty_gone(*folder).await?;
            repaired += 1;
        }
        repaired += self.take_out_damaged(rows, missing).await?;
        for part in lost.chunks(items_per_commit(1)) {
            for item in part {
                let key = self.scope().key(Sk::content(*item));
                let set = vec![("g".into(), 0u64.into())];
                self.inner.world.table.put(Write::Update { key, set, remove: vec!["f".into()], when: When::Present }).await?;
                repaired += 1;
            }
        }
        repaired += self.repair_objects(&rows.objects, &rows.folders, missing).await?;
        for sk in rows.unreadable.iter().filter(|sk| [b"s#", b"n#"].iter().any(|kind| sk.as_bytes().starts_with(*kind))) {
            self.inner.world.table.put(Write::delete(self.scope().key(sk.clone()))).await?;
            repaired += 1;
        }
        self.shared.forget();
        let rows = self.read_all().await?;
        let (folders, items, used) = rows.counted();
        let wrong: Vec<Folder> = folders.values().filter(|right| rows.folders.get(&right.id) != Some(right)).cloned().collect();
        let mut parts = wrong.chunks(items_per_commit(1));
        self.set_counts(parts.next().unwrap_or(&[]), items, used).await?;
        for part in parts {
            self.set_counts(part, items, used).await?;
        }
        self.forget_history().await?;
        Ok(repaired + 1)
    }

    /// Removes states whose content or bytes are not there.
    async fn take_out_damaged(&self, rows: &Rows, missing: &BTreeSet<ItemId>) -> Result<usize> {
        let mut repaired = 0;
        for (folder, states) in rows.states.iter().filter(|(id, _)| rows.folders.contains_key(id)) {
            let damaged: Vec<&Placed> = states
                .values()
                .map(|(placed, _)| placed)
                .filter(|p| missing.contains(&p.item) || rows.contents.get(&p.item).is_none_or(|(facts, _)| facts.folder != Some(*folder)))
                .collect();
            for part in damaged.chunks(items_per_commit(2)) {
                once(self, |draft| {
                    for placed in part {
                        draft.write(Write::delete(self.scope().key(Sk::state(*folder, placed.item))));
                        if missing.contains(&placed.item) {
                            draft.write(Write::delete(self.scope().key(Sk::content(placed.item))));
                        }
                        draft.entry(Entry::Removed { folder: *folder, placed: (*placed).clone() });
                    }
                    Ok(())
                })
                .await?;
                repaired += part.len();
            }
        }
        Ok(repaired)
    }

    /// After a repair the log does not lead to the rows any more: clients begin again from the lists.
    async fn forget_history(&self) -> Result<()> {
        let head = self.view().await?.head.clone();
        let set = vec![("fl".into(), head.modseq.get().into())];
        let when = When::Equal(vec![("ep".into(), head.epoch.into())]);
        self.inner.world.table.put(Write::Update { key: self.scope().key(Sk::head()), set, remove: Vec::new(), when }).await?;
        self.shared.forget();
        Ok(())
    }

    /// Sets head and some folders to what was counted, as a commit like any other.
    async fn set_counts(&self, folders: &[Folder], items: u64, used: u64) -> Result<()> {
        let turn = self.shared.writing.lock().await;
        let mut view: View = (*self.view().await?).clone();
        let before = view.clone();
        (view.head.items, view.head.used) = (items, used);
        for folder in folders {
            if let Some(own) = view.folders.get_mut(folder.id) {
                *own = folder.clone();
            }
        }
        let mut draft = Draft::mended(self.scope(), &before, view);
        for folder in folders {
            draft.entry(Entry::FolderSet(folder.clone()));
        }
        let done = self.commit(draft).await?;
        drop(turn);
        match done {
            crate::commit::Outcome::Done => Ok(()),
            _ => Err(Error::conflict("the account changed during the repair; run it again")),
        }
    }
}

fn check_counts(rows: &Rows, head: &Head, report: &mut Report) {
    let (counted, items, used) = rows.counted();
    if (head.items, head.used) != (items, used) {
        report.problems.push(format!("the head says {} items of {} bytes, the rows {items} of {used}", head.items, head.used));
    }
    for (id, folder) in &rows.folders {
        if let Some(right) = counted.get(id).filter(|right| *right != folder) {
            report.problems.push(format!("folder {} says {:?}, its rows {:?}", folder.name, brief(folder), brief(right)));
        }
        if folder.parent.is_some_and(|parent| !rows.folders.contains_key(&parent)) {
            report.problems.push(format!("folder {} lies in a folder that is not there", folder.name));
        }
    }
}

fn brief(folder: &Folder) -> (u32, u32, u32, u64, Uid, Modseq) {
    (folder.total, folder.unseen, folder.deleted, folder.bytes, folder.uidnext, folder.modseq)
}

/// States against contents; gives back contents that say they are in a folder where they are not.
fn check_items(rows: &Rows, report: &mut Report) -> Vec<ItemId> {
    for (folder, states) in &rows.states {
        if !rows.folders.contains_key(folder) {
            report.unfinished.push(format!("{} messages of a deleted folder are still to be taken out", states.len()));
            continue;
        }
        let mut uids = BTreeSet::new();
        for (item, (placed, _)) in states {
            if !uids.insert(placed.uid) {
                report.problems.push(format!("uid {} is given twice", placed.uid));
            }
            match rows.contents.get(item) {
                None => report.problems.push(format!("item {item} has a state and no content")),
                Some((facts, _)) if facts.folder != Some(*folder) => report.problems.push(format!("item {item} is in two folders")),
                Some((facts, _)) if facts.size != u64::from(placed.size) => report.problems.push(format!("item {item} has two sizes")),
                Some(_) => {}
            }
        }
    }
    let mut lost = Vec::new();
    for (item, (facts, gone)) in &rows.contents {
        let placed = facts
            .folder
            .is_some_and(|folder| rows.states.get(&folder).is_some_and(|s| s.contains_key(item)) || rows.objects.is_in(folder, *item));
        if !placed && gone.is_none() {
            report.problems.push(format!("item {item} is in no folder"));
            lost.push(*item);
        }
    }
    lost
}

/// The log has no gap, and where it reaches back to the beginning it leads to exactly what the rows say.
fn check_log(rows: &Rows, head: &Head, report: &mut Report) {
    let mut expected = head.floor.next();
    for change in rows.changes.iter().filter(|change| change.modseq > head.floor) {
        if change.modseq != expected {
            report.problems.push(format!("the log has no change {expected}"));
            return;
        }
        expected = expected.next();
    }
    if expected != head.modseq.next() {
        report.problems.push(format!("the log ends at {expected} and the head is at {}", head.modseq));
        return;
    }
    if head.floor == Modseq(0) {
        replay(rows, head, report);
    }
}

fn replay(rows: &Rows, head: &Head, report: &mut Report) {
    let mut view = View { head: Head::new(), folders: Folders::default() };
    let mut places: BTreeMap<FolderId, BTreeMap<Uid, ItemId>> = BTreeMap::new();
    let mut objects: BTreeMap<FolderId, BTreeMap<String, ItemId>> = BTreeMap::new();
    for change in &rows.changes {
        if view.apply(change).is_err() {
            report.problems.push("the log cannot be applied".to_owned());
            return;
        }
        for entry in &change.entries {
            match entry {
                Entry::Added { folder, placed } => {
                    places.entry(*folder).or_default().insert(placed.uid, placed.item);
                }
                Entry::Removed { folder, placed } => {
                    places.entry(*folder).or_default().remove(&placed.uid);
                }
                Entry::Moved { from, from_uid, to, placed } => {
                    places.entry(*from).or_default().remove(from_uid);
                    places.entry(*to).or_default().insert(placed.uid, placed.item);
                }
                Entry::Object { folder, name, after, .. } => {
                    let own = objects.entry(*folder).or_default();
                    match after {
                        Some(version) => own.insert(name.clone(), version.item),
                        None => own.remove(name),
                    };
                }
                Entry::Keywords { .. } | Entry::FolderSet(_) | Entry::FolderGone(_) | Entry::Viewer { .. } | Entry::Acl { .. } => {}
            }
        }
    }
    if (view.head.items, view.head.used) != (head.items, head.used) {
        report.problems.push("the log leads to another head".to_owned());
    }
    for (id, folder) in &rows.folders {
        if view.folders.get(*id).map(brief) != Some(brief(folder)) {
            report.problems.push(format!("the log leads to another state of folder {}", folder.name));
        }
        if view.folders.get(*id).is_some_and(|own| own.acl != folder.acl) {
            report.problems.push(format!("the log leads to other rights to folder {}", folder.name));
        }
        let by_log = places.remove(id).unwrap_or_default();
        let by_rows: BTreeMap<Uid, ItemId> =
            rows.states.get(id).into_iter().flatten().map(|(item, (placed, _))| (placed.uid, *item)).collect();
        if by_log != by_rows {
            report.problems.push(format!("the log leads to other messages in folder {}", folder.name));
        }
        if objects.remove(id).unwrap_or_default() != rows.objects.items(*id) {
            report.problems.push(format!("the log leads to other objects in folder {}", folder.name));
        }
    }
}
