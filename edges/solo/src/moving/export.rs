//! Out of a store. Each mailbox is read at one modseq: its head is the same before and after, or it is read again. People and
//! organisation are read twice, and must be the same both times but for what a sign-in notes.

use super::digest::{BlobSum, RowSum, Sum, checksum, is_data_key};
use super::frame::Sealer;
use super::key::{ExportKey, Wraps};
use super::part::{Part, Spool};
use super::record::{self, Block, End, PIECE, Whose};
use super::walk::{Pages, Walk};
use super::{Moved, patiently};
use crate::control::{Context, Reply};
use bytes::Bytes;
use penfold_directory::{TenantInfo, TenantStatus, claimed_by, tenant_entry};
use penfold_ports::{BlobKey, Key, Pk, Query, QueueName, Row, Sk, World};
use penfold_types::{AcceptanceId, Error, PrincipalId, Result, Timestamp};
use std::collections::{BTreeSet, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Readings of one mailbox before giving up.
const READINGS: u32 = 5;
/// Mailboxes and logs read ahead.
const PARTS_AHEAD: usize = 8;
/// Blobs read ahead, each with at most a piece.
const BLOBS_AHEAD: usize = 12;
/// Blobs of this time before the export began may come into the list after it was read: ids are as true as clocks are.
const LATE: Duration = Duration::from_secs(24 * 3600);
/// The most that `dead` gives.
const DEAD: usize = 1000;

pub async fn export(context: &Context, name: &str, key: &ExportKey, to: mpsc::Sender<Vec<u8>>, reply: &Reply) -> Result<Moved> {
    let service = &context.service;
    let operator = crate::cli::operator(context);
    let tenant = operator.tenant(name).await?;
    if tenant.status == TenantStatus::Deleting {
        return Err(Error::conflict(format!("{} is being removed", tenant.name)));
    }
    refuse_parked(&service.world, &tenant).await?;
    operator.note(tenant.id, "tenant.export", &tenant.name, "").await?;
    let world = service.world.named("export");
    let walk = Walk { world: world.clone(), directory: service.directory.clone(), tenant: tenant.id };
    let (sealer, header, salt) = Sealer::new(&world.env, key)?;
    let mut out = Out {
        sealer,
        to,
        end: End::default(),
        wraps: Arc::new(key.wraps(&salt)?),
        walk,
        begun: world.env.now(),
        late: HashSet::new(),
        reply,
    };
    out.send(header).await?;
    out.record(&record::whose(&Whose { tenant: tenant.id, name: tenant.name.clone() })).await?;
    let (principals, before) = out.claims(&tenant).await?;
    out.blobs(true).await?;
    out.mailboxes(&principals).await?;
    out.usage().await?;
    out.logs(&tenant).await?;
    out.blobs(false).await?;
    if out.organisation(&principals).await? != before {
        return Err(Error::conflict(format!(
            "people, groups or domains of {} were changed while they were read; run it again when nobody changes them",
            tenant.name
        )));
    }
    let end = out.end;
    out.record(&record::end(&end)).await?;
    Ok(Moved { tenant: tenant.name, rows: end.rows, blobs: end.blobs, bytes: end.bytes, checksum: checksum(&end) })
}

/// Parked jobs belong to this cell's queue and would be left behind.
async fn refuse_parked(world: &World, tenant: &TenantInfo) -> Result<()> {
    let dead = patiently(&world.env, || world.queue.dead(QueueName::Deliver)).await?;
    let own = dead.iter().filter(|one| one.job.tenant == tenant.id).count();
    if own > 0 {
        let name = &tenant.name;
        return Err(Error::conflict(format!(
            "{own} jobs of {name} are parked and would stay behind; see penfold queue parked, and release them"
        )));
    }
    if dead.len() >= DEAD {
        return Err(Error::conflict(
            "too many jobs are parked to know whether some are the tenant's; see penfold queue parked, and release them",
        ));
    }
    Ok(())
}

struct Out<'a> {
    sealer: Sealer,
    to: mpsc::Sender<Vec<u8>>,
    end: End,
    wraps: Arc<Wraps>,
    walk: Walk,
    begun: Timestamp,
    /// Blobs that were taken and are so young that the second list is read for them again.
    late: HashSet<BlobKey>,
    reply: &'a Reply,
}

