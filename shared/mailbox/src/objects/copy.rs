//! An object copied within an account: an item of its own with the same bytes and the same properties.

use super::put::NewObject;
use super::relocate::Relocated;
use super::{Check, Object, Span, check_object_name, no_folder};
use crate::account::Mailbox;
use crate::commit::Outcome;
use crate::draft::Draft;
use crate::verbs::{ROUNDS, busy, within};
use bytes::Bytes;
use penfold_ports::{Rights, Sk};
use penfold_types::{FolderId, Result};

/// What the index of times keeps of an object.
type Times = (Option<Span>, Bytes);
type Whole = (Object, Bytes, Times);

impl Mailbox {
    /// Only what has no UID can be copied within its folder. `span` and facts come along as they are stored.
    pub async fn copy_object(&self, from: (FolderId, &str), to: (FolderId, &str), overwrite: bool, check: Check<'_>) -> Result<Relocated> {
        check_object_name(to.1)?;
        self.need_in(from.0, Rights::READ).await?;
        self.judge_in(to.0, |own| own.has_some(Rights::INSERT.and(Rights::WRITE))).await?;
        let Some((source, bytes, (span, facts))) = self.whole_object(from, check).await? else {
            return Ok(if self.object_now(from.0, from.1).await?.is_none() { Relocated::Missing } else { Relocated::Failed });
        };
        let quota = self.room_for(source.size.into()).await?;
        let new = NewObject { name: to.1.to_owned(), bytes, uid: source.uid, span, facts, media: source.media.clone(), note: None };
        let ready = self.ready(&new).await?;
        let _turn = self.shared.writing.lock().await;
        for round in 0..ROUNDS {
            let view = self.view_to_decide().await?;
            if view.folders.get(to.0).is_none() {
                return Err(no_folder());
            }
            let target = self.object_now(to.0, to.1).await?;
            if target.is_some() && !overwrite {
                return Ok(Relocated::Taken);
            }
            if let Some(uid) = new.uid {
                let row = self.inner.world.table.get(&self.scope().key(Sk::object_uid(&uid, to.0))).await?;
                if let Some(name) = row.and_then(|row| row.str("n").map(str::to_owned)).filter(|name| name != to.1) {
                    return Ok(Relocated::UidTaken(name));
                }
                if let Some(other) = target.as_ref().filter(|target| target.uid != new.uid) {
                    return Ok(Relocated::UidTaken(other.name.clone()));
                }
            }
            let mut draft = Draft::new(self.scope(), &view);
            let object = self.write_version(&mut draft, to, target.as_ref(), &ready)?;
            let properties = self.properties_of(from.0, from.1, self.account().principal).await?;
            self.write_properties_of(&mut draft, to, &properties).await?;
            within(quota, &draft)?;
            match self.commit(draft).await? {
                Outcome::Done => return Ok(Relocated::Done { object, created: target.is_none() }),
                Outcome::Stale | Outcome::Exists(_) => self.reread(round).await?,
            }
        }
        Err(busy())
    }

    /// An object with the bytes and the times of just that version; `None` where there is none, or the check refuses it.
    async fn whole_object(&self, from: (FolderId, &str), check: Check<'_>) -> Result<Option<Whole>> {
        for _ in 0..ROUNDS {
            let Some(source) = self.object_now(from.0, from.1).await?.filter(|source| check(Some(source))) else { return Ok(None) };
            let bytes = self.bytes_of_versions(from.0, &[source.item]).await?.pop().flatten();
            let times = self.stored_span(from.0, &source).await?;
            // Otherwise it was replaced in between.
            if let (Some(bytes), Some(times)) = (bytes, times) {
                return Ok(Some((source, bytes, times)));
            }
        }
        Err(busy())
    }

    /// `None` where they are another version's by now.
    async fn stored_span(&self, folder: FolderId, object: &Object) -> Result<Option<Times>> {
        let Some((level, start)) = object.place else { return Ok(Some((None, Bytes::new()))) };
        let row = self.inner.world.table.get(&self.scope().key(Sk::span(folder, level, start, object.id))).await?;
        if row.as_ref().is_none_or(|row| row.bytes("i").is_none_or(|item| item[..] != object.item.as_bytes()[..])) {
            return Ok(None);
        }
        let facts = match row.as_ref().and_then(|row| row.bytes("f")) {
            Some(sealed) => self.open_sealed(object.id.as_bytes(), sealed).await?.into(),
            None => Bytes::new(),
        };
        Ok(Some((Some(Span::of_place(level, start)), facts)))
    }
}
