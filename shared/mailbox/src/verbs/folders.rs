//! Making, renaming, deleting and subscribing folders.

use super::expunge::ExpungeChunk;
use super::{Chunk, ROUNDS, busy, once};
use crate::account::Mailbox;
use crate::acl::denied;
use crate::change::{Entry, Placed};
use crate::commit::Outcome;
use crate::draft::{Draft, items_per_commit};
use crate::folder::{Folder, Folders, Role, check_name, inbox_folded};
use penfold_ports::{Query, Rights, Row, Sk, When, Write};
use penfold_types::{Error, FolderId, Modseq, Result};
use std::collections::BTreeMap;

/// Folders that one command may make on the way to a path.
const NEW_LEVELS: usize = 16;
/// Commits in which a folder's objects are taken out before the rest is left for the next time: two million of them.
const OBJECT_ROUNDS: usize = 100_000;

impl Mailbox {
    /// Makes a folder and the levels above it that are missing (RFC 9051 §6.3.4).
    pub async fn create_folder(&self, path: &str, role: Option<Role>) -> Result<FolderId> {
        // A use is the owner's to give, and so is to know whether it is given.
        if role.is_some() || self.scope().grounds().is_empty() {
            self.need(Rights::CREATE)?;
        }
        let path = &inbox_folded(path);
        let levels = levels(path)?;
        let env = self.inner.world.env.clone();
        once(self, |draft| {
            if let Some(own) = draft.view().folders.find(path) {
                return Err(self.taken(own));
            }
            if role.is_some_and(|role| draft.view().folders.with_role(role).is_some()) {
                return Err(Error::conflict("another folder has that use"));
            }
            let parent = make_levels(draft, &levels[..levels.len() - 1], &env)?;
            make(draft, parent, levels[levels.len() - 1], role, &env)
        })
        .await
    }

    /// Gives a folder another path; those below it come along.
    pub async fn rename_folder(&self, folder: FolderId, path: &str) -> Result<()> {
        self.need_in(folder, Rights::DELETE_FOLDER).await?;
        if self.scope().grounds().is_empty() {
            self.need(Rights::CREATE)?;
        }
        let path = &inbox_folded(path);
        let levels = levels(path)?;
        let env = self.inner.world.env.clone();
        once(self, |draft| {
            let own = draft.view().folders.get(folder).cloned().ok_or_else(|| Error::not_found("no such folder"))?;
            if own.role == Some(Role::Inbox) {
                return Err(Error::denied("INBOX stays where it is"));
            }
            match draft.view().folders.find(path) {
                Some(other) if other.id != folder => return Err(self.taken(other)),
                _ => {}
            }
            let before = draft.view().folders.path(folder).unwrap_or_default().to_owned();
            if path.strip_prefix(&before).is_some_and(|rest| rest.starts_with(Folder::SEPARATOR)) {
                return Err(Error::invalid("a folder cannot go below itself"));
            }
            let below = draft.view().folders.iter().filter_map(|(p, _)| p.strip_prefix(&before));
            let below = below.filter(|rest| rest.is_empty() || rest.starts_with(Folder::SEPARATOR));
            let depth_below = below.map(|rest| rest.matches(Folder::SEPARATOR).count());
            if depth_below.max().unwrap_or(0) + levels.len() > Folder::DEPTH_LIMIT {
                return Err(Error::limit("folders go 32 levels deep"));
            }
            if self.hides_below(&draft.view().folders, &before) {
                return Err(denied());
            }
            let parent = make_levels(draft, &levels[..levels.len() - 1], &env)?;
            let name = levels[levels.len() - 1].to_owned();
            draft.entry(Entry::FolderSet(Folder { parent, name, ..own }));
            Ok(())
        })
        .await
    }

    /// Deletes a folder and what is in it. It disappears with one commit; its messages follow.
    pub async fn delete_folder(&self, folder: FolderId) -> Result<()> {
        self.need_in(folder, Rights::DELETE_FOLDER).await?;
        once(self, |draft| {
            let own = draft.view().folders.get(folder).ok_or_else(|| Error::not_found("no such folder"))?;
            if own.role.is_some() {
                return Err(Error::denied("a folder with a use of its own cannot be deleted"));
            }
            if draft.view().folders.has_children(folder) {
                let seen = draft.view().folders.seen_by(self.scope()).has_children(folder);
                return Err(if seen || self.scope().grounds().is_empty() {
                    Error::conflict("delete the folders in it first")
                } else {
                    denied()
                });
            }
            draft.entry(Entry::FolderGone(folder));
            Ok(())
        })
        .await?;
        // Whoever may delete a folder need not be allowed to take out what is in it: that is the account's own work.
        let own = self.inner.directory.job_scope(self.account());
        self.mailboxes().open(&own).await?.empty_gone(folder).await
    }

    /// Below the path is something that is not there for this scope, and so not its own to move about.
    fn hides_below(&self, folders: &Folders, path: &str) -> bool {
        let below = |other: &str| other.strip_prefix(path).is_some_and(|rest| rest.starts_with(Folder::SEPARATOR));
        !self.scope().grounds().is_empty() && folders.iter().any(|(other, own)| below(other) && !self.rights(own).has(Rights::LOOKUP))
    }

    /// A name is somebody else's: whether it is there is told to those alone who may look it up.
    pub(crate) fn taken(&self, by: &Folder) -> Error {
        if self.scope().grounds().is_empty() || self.rights(by).has(Rights::LOOKUP) {
            Error::conflict("there is such a folder already")
        } else {
            denied()
        }
    }