impl Out<'_> {
    async fn send(&self, bytes: Vec<u8>) -> Result<()> {
        self.to.send(bytes).await.map_err(|_| Error::retry("the archive cannot be written any more"))
    }

    async fn record(&mut self, content: &[u8]) -> Result<()> {
        let frame = self.sealer.seal(content)?;
        self.send(frame).await
    }

    async fn spool(&mut self, spool: Spool) -> Result<()> {
        for content in spool.read()? {
            self.record(&content?).await?;
        }
        Ok(())
    }

    async fn progress(&self, done: usize, total: Option<usize>, text: &str) -> Result<()> {
        self.reply.progress(done as u64, total.map(|total| total as u64), text).await
    }

    /// The rows by which others find the tenant. Gives back who there is, and what people and organisation look like now.
    async fn claims(&mut self, tenant: &TenantInfo) -> Result<(BTreeSet<PrincipalId>, Sum)> {
        let world = self.walk.world.clone();
        let mut part = Part::new(Block::claims());
        let mut pages = Pages::new(self.walk.organisation());
        while let Some(page) = pages.next(&world).await? {
            let keys: Vec<Key> = page.iter().filter_map(|(key, _)| claimed_by(key.sk())).collect();
            claim(&world, &keys, &mut part).await?;
        }
        // The last of them makes it a tenant of its store.
        claim(&world, &[tenant_entry(&tenant.name)], &mut part).await?;
        let (spool, sum, rows) = part.finish(&world.env)?;
        self.end.claims = sum;
        self.end.rows += rows;
        self.spool(spool).await?;
        let principals = self.walk.principals().await?;
        let mut seen = RowSum::default();
        for pk in organisation(&self.walk, &principals) {
            let mut pages = Pages::new(pk);
            while let Some(page) = pages.next(&world).await? {
                page.iter().for_each(|(key, row)| guard(&mut seen, key, row));
            }
        }
        Ok((principals, seen.finish()))
    }

    /// All blobs there are; the second time those that came meanwhile. A row's blob is there before the row.
    async fn blobs(&mut self, first: bool) -> Result<()> {
        let mut after = None;
        loop {
            let page = self.walk.blobs_after(after.as_ref()).await?;
            let Some(last) = page.last().cloned() else { return Ok(()) };
            after = Some(last);
            let wanted: Vec<BlobKey> = page.into_iter().filter(|key| first || (self.is_late(key) && !self.late.contains(key))).collect();
            self.some_blobs(wanted).await?;
            self.progress(self.end.blobs as usize, None, "blobs").await?;
        }
    }

    fn is_late(&self, key: &BlobKey) -> bool {
        let id = key.as_str().rsplit(['/', '-']).next().and_then(|id| id.parse::<AcceptanceId>().ok());
        id.is_none_or(|id| id.time().plus(LATE) >= self.begun)
    }

    async fn some_blobs(&mut self, keys: Vec<BlobKey>) -> Result<()> {
        let mut keys = keys.into_iter();
        let mut ahead = VecDeque::new();
        loop {
            while ahead.len() < BLOBS_AHEAD
                && let Some(key) = keys.next()
            {
                let world = self.walk.world.clone();
                ahead.push_back(Reading::of(async move { Ok((piece(&world, &key, 0).await?, key)) }));
            }
            let Some(reading) = ahead.pop_front() else { return Ok(()) };
            let (bytes, key) = reading.ended().await?;
            // Swept since it was listed: no row names it.
            let Some(bytes) = bytes else { continue };
            self.blob(key, bytes).await?;
        }
    }

    async fn blob(&mut self, key: BlobKey, mut bytes: Bytes) -> Result<()> {
        let mut sum = BlobSum::new(&key);
        let mut at = 0;
        loop {
            at += bytes.len() as u64;
            sum.update(&bytes);
            let next = if bytes.len() < PIECE { None } else { piece(&self.walk.world, &key, at).await?.filter(|next| !next.is_empty()) };
            self.record(&record::blob(&key, next.is_some(), &bytes)).await?;
            match next {
                Some(next) => bytes = next,
                None => break,
            }
        }
        self.end.inner.add(sum.finish());
        self.end.blobs += 1;
        self.end.bytes += at;
        if self.is_late(&key) {
            self.late.insert(key);
        }
        Ok(())
    }

    async fn mailboxes(&mut self, principals: &BTreeSet<PrincipalId>) -> Result<()> {
        let parts: Vec<_> = principals.iter().map(|principal| (self.walk.account(*principal), Still::Head)).collect();
        self.parts(parts, "mailboxes").await
    }

    async fn usage(&mut self) -> Result<()> {
        self.parts(
            vec![
                (self.walk.usage(), Still::Marks),
                (self.walk.reports(), Still::Not),
                (self.walk.transfers(), Still::Not),
                (self.walk.subscriptions(), Still::Not),
            ],
            "usage",
        )
        .await
    }

    async fn logs(&mut self, tenant: &TenantInfo) -> Result<()> {
        let parts: Vec<_> = self.walk.logs(tenant.created, self.begun).into_iter().map(|pk| (pk, Still::Not)).collect();
        self.parts(parts, "logs").await
    }

    /// Partitions, some of them read ahead.
    async fn parts(&mut self, parts: Vec<(Pk, Still)>, text: &str) -> Result<()> {
        let total = parts.len();
        let mut parts = parts.into_iter();
        let (mut ahead, mut done) = (VecDeque::new(), 0);
        loop {
            while ahead.len() < PARTS_AHEAD
                && let Some((pk, still)) = parts.next()
            {
                let walk = self.walk.clone();
                ahead.push_back(Reading::of(async move { unmoved(&walk.world, &pk, still).await }));
            }
            let Some(reading) = ahead.pop_front() else { return Ok(()) };
            let (spool, sum, rows) = reading.ended().await?;
            self.end.inner.add(sum);
            self.end.rows += rows;
            self.spool(spool).await?;
            done += 1;
            self.progress(done, Some(total), text).await?;
        }
    }

    /// People, groups and the tenant's own rows, its data keys wrapped anew. Gives back what they look like.
    async fn organisation(&mut self, principals: &BTreeSet<PrincipalId>) -> Result<Sum> {
        let world = self.walk.world.clone();
        let (mut seen, mut sum) = (RowSum::default(), RowSum::default());
        let mut block = Block::rows();
        for pk in organisation(&self.walk, principals) {
            let mut pages = Pages::new(pk);
            while let Some(page) = pages.next(&world).await? {
                for (key, mut row) in page {
                    guard(&mut seen, &key, &row);
                    sum.update(&key, &row);
                    if is_data_key(&key) {
                        self.wrap_anew(&mut row).await?;
                    }
                    block.push(&key, &row);
                    if block.is_full() {
                        self.record(&block.take()).await?;
                    }
                }
            }
        }
        if !block.is_empty() {
            self.record(&block.take()).await?;
        }
        self.end.rows += sum.rows;
        self.end.inner.add(sum.finish());
        Ok(seen.finish())
    }

    async fn wrap_anew(&self, row: &mut Row) -> Result<()> {
        let (world, tenant) = (&self.walk.world, self.walk.tenant);
        let wrapped = row.bytes("w").cloned().ok_or_else(|| Error::broken("a data key's row is damaged; see penfold check"))?;
        let key = patiently(&world.env, || world.secrets.unwrap(tenant, &wrapped)).await?;
        row.set("w", self.wraps.wrap(&world.env, tenant, &key)?);
        Ok(())
    }
}

