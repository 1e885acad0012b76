//! An object copied within an account: an item of its own with the same bytes and the same properties.

use super::put::NewObject;
use super::relocate::Relocated;
use super::{Check, Span, check_object_name, no_folder};
use crate::account::Mailbox;
use crate::commit::Outcome;
use crate::draft::Draft;
use crate::verbs::{ROUNDS, busy, within};
use penfold_ports::{Rights, Sk};
use penfold_types::{FolderId, Result};

impl Mailbox {
    /// Only what has no UID can be copied within its folder. `span` and facts come along as they are stored.
    pub async fn copy_object(&self, from: (FolderId, &str), to: (FolderId, &str), overwrite: bool, check: Check<'_>) -> Result<Relocated> {
        check_object_name(to.1)?;
        self.need_in(from.0, Rights::READ).await?;
        self.judge_in(to.0, |own| own.has_some(Rights::INSERT.and(Rights::WRITE))).await?;
        let Some(source) = self.object_now(from.0, from.1).await? else { return Ok(Relocated::Missing) };
        if !check(Some(&source)) {
            return Ok(Relocated::Failed);
        }
        let quota = self.room_for(source.size.into()).await?;
        let Some(Some(bytes)) = self.bytes_of_versions(from.0, &[source.item]).await?.pop() else { return Ok(Relocated::Missing) };
        let (span, facts) = self.stored_span(from.0, &source).await?;
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

    async fn stored_span(&self, folder: FolderId, object: &super::Object) -> Result<(Option<Span>, bytes::Bytes)> {
        let Some((level, start)) = object.place else { return Ok((None, bytes::Bytes::new())) };
        let row = self.inner.world.table.get(&self.scope().key(Sk::span(folder, level, start, object.id))).await?;
        // Replaced meanwhile: what is known of when it is would be another version's.
        if row.as_ref().is_none_or(|row| row.bytes("i").is_none_or(|item| item[..] != object.item.as_bytes()[..])) {
            return Err(busy());
        }
        let facts = match row.as_ref().and_then(|row| row.bytes("f")) {
            Some(sealed) => self.open_sealed(object.id.as_bytes(), sealed).await?.into(),
            None => bytes::Bytes::new(),
        };
        Ok((Some(Span::of_place(level, start)), facts))
    }
}
