//! What became of a folder's objects since a commit: read off the log, so it costs what changed.

use crate::account::Mailbox;
use crate::change::Entry;
use penfold_types::{FolderId, Modseq, Result};
use std::collections::BTreeMap;

/// Changes of the account that are read at once.
const STRETCH: u64 = 1_000;

/// How far a log was read: every commit before this one, and so many entries of this one that are about the folder's objects.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Since {
    pub modseq: Modseq,
    pub entries: u32,
}

/// What became of a name: an object of it can go and a folder come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Became {
    /// An object was changed, and whether there is one after it.
    pub object: Option<bool>,
    /// A folder of files came, went, was moved or opened to others: also one that may not be seen.
    pub folder: bool,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Changes {
    pub names: BTreeMap<String, Became>,
    pub upto: Since,
    pub more: bool,
}

impl Since {
    /// All of a commit, and of those before it.
    pub fn whole(modseq: Modseq) -> Self {
        Self { modseq: modseq.next(), entries: 0 }
    }
}

impl Mailbox {
    /// Up to which commit everything is known of a folder's objects that there is now: it moves with the folder alone.
    pub async fn objects_now(&self, folder: FolderId) -> Result<Since> {
        let view = self.view().await?;
        Ok(Since::whole(view.folders.get(folder).map_or(Modseq(0), |own| own.modseq)))
    }

    /// Names whose objects changed since then, at most `limit`; `None` where the log does not reach back, or not yet so far.
    pub async fn object_changes(&self, folder: FolderId, since: Since, limit: usize) -> Result<Option<Changes>> {
        self.judge_in(folder, super::in_part).await?;
        let view = self.view().await?;
        let Some(own) = view.folders.get(folder) else { return Ok(None) };
        let head = view.head.modseq;
        let mut changes = Changes { upto: since, ..Changes::default() };
        if since.modseq > head.next() {
            return Ok(None);
        }
        // Nothing of this folder since: whatever else happened in the account, and whatever is no longer kept of it, is not read.
        if own.modseq < since.modseq {
            return Ok(Some(changes));
        }
        if since.modseq <= view.head.floor {
            return Ok(None);
        }
        let head = own.modseq;
        let mut after = Modseq(since.modseq.get().saturating_sub(1));
        while after < head {
            let to = Modseq(head.get().min(after.get() + STRETCH));
            let Some(log) = self.log(after, to).await? else { return Ok(None) };
            for change in log {
                let skip = if change.modseq == since.modseq { since.entries } else { 0 };
                let mine = change.entries.iter().filter_map(|entry| match entry {
                    Entry::Object { folder: own, name, before, after } if *own == folder => {
                        Some((name, (before.is_some() || after.is_some()).then_some(after.is_some())))
                    }
                    _ => None,
                });
                for (at, (name, object)) in (0u32..).zip(mine).skip(skip as usize) {
                    if changes.names.len() >= limit && !changes.names.contains_key(name) {
                        changes.upto = Since { modseq: change.modseq, entries: at };
                        changes.more = true;
                        return Ok(Some(changes));
                    }
                    let became = changes.names.entry(name.clone()).or_default();
                    match object {
                        Some(there) => became.object = Some(there),
                        None => became.folder = true,
                    }
                }
            }
            after = to;
        }
        changes.upto = Since::whole(head);
        Ok(Some(changes))
    }
}