/// People first, for the tenant's own rows name them.
fn organisation(walk: &Walk, principals: &BTreeSet<PrincipalId>) -> Vec<Pk> {
    let mut found: Vec<Pk> = principals.iter().flat_map(|principal| walk.of_principal(*principal)).collect();
    found.push(walk.organisation());
    found
}

/// On what day an app password was last used changes with the next sign-in, and tears nothing.
fn guard(seen: &mut RowSum, key: &Key, row: &Row) {
    seen.update_without(key, row, &["used"]);
}

async fn claim(world: &World, keys: &[Key], part: &mut Part) -> Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    let rows = patiently(&world.env, || world.table.batch_get(keys)).await?;
    for (key, row) in keys.iter().zip(rows) {
        let row = row.ok_or_else(|| Error::broken(format!("the row {} is missing; see penfold check", key.pk().as_str())))?;
        part.push(&world.env, key, &row)?;
    }
    Ok(())
}

async fn partition(world: &World, pk: &Pk) -> Result<(Spool, Sum, u64)> {
    let mut part = Part::new(Block::rows());
    let mut pages = Pages::new(pk.clone());
    while let Some(page) = pages.next(world).await? {
        for (key, row) in page {
            part.push(&world.env, &key, &row)?;
        }
    }
    part.finish(&world.env)
}

