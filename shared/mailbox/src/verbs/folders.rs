//! Making, renaming, deleting and subscribing folders.

use super::expunge::ExpungeChunk;
use super::{Chunk, once};
use crate::account::Mailbox;
use crate::change::{Entry, Placed};
use crate::draft::{Draft, items_per_commit};
use crate::folder::{Folder, Folders, Role, check_name, inbox_folded};
use penfold_ports::Rights;
use penfold_types::{Error, FolderId, Modseq, Result};

/// Folders that one command may make on the way to a path.
const NEW_LEVELS: usize = 16;

impl Mailbox {
    /// Makes a folder and the levels above it that are missing (RFC 9051 §6.3.4).
    pub async fn create_folder(&self, path: &str, role: Option<Role>) -> Result<FolderId> {
        self.need(Rights::CREATE)?;
        let path = &inbox_folded(path);
        let levels = levels(path)?;
        let env = self.inner.world.env.clone();
        once(self, |draft| {
            if draft.view().folders.find(path).is_some() {
                return Err(Error::conflict("there is such a folder already"));
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
        self.need(Rights::DELETE_FOLDER.and(Rights::CREATE))?;
        let path = &inbox_folded(path);
        let levels = levels(path)?;
        let env = self.inner.world.env.clone();
        once(self, |draft| {
            let own = draft.view().folders.get(folder).cloned().ok_or_else(|| Error::not_found("no such folder"))?;
            if own.role == Some(Role::Inbox) {
                return Err(Error::denied("INBOX stays where it is"));
            }
            match draft.view().folders.find(path) {
                Some(other) if other.id != folder => return Err(Error::conflict("there is such a folder already")),
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
            let parent = make_levels(draft, &levels[..levels.len() - 1], &env)?;
            let name = levels[levels.len() - 1].to_owned();
            draft.entry(Entry::FolderSet(Folder { parent, name, ..own }));
            Ok(())
        })
        .await
    }

    /// Deletes a folder and what is in it. It disappears with one commit; its messages follow.
    pub async fn delete_folder(&self, folder: FolderId) -> Result<()> {
        self.need(Rights::DELETE_FOLDER)?;
        once(self, |draft| {
            let own = draft.view().folders.get(folder).ok_or_else(|| Error::not_found("no such folder"))?;
            if own.role.is_some() {
                return Err(Error::denied("a folder with a use of its own cannot be deleted"));
            }
            if draft.view().folders.has_children(folder) {
                return Err(Error::conflict("delete the folders in it first"));
            }
            draft.entry(Entry::FolderGone(folder));
            Ok(())
        })
        .await?;
        self.empty_gone(folder).await
    }

    /// Takes out what is left in a folder that is gone: nothing else can change there, so its rows say what that is.
    pub(crate) async fn empty_gone(&self, folder: FolderId) -> Result<()> {
        self.inner.indexes.invalidate(&(self.account(), folder));
        let left = self.read_rows(folder, Modseq(0)).await?;
        let left: Vec<(Placed, Modseq)> = left.iter().map(|m| (m.placed(), m.modseq)).collect();
        for part in left.chunks(items_per_commit(ExpungeChunk::WRITES)) {
            once(self, |draft| {
                ExpungeChunk::new(folder, false).remove(self, draft, part);
                Ok(())
            })
            .await?;
        }
        self.drop_list(folder).await
    }

    pub async fn subscribe(&self, folder: FolderId, on: bool) -> Result<()> {
        self.need(Rights::LOOKUP)?;
        once(self, |draft| {
            let own = draft.view().folders.get(folder).cloned().ok_or_else(|| Error::not_found("no such folder"))?;
            if own.subscribed != on {
                draft.entry(Entry::FolderSet(Folder { subscribed: on, ..own }));
            }
            Ok(())
        })
        .await
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
    draft.entry(Entry::FolderSet(Folder::new(id, parent, name, role, uidvalidity)));
    Ok(id)
}
