//! The selected mailbox: what has been announced of it, and up to which commit.

use super::Stop;
use crate::grammar::SequenceSet;
use penfold_mailbox::{Index, Mailbox, UidSet};
use penfold_types::{FolderId, Modseq, PrincipalId, Uid};
use std::sync::Arc;

pub struct Selected {
    pub mailbox: Mailbox,
    pub folder: FolderId,
    /// Whose it is, where it is somebody else's: the right is read at each command.
    pub owner: Option<PrincipalId>,
    /// That they are here has still to be noted.
    pub unnoted: bool,
    pub read_only: bool,
    /// What the client knows to be there: a uid's rank is its message sequence number.
    pub announced: UidSet,
    /// Everything up to this commit has been announced, but for `gone`.
    pub modseq: Modseq,
    /// No longer there, and not yet announced, because EXPUNGE was not allowed at that moment (RFC 9051 §7.5.1).
    pub gone: UidSet,
    /// `$` (RFC 5182).
    pub saved: UidSet,
}

impl Selected {
    /// The uids that a command means.
    pub fn uids(&self, set: &SequenceSet, by_uid: bool) -> Result<UidSet, Stop> {
        if by_uid { Ok(set.uids(&self.announced, &self.saved)) } else { Ok(set.numbers(&self.announced, &self.saved)?) }
    }

    pub async fn index(&self) -> Result<Arc<Index>, Stop> {
        Ok(self.mailbox.index(self.folder).await?)
    }

    pub fn writable(&self) -> Result<(), Stop> {
        if self.read_only { Err(Stop::no("[READ-ONLY] the mailbox is selected read-only")) } else { Ok(()) }
    }
}

/// Message sequence numbers of uids that are asked for in ascending order: one walk for all of them.
pub struct Ranks<'a> {
    runs: &'a [(u32, u32)],
    before: u32,
}

impl<'a> Ranks<'a> {
    pub fn new(announced: &'a UidSet) -> Self {
        Self { runs: announced.runs(), before: 0 }
    }

    pub fn of(&mut self, uid: Uid) -> Option<u32> {
        while let Some((&(from, to), rest)) = self.runs.split_first() {
            if uid.get() < from {
                return None;
            }
            if uid.get() <= to {
                return Some(self.before + (uid.get() - from) + 1);
            }
            self.before += to - from + 1;
            self.runs = rest;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranks_are_those_of_the_set() {
        let announced = UidSet::from_ranges([2..=4, 7..=7, 9..=12]);
        let mut ranks = Ranks::new(&announced);
        for uid in 1..14 {
            assert_eq!(ranks.of(Uid(uid)), announced.rank(Uid(uid)));
        }
    }
}
