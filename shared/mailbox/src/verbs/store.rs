//! Changing keywords (RFC 9051 §6.4.6, RFC 7162 §3.1.3 for `unchanged_since`).

use super::{Chunk, in_chunks};
use crate::account::Mailbox;
use crate::acl::denied;
use crate::change::{Entry, Placed};
use crate::draft::Draft;
use crate::keywords::Keywords;
use crate::state;
use crate::uidset::UidSet;
use async_trait::async_trait;
use penfold_ports::{Rights, Sk, When, Write};
use penfold_types::{FolderId, Modseq, Result, Uid};

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Store {
    Set,
    Add,
    Remove,
}

#[derive(Clone, Default, Debug)]
pub struct Stored {
    /// Every message asked for that was not held back, with its keywords and modseq as they are now, changed or not.
    pub now: Vec<(Uid, Keywords, Modseq)>,
    /// Those that changed after `unchanged_since` and were left alone (MODIFIED).
    pub modified: UidSet,
}

struct StoreChunk<'a> {
    folder: FolderId,
    how: Store,
    keywords: &'a Keywords,
    /// What they may be: others stay as they are.
    rights: Rights,
    unchanged_since: Option<Modseq>,
}

enum One {
    Now(Uid, Keywords, Modseq),
    Modified(Uid),
}

#[async_trait]
impl Chunk for StoreChunk<'_> {
    type Out = One;
    const WRITES: usize = 1;

    fn adds(&self) -> usize {
        self.keywords.weight()
    }

    async fn plan(&mut self, source: &Mailbox, draft: &mut Draft, messages: &[(Placed, Modseq)]) -> Result<Vec<One>> {
        let mut out = Vec::with_capacity(messages.len());
        for (placed, modseq) in messages {
            if self.unchanged_since.is_some_and(|limit| *modseq > limit) {
                out.push(One::Modified(placed.uid));
                continue;
            }
            let after = match self.how {
                Store::Set => placed.keywords.without(&placed.keywords.allowed(self.rights)).with(self.keywords)?,
                Store::Add => placed.keywords.with(self.keywords)?,
                Store::Remove => placed.keywords.without(self.keywords),
            };
            if after == placed.keywords {
                out.push(One::Now(placed.uid, after, *modseq));
                continue;
            }
            draft.write(Write::Update {
                key: source.scope().key(Sk::state(self.folder, placed.item)),
                set: state::keyword_attributes(&after, draft.modseq()),
                remove: Vec::new(),
                when: When::Present,
            });
            draft.entry(Entry::Keywords {
                folder: self.folder,
                item: placed.item,
                uid: placed.uid,
                created: placed.created,
                before: placed.keywords.clone(),
                after: after.clone(),
            });
            out.push(One::Now(placed.uid, after, draft.modseq()));
        }
        Ok(out)
    }
}

impl Mailbox {
    /// Changes the keywords of messages; 8 write units for one, 2 and a little for each of many.
    pub async fn store(
        &self,
        folder: FolderId,
        uids: &UidSet,
        how: Store,
        keywords: &Keywords,
        unchanged_since: Option<Modseq>,
    ) -> Result<Stored> {
        // RFC 4314 §4: what may be changed is changed, and it is refused only where that is nothing.
        let some = Rights::SEEN.and(Rights::DELETE_ITEM).and(Rights::WRITE);
        let rights = self.judge_in(folder, |own| own.has_some(some)).await?;
        let allowed = keywords.allowed(rights);
        if allowed.is_empty() && !keywords.is_empty() {
            return Err(denied());
        }
        let mut verb = StoreChunk { folder, how, keywords: &allowed, rights, unchanged_since };
        let mut stored = Stored::default();
        for one in in_chunks(&mut verb, self, folder, uids, self).await? {
            match one {
                One::Now(uid, keywords, modseq) => stored.now.push((uid, keywords, modseq)),
                One::Modified(uid) => stored.modified.insert(uid),
            }
        }
        Ok(stored)
    }
}
