//! The end of history: changes older than the retention window are dropped up to a recorded floor, with the contents that
//! only they held; a sweep then removes blobs that nothing names any more.

use crate::account::{Mailbox, Mailboxes, modseq_of};
use crate::change::Change;
use crate::checkpoint::Manifest;
use crate::content::{ContentFacts, gone};
use penfold_ports::{BlobKey, Commit, Query, QueueName, Scope, Sk, When, Write, limits};
use penfold_types::{AcceptanceId, CommitId, FolderId, ItemId, Modseq, Result, TenantId, Timestamp};
use std::collections::BTreeSet;
use std::time::Duration;

/// Blobs younger than this are never swept: their commit may still be under way.
const GRACE: Duration = Duration::from_secs(24 * 3600);

/// For how long a queue may keep a job (Amazon SQS: 14 days at most), and so deliver it again.
const REDELIVERY: Duration = Duration::from_secs(14 * 24 * 3600);

fn item_of(sk: &Sk) -> Option<ItemId> {
    ItemId::from_slice(sk.as_bytes().strip_prefix(b"i#")?)
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Swept {
    pub blobs: usize,
    pub kept: usize,
}

impl Mailbox {
    /// Drops changes older than `window`. Never past what a stored list still builds on: such lists are stored anew first.
    pub async fn trim(&self, window: Duration) -> Result<Modseq> {
        let now = self.inner.world.env.now();
        let cutoff = Timestamp::from_millis(now.millis().saturating_sub(i64::try_from(window.as_millis()).unwrap_or(i64::MAX)));
        let view = self.view().await?;
        let floor = self.last_before(view.head.floor, cutoff).await?;
        if floor <= view.head.floor {
            return Ok(view.head.floor);
        }
        let mut floor = floor;
        for (folder, manifest) in self.manifests().await? {
            if view.folders.get(folder).is_none() {
                // Left behind where a crash interrupted the deletion of a folder.
                self.drop_list(folder).await?;
            } else if manifest.modseq < floor {
                self.store_list(folder).await?;
            }
        }
        for (_, manifest) in self.manifests().await? {
            floor = floor.min(manifest.modseq);
        }
        // First the floor, so that no reader takes a half-removed log for a whole one.
        let key = self.scope().key(Sk::head());
        let when = When::Equal(vec![("ep".into(), view.head.epoch.into())]);
        self.inner.world.table.put(Write::Update { key, set: vec![("fl".into(), floor.get().into())], remove: Vec::new(), when }).await?;
        self.shared.forget();
        self.remove_rows(Sk::changes(), |sk, _| modseq_of(sk).is_some_and(|m| m <= floor)).await?;
        // A job may be handed out again after its mail was delivered, read and expunged: the content row is what says so.
        let settled = |sk: &Sk| item_of(sk).is_some_and(|item| now.since(item.time()) >= REDELIVERY);
        self.remove_rows(Sk::contents(), |sk, row| settled(sk) && gone(row).is_some_and(|m| m <= floor)).await?;
        Ok(floor)
    }

    /// The last change after `floor` that is older than `cutoff`.
    async fn last_before(&self, floor: Modseq, cutoff: Timestamp) -> Result<Modseq> {
        let mut last = floor;
        let mut query = Query::prefix(self.scope().pk().clone(), &Sk::changes());
        loop {
            let page = self.inner.world.table.query(&query).await?;
            for (sk, row) in &page.rows {
                match modseq_of(sk).and_then(|modseq| Change::from_row(modseq, row)) {
                    Some(change) if change.at < cutoff => last = last.max(change.modseq),
                    _ => return Ok(last),
                }
            }
            match page.rows.last() {
                Some((sk, _)) if page.more => query.from = sk.successor(),
                _ => return Ok(last),
            }
        }
    }

    async fn manifests(&self) -> Result<Vec<(FolderId, Manifest)>> {
        let rows = self.inner.world.table.query_all(Query::prefix(self.scope().pk().clone(), &Sk::text("k#"))).await?;
        let read = |(sk, row): &(Sk, _)| Some((FolderId::from_slice(sk.as_bytes().strip_prefix(b"k#")?)?, Manifest::from_row(row)?));
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Removes the rows of a kind that `which` picks.
    async fn remove_rows(&self, prefix: Sk, which: impl Fn(&Sk, &penfold_ports::Row) -> bool + Send) -> Result<()> {
        let world = &self.inner.world;
        let mut query = Query::prefix(self.scope().pk().clone(), &prefix);
        loop {
            let page = world.table.query(&query).await?;
            let doomed: Vec<&Sk> = page.rows.iter().filter(|(sk, row)| which(sk, row)).map(|(sk, _)| sk).collect();
            for part in doomed.chunks(limits::WRITES) {
                let writes = part.iter().map(|sk| Write::delete(self.scope().key((*sk).clone()))).collect();
                world.table.commit(&Commit { id: CommitId::new(&world.env), writes }).await?;
            }
            match page.rows.last() {
                Some((sk, _)) if page.more => query.from = sk.successor(),
                _ => return Ok(()),
            }
        }
    }

    /// What this account's rows name: acceptances of items, and segments of stored lists.
    async fn named(&self, names: &mut BTreeSet<BlobKey>) -> Result<()> {
        let mut query = Query::prefix(self.scope().pk().clone(), &Sk::contents());
        loop {
            let page = self.inner.world.table.query(&query).await?;
            for (_, row) in &page.rows {
                if let Some(facts) = ContentFacts::from_row(row) {
                    names.insert(self.scope().blob(facts.blob.acceptance));
                }
            }
            match page.rows.last() {
                Some((sk, _)) if page.more => query.from = sk.successor(),
                _ => break,
            }
        }
        for (_, manifest) in self.manifests().await? {
            names.extend(manifest.segments.iter().map(|s| self.scope().segment(s.blob)));
        }
        Ok(())
    }
}

impl Mailboxes {
    /// Removes a tenant's blobs that none of its accounts names. `accounts` must be all of them. Keys are never used again
    /// and young blobs are left alone, so no delivery can be in the way.
    pub async fn sweep(&self, tenant: TenantId, accounts: &[Scope]) -> Result<Swept> {
        // Mail that was accepted and waits is named by its job alone.
        let queue = &self.world().queue;
        let dead = queue.dead(QueueName::Deliver).await?;
        if queue.backlog(QueueName::Deliver, tenant).await? > 0 || dead.iter().any(|d| d.job.tenant == tenant) {
            return Ok(Swept::default());
        }
        let mut names = BTreeSet::new();
        for scope in accounts {
            self.open(scope).await?.named(&mut names).await?;
        }
        let world = self.world();
        let now = world.env.now();
        let mut swept = Swept::default();
        let mut after: Option<BlobKey> = None;
        loop {
            let page = world.blobs.list(tenant, after.as_ref()).await?;
            for key in &page {
                if names.contains(key) || age(key, now).is_none_or(|age| age < GRACE) {
                    swept.kept += 1;
                } else {
                    world.blobs.delete(key).await?;
                    swept.blobs += 1;
                }
            }
            match page.into_iter().next_back() {
                Some(last) => after = Some(last),
                None => return Ok(swept),
            }
        }
    }
}

/// How old a blob is, by the id in its name.
fn age(key: &BlobKey, now: Timestamp) -> Option<Duration> {
    let id = key.as_str().rsplit(['/', '-']).next()?;
    Some(now.since(id.parse::<AcceptanceId>().ok()?.time()))
}
