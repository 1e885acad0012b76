//! A commit being put together: pure, from a view and what a verb decides to the rows that will be written.

use crate::acl::{denied, refusal, rights_in};
use crate::change::{Change, Entry, Placed};
use crate::content::NewContent;
use crate::folder::{Folder, Kind};
use crate::sealed::DataCipher;
use crate::state::{self, Digest};
use crate::view::View;
use bytes::Bytes;
use penfold_formats::mime::Summary;
use penfold_ports::{Commit, Rights, Row, Scope, Sk, When, Write, limits};
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
    /// Why it must not be carried out.
    refused: Option<Error>,
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
            refused: None,
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

    /// Bytes before this commit.
    pub fn used_before(&self) -> u64 {
        self.before.head.used
    }

    /// What it builds on.
    pub fn before(&self) -> &View {
        &self.before
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

    /// Whatever changes an account comes through here and is judged by the rights of the scope, as they are in the view that
    /// the commit builds on: a verb that forgot to ask is refused.
    pub fn entry(&mut self, entry: Entry) {
        if let Err(error) = self.judge(&entry) {
            self.refused.get_or_insert(error);
        }
        self.put(entry);
    }

    /// Makes a folder, which takes the rights of others over from the one that it lies in (RFC 4314 §4, CREATE).
    pub fn make(&mut self, folder: Folder) {
        let id = folder.id;
        let list = folder.parent.and_then(|parent| self.view.folders.get(parent)).map(|parent| parent.acl.list.clone());
        self.entry(Entry::FolderSet(folder));
        if let Some(list) = list.filter(|list| !list.is_empty()) {
            self.put(Entry::Acl { folder: id, list });
        }
    }

    /// Fails where an entry was refused.
    pub fn refused(&self) -> Result<()> {
        self.refused.clone().map_or(Ok(()), Err)
    }

    fn judge(&self, entry: &Entry) -> Result<()> {
        let scope = &self.scope;
        let rights = |folder: FolderId| match self.view.folders.get(folder) {
            Some(own) => rights_in(scope, own),
            // What is left in a folder that is gone.
            None => scope.rights().within(scope.most()),
        };
        let need = |folder: FolderId, wanted: Rights| {
            let own = rights(folder);
            if own.has(wanted) { Ok(()) } else { Err(refusal(scope, own)) }
        };
        let whole = |wanted: Rights| if scope.rights().within(scope.most()).has(wanted) { Ok(()) } else { Err(denied()) };
        let flags = |folder: FolderId, changed: &crate::Keywords| {
            if changed.allowed(rights(folder)) == *changed { Ok(()) } else { Err(refusal(scope, rights(folder))) }
        };
        match entry {
            // An account's first folders are made for whoever is the first.
            _ if self.fresh => Ok(()),
            Entry::Added { folder, placed } => need(*folder, Rights::INSERT).and_then(|()| flags(*folder, &placed.keywords)),
            Entry::Keywords { folder, before, after, .. } => {
                flags(*folder, &before.without(after)).and_then(|()| flags(*folder, &after.without(before)))
            }
            Entry::Removed { folder, .. } => need(*folder, Rights::EXPUNGE),
            Entry::Object { folder, before, after, .. } => need(
                *folder,
                match (before, after) {
                    (None, _) => Rights::INSERT,
                    (Some(_), Some(_)) => Rights::WRITE,
                    (Some(_), None) => Rights::DELETE_ITEM.and(Rights::EXPUNGE),
                },
            ),
            Entry::Moved { from, to, .. } => need(*from, Rights::MOVE_OUT).and_then(|()| need(*to, Rights::INSERT)),
            Entry::FolderSet(folder) => self.judge_folder(folder, whole),
            Entry::FolderGone(folder) => need(*folder, Rights::DELETE_FOLDER),
            Entry::Viewer { folder, viewer } if *viewer == scope.viewer() => need(*folder, Rights::LOOKUP),
            Entry::Viewer { .. } => Err(denied()),
            Entry::Acl { folder, .. } => need(*folder, Rights::ADMINISTER),
        }
    }

    /// Whether a folder is there that may not be looked up is not told apart from a right that is missing: the level that a name
    /// would lie in is all that counts.
    fn judge_folder(&self, folder: &Folder, whole: impl Fn(Rights) -> Result<()>) -> Result<()> {
        let create = || match folder.parent.and_then(|parent| self.view.folders.get(parent)) {
            Some(parent) if rights_in(&self.scope, parent).has(Rights::CREATE) => Ok(()),
            _ => whole(Rights::CREATE),
        };
        let Some(own) = self.view.folders.get(folder.id) else {
            // A use is the owner's to give: there is one folder of each.
            return if folder.role.is_some() { whole(Rights::CREATE) } else { create() };
        };
        if (folder.role, folder.parent, &folder.name) != (own.role, own.parent, &own.name) && (folder.role.is_some() || own.role.is_some())
        {
            whole(Rights::CREATE.and(Rights::DELETE_FOLDER))?;
        }
        if folder.subscribed != own.subscribed {
            whole(Rights::LOOKUP)?;
        }
        if (folder.parent, &folder.segment) == (own.parent, &own.segment) && (folder.name == own.name || own.kind != Kind::Mail) {
            return Ok(());
        }
        let rights = rights_in(&self.scope, own);
        if rights.has(Rights::DELETE_FOLDER) { create() } else { Err(refusal(&self.scope, rights)) }
    }

    fn put(&mut self, entry: Entry) {
        let members = self.members(&entry);
        self.view.apply_entry(self.modseq, &entry);
        match &entry {
            Entry::Added { folder, .. } | Entry::Removed { folder, .. } | Entry::Keywords { folder, .. } | Entry::Object { folder, .. } => {
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
            Entry::Acl { folder, .. } => {
                if let Some(own) = self.view.folders.get(*folder) {
                    let (key, set) = (self.scope.key(Sk::folder_acl(*folder)), own.acl.attributes());
                    self.writes.push(Write::Update { key, set, remove: Vec::new(), when: When::Always });
                }
            }
        }
        self.entries.push(entry);
        for (folder, name) in members {
            self.put(Entry::Object { folder, name, before: None, after: None });
        }
    }

    /// Where a folder of files lies in another, that one has other members (RFC 6578 §3.1): it changes too.
    fn members(&self, entry: &Entry) -> Vec<(FolderId, String)> {
        let place = |own: &Folder| Some((own.parent?, own.segment.clone())).filter(|_| own.kind == Kind::Files);
        let now = |id: &FolderId| self.view.folders.get(*id).and_then(place);
        let (was, is) = match entry {
            Entry::FolderSet(folder) => (now(&folder.id), place(folder)),
            Entry::FolderGone(id) => (now(id), None),
            // Others see it from now on, or no longer.
            Entry::Acl { folder, .. } => (now(folder), None),
            _ => return Vec::new(),
        };
        if was == is { Vec::new() } else { was.into_iter().chain(is).collect() }
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
        let Self { scope, mut view, before, modseq, entries, writes: items, touched, gone, fresh, delivery, .. } = self;
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
            writes.push(Write::delete(scope.key(Sk::folder_acl(folder))));
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

#[cfg(test)]
mod tests;