    /// Takes out what is left in a folder that is gone, and what viewers set for it.
    pub(crate) async fn empty_gone(&self, folder: FolderId) -> Result<()> {
        self.inner.indexes.invalidate(&(self.account(), folder));
        let mut chunk = ExpungeChunk::new(folder, false);
        let turn = self.shared.writing.lock().await;
        let mut round = 0;
        while !self.empty_once(&mut chunk).await? {
            round += 1;
            if round > ROUNDS {
                return Err(busy());
            }
            self.reread(round).await?;
        }
        drop(turn);
        let mut round = 0;
        // A large calendar takes thousands of commits: others have their turns in between.
        while !self.empty_objects_in_turn(folder).await? {
            round += 1;
            // Each goes on, unless others are always faster.
            if round > OBJECT_ROUNDS {
                return Err(busy());
            }
        }
        self.drop_properties(folder).await?;
        self.drop_list(folder).await?;
        self.remove_rows(Sk::text("v#"), |sk, _| sk.as_bytes().ends_with(folder.as_bytes())).await?;
        Ok(self.inner.world.table.put(Write::delete(self.scope().key(Sk::emptying(folder)))).await?)
    }

    /// True once the folder is empty. The list is read after the view that the commits build on: whoever else takes
    /// messages out meanwhile moves the head on, so that none is counted twice.
    async fn empty_once(&self, chunk: &mut ExpungeChunk) -> Result<bool> {
        let mut base = (*self.view_to_decide().await?).clone();
        let left = self.read_rows(chunk.folder, Modseq(0)).await?;
        let left: Vec<(Placed, Modseq)> = left.iter().map(|m| (m.placed(), m.modseq)).collect();
        for part in left.chunks(items_per_commit(ExpungeChunk::WRITES)) {
            let mut draft = Draft::new(self.scope(), &base);
            chunk.remove(self, &mut draft, part);
            base = draft.view_after();
            match self.commit(draft).await? {
                Outcome::Done => {}
                Outcome::Stale => return Ok(false),
                Outcome::Exists(item) => {
                    chunk.without_content(item);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Goes on with deletions that something interrupted.
    pub async fn finish_deletions(&self) -> Result<()> {
        self.need(Rights::ALL)?;
        let query = Query::prefix(self.scope().pk().clone(), &Sk::all_emptying());
        for (sk, _) in self.inner.world.table.query_all(query).await? {
            if let Some(folder) = sk.as_bytes().strip_prefix(b"e#").and_then(FolderId::from_slice) {
                self.empty_gone(folder).await?;
            }
        }
        Ok(())
    }

    /// The viewer's own: what the owner is subscribed to is nobody else's.
    pub async fn subscribe(&self, folder: FolderId, on: bool) -> Result<()> {
        self.need_in(folder, Rights::LOOKUP).await?;
        let (viewer, owner) = (self.scope().viewer(), self.account().principal);
        once(self, |draft| {
            let own = draft.view().folders.get(folder).cloned().ok_or_else(|| Error::not_found("no such folder"))?;
            if viewer != owner {
                let key = self.scope().key(Sk::viewer_folder(viewer, folder));
                draft.write(Write::Update { key, set: vec![("s".into(), on.into())], remove: Vec::new(), when: When::Always });
                draft.entry(Entry::Viewer { folder, viewer });
            } else if own.subscribed != on {
                draft.entry(Entry::FolderSet(Folder { subscribed: on, ..own }));
            }
            Ok(())
        })
        .await
    }

    /// Where the viewer's subscriptions differ from the owner's; nothing for the owner.
    pub async fn own_subscriptions(&self) -> Result<BTreeMap<FolderId, bool>> {
        let viewer = self.scope().viewer();
        if viewer == self.account().principal {
            return Ok(BTreeMap::new());
        }
        let prefix = Sk::viewer(viewer);
        let rows = self.inner.world.table.query_all(Query::prefix(self.scope().pk().clone(), &prefix)).await?;
        let read =
            |(sk, row): &(Sk, Row)| Some((FolderId::from_slice(sk.as_bytes().strip_prefix(prefix.as_bytes())?)?, row.u64("s")? != 0));
        Ok(rows.iter().filter_map(read).collect())
    }
}

fn levels(path: &str) -> Result<Vec<&str>> {
    let levels: Vec<&str> = path.split(Folder::SEPARATOR).collect();
    if levels.len() > Folder::DEPTH_LIMIT {
        return Err(Error::limit("folders go 32 levels deep"));
    }
    for level in &levels {
        check_name(level)?;
    }
    Ok(levels)
}

/// The folder at `levels`, made where it is missing; `None` for the top.
fn make_levels(draft: &mut Draft, levels: &[&str], env: &penfold_types::Env) -> Result<Option<FolderId>> {
    let mut parent = None;
    let mut made = 0;
    for depth in 1..=levels.len() {
        let path = levels[..depth].join("/");
        let found = draft.view().folders.find(&path).map(|f| f.id);
        parent = Some(match found {
            Some(id) => id,
            None => {
                made += 1;
                if made > NEW_LEVELS {
                    return Err(Error::limit("too many levels to make at once"));
                }
                make(draft, parent, levels[depth - 1], None, env)?
            }
        });
    }
    Ok(parent)
}

fn make(draft: &mut Draft, parent: Option<FolderId>, name: &str, role: Option<Role>, env: &penfold_types::Env) -> Result<FolderId> {
    let folders: &Folders = &draft.view().folders;
    if folders.len() >= Folder::COUNT_LIMIT {
        return Err(Error::limit("an account has at most 5,000 folders"));
    }
    let id = FolderId::new(env);
    let uidvalidity = draft.next_uidvalidity(env.now());
    draft.make(Folder::new(id, parent, name, role, uidvalidity));
    Ok(id)
}
