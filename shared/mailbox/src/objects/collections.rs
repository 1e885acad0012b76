//! Folders that hold objects: made, moved and deleted.

use super::properties::{Property, check_properties};
use super::{check_object_name, no_folder};
use crate::account::Mailbox;
use crate::acl::denied;
use crate::change::Entry;
use crate::folder::{Folder, Folders, Kind, Role};
use crate::verbs::once;
use penfold_ports::{Rights, Row, Sk, Write};
use penfold_types::{Env, Error, FolderId, Kind as Why, Result};

/// A folder that is to be.
#[derive(Clone, Debug)]
pub struct NewCollection {
    pub kind: Kind,
    /// Files lie in folders of files; others lie nowhere.
    pub parent: Option<FolderId>,
    pub segment: String,
    /// What people read.
    pub name: String,
    /// What it has from the first moment on, for who makes it.
    pub properties: Vec<Property>,
}

/// Bytes of a name that people read.
const NAME: usize = 1024;
/// Folders of one commit that deletes what lies in one another: each takes three rows, and the row of the one that it lies in.
const TOGETHER: usize = 20;

impl Folders {
    /// The folder of objects that has this place in WebDAV. What differs in kind has different homes, but for events, tasks and
    /// notes, which share one.
    pub fn collection(&self, kind: Kind, parent: Option<FolderId>, segment: &str) -> Option<&Folder> {
        self.collections().find(|own| same_home(own.kind, kind) && own.parent == parent && own.segment == segment)
    }
}

/// Whether folders of these kinds lie beside one another.
fn same_home(one: Kind, other: Kind) -> bool {
    let home = |kind| match kind {
        Kind::Events | Kind::Tasks | Kind::Notes => Kind::Events,
        other => other,
    };
    home(one) == home(other)
}

impl Mailbox {
    /// The folders of an account that hold no mail. Its owner's calendar, task list, address book and files are made where they
    /// are missing.
    pub async fn collections(&self) -> Result<std::sync::Arc<Folders>> {
        let folders = self.folders().await?;
        let whole = self.scope().grounds().is_empty() && self.scope().rights().within(self.scope().most()).has(Rights::CREATE);
        if !whole || Role::COLLECTIONS.iter().all(|role| folders.with_role(*role).is_some()) {
            return Ok(folders);
        }
        let env = self.inner.world.env.clone();
        let made = once(self, |draft| {
            for role in Role::COLLECTIONS {
                if draft.view().folders.with_role(role).is_none() {
                    let segment = free_segment(&draft.view().folders, role);
                    let uidvalidity = draft.next_uidvalidity(env.now());
                    let folder = Folder::new(FolderId::new(&env), None, role.name(), Some(role), uidvalidity);
                    draft.entry(Entry::FolderSet(Folder { segment, ..folder }));
                }
            }
            Ok(())
        })
        .await;
        match made {
            // One that cannot be written to now is shown as it is.
            Err(error) if error.kind() == Why::Retry => Ok(folders),
            Err(error) => Err(error),
            Ok(()) => self.folders().await,
        }
    }

    /// The folder of what is attached to events and tasks; `None` where nothing ever was.
    pub async fn attachments(&self) -> Result<Option<FolderId>> {
        let folders = self.folders().await?;
        Ok(folders.collections().find(|own| own.kind == Kind::Attachments).map(|own| own.id))
    }

    /// The same, made where it is missing.
    pub async fn attachments_or_new(&self) -> Result<FolderId> {
        loop {
            if let Some(found) = self.attachments().await? {
                return Ok(found);
            }
            let name = "Attachments".to_owned();
            let new = NewCollection { kind: Kind::Attachments, parent: None, segment: name.clone(), name, properties: Vec::new() };
            match self.create_collection(&new).await {
                // Somebody else was faster.
                Err(error) if error.kind() == Why::Conflict => {}
                made => return made,
            }
        }
    }

