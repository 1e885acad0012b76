//! A commit being put together: pure, from a view and what a verb decides to the rows that will be written.

use crate::change::{Change, Entry, Placed};
use crate::content::NewContent;
use crate::sealed::DataCipher;
use crate::state::{self, Digest};
use crate::view::View;
use bytes::Bytes;
use penfold_formats::mime::Summary;
use penfold_ports::{Commit, Row, Scope, Sk, When, Write, limits};
use penfold_types::{CommitId, Env, Error, FolderId, ItemId, Modseq, Result, Timestamp, Uid, UidValidity};
use std::collections::BTreeSet;

/// An item that is about to enter a folder.
pub(crate) struct Arrival {
    pub content: Row,
    pub digest: Bytes,
    /// Without its uid and created modseq, which the draft gives.
    pub placed: Placed,
    pub thread: ItemId,
    /// The hash of its Message-ID where no row names its thread yet.
    pub names_thread: Option<[u8; 16]>,
}

pub(crate) struct Draft {
    scope: Scope,
    view: View,
    before: View,
    modseq: Modseq,
    entries: Vec<Entry>,
    writes: Vec<Write>,
    touched: BTreeSet<FolderId>,
    gone: BTreeSet<FolderId>,
    fresh: bool,
    delivery: bool,
}

/// What is sent, and what is true once it has been carried out.
pub(crate) struct Prepared {
    pub commit: Commit,
    pub change: Change,
    pub view: View,
    /// Folders whose list is due to be stored again.
    pub due: Vec<FolderId>,
}

/// Rows of a commit beside those of its items: head, change, and up to four folders.
const OVERHEAD: usize = 6;

/// Items of one commit, when each takes `writes` rows.
pub(crate) const fn items_per_commit(writes: usize) -> usize {
    (limits::WRITES - OVERHEAD) / writes
}

impl Draft {
    pub fn new(scope: &Scope, view: &View) -> Self {
        Self {
            scope: scope.clone(),
            view: view.clone(),
            before: view.clone(),
            modseq: view.head.modseq.next(),
            entries: Vec::new(),
            writes: Vec::new(),
            touched: BTreeSet::new(),
            gone: BTreeSet::new(),
            fresh: false,
            delivery: false,
        }
    }

    /// Of what came by mail.
    pub fn delivery(scope: &Scope, view: &View) -> Self {
        Self { delivery: true, ..Self::new(scope, view) }
    }

    /// The first commit of an account.
    pub fn first(scope: &Scope) -> Self {
        let view = View { head: crate::view::Head::new(), folders: crate::folder::Folders::default() };
        Self { fresh: true, ..Self::new(scope, &view) }
    }

