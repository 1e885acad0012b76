//! An object put under a name: a new one, or another version of the one that is there.

use super::row::Object;
use super::{Check, Span, UidHash, check_object_name, no_folder};
use crate::account::Mailbox;
use crate::commit::Outcome;
use crate::draft::Draft;
use crate::verbs::{ROUNDS, busy, within};
use bytes::Bytes;
use penfold_ports::{Rights, Sk};
use penfold_types::{FolderId, Result};

/// Bytes that are to be an object, with what whoever can read them says of them.
#[derive(Clone, Debug)]
pub struct NewObject {
    pub name: String,
    pub bytes: Bytes,
    /// Given, there is no other of it in the folder.
    pub uid: Option<UidHash>,
    /// `None`: no window finds it.
    pub span: Option<Span>,
    /// Kept, sealed, beside the span: at most some KB.
    pub facts: Bytes,
    pub media: String,
    /// What the viewer keeps of it for themselves.
    pub note: Option<Note>,
}

/// Something that belongs to an object and to one viewer, who is not its owner.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Note {
    /// At most 16 KB.
    Keep(Bytes),
    Drop,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Put {
    /// The new version, and whether there was none before it.
    Done { object: Object, created: bool },
    /// The check refused what is there.
    Failed,
    /// An object of this name has that UID, or the one to be replaced has another.
    UidTaken(String),
}

impl Mailbox {
    pub async fn put_object(&self, folder: FolderId, new: &NewObject, check: Check<'_>) -> Result<Put> {
        check_object_name(&new.name)?;
        self.judge_in(folder, |own| own.has_some(Rights::INSERT.and(Rights::WRITE))).await?;
        let (_, quota) = self.used_and_allowed().await?;
        let ready = self.ready(new).await?;
        let _turn = self.shared.writing.lock().await;
        for round in 0..ROUNDS {
            // The view first: whoever writes after it makes this commit a stale one.
            let view = self.view_to_decide().await?;
            if view.folders.get(folder).is_none() {
                return Err(no_folder());
            }
            let old = self.object_now(folder, &new.name).await?;
            if !check(old.as_ref()) {
                return Ok(Put::Failed);
            }
            if let Some(taken) = self.uid_taken(folder, old.as_ref(), new).await? {
                return Ok(Put::UidTaken(taken));
            }
            let mut draft = Draft::new(self.scope(), &view);
            let object = self.write_version(&mut draft, (folder, &new.name), old.as_ref(), &ready)?;
            within(quota, &draft)?;
            match self.commit(draft).await? {
                Outcome::Done => return Ok(Put::Done { object, created: old.is_none() }),
                Outcome::Stale | Outcome::Exists(_) => self.reread(round).await?,
            }
        }
        Err(busy())
    }

    /// The object that is in the way of this UID.
    async fn uid_taken(&self, folder: FolderId, old: Option<&Object>, new: &NewObject) -> Result<Option<String>> {
        if let Some(old) = old.filter(|old| old.uid.is_some()) {
            return Ok((old.uid != new.uid).then(|| old.name.clone()));
        }
        let Some(uid) = new.uid else { return Ok(None) };
        let row = self.inner.world.table.get(&self.scope().key(Sk::object_uid(&uid, folder))).await?;
        Ok(row.and_then(|row| row.str("n").map(str::to_owned)))
    }
}