    /// The last folder of files on a path that may be looked up, and how many segments lead to it.
    pub async fn files_at(&self, segments: &[String]) -> Result<Option<(Folder, usize)>> {
        let view = self.view().await?;
        let folders = &view.folders;
        let (mut at, mut found) = (folders.with_role(Role::Files), None);
        for deep in 0..=segments.len() {
            let Some(folder) = at else { break };
            if self.rights(folder).has(Rights::LOOKUP) {
                found = Some((folder.clone(), deep));
            }
            at = segments.get(deep).and_then(|segment| folders.collection(Kind::Files, Some(folder.id), segment));
        }
        Ok(found)
    }

    /// A folder of objects of which the scope may know at least when they are; whatever else it may not see is not there.
    pub async fn folder_for_busy(&self, fits: impl Fn(&Folder) -> bool + Send) -> Result<Folder> {
        let view = self.view().await?;
        let found = view.folders.collections().find(|own| fits(own) && self.rights(own).has_some(Rights::READ.and(Rights::FREE_BUSY)));
        found.cloned().ok_or_else(no_folder)
    }

    pub async fn create_collection(&self, new: &NewCollection) -> Result<FolderId> {
        self.create(new, None).await
    }

    /// One that is filled from elsewhere, under an id that is known beforehand: made twice it is there once.
    pub async fn create_fed(&self, id: FolderId, new: &NewCollection) -> Result<()> {
        self.create(new, Some(id)).await.map(drop)
    }

    async fn create(&self, new: &NewCollection, fed: Option<FolderId>) -> Result<FolderId> {
        check_object_name(&new.segment)?;
        check_title(&new.name)?;
        check_properties(&new.properties)?;
        let env = self.inner.world.env.clone();
        let cipher = self.inner.cipher(self.scope().tenant()).await?;
        once(self, |draft| {
            let folders = &draft.view().folders;
            if let Some(made) = fed.and_then(|id| folders.get(id)) {
                return Ok(made.id);
            }
            if let Some(other) = folders.collection(new.kind, new.parent, &new.segment) {
                return Err(self.taken(other));
            }
            if let Some(parent) = new.parent {
                let above = folders.get(parent).ok_or_else(no_folder)?;
                if above.kind != new.kind || depth(folders, parent) >= Folder::DEPTH_LIMIT {
                    return Err(Error::limit("a folder of this kind cannot lie there"));
                }
            }
            if folders.len() >= Folder::COUNT_LIMIT {
                return Err(Error::limit("an account has at most 5,000 folders"));
            }
            let folder = make(draft, new, fed, &env);
            for (key, value) in &new.properties {
                let sk = Sk::property(folder, "", self.scope().viewer(), key);
                let sealed = cipher.seal_row(&env, sk.as_bytes(), value)?;
                draft.write(Write::put(self.scope().key(sk), Row::new().with("v", sealed)));
            }
            Ok(folder)
        })
        .await
    }

    /// Gives it another place; what is in it comes along.
    /// `replaces` goes, with all that is in it, in the same commit.
    pub async fn move_collection(
        &self,
        folder: FolderId,
        parent: Option<FolderId>,
        segment: &str,
        replaces: Option<FolderId>,
    ) -> Result<()> {
        check_object_name(segment)?;
        let gone = once(self, |draft| {
            let doomed = replaces.map(|replaced| below(&draft.view().folders, replaced)).unwrap_or_default();
            if doomed.len() > TOGETHER {
                return Err(Error::limit("what would be replaced holds too many folders; delete it first"));
            }
            for id in &doomed {
                draft.entry(Entry::FolderGone(*id));
            }
            let folders = &draft.view().folders;
            let own = folders.get(folder).cloned().ok_or_else(no_folder)?;
            if own.role.is_some() {
                return Err(Error::denied("a folder with a use of its own stays where it is"));
            }
            if let Some(other) = folders.collection(own.kind, parent, segment) {
                return Err(self.taken(other));
            }
            let inner = below(folders, folder).into_iter().map(|inner| depth(folders, inner)).max().unwrap_or(0);
            if inner.saturating_sub(depth(folders, folder)) + parent.map_or(0, |parent| depth(folders, parent)) >= Folder::DEPTH_LIMIT {
                return Err(Error::limit("folders go 32 levels deep"));
            }
            let mut up = parent;
            for _ in 0..Folder::DEPTH_LIMIT {
                if up == Some(folder) {
                    return Err(Error::denied("a folder cannot go below itself"));
                }
                up = up.and_then(|id| folders.get(id)).and_then(|above| above.parent);
            }
            if parent.is_some_and(|id| folders.get(id).is_none_or(|above| above.kind != own.kind)) {
                return Err(Error::conflict("a folder of this kind cannot lie there"));
            }
            let name = if own.kind == Kind::Files { segment.to_owned() } else { own.name.clone() };
            draft.entry(Entry::FolderSet(Folder { parent, segment: segment.to_owned(), name, ..own }));
            Ok(doomed)
        })
        .await?;
        self.empty_all(&gone).await
    }

