//! Carrying out drafts: one conditional commit each, its outcome settled where the answer was lost, then the cached view
//! moved on and the watchers woken.

use crate::account::Mailbox;
use crate::change::Change;
use crate::draft::{Draft, Prepared};
use penfold_ports::{PortError, Sk, Write};
use penfold_types::{CommitId, Error, FolderId, ItemId, Result};
use std::sync::Arc;
use std::time::Duration;

pub(crate) enum Outcome {
    Done,
    /// Somebody else committed first: read again and decide again.
    Stale,
    /// This item is there already.
    Exists(ItemId),
}

/// Tries before giving up on a store that throttles or loses answers.
const TRIES: u32 = 8;
const PAUSE: Duration = Duration::from_millis(20);

impl Mailbox {
    fn prepare(&self, draft: Draft) -> Prepared {
        let env = &self.inner.world.env;
        draft.finish(CommitId::new(env), env.now())
    }

    /// The caller holds `shared.writing`, except for an account's first commit.
    pub(crate) async fn commit(&self, draft: Draft) -> Result<Outcome> {
        draft.refused()?;
        self.judge_unchanged(draft.before())?;
        let prepared = self.prepare(draft);
        let answer = self.inner.world.table.commit(&prepared.commit).await;
        let outcome = self.settle(&prepared, answer).await?;
        if matches!(outcome, Outcome::Done) {
            self.rested();
            self.carried_out(prepared);
        }
        Ok(outcome)
    }

    /// Commits drafts that build on one another. Gives back how many were carried out, and what stopped the next.
    pub(crate) async fn commit_chain(&self, drafts: Vec<Draft>) -> Result<(usize, Option<Outcome>)> {
        drafts.iter().try_for_each(Draft::refused)?;
        drafts.first().map_or(Ok(()), |first| self.judge_unchanged(first.before()))?;
        let prepared: Vec<Prepared> = drafts.into_iter().map(|draft| self.prepare(draft)).collect();
        let commits: Vec<_> = prepared.iter().map(|p| p.commit.clone()).collect();
        let chain = self.inner.world.table.commit_chain(&commits).await;
        let mut done = chain.done;
        let mut stopped = None;
        if let (Some(error), Some(next)) = (chain.error, prepared.get(done)) {
            match self.settle(next, Err(error)).await {
                Ok(Outcome::Done) => done += 1,
                Ok(outcome) => stopped = Some(outcome),
                Err(error) if done == 0 => return Err(error),
                // What was carried out counts; the caller goes on with the rest and meets the error again.
                Err(_) => stopped = Some(Outcome::Stale),
            }
        }
        if done > 0 {
            self.rested();
        }
        let all = prepared.len();
        for prepared in prepared.into_iter().take(done) {
            self.carried_out(prepared);
        }
        if done < all && stopped.is_none() {
            stopped = Some(Outcome::Stale);
        }
        Ok((done, stopped))
    }

    /// Finds out what became of a commit, sending it again where it is known not to have been carried out.
    async fn settle(&self, prepared: &Prepared, mut answer: Result<(), PortError>) -> Result<Outcome> {
        let env = &self.inner.world.env;
        for _ in 0..TRIES {
            match answer {
                Ok(()) => return Ok(Outcome::Done),
                Err(PortError::Condition { write }) => {
                    // Also the answer where an earlier try of this very commit was carried out.
                    return match self.whose(prepared).await? {
                        Some(id) if id == prepared.commit.id => Ok(Outcome::Done),
                        Some(_) => Ok(Outcome::Stale),
                        None => Ok(prepared.commit.writes.get(write).and_then(item_of).map_or(Outcome::Stale, Outcome::Exists)),
                    };
                }
                Err(PortError::Unknown) => {
                    env.sleep_jittered(PAUSE).await;
                    match self.whose(prepared).await {
                        Ok(Some(id)) if id == prepared.commit.id => return Ok(Outcome::Done),
                        Ok(Some(_)) => return Ok(Outcome::Stale),
                        Ok(None) => {}
                        // Still not known: go round again.
                        Err(_) => continue,
                    }
                }
                Err(PortError::Throttled) => env.sleep_jittered(PAUSE).await,
                Err(error) => return Err(error.into()),
            }
            answer = self.inner.world.table.commit(&prepared.commit).await;
        }
        match answer {
            Ok(()) => Ok(Outcome::Done),
            Err(error) => {
                // Nobody knows; what is cached may be behind or ahead.
                self.shared.forget();
                Err(Error::retry("the store is busy").because(error))
            }
        }
    }

    /// The id of the commit that took this one's modseq.
    async fn whose(&self, prepared: &Prepared) -> Result<Option<CommitId>, PortError> {
        let row = self.inner.world.table.get(&self.scope().key(Sk::change(prepared.change.modseq))).await?;
        Ok(row.as_ref().and_then(|row| Change::from_row(prepared.change.modseq, row)).map(|change| change.commit))
    }

    fn carried_out(&self, prepared: Prepared) {
        let modseq = prepared.change.modseq;
        self.shared.remember(Arc::new(prepared.change));
        self.shared.keep(&Arc::new(prepared.view));
        self.inner.world.wake.wake(self.account(), modseq);
        if !prepared.due.is_empty() {
            self.shared.due.lock().extend(prepared.due);
        }
    }

    /// Stores the lists that have changed a lot. A failure costs the next reader time and nothing else.
    pub(crate) async fn store_due_lists(&self) {
        let due: Vec<FolderId> = std::mem::take(&mut *self.shared.due.lock()).into_iter().collect();
        for folder in due {
            if let Err(error) = self.store_list(folder).await {
                tracing::debug!(%error, "a folder's list was not stored");
            }
        }
    }
}

/// The item whose content row a write makes.
fn item_of(write: &Write) -> Option<ItemId> {
    ItemId::from_slice(write.key().sk().as_bytes().strip_prefix(b"i#")?)
}
