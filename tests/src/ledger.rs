//! What the actors of a simulation were told, and whether the store keeps its word.

use penfold_mailbox::Keywords;
use penfold_ports::Account;
use penfold_types::{FolderId, ItemId, Modseq, Uid};
use std::collections::{BTreeMap, BTreeSet};

/// How often a message may be in an account at the end.
#[derive(Clone, Copy, Default, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub least: i64,
    pub most: i64,
}

/// A request that was sent. Until it is answered each of its effects may or may not be.
#[derive(Clone, Debug)]
pub enum Deed {
    /// A message (by its token) enters an account.
    Enters { account: Account, token: String },
    /// Copies of what stands at these places enter an account.
    Copies { from: Account, folder: FolderId, uids: Vec<Uid>, to: Account },
    /// What stands at these places leaves an account.
    Leaves { account: Account, folder: FolderId, uids: Vec<Uid> },
}

/// An answer about one message: at that modseq it had these keywords.
#[derive(Clone, Debug)]
pub struct Told {
    pub account: Account,
    pub folder: FolderId,
    pub uid: Uid,
    pub modseq: Modseq,
    pub keywords: Keywords,
}

#[derive(Default)]
pub struct Ledger {
    next: u64,
    open: BTreeMap<u64, Vec<Deed>>,
    done: Vec<Deed>,
    /// Sure to have been no more than tried.
    tried: Vec<Deed>,
    pub told: Vec<Told>,
    /// Places that a created message was said to be at, each once.
    pub created: BTreeMap<(Account, FolderId, Uid), &'static str>,
    pub destroyed: BTreeMap<(Account, FolderId, Uid), &'static str>,
    /// What stood where, as lists said.
    pub items: BTreeMap<(Account, FolderId, Uid), ItemId>,
    /// What items hold, noted before a trim takes those away that are no longer in a folder.
    pub tokens: BTreeMap<(Account, ItemId), String>,
    /// Sources of moves to another account.
    pub moved_away: Vec<(Account, FolderId, Uid)>,
    /// Folders whose deletion was answered.
    pub gone: BTreeSet<(Account, FolderId)>,
    pub doubled: Vec<String>,
}

impl Ledger {
    pub fn begin(&mut self, deeds: Vec<Deed>) -> u64 {
        self.next += 1;
        self.open.insert(self.next, deeds);
        self.next
    }

    /// Effects that were answered for, and those that may or may not be.
    pub fn counts(&self) -> (usize, usize) {
        (self.done.len(), self.tried.len())
    }

    /// True for a folder whose deletion was tried, so that it may be gone.
    pub fn may_be_gone(&self, folder: FolderId) -> bool {
        self.tried.iter().any(|deed| matches!(deed, Deed::Leaves { folder: own, .. } if *own == folder))
    }

    /// Answered yes: of what was asked for, `deeds` happened.
    pub fn done(&mut self, number: u64, deeds: Vec<Deed>) {
        self.open.remove(&number);
        self.done.extend(deeds);
    }

    /// Answered no, or not at all: what was asked for may have happened.
    pub fn failed(&mut self, number: u64) {
        let deeds = self.open.remove(&number).unwrap_or_default();
        self.tried.extend(deeds);
    }

    /// A crash: nobody hears the answers.
    pub fn all_failed(&mut self) {
        for (_, deeds) in std::mem::take(&mut self.open) {
            self.tried.extend(deeds);
        }
    }

    pub fn create(&mut self, account: Account, folder: FolderId, uid: Uid, by: &'static str) {
        if let Some(other) = self.created.insert((account, folder, uid), by) {
            self.doubled.push(format!("uid {uid} was given by {other} and by {by}"));
        }
    }

    pub fn destroy(&mut self, account: Account, folder: FolderId, uid: Uid, by: &'static str) {
        if let Some(other) = self.destroyed.insert((account, folder, uid), by) {
            self.doubled.push(format!("uid {uid} was taken away by {other} and by {by}"));
        }
    }

    /// How often each token may be in each account.
    pub fn bounds(&self) -> BTreeMap<(Account, String), Bounds> {
        let mut out: BTreeMap<(Account, String), Bounds> = BTreeMap::new();
        for (deeds, sure) in [(&self.done, true), (&self.tried, false)] {
            for deed in deeds {
                let (account, tokens, sign) = match deed {
                    Deed::Enters { account, token } => (*account, vec![token.clone()], 1),
                    Deed::Copies { from, folder, uids, to } => (*to, self.tokens_at(*from, *folder, uids), 1),
                    Deed::Leaves { account, folder, uids } => (*account, self.tokens_at(*account, *folder, uids), -1),
                };
                for token in tokens {
                    let bounds = out.entry((account, token)).or_default();
                    bounds.least += if sure || sign < 0 { sign } else { 0 };
                    bounds.most += if sure || sign > 0 { sign } else { 0 };
                }
            }
        }
        out
    }

    fn tokens_at(&self, account: Account, folder: FolderId, uids: &[Uid]) -> Vec<String> {
        let token = |uid: &Uid| self.tokens.get(&(account, *self.items.get(&(account, folder, *uid))?)).cloned();
        uids.iter().filter_map(token).collect()
    }
}
