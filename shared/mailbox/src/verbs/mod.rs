//! What changes an account, one verb a file. Each decides on a view, commits on the condition that the account has not
//! moved since, and decides again where it has.

mod append;
mod arrive;
mod copy;
mod deliver;
mod expunge;
mod folders;
mod rights;
mod store;
mod twin;

pub(crate) use append::within;
pub(crate) use arrive::{first_16, message_id_hash};

pub use append::{APPEND_LIMIT, Appended, NewMessage};
pub use copy::Copied;
pub use deliver::{Delivered, Delivery, Place};
pub use rights::{FolderRights, RightsChange};
pub use store::{Store, Stored};

use crate::account::Mailbox;
use crate::change::Placed;
use crate::commit::Outcome;
use crate::draft::{Draft, items_per_commit};
use crate::index::Index;
use crate::uidset::UidSet;
use async_trait::async_trait;
use penfold_types::{Error, FolderId, ItemId, Modseq, Result, Uid};

/// Decisions that are made again after somebody else's commit, before the caller is told to come back.
pub(crate) const ROUNDS: usize = 12;
/// Commits sent in one chain.
const CHAIN: usize = 16;

pub(crate) fn busy() -> Error {
    Error::retry("the account is being changed too fast")
}

impl Mailbox {
    /// After a condition that did not hold: reads anew, and from nothing where that keeps happening.
    pub(crate) async fn reread(&self, round: usize) -> Result<()> {
        if round > 2 {
            self.shared.forget();
            self.inner.world.env.sleep_jittered(std::time::Duration::from_millis(5 << round.min(6))).await;
        }
        self.view().await.map(|_| ())
    }
}

/// A verb that treats many messages alike, a commit's worth at a time.
#[async_trait]
pub(crate) trait Chunk: Send {
    type Out: Send;
    /// Rows that one message takes.
    const WRITES: usize;
    /// Puts messages into the draft; what it gives back counts once the draft is committed.
    async fn plan(&mut self, source: &Mailbox, draft: &mut Draft, messages: &[(Placed, Modseq)]) -> Result<Vec<Self::Out>>;
    /// Bytes that it may add to a message's keywords.
    fn adds(&self) -> usize {
        0
    }
    /// An item turned out to have no content row: damage must not stop the others.
    fn without_content(&mut self, _item: ItemId) {}
}

/// Runs `verb` over those of `uids` that are in `folder` of `source`, committing to `target` (which is `source` unless
/// messages are copied to another account). Chunks are commits of their own; what was carried out stays so.
pub(crate) async fn in_chunks<C: Chunk>(
    verb: &mut C,
    source: &Mailbox,
    folder: FolderId,
    uids: &UidSet,
    target: &Mailbox,
) -> Result<Vec<C::Out>> {
    let mut out = Vec::new();
    let turn = target.shared.writing.lock().await;
    let view = target.view_to_decide().await?;
    let index = if source.account() == target.account() { source.index_at(folder, &view).await? } else { source.index(folder).await? };
    let todo: Vec<Uid> = index.select(uids).map(|m| m.uid).collect();
    let (mut view, mut index) = (view, index);
    let (mut at, mut round) = (0, 0);
    let size = items_per_commit(C::WRITES);
    while at < todo.len() {
        let mut drafts = Vec::new();
        let mut planned: Vec<(usize, Vec<C::Out>)> = Vec::new();
        let mut end = at;
        let mut base = (*view).clone();
        // A long chain takes long to plan: on a busy account it would always come too late.
        let chain = if round == 0 { CHAIN } else { 1 };
        while drafts.len() < chain && end < todo.len() {
            let to = end + fitting(&index, &todo[end..(end + size).min(todo.len())], verb.adds());
            let mut draft = Draft::new(target.scope(), &base);
            let results = verb.plan(source, &mut draft, &pick(&index, &todo[end..to])).await?;
            end = to;
            if draft.is_empty() {
                match planned.last_mut() {
                    Some(last) => {
                        last.0 = end;
                        last.1.extend(results);
                    }
                    None => {
                        out.extend(results);
                        at = end;
                    }
                }
                continue;
            }
            base = draft.view_after();
            drafts.push(draft);
            planned.push((end, results));
        }
        if drafts.is_empty() {
            continue;
        }
        let (done, stopped) = target.commit_chain(drafts).await?;
        for (to, results) in planned.into_iter().take(done) {
            out.extend(results);
            at = to;
            // Being overtaken counts only while nothing moves on.
            round = 0;
        }
        if let Some(stopped) = stopped {
            if let Outcome::Exists(item) = stopped {
                verb.without_content(item);
            }
            round += 1;
            if round > ROUNDS {
                return Err(busy());
            }
            target.reread(round).await?;
        }
        if at < todo.len() {
            view = target.view_to_write().await?;
            index = if source.account() == target.account() { source.index_at(folder, &view).await? } else { source.index(folder).await? };
        }
    }
    drop(turn);
    target.store_due_lists().await;
    Ok(out)
}

/// Bytes of a change row that keywords may take; rows have at most 400 KB.
const KEYWORD_BYTES: usize = 200 * 1024;

/// How many of `uids` fit into one change row, at least one.
fn fitting(index: &Index, uids: &[Uid], adds: usize) -> usize {
    let mut bytes = 0;
    let fits = |uid: &&Uid| {
        bytes += adds + index.get(**uid).map_or(0, |m| 2 * m.keywords.weight());
        bytes <= KEYWORD_BYTES
    };
    uids.iter().take_while(fits).count().max(1)
}

fn pick(index: &Index, uids: &[Uid]) -> Vec<(Placed, Modseq)> {
    uids.iter().filter_map(|uid| index.get(*uid)).map(|m| (m.placed(), m.modseq)).collect()
}

/// Commits what `decide` puts into a draft, deciding again while others are faster. For verbs of one commit.
pub(crate) async fn once<T>(mailbox: &Mailbox, mut decide: impl FnMut(&mut Draft) -> Result<T> + Send) -> Result<T> {
    let turn = mailbox.shared.writing.lock().await;
    for round in 0..ROUNDS {
        let view = mailbox.view_to_decide().await?;
        let mut draft = Draft::new(mailbox.scope(), &view);
        let answer = decide(&mut draft)?;
        if draft.is_empty() {
            return Ok(answer);
        }
        match mailbox.commit(draft).await? {
            Outcome::Done => {
                drop(turn);
                mailbox.store_due_lists().await;
                return Ok(answer);
            }
            Outcome::Stale | Outcome::Exists(_) => mailbox.reread(round).await?,
        }
    }
    Err(busy())
}