    /// A commit that sets head and folders right: from what they were to what was counted.
    pub fn mended(scope: &Scope, before: &View, counted: View) -> Self {
        Self { view: counted, ..Self::new(scope, before) }
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// As it will be after this commit.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// The view that the next draft of a chain starts from.
    pub fn view_after(&self) -> View {
        let mut view = self.view.clone();
        view.head.modseq = self.modseq;
        view
    }

    pub fn modseq(&self) -> Modseq {
        self.modseq
    }

    pub fn write(&mut self, write: Write) {
        self.writes.push(write);
    }

    pub fn entry(&mut self, entry: Entry) {
        self.view.apply_entry(self.modseq, &entry);
        match &entry {
            Entry::Added { folder, .. } | Entry::Removed { folder, .. } | Entry::Keywords { folder, .. } => {
                self.touched.insert(*folder);
            }
            Entry::Moved { from, to, .. } => {
                self.touched.insert(*from);
                self.touched.insert(*to);
            }
            Entry::FolderSet(folder) => {
                self.touched.insert(folder.id);
            }
            Entry::FolderGone(folder) => {
                self.gone.insert(*folder);
            }
            Entry::Viewer { .. } => {}
        }
        self.entries.push(entry);
    }

    /// False where this commit takes the item out.
    pub fn keeps(&self, item: ItemId) -> bool {
        !self.entries.iter().any(|entry| matches!(entry, Entry::Removed { placed, .. } if placed.item == item))
    }

    /// The uid that the next item of a folder gets.
    pub fn next_uid(&self, folder: FolderId) -> Result<Uid> {
        let own = self.view.folders.get(folder).ok_or_else(|| Error::not_found("the folder is gone"))?;
        if own.uidnext.get() == u32::MAX { Err(Error::limit("the folder has used up its uids")) } else { Ok(own.uidnext) }
    }

    /// A uidvalidity that no folder of this account has had: the seconds since 1970, or one more than the last one given.
    pub fn next_uidvalidity(&self, now: Timestamp) -> UidValidity {
        let seconds = u32::try_from(now.seconds().max(1)).unwrap_or(u32::MAX);
        UidValidity(seconds.max(self.view.head.uidvalidity.get().saturating_add(1)))
    }

    /// Adds a new item to a folder. Fails on commit where the item is there already.
    pub fn arrive(&mut self, folder: FolderId, arrival: Arrival) -> Result<Uid> {
        let uid = self.next_uid(folder)?;
        let placed = Placed { uid, created: self.modseq, ..arrival.placed };
        self.writes.push(Write::put_new(self.scope.key(Sk::content(placed.item)), arrival.content));
        self.writes.push(Write::put(self.scope.key(Sk::state(folder, placed.item)), state::to_row(&placed, self.modseq, arrival.digest)));
        if let Some(hash) = arrival.names_thread {
            let row = Row::new().with("th", arrival.thread.as_bytes()).with("i", placed.item.as_bytes());
            self.writes.push(Write::put(self.scope.key(Sk::message_id(&hash)), row));
        }
        self.entry(Entry::Added { folder, placed });
        Ok(uid)
    }

    /// The rows. `viewer` is noted where it is not the owner.
    pub fn finish(self, id: CommitId, now: Timestamp) -> Prepared {
        let Self { scope, mut view, before, modseq, entries, writes: items, touched, gone, fresh, delivery } = self;
        view.head.modseq = modseq;
        let head_is = if fresh {
            When::Absent
        } else {
            When::Equal(vec![("ep".into(), before.head.epoch.into()), ("m".into(), before.head.modseq.get().into())])
        };
        let mut writes = Vec::with_capacity(items.len() + touched.len() + 2);
        let mut set = view.head.attributes();
        if fresh {
            set.push(("fl".into(), 0u64.into()));
        }
        writes.push(Write::Update { key: scope.key(Sk::head()), set, remove: Vec::new(), when: head_is });
        let mut due = Vec::new();
        for folder in touched.iter().filter_map(|id| view.folders.get(*id)) {
            let remove = if folder.parent.is_none() { vec!["p".into()] } else { Vec::new() };
            writes.push(Write::Update { key: scope.key(Sk::folder(folder.id)), set: folder.attributes(), remove, when: When::Always });
            let was = before.folders.get(folder.id).map_or(0, |f| f.churn);
            if was / crate::checkpoint::CHANGES != folder.churn / crate::checkpoint::CHANGES {
                due.push(folder.id);
            }
        }
        for folder in gone {
            writes.push(Write::delete(scope.key(Sk::folder(folder))));
            writes.push(Write::put(scope.key(Sk::emptying(folder)), Row::new()));
        }
        writes.extend(items);
        let viewer = Some(scope.viewer()).filter(|viewer| *viewer != scope.account().principal);
        let change = Change { modseq, commit: id, at: now, viewer, delivery, entries };
        writes.push(Write::put_new(scope.key(Sk::change(modseq)), change.to_row()));
        Prepared { commit: Commit { id, writes }, change, view, due }
    }
}

/// Everything an item's rows need, from its parts.
pub(crate) fn arrival(
    env: &Env,
    cipher: &DataCipher,
    new: &NewContent<'_>,
    summary: &Summary,
    keywords: crate::Keywords,
    names_thread: Option<[u8; 16]>,
) -> Result<Arrival> {
    Ok(Arrival {
        content: new.to_row(env, cipher)?,
        digest: Digest::of(summary).seal(env, cipher, new.item)?,
        placed: Placed {
            item: new.item,
            uid: Uid(0),
            keywords,
            created: Modseq(0),
            size: u32::try_from(new.size()).map_err(|_| Error::limit("an item has at most 4 GB"))?,
            received: new.received,
            zone: new.zone,
        },
        thread: new.thread,
        names_thread,
    })
}
