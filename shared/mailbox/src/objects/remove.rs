//! An object taken out: its last version stays, marked, for as long as the history that names it is kept.

use super::row::{Object, named_by};
use super::{Check, no_folder};
use crate::account::Mailbox;
use crate::change::Entry;
use crate::commit::Outcome;
use crate::draft::Draft;
use crate::verbs::{ROUNDS, busy};
use penfold_ports::{Query, Rights, Sk, Write, limits};
use penfold_types::{FolderId, Result};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Removal {
    Done,
    Missing,
    /// The check refused what is there.
    Failed,
}

/// Rows that an object takes in the commit that removes it, its properties apart.
const WRITES: usize = 4;
/// Rows of a commit beside those of objects.
const OVERHEAD: usize = 6;

impl Mailbox {
    pub async fn remove_object(&self, folder: FolderId, name: &str, check: Check<'_>) -> Result<Removal> {
        self.need_in(folder, Rights::DELETE_ITEM.and(Rights::EXPUNGE)).await?;
        let _turn = self.shared.writing.lock().await;
        for round in 0..ROUNDS {
            let view = self.view_to_decide().await?;
            if view.folders.get(folder).is_none() {
                return Err(no_folder());
            }
            let Some(old) = self.object_now(folder, name).await? else { return Ok(Removal::Missing) };
            if !check(Some(&old)) {
                return Ok(Removal::Failed);
            }
            let mut draft = Draft::new(self.scope(), &view);
            self.write_removal(&mut draft, folder, &old);
            for write in self.without_properties(folder, name).await? {
                draft.write(write);
            }
            match self.commit(draft).await? {
                Outcome::Done => return Ok(Removal::Done),
                Outcome::Stale | Outcome::Exists(_) => self.reread(round).await?,
            }
        }
        Err(busy())
    }

    pub(super) fn write_removal(&self, draft: &mut Draft, folder: FolderId, old: &Object) {
        let key = |sk: Sk| self.scope().key(sk);
        draft.write(Write::delete(key(Sk::object(folder, &old.name))));
        draft.write(self.superseded(old.item, draft));
        if let Some(uid) = old.uid {
            draft.write(Write::delete(key(Sk::object_uid(&uid, folder))));
        }
        if let Some((level, start)) = old.place {
            draft.write(Write::delete(key(Sk::span(folder, level, start, old.id))));
        }
        draft.entry(Entry::Object { folder, name: old.name.clone(), before: Some(old.version()), after: None });
    }

    pub(crate) async fn empty_objects_in_turn(&self, folder: FolderId) -> Result<bool> {
        let _turn = self.shared.writing.lock().await;
        self.empty_objects_once(folder).await
    }

    /// Takes out some of what is left in a folder that is gone; true once there is nothing. Whoever else takes objects out
    /// meanwhile moves the head on, so that none is counted twice.
    async fn empty_objects_once(&self, folder: FolderId) -> Result<bool> {
        let view = self.view_to_decide().await?;
        let limit = (limits::WRITES - OVERHEAD) / WRITES;
        let query = Query { limit, ..Query::prefix(self.scope().pk().clone(), &Sk::objects(folder)) };
        let page = self.inner.world.table.query(&query).await?;
        if page.rows.is_empty() {
            return Ok(true);
        }
        let mut draft = Draft::new(self.scope(), &view);
        for (sk, row) in &page.rows {
            match named_by(sk).and_then(|(_, name)| Object::from_row(name, row)) {
                Some(old) => self.write_removal(&mut draft, folder, &old),
                // A damaged row: what it counted is set right by a repair.
                None => draft.write(Write::delete(self.scope().key(sk.clone()))),
            }
        }
        self.commit(draft).await.map(|_| false)
    }

    /// What belongs to a folder of objects beside them.
    pub(crate) async fn drop_properties(&self, folder: FolderId) -> Result<()> {
        self.remove_rows(Sk::all_properties(folder), |_, _| true).await?;
        self.remove_rows(Sk::all_spans(folder), |_, _| true).await
    }
}