/// What must be the same before and after a partition is read, so that it is whole.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Still {
    /// Every commit moves a mailbox's head.
    Head,
    /// Whatever the meter counts moves a mark.
    Marks,
    Not,
}

impl Still {
    async fn rows(self, world: &World, pk: &Pk) -> Result<Vec<(Sk, Row)>> {
        let prefix = match self {
            Self::Head => Sk::head(),
            Self::Marks => Sk::marks(),
            Self::Not => return Ok(Vec::new()),
        };
        Ok(patiently(&world.env, || world.table.query_all(Query::prefix(pk.clone(), &prefix))).await?)
    }
}

async fn unmoved(world: &World, pk: &Pk, still: Still) -> Result<(Spool, Sum, u64)> {
    for reading in 0..READINGS {
        let before = still.rows(world, pk).await?;
        let part = partition(world, pk).await?;
        if still.rows(world, pk).await? == before {
            return Ok(part);
        }
        world.env.sleep_jittered(Duration::from_millis(200 << reading)).await;
    }
    let whose = pk.as_str().rsplit('#').next().unwrap_or_default();
    let what = if still == Still::Marks { "usage of the tenant" } else { "mailbox" };
    Err(Error::retry(format!("the {what} {whose} is changed too fast to be read; run it again at a quieter time, or with --freeze")))
}

/// A piece of a blob; `None` where there is no such blob any more.
async fn piece(world: &World, key: &BlobKey, at: u64) -> Result<Option<Bytes>> {
    match patiently(&world.env, || world.blobs.get_range(key, at..at + PIECE as u64)).await {
        Ok(bytes) => Ok(Some(bytes)),
        Err(penfold_ports::PortError::Missing) if at == 0 => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Work that goes on meanwhile, and ends where nobody waits for it any more.
struct Reading<T>(JoinSet<Result<T>>);

impl<T: Send + 'static> Reading<T> {
    fn of(work: impl Future<Output = Result<T>> + Send + 'static) -> Self {
        let mut set = JoinSet::new();
        set.spawn(work);
        Self(set)
    }

    async fn ended(mut self) -> Result<T> {
        let ended = self.0.join_next().await.ok_or_else(|| Error::broken("nothing was read"))?;
        ended.map_err(|error| Error::broken("reading ended unexpectedly").because(error))?
    }
}