    /// Whoever may delete a folder need not be allowed to take out what is in it: that is the account's own work.
    async fn empty_all(&self, gone: &[FolderId]) -> Result<()> {
        let own = self.inner.directory.job_scope(self.account());
        let whole = self.mailboxes().open(&own).await?;
        for id in gone {
            whole.empty_gone(*id).await?;
        }
        Ok(())
    }

    /// Deletes a folder of objects with all that is in it, folders too. Those that lie in it go first, some a commit.
    pub async fn delete_collection(&self, folder: FolderId) -> Result<()> {
        self.need_in(folder, Rights::DELETE_FOLDER).await?;
        loop {
            let gone = once(self, |draft| {
                let own = draft.view().folders.get(folder).ok_or_else(no_folder)?;
                if own.role.is_some() {
                    return Err(Error::denied("a folder with a use of its own cannot be deleted"));
                }
                let mut doomed = below(&draft.view().folders, folder);
                doomed.truncate(TOGETHER);
                for id in &doomed {
                    draft.entry(Entry::FolderGone(*id));
                }
                Ok(doomed)
            })
            .await?;
            self.empty_all(&gone).await?;
            if gone.contains(&folder) {
                return Ok(());
            }
            if gone.is_empty() {
                return Err(denied());
            }
        }
    }
}

fn check_title(name: &str) -> Result<()> {
    if name.len() > NAME || name.chars().any(char::is_control) {
        return Err(Error::invalid("a folder's name has at most 1,024 bytes and no control characters"));
    }
    Ok(())
}

fn make(draft: &mut crate::draft::Draft, new: &NewCollection, fed: Option<FolderId>, env: &Env) -> FolderId {
    let (id, fed) = (fed.unwrap_or_else(|| FolderId::new(env)), fed.is_some());
    let uidvalidity = draft.next_uidvalidity(env.now());
    let folder = Folder::new(id, new.parent, &new.name, None, uidvalidity);
    draft.make(Folder { kind: new.kind, fed, segment: new.segment.clone(), ..folder });
    id
}

/// The usual one, or one that is free.
fn free_segment(folders: &Folders, role: Role) -> String {
    let usual = role.name().to_lowercase();
    let mut segment = usual.clone();
    let mut number = 2;
    while folders.collection(role.kind(), None, &segment).is_some() {
        segment = format!("{usual}-{number}");
        number += 1;
    }
    segment
}

fn depth(folders: &Folders, folder: FolderId) -> usize {
    let mut up = Some(folder);
    (0..=Folder::DEPTH_LIMIT)
        .take_while(|_| {
            let there = up.is_some();
            up = up.and_then(|id| folders.get(id)).and_then(|own| own.parent);
            there
        })
        .count()
}

/// A folder and all that lie in it, the innermost first.
fn below(folders: &Folders, folder: FolderId) -> Vec<FolderId> {
    let mut found = vec![folder];
    let mut at = 0;
    while let Some(own) = found.get(at).copied() {
        found.extend(folders.collections().filter(|inner| inner.parent == Some(own)).map(|inner| inner.id));
        at += 1;
    }
    found.reverse();
    found
}
