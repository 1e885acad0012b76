//! The rows that a version of an object takes, and those that go with the one before it.

use super::properties::NOTE;
use super::put::{NewObject, Note};
use super::row::{Mark, Object};
use super::{Span, UidHash};
use crate::account::Mailbox;
use crate::change::{Entry, Version};
use crate::content::Blob;
use crate::draft::Draft;
use crate::folder::Kind;
use crate::sealed::DataCipher;
use bytes::Bytes;
use penfold_ports::{Row, Sk, When, Write};
use penfold_types::{AcceptanceId, FolderId, ItemId, Result, Timestamp};

/// Bytes up to which a version is kept in its row: read with it, in one request, and no blob to pay for.
const INLINE: usize = 16 * 1024;

/// A version whose bytes are stored, or sealed for its row.
pub(super) struct Ready {
    pub item: ItemId,
    pub size: u32,
    blob: Blob,
    inline: Option<Bytes>,
    /// The facts that go into the index of times, by the id of the object that they are sealed for.
    facts: Bytes,
    span: Option<Span>,
    pub uid: Option<UidHash>,
    media: String,
    note: Option<Note>,
    pub mark: Option<Mark>,
    cipher: DataCipher,
    now: Timestamp,
}

impl Mailbox {
    /// Stores bytes that do not fit into a row; without the commit they are swept.
    pub(super) async fn ready(&self, new: &NewObject) -> Result<Ready> {
        let env = &self.inner.world.env;
        let (item, cipher) = (ItemId::new(env), self.inner.cipher(self.scope().tenant()).await?);
        let acceptance = AcceptanceId::new(env);
        let length = new.bytes.len() as u64;
        let (blob, inline) = if new.bytes.len() <= INLINE {
            (Blob { acceptance, length }, Some(cipher.seal_row(env, item.as_bytes(), &new.bytes)?))
        } else {
            (self.mailboxes().put_blob(self.scope().tenant(), acceptance, vec![new.bytes.clone()]).await?, None)
        };
        let size = u32::try_from(length).map_err(|_| penfold_types::Error::limit("an object has at most 4 GB"))?;
        let (facts, span, uid, media, note) = (new.facts.clone(), new.span, new.uid, new.media.clone(), new.note.clone());
        Ok(Ready { item, size, blob, inline, facts, span, uid, media, note, mark: None, cipher, now: env.now() })
    }

    /// Puts a version in the place of the one before it, `old`. Both have the same UID.
    pub(super) fn write_version(&self, draft: &mut Draft, place: (FolderId, &str), old: Option<&Object>, new: &Ready) -> Result<Object> {
        let ((folder, name), env) = (place, &self.inner.world.env);
        let id = old.map_or(new.item, |old| old.id);
        let object = Object {
            name: name.to_owned(),
            item: new.item,
            id,
            size: new.size,
            modified: new.now,
            made: old.map_or(new.now, |old| old.made),
            modseq: draft.modseq(),
            media: new.media.clone(),
            uid: new.uid,
            place: new.span.map(Span::place),
            mark: new.mark,
        };
        let kind = draft.view().folders.get(folder).map_or(Kind::Mail, |own| own.kind);
        let mut content = Row::new()
            .with("k", kind.number())
            .with("a", new.blob.acceptance.as_bytes())
            .with("l", new.blob.length)
            .with("f", folder.as_bytes())
            .with("th", id.as_bytes())
            .with("z", u64::from(new.size))
            .with("d", crate::codec::zigzag(new.now.seconds()))
            .with("tz", 0u64);
        if let Some(sealed) = &new.inline {
            content.set("b", sealed.clone());
        }
        draft.write(Write::put_new(self.scope().key(Sk::content(new.item)), content));
        if let Some(old) = old {
            draft.write(self.superseded(old.item, draft));
        }
        let was = old.and_then(|old| old.place);
        if let Some((level, start)) = was.filter(|was| object.place != Some(*was)) {
            draft.write(Write::delete(self.scope().key(Sk::span(folder, level, start, id))));
        }
        if let Some((level, start)) = object.place {
            let mut row = Row::new().with("n", name).with("i", new.item.as_bytes());
            if !new.facts.is_empty() {
                row.set("f", new.cipher.seal_row(env, id.as_bytes(), &new.facts)?);
            }
            draft.write(Write::put(self.scope().key(Sk::span(folder, level, start, id)), row));
        }
        // A card may have come without one, and got it later.
        if let Some(uid) = new.uid.filter(|_| old.is_none_or(|old| old.uid.is_none())) {
            draft.write(Write::put(self.scope().key(Sk::object_uid(&uid, folder)), Row::new().with("n", name)));
        }
        draft.write(Write::put(self.scope().key(Sk::object(folder, name)), object.to_row()));
        if let Some(write) = self.note_of(&object, folder, new)? {
            draft.write(write);
        }
        let before = old.map(Object::version);
        draft.entry(Entry::Object { folder, name: name.to_owned(), before, after: Some(Version { item: new.item, size: new.size }) });
        Ok(object)
    }

    /// What the viewer keeps of it for themselves, in the commit that writes it.
    fn note_of(&self, object: &Object, folder: FolderId, new: &Ready) -> Result<Option<Write>> {
        let sk = Sk::property(folder, &object.name, self.scope().viewer(), NOTE);
        Ok(match &new.note {
            None => None,
            Some(Note::Drop) => Some(Write::delete(self.scope().key(sk))),
            Some(Note::Keep(note)) => {
                let sealed = new.cipher.seal_row(&self.inner.world.env, sk.as_bytes(), note)?;
                Some(Write::put(self.scope().key(sk), Row::new().with("v", sealed).with("o", object.id.as_bytes())))
            }
        })
    }

    /// A version that only history holds from here on.
    pub(super) fn superseded(&self, item: ItemId, draft: &Draft) -> Write {
        Write::Update {
            key: self.scope().key(Sk::content(item)),
            set: vec![("g".into(), draft.modseq().get().into())],
            remove: vec!["f".into()],
            when: When::Present,
        }
    }
}

impl Object {
    pub(crate) fn version(&self) -> Version {
        Version { item: self.item, size: self.size }
    }
}
