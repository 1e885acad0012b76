//! An object given another name or another folder of the same account. The version stays what it is.

use super::row::Object;
use super::{Check, check_object_name, no_folder};
use crate::account::Mailbox;
use crate::change::Entry;
use crate::commit::Outcome;
use crate::draft::Draft;
use crate::verbs::{ROUNDS, busy};
use penfold_ports::{Key, Rights, Row, Sk, When, Write};
use penfold_types::{FolderId, Result};

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Relocated {
    /// Whether nothing was replaced.
    Done {
        object: Object,
        created: bool,
    },
    Missing,
    /// The check refused what is there.
    Failed,
    /// Something is there, and was not to be replaced.
    Taken,
    /// An object of this name in the other folder has the same UID.
    UidTaken(String),
}

impl Mailbox {
    /// `check` looks at what is moved.
    pub async fn move_object(&self, from: (FolderId, &str), to: (FolderId, &str), overwrite: bool, check: Check<'_>) -> Result<Relocated> {
        check_object_name(to.1)?;
        self.need_in(from.0, Rights::MOVE_OUT).await?;
        self.judge_in(to.0, |own| own.has_some(Rights::INSERT.and(Rights::WRITE))).await?;
        let _turn = self.shared.writing.lock().await;
        for round in 0..ROUNDS {
            let view = self.view_to_decide().await?;
            if view.folders.get(from.0).is_none() || view.folders.get(to.0).is_none() {
                return Err(no_folder());
            }
            let Some(object) = self.object_now(from.0, from.1).await? else { return Ok(Relocated::Missing) };
            let target = self.object_now(to.0, to.1).await?;
            if !check(Some(&object)) {
                return Ok(Relocated::Failed);
            }
            if target.is_some() && !overwrite {
                return Ok(Relocated::Taken);
            }
            if let Some(taken) = self.uid_in_the_way(from, to, &object).await? {
                return Ok(Relocated::UidTaken(taken));
            }
            let mut draft = Draft::new(self.scope(), &view);
            let moved = self.write_move(&mut draft, from, to, (&object, target.as_ref())).await?;
            match self.commit(draft).await? {
                Outcome::Done => return Ok(Relocated::Done { object: moved, created: target.is_none() }),
                Outcome::Stale | Outcome::Exists(_) => self.reread(round).await?,
            }
        }
        Err(busy())
    }

    async fn uid_in_the_way(&self, from: (FolderId, &str), to: (FolderId, &str), object: &Object) -> Result<Option<String>> {
        let Some(uid) = object.uid.filter(|_| from.0 != to.0) else { return Ok(None) };
        let row = self.inner.world.table.get(&self.scope().key(Sk::object_uid(&uid, to.0))).await?;
        // What it replaces is not in its way.
        Ok(row.and_then(|row| row.str("n").map(str::to_owned)).filter(|name| name != to.1))
    }

    async fn write_move(
        &self,
        draft: &mut Draft,
        from: (FolderId, &str),
        to: (FolderId, &str),
        (object, target): (&Object, Option<&Object>),
    ) -> Result<Object> {
        let key = |sk: Sk| -> Key { self.scope().key(sk) };
        let moved = Object { name: to.1.to_owned(), modseq: draft.modseq(), ..object.clone() };
        draft.write(Write::delete(key(Sk::object(from.0, from.1))));
        draft.write(Write::put(key(Sk::object(to.0, to.1)), moved.to_row()));
        if from.0 != to.0 {
            let set = vec![("f".into(), to.0.as_bytes().into())];
            draft.write(Write::Update { key: key(Sk::content(object.item)), set, remove: Vec::new(), when: When::Present });
        }
        if let Some(target) = target {
            draft.write(self.superseded(target.item, draft));
            if let Some((level, start)) = target.place {
                draft.write(Write::delete(key(Sk::span(to.0, level, start, target.id))));
            }
        }
        // Each row is named once in a commit: what is replaced may have the same UID.
        let replaced = target.and_then(|target| target.uid);
        if let Some(uid) = object.uid {
            if from.0 != to.0 {
                draft.write(Write::delete(key(Sk::object_uid(&uid, from.0))));
            }
            draft.write(Write::put(key(Sk::object_uid(&uid, to.0)), Row::new().with("n", to.1)));
        }
        if let Some(uid) = replaced.filter(|uid| object.uid != Some(*uid)) {
            draft.write(Write::delete(key(Sk::object_uid(&uid, to.0))));
        }
        if let Some((level, start)) = object.place {
            let was = key(Sk::span(from.0, level, start, object.id));
            let row = self.inner.world.table.get(&was).await?.unwrap_or_default();
            let row = row.with("n", to.1);
            if from.0 != to.0 {
                draft.write(Write::delete(was));
            }
            draft.write(Write::put(key(Sk::span(to.0, level, start, object.id)), row));
        }
        self.write_properties_moved(draft, from, to).await?;
        draft.entry(Entry::Object { folder: from.0, name: from.1.to_owned(), before: Some(object.version()), after: None });
        let before = target.map(Object::version);
        draft.entry(Entry::Object { folder: to.0, name: to.1.to_owned(), before, after: Some(object.version()) });
        Ok(moved)
    }
}
