//! The end of history: changes older than the retention window are dropped up to a recorded floor, with the contents that
//! only they held; a sweep then removes blobs that nothing names any more.

use crate::account::{Mailbox, Mailboxes, acl_of, modseq_of};
use crate::acl::{Acl, whole};
use crate::change::{Change, Entry};
use crate::checkpoint::Manifest;
use crate::content::{self, ContentFacts, gone};
use crate::verbs::message_id_hash;
use crate::view::Head;
use penfold_ports::{BlobKey, Commit, Grantee, PortError, Query, QueueName, Rights, Row, Scope, Sk, When, Write, limits};
use penfold_types::{AcceptanceId, CommitId, Error, FolderId, ItemId, Modseq, Result, TenantId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// For how long a queue may keep a job (Amazon SQS: 14 days at most), and so deliver it again.
const REDELIVERY: Duration = Duration::from_secs(14 * DAY.as_secs());

/// Blobs younger than this are never swept: a job that is still on its way may name them, and nothing else.
const GRACE: Duration = Duration::from_secs(REDELIVERY.as_secs() + DAY.as_secs());

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Swept {
    /// False where jobs wait that are too old to sweep beside them.
    pub looked: bool,
    pub blobs: usize,
    pub kept: usize,
}

/// A stretch of the log that may go, oldest first.
#[derive(Default)]
struct Old {
    last: Modseq,
    rows: Vec<Sk>,
    /// Items that it took out of the account for good.
    removed: Vec<ItemId>,
    /// The change behind it is known to stay.
    ends: bool,
}

impl Mailbox {
    /// Drops changes older than `window`, with the contents that only they named. Never past what a stored list still builds
    /// on: such lists are stored anew first; nor past what the meter has counted. What it costs grows with what is dropped.
    pub async fn trim(&self, window: Duration) -> Result<Modseq> {
        self.need(Rights::ALL)?;
        let now = self.inner.world.env.now();
        let cutoff = Timestamp::from_millis(now.millis().saturating_sub(i64::try_from(window.as_millis()).unwrap_or(i64::MAX)));
        // Mostly the first change is too young: one row says so.
        let (mut limit, mut counted) = (1, None);
        loop {
            // A cached view does not know of a floor that another process raised.
            let row = self.inner.world.table.get(&self.scope().key(Sk::head())).await?;
            let floor = row.and_then(|row| Head::from_row(&row)).map_or(Modseq(0), |head| head.floor);
            let old = self.oldest_changes(floor, cutoff, now, limit, counted).await?;
            if old.rows.is_empty() {
                return Ok(floor);
            }
            let bound = match counted {
                Some(bound) => bound,
                None => self.counted().await?,
            };
            counted = Some(bound);
            if old.last > floor && (old.last > bound || !self.raise_floor(floor, old.last).await?) {
                return Ok(floor);
            }
            let (last, ends) = (old.last, old.ends);
            self.forget_changes(old).await?;
            if ends {
                return Ok(last.max(floor));
            }
            // What stays is read in vain, so a little first: of a mailbox in use some changes go in each round.
            limit = (limit * 64).min(4096);
        }
    }

    /// A page's worth of the log's beginning: what an interrupted trim left, and what is older than `cutoff`. It ends where
    /// an item was taken out that a job may still bring again: the content row is what says that it was delivered.
    async fn oldest_changes(&self, floor: Modseq, cutoff: Timestamp, now: Timestamp, limit: usize, counted: Option<Modseq>) -> Result<Old> {
        let query = Query { limit, ..Query::prefix(self.scope().pk().clone(), &Sk::changes()) };
        let page = self.inner.world.table.query(&query).await?;
        let mut old = Old::default();
        for (sk, row) in page.rows {
            let Some(change) = modseq_of(&sk).and_then(|modseq| Change::from_row(modseq, &row)) else { break };
            let removed = change.entries.iter().filter_map(|entry| match entry {
                Entry::Removed { placed, .. } => Some(placed.item),
                // What only was moved is not marked as gone, and so stays.
                Entry::Object { before: Some(before), after, .. } if *after != Some(*before) => Some(before.item),
                _ => None,
            });
            let removed: Vec<ItemId> = removed.collect();
            let settled = change.at < cutoff
                && counted.is_none_or(|counted| change.modseq <= counted)
                && removed.iter().all(|item| now.since(item.time()) >= REDELIVERY);
            if change.modseq > floor && !settled {
                old.ends = true;
                break;
            }
            old.last = change.modseq;
            old.removed.extend(removed);
            old.rows.push(sk);
        }
        Ok(old)
    }

    /// First the floor, so that no reader takes a half-removed log for a whole one. False where a list holds it back, or
    /// somebody else is at it.
    async fn raise_floor(&self, from: Modseq, floor: Modseq) -> Result<bool> {
        let view = self.view().await?;
        for (folder, manifest) in self.manifests().await? {
            if view.folders.get(folder).is_none() {
                // Left behind where a crash interrupted the deletion of a folder.
                self.drop_list(folder).await?;
            } else if manifest.modseq < floor {
                self.store_list(folder).await?;
            }
        }
        if self.manifests().await?.iter().any(|(_, manifest)| manifest.modseq < floor) {
            return Ok(false);
        }
        let key = self.scope().key(Sk::head());
        let when = When::Equal(vec![("ep".into(), view.head.epoch.into()), ("fl".into(), from.get().into())]);
        let set = vec![("fl".into(), floor.get().into())];
        let raised = match self.inner.world.table.put(Write::Update { key, set, remove: Vec::new(), when }).await {
            Ok(()) => true,
            Err(PortError::Condition { .. }) => false,
            Err(error) => return Err(error.into()),
        };
        self.shared.forget();
        Ok(raised)
    }

    /// Contents before the changes that lead to them: whatever interrupts this, the next trim finds the rest.
    async fn forget_changes(&self, old: Old) -> Result<()> {
        let table = &self.inner.world.table;
        let mut doomed = self.contents_of(&old).await?;
        doomed.extend(old.rows);
        for part in doomed.chunks(limits::WRITES) {
            let writes = part.iter().map(|sk| Write::delete(self.scope().key(sk.clone()))).collect();
            table.commit(&Commit { id: CommitId::new(&self.inner.world.env), writes }).await?;
        }
        Ok(())
    }

    /// The content rows that nothing but these changes names, and the rows by which their Message-IDs are found.
    async fn contents_of(&self, old: &Old) -> Result<Vec<Sk>> {
        let table = &self.inner.world.table;
        let keys: Vec<_> = old.removed.iter().map(|item| self.scope().key(Sk::content(*item))).collect();
        let (mut doomed, mut names) = (BTreeSet::new(), BTreeMap::new());
        for ((item, key), row) in old.removed.iter().zip(&keys).zip(table.batch_get(&keys).await?) {
            let Some(row) = row.filter(|row| gone(row).is_some_and(|modseq| modseq <= old.last)) else { continue };
            doomed.insert(key.sk().clone());
            // A damaged row keeps its Message-ID to itself.
            if let Some(hash) = self.message_id(*item, &row).await.unwrap_or_default() {
                names.insert(self.scope().key(Sk::message_id(&hash)), *item);
            }
        }
        let keys: Vec<_> = names.keys().cloned().collect();
        for ((key, item), row) in names.iter().zip(table.batch_get(&keys).await?) {
            if row.is_some_and(|row| row.bytes("i").is_some_and(|own| own[..] == item.as_bytes()[..])) {
                doomed.insert(key.sk().clone());
            }
        }
        Ok(doomed.into_iter().collect())
    }

    async fn message_id(&self, item: ItemId, row: &Row) -> Result<Option<[u8; 16]>> {
        let Some(version) = content::version(row) else { return Ok(None) };
        let cipher = self.inner.cipher_of(self.scope().tenant(), version).await?;
        let content = content::open(item, row, &cipher)?;
        Ok(content.summary.envelope.message_id.as_deref().map(message_id_hash))
    }

    async fn manifests(&self) -> Result<Vec<(FolderId, Manifest)>> {
        let rows = self.inner.world.table.query_all(Query::prefix(self.scope().pk().clone(), &Sk::text("k#"))).await?;
        let read = |(sk, row): &(Sk, _)| Some((FolderId::from_slice(sk.as_bytes().strip_prefix(b"k#")?)?, Manifest::from_row(row)?));
        Ok(rows.iter().filter_map(read).collect())
    }

    /// Removes the rows of a kind that `which` picks.
    pub(crate) async fn remove_rows(&self, prefix: Sk, which: impl Fn(&Sk, &Row) -> bool + Send) -> Result<()> {
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
                if let Some(facts) = ContentFacts::from_row(row).filter(|facts| !facts.inline) {
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
    /// Destroys an account whose owner is gone: from the first write on nobody reads or writes it, and only a head that says
    /// so stays. Its blobs are left to the sweep.
    pub async fn destroy(&self, scope: &Scope) -> Result<()> {
        whole(scope)?;
        let table = &self.world().table;
        let key = scope.key(Sk::head());
        let when = match table.get(&key).await?.as_ref().map(Head::from_row) {
            None => When::Absent,
            Some(None) => return Err(Error::broken("the account's head cannot be read")),
            Some(Some(head)) => When::Equal(vec![("ep".into(), head.epoch.into()), ("m".into(), head.modseq.get().into())]),
        };
        table.put(Write::Put { key, row: Head::destroyed(), when }).await?;
        self.forget(scope);
        self.close_to_all(scope).await?;
        loop {
            let page =
                table.query(&Query { pk: scope.pk().clone(), from: Sk::text(""), to: None, limit: usize::MAX, reverse: false }).await?;
            let doomed: Vec<&Sk> = page.rows.iter().map(|(sk, _)| sk).filter(|sk| **sk != Sk::head()).collect();
            for part in doomed.chunks(limits::WRITES) {
                let writes = part.iter().map(|sk| Write::delete(scope.key((*sk).clone()))).collect();
                table.commit(&Commit { id: CommitId::new(&self.world().env), writes }).await?;
            }
            if !page.more {
                return Ok(());
            }
        }
    }

    /// Nobody finds a destroyed account's folders any more. Before its rows go: whoever is interrupted comes again and finds them.
    async fn close_to_all(&self, scope: &Scope) -> Result<()> {
        let world = self.world();
        let rows = world.table.query_all(Query::prefix(scope.pk().clone(), &Sk::folders())).await?;
        let lists = rows.iter().filter(|(sk, _)| acl_of(sk).is_some()).filter_map(|(_, row)| Acl::from_row(row));
        let mut granted: BTreeSet<Grantee> = lists.flat_map(|acl| acl.list.iter().map(|line| line.to).collect::<Vec<_>>()).collect();
        granted.insert(Grantee::Anyone);
        let writes: Vec<Write> = granted.into_iter().map(|to| self.inner().directory.closed_to(scope.account(), to)).collect();
        for part in writes.chunks(limits::WRITES) {
            world.table.commit(&Commit { id: CommitId::new(&world.env), writes: part.to_vec() }).await?;
        }
        Ok(())
    }

    /// Removes a tenant's blobs that none of its accounts names. `accounts` must be all of them. Keys are never used again
    /// and young blobs are left alone, so no delivery can be in the way.
    pub async fn sweep(&self, tenant: TenantId, accounts: &[Scope], needed: &BTreeSet<AcceptanceId>) -> Result<Swept> {
        // Jobs that are given up, or that no worker came for, may be older than any grace.
        let queue = &self.world().queue;
        for name in QueueName::ALL {
            let dead = queue.dead(name).await?;
            if queue.oldest(name).await? > GRACE - DAY || dead.iter().any(|d| d.job.tenant == tenant) {
                return Ok(Swept::default());
            }
        }
        let mut names = BTreeSet::new();
        for scope in accounts {
            self.open(scope).await?.named(&mut names).await?;
        }
        let world = self.world();
        let now = world.env.now();
        let mut swept = Swept { looked: true, ..Swept::default() };
        let mut after: Option<BlobKey> = None;
        loop {
            let page = world.blobs.list(tenant, after.as_ref()).await?;
            for key in &page {
                let id = acceptance(key);
                let young = id.is_none_or(|id| now.since(id.time()) < GRACE);
                if young || names.contains(key) || id.is_some_and(|id| needed.contains(&id)) {
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

/// The id in a blob's name.
fn acceptance(key: &BlobKey) -> Option<AcceptanceId> {
    key.as_str().rsplit(['/', '-']).next()?.parse().ok()
}
