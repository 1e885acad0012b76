//! Folders that are filled from elsewhere: made, and filled, some objects a commit. Nobody else writes there (`rights_in`).

use super::no_folder;
use super::put::NewObject;
use super::row::{Mark, Object};
use crate::account::Mailbox;
use crate::commit::Outcome;
use crate::draft::Draft;
use crate::verbs::{ROUNDS, busy, within};
use penfold_ports::Sk;
use penfold_types::{FolderId, Result};

/// Objects of one commit: each takes six rows at most.
pub const FED_TOGETHER: usize = 12;

impl Mailbox {
    /// Puts objects, at most [`FED_TOGETHER`], under their names: all in one commit. Each has a UID, and a name that no other UID
    /// has. The mark is kept with each, so that whoever brings the next file need not read what is there.
    pub async fn feed(&self, folder: FolderId, new: &[(NewObject, Mark)]) -> Result<()> {
        let (_, quota) = self.used_and_allowed().await?;
        let mut ready = Vec::with_capacity(new.len());
        for (object, mark) in new.iter().take(FED_TOGETHER) {
            super::check_object_name(&object.name)?;
            let mut one = self.ready(object).await?;
            one.mark = Some(*mark);
            ready.push((object.name.as_str(), one));
        }
        let keys: Vec<_> = ready.iter().map(|(name, _)| self.scope().key(Sk::object(folder, name))).collect();
        let _turn = self.shared.writing.lock().await;
        for round in 0..ROUNDS {
            let view = self.view_to_decide().await?;
            if view.folders.get(folder).is_none_or(|own| !own.fed) {
                return Err(no_folder());
            }
            let rows = self.inner.world.table.batch_get(&keys).await?;
            let mut draft = Draft::new(self.scope(), &view);
            for ((name, one), row) in ready.iter().zip(rows) {
                let old = row.map(|row| Object::from_row(name, &row).ok_or_else(super::read::damaged)).transpose()?;
                self.write_version(&mut draft, (folder, name), old.as_ref(), one)?;
            }
            within(quota, &draft)?;
            match self.commit(draft).await? {
                Outcome::Done => return Ok(()),
                Outcome::Stale | Outcome::Exists(_) => self.reread(round).await?,
            }
        }
        Err(busy())
    }
}
