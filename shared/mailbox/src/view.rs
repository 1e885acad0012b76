//! An account at one moment: its head and its folders. A view moves on by applying changes, our own and those of other
//! writers alike, so that what a writer decides on and what a reader sees come from one function.

use crate::acl::Acl;
use crate::change::{Change, Entry, Placed, Version};
use crate::folder::{Folder, Folders};
use penfold_ports::{Name, Row, Value};
use penfold_types::{Error, FolderId, Modseq, Result, UidValidity};

/// Whether an account may be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    Active,
    /// Readable, not writable.
    Frozen,
    /// Served by another cell.
    Moved,
    /// Its jobs wait for the operator.
    Parked,
    Destroyed,
}

impl Status {
    fn from_number(number: u64) -> Option<Self> {
        [Self::Active, Self::Frozen, Self::Moved, Self::Parked, Self::Destroyed].get(usize::try_from(number).ok()?).copied()
    }
}

/// The head row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Head {
    pub status: Status,
    /// Fences off writers from before a move.
    pub epoch: u64,
    pub modseq: Modseq,
    /// The last commit that touched an item of mail, and the last that touched a folder's name or place.
    pub mail: Modseq,
    pub tree: Modseq,
    pub used: u64,
    pub items: u64,
    /// Changes up to and including this one are no longer kept.
    pub floor: Modseq,
    pub(crate) uidvalidity: UidValidity,
}

impl Head {
    pub(crate) fn new() -> Self {
        Self {
            status: Status::Active,
            epoch: 1,
            modseq: Modseq(0),
            mail: Modseq(0),
            tree: Modseq(0),
            used: 0,
            items: 0,
            floor: Modseq(0),
            uidvalidity: UidValidity(0),
        }
    }

    /// What every commit sets; the floor is not among them, for only trimming moves it.
    pub(crate) fn attributes(&self) -> Vec<(Name, Value)> {
        vec![
            ("st".into(), (self.status as u64).into()),
            ("ep".into(), self.epoch.into()),
            ("m".into(), self.modseq.get().into()),
            ("mm".into(), self.mail.get().into()),
            ("mt".into(), self.tree.get().into()),
            ("by".into(), self.used.into()),
            ("n".into(), self.items.into()),
            ("uv".into(), self.uidvalidity.get().into()),
        ]
    }

    /// What stays of an account that was destroyed.
    pub(crate) fn destroyed() -> Row {
        let head = Self { status: Status::Destroyed, epoch: u64::from(u32::MAX), ..Self::new() };
        head.attributes().into_iter().fold(Row::new(), |row, (name, value)| row.with(name, value))
    }

    pub(crate) fn from_row(row: &Row) -> Option<Self> {
        Some(Self {
            status: Status::from_number(row.u64("st")?)?,
            epoch: row.u64("ep")?,
            modseq: Modseq(row.u64("m")?),
            mail: Modseq(row.u64("mm")?),
            tree: Modseq(row.u64("mt")?),
            used: row.u64("by")?,
            items: row.u64("n")?,
            floor: Modseq(row.u64("fl").unwrap_or(0)),
            uidvalidity: UidValidity(u32::try_from(row.u64("uv")?).ok()?),
        })
    }
}

#[derive(Clone, Debug)]
pub(crate) struct View {
    pub head: Head,
    pub folders: Folders,
}

impl View {
    /// Moves on by one commit, which must be the next.
    pub fn apply(&mut self, change: &Change) -> Result<()> {
        if change.modseq != self.head.modseq.next() {
            return Err(Error::broken("a change is missing from the log"));
        }
        for entry in &change.entries {
            self.apply_entry(change.modseq, entry);
        }
        self.head.modseq = change.modseq;
        Ok(())
    }

    /// Whether the folders are as the last change left them.
    pub fn shows(&self, last: &Change) -> bool {
        // A folder that is gone may still have had its messages taken out.
        let moved_on = |folder: &FolderId| self.folders.get(*folder).is_none_or(|own| own.modseq >= last.modseq);
        let mut set = std::collections::BTreeMap::new();
        let counted = last.entries.iter().all(|entry| match entry {
            Entry::Added { folder, .. } | Entry::Removed { folder, .. } | Entry::Keywords { folder, .. } => moved_on(folder),
            Entry::Moved { from, to, .. } => moved_on(from) && moved_on(to),
            Entry::Object { folder, .. } => moved_on(folder),
            // Of what is said of one folder, the last counts.
            Entry::FolderSet(folder) => {
                set.insert(folder.id, Some(folder));
                true
            }
            Entry::FolderGone(folder) => {
                set.insert(*folder, None);
                true
            }
            Entry::Viewer { .. } => true,
            Entry::Acl { folder, .. } => self.folders.get(*folder).is_none_or(|own| own.acl.modseq >= last.modseq),
        });
        let as_set = |(id, wanted): (&FolderId, &Option<&Folder>)| {
            let place = |own: &'_ Folder| (own.name.clone(), own.parent, own.segment.clone());
            self.folders.get(*id).map(place) == wanted.map(place)
        };
        counted && set.iter().all(as_set)
    }

    /// Works one entry into the counts. Entries of a folder that is gone still count for the account.
    pub fn apply_entry(&mut self, modseq: Modseq, entry: &Entry) {
        match entry {
            Entry::Added { folder, placed } => {
                self.head.items += 1;
                self.head.used += u64::from(placed.size);
                self.enter(modseq, *folder, placed);
                self.head.mail = modseq;
            }
            Entry::Removed { folder, placed } => {
                self.head.items = self.head.items.saturating_sub(1);
                self.head.used = self.head.used.saturating_sub(placed.size.into());
                self.leave(modseq, *folder, placed);
                self.head.mail = modseq;
            }
            Entry::Moved { from, to, placed, .. } => {
                self.leave(modseq, *from, placed);
                self.enter(modseq, *to, placed);
                self.head.mail = modseq;
            }
            Entry::Keywords { folder, before, after, .. } => {
                if let Some(own) = self.folders.get_mut(*folder) {
                    own.unseen = (own.unseen + u32::from(!after.seen())).saturating_sub((!before.seen()).into());
                    own.deleted = (own.deleted + u32::from(after.deleted())).saturating_sub(before.deleted().into());
                    own.modseq = modseq;
                    own.churn = own.churn.saturating_add(1);
                }
                self.head.mail = modseq;
            }
            Entry::FolderSet(folder) => {
                self.head.uidvalidity = self.head.uidvalidity.max(folder.uidvalidity);
                self.folders.put(folder.clone());
                if let Some(own) = self.folders.get_mut(folder.id).filter(|own| own.modseq == Modseq(0)) {
                    own.modseq = modseq;
                }
                self.head.tree = modseq;
            }
            Entry::FolderGone(folder) => {
                self.folders.remove(*folder);
                self.head.tree = modseq;
            }
            Entry::Object { folder, before, after, .. } => self.exchange(modseq, *folder, *before, *after),
            Entry::Viewer { .. } => self.head.tree = modseq,
            Entry::Acl { folder, list } => {
                if let Some(own) = self.folders.get_mut(*folder) {
                    own.acl = Acl { modseq, list: list.clone() };
                }
                self.head.tree = modseq;
            }
        }
    }

    /// One version of an object for another.
    fn exchange(&mut self, modseq: Modseq, folder: FolderId, before: Option<Version>, after: Option<Version>) {
        let size = |version: Option<Version>| version.map_or(0, |version| u64::from(version.size));
        let (was, is) = (size(before), size(after));
        self.head.items = (self.head.items + u64::from(after.is_some())).saturating_sub(before.is_some().into());
        self.head.used = (self.head.used + is).saturating_sub(was);
        if let Some(own) = self.folders.get_mut(folder) {
            own.total = (own.total + u32::from(after.is_some())).saturating_sub(before.is_some().into());
            own.bytes = (own.bytes + is).saturating_sub(was);
            own.modseq = modseq;
        }
    }

    fn enter(&mut self, modseq: Modseq, folder: FolderId, placed: &Placed) {
        if let Some(own) = self.folders.get_mut(folder) {
            own.total += 1;
            own.unseen += u32::from(!placed.keywords.seen());
            own.deleted += u32::from(placed.keywords.deleted());
            own.bytes += u64::from(placed.size);
            own.uidnext = own.uidnext.max(placed.uid.next());
            own.modseq = modseq;
            own.churn = own.churn.saturating_add(1);
        }
    }

    fn leave(&mut self, modseq: Modseq, folder: FolderId, placed: &Placed) {
        if let Some(own) = self.folders.get_mut(folder) {
            own.total = own.total.saturating_sub(1);
            own.unseen = own.unseen.saturating_sub((!placed.keywords.seen()).into());
            own.deleted = own.deleted.saturating_sub(placed.keywords.deleted().into());
            own.bytes = own.bytes.saturating_sub(placed.size.into());
            own.modseq = modseq;
            own.churn = own.churn.saturating_add(1);
        }
    }
}
