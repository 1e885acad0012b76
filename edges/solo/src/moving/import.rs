//! Into a store. First it is looked whether anything stands in the way; then blobs, mailboxes, people and organisation are
//! written, each "absent or the same"; then all of it is read back and its checksum compared with the archive's; and only then
//! come the rows that make the tenant reachable, its name last. So an import that was cut off has made nothing that anybody
//! could see, and is run again or taken out.

use super::digest::{RowSum, Sum, checksum, is_data_key, is_log};
use super::frame::Read1;
use super::key::{ExportKey, Wraps};
use super::part::Spool;
use super::put::{Crew, clear, put_blob, put_row};
use super::record::{Block, End, Item, Record, Whose, decode};
use super::verify::read_back;
use super::walk::{Walk, stays};
use super::{Moved, damaged, patiently};
use crate::control::{Context, Reply};
use bytes::Bytes;
use penfold_directory::tenant_entry;
use penfold_ports::{BlobKey, Key, Row, World, Write};
use penfold_types::{Error, Result};
use tokio::sync::mpsc;

/// The largest blob that is taken; the largest message is a quarter of it.
const BLOB: usize = 640 << 20;

/// Records as they come.
pub struct Source {
    from: mpsc::Receiver<Result<Read1>>,
    wraps: Wraps,
    pub whose: Whose,
}

impl Source {
    pub async fn open(mut from: mpsc::Receiver<Result<Read1>>, key: &ExportKey) -> Result<Self> {
        let salt = match from.recv().await.ok_or_else(lost)?? {
            Read1::Salt(salt) => salt,
            Read1::Record(_) => return Err(lost()),
        };
        match from.recv().await.ok_or_else(lost)?? {
            Read1::Record(Record::Whose(whose)) => Ok(Self { from, wraps: key.wraps(&salt)?, whose }),
            _ => Err(damaged("it does not say whose it is")),
        }
    }

    /// The next record; the last one is the end.
    pub async fn next(&mut self) -> Result<Record> {
        match self.from.recv().await.ok_or_else(lost)?? {
            Read1::Record(record) => Ok(record),
            Read1::Salt(_) => Err(lost()),
        }
    }
}

fn lost() -> Error {
    Error::retry("the archive is not read any more; run it again")
}

pub async fn import(context: &Context, key: &ExportKey, from: mpsc::Receiver<Result<Read1>>, reply: &Reply) -> Result<Moved> {
    let source = Source::open(from, key).await?;
    let world = context.service.world.named("import");
    let walk = Walk { world, directory: context.service.directory.clone(), tenant: source.whose.tenant };
    refuse_tenant(&walk, &source.whose).await?;
    let mut into = Into {
        look: !walk.blobs_after(None).await?.is_empty(),
        source,
        walk,
        claims: Spool::default(),
        crew: Crew::new(),
        came: End::default(),
        logs: Sum::default(),
        reply,
    };
    let end = into.take_all().await?;
    let name = into.source.whose.name.clone();
    into.verify(&end).await?;
    let tenant = into.walk.tenant;
    into.reachable(&end).await?;
    crate::cli::operator(context).note(tenant, "tenant.import", &name, "").await?;
    Ok(Moved { tenant: name, rows: end.rows, blobs: end.blobs, bytes: end.bytes, checksum: checksum(&end) })
}

async fn refuse_tenant(walk: &Walk, whose: &Whose) -> Result<()> {
    if walk.directory.is_being_removed(walk.tenant).await? {
        return Err(Error::conflict(format!("what was {} is still being removed here; upkeep does that, so come back later", whose.name)));
    }
    let entry = tenant_entry(&whose.name);
    if patiently(&walk.world.env, || walk.world.table.get(&entry)).await?.is_some() {
        return Err(Error::conflict(format!("there is a tenant named {} already", whose.name)));
    }
    // It may have another name here.
    if walk.directory.every_tenant().await?.contains(&walk.tenant) {
        return Err(Error::conflict(format!("the tenant {} is here already, under another name", whose.name)));
    }
    Ok(())
}

struct Into<'a> {
    source: Source,
    walk: Walk,
    claims: Spool,
    crew: Crew,
    /// What has come, to be compared with what should have.
    came: End,
    /// Of audit and traces, read back as they are written.
    logs: Sum,
    look: bool,
    reply: &'a Reply,
}

impl Into<'_> {
    fn world(&self) -> &World {
        &self.walk.world
    }

    async fn progress(&self, text: &str) -> Result<()> {
        self.reply.progress(self.came.rows + self.came.blobs, None, text).await
    }

    async fn take_all(&mut self) -> Result<End> {
        let mut open: Option<(BlobKey, Vec<Bytes>, usize)> = None;
        let mut claims_over = false;
        loop {
            let record = self.source.next().await?;
            if open.is_some() && !matches!(record, Record::Blob { .. }) {
                return Err(damaged("a blob does not end"));
            }
            if !claims_over && !matches!(record, Record::Claims(_)) {
                claims_over = true;
                // Of an earlier life here; the archive has it too, and what came after.
                clear(self.world(), self.walk.usage()).await?;
                clear(self.world(), self.walk.reports()).await?;
                clear(self.world(), self.walk.transfers()).await?;
                clear(self.world(), self.walk.subscriptions()).await?;
                let (days, end) = self.walk.audit();
                for day in days {
                    clear(self.world(), day).await?;
                }
                let world = self.world();
                patiently(&world.env, || world.table.put(Write::delete(end.clone()))).await?;
                // What its data keys were wrapped by here may have been destroyed with an earlier life.
                let (world, tenant) = (self.world(), self.walk.tenant);
                patiently(&world.env, || world.secrets.renew(tenant)).await?;
            }
            match record {
                Record::Claims(items) if !claims_over => self.claims(items).await?,
                Record::Whose(_) | Record::Claims(_) => return Err(damaged("its parts are out of order")),
                Record::Blob { key, more, bytes } => open = self.piece(open.take(), key, more, bytes).await?,
                Record::Rows(items) => self.rows(items).await?,
                Record::End(end) => {
                    self.crew.rest().await?;
                    let came = End { inner: end.inner, ..self.came };
                    return if came == end { Ok(end) } else { Err(damaged("not all of it is there")) };
                }
            }
        }
    }

    /// Nothing has been written when this refuses: claims come before all else.
    async fn claims(&mut self, items: Vec<Item>) -> Result<()> {
        let mut sum = RowSum::default();
        let mut block = Block::claims();
        for chunk in items.chunks(100) {
            let keys: Vec<Key> = chunk.iter().map(|item| item.key.clone()).collect();
            let there = patiently(&self.world().env, || self.world().table.batch_get(&keys)).await?;
            for (item, there) in chunk.iter().zip(there) {
                if !is_claim(item, &self.source.whose, self.walk.tenant) {
                    return Err(damaged("a row claims what is not the tenant's"));
                }
                // The same one is what an import that was cut off has left.
                if there.is_some_and(|there| there != item.row) {
                    return Err(Error::conflict(format!("{} is here already; nothing was written", said(&item.key))));
                }
                sum.update(&item.key, &item.row);
                block.push(&item.key, &item.row);
            }
        }
        self.came.rows += sum.rows;
        self.came.claims.add(sum.finish());
        let env = self.world().env.clone();
        self.claims.push(&env, block.take())
    }

    async fn piece(
        &mut self,
        open: Option<(BlobKey, Vec<Bytes>, usize)>,
        key: BlobKey,
        more: bool,
        bytes: Bytes,
    ) -> Result<Option<(BlobKey, Vec<Bytes>, usize)>> {
        let (own, mut parts, before) = open.unwrap_or_else(|| (key.clone(), Vec::new(), 0));
        let size = before + bytes.len();
        if own != key || key.tenant() != Some(self.walk.tenant) || size > BLOB {
            return Err(damaged("a blob is too large, or not the tenant's"));
        }
        parts.push(bytes);
        if more {
            return Ok(Some((key, parts, size)));
        }
        self.came.blobs += 1;
        self.came.bytes += size as u64;
        let work = put_blob(self.world().clone(), key, parts, self.look);
        self.crew.take(size, work).await?;
        self.progress("blobs").await?;
        Ok(None)
    }

    async fn rows(&mut self, items: Vec<Item>) -> Result<()> {
        let mut logged = Vec::new();
        for item in items {
            let Item { key, row } = item;
            if key.pk().tenant() != Some(self.walk.tenant) || stays(key.pk(), key.sk()) {
                return Err(damaged("a row is not the tenant's"));
            }
            self.came.rows += 1;
            if is_log(key.pk()) {
                logged.push(key.clone());
            }
            let (world, size) = (self.world().clone(), row.iter().count() * 64);
            if is_data_key(&key) {
                self.data_key(key, row).await?;
            } else {
                let same = row.clone();
                self.crew.take(size, async move { put_row(world, key, row, |there| *there == same).await }).await?;
            }
        }
        self.progress("rows").await?;
        self.read_logs(&logged).await
    }

    /// Wrapped for the way, and now with this store's secrets. One that is there already must open to the same.
    async fn data_key(&mut self, key: Key, mut row: Row) -> Result<()> {
        let (world, tenant) = (self.world().clone(), self.walk.tenant);
        let wrapped = row.bytes("w").cloned().ok_or_else(|| damaged("a data key is missing"))?;
        let plain = self.source.wraps.unwrap(tenant, &wrapped)?;
        if let Some(there) = patiently(&world.env, || world.table.get(&key)).await? {
            let own = there.bytes("w").cloned().unwrap_or_default();
            let same = patiently(&world.env, || world.secrets.unwrap(tenant, &own)).await.is_ok_and(|own| own == plain);
            return if same { Ok(()) } else { Err(Error::conflict("another data key of this tenant is here already")) };
        }
        row.set("w", patiently(&world.env, || world.secrets.wrap(tenant, &plain)).await?);
        let same = row.clone();
        put_row(world, key, row, |there| *there == same).await
    }

    /// Audit and traces: this store may have some of its own, so only what came is read back.
    async fn read_logs(&mut self, keys: &[Key]) -> Result<()> {
        if keys.is_empty() {
            return Ok(());
        }
        self.crew.rest().await?;
        let mut sum = RowSum::default();
        for chunk in keys.chunks(100) {
            for (key, row) in chunk.iter().zip(patiently(&self.world().env, || self.world().table.batch_get(chunk)).await?) {
                if let Some(row) = row {
                    sum.update(key, &row);
                }
            }
        }
        self.logs.add(sum.finish());
        Ok(())
    }

    /// Everything that was written, as the store gives it back.
    async fn verify(&self, end: &End) -> Result<()> {
        let mut total = read_back(&self.walk, self.came.rows + self.came.blobs, self.reply).await?;
        total.add(self.logs);
        if total == end.inner {
            Ok(())
        } else {
            Err(Error::broken(
                "what was read back is not what the archive holds, so the tenant was not made reachable; \
                 take it out with penfold import --tenant-remove, and begin anew",
            ))
        }
    }

    /// Addresses and domains, then the name.
    async fn reachable(self, end: &End) -> Result<()> {
        let world = self.walk.world.clone();
        let entry = tenant_entry(&self.source.whose.name);
        let (mut crew, mut sum, mut last) = (self.crew, RowSum::default(), None);
        for content in self.claims.read()? {
            let Record::Claims(items) = decode(content?.into())? else { continue };
            for Item { key, row } in &items {
                if *key == entry {
                    last = Some((key.clone(), row.clone()));
                    continue;
                }
                let (world, key, row, same) = (world.clone(), key.clone(), row.clone(), row.clone());
                crew.take(0, async move { put_row(world, key, row, |there| *there == same).await }).await?;
            }
            crew.rest().await?;
            let keys: Vec<Key> = items.into_iter().map(|item| item.key).filter(|key| *key != entry).collect();
            if !keys.is_empty() {
                for (key, row) in keys.iter().zip(patiently(&world.env, || world.table.batch_get(&keys)).await?) {
                    row.iter().for_each(|row| sum.update(key, row));
                }
            }
        }
        let (key, row) = last.ok_or_else(|| damaged("the tenant has no name"))?;
        sum.update(&key, &row);
        if sum.finish() != end.claims {
            return Err(Error::broken("the addresses that were read back are not those of the archive; run it again"));
        }
        let same = row.clone();
        put_row(world, key, row, |there| *there == same).await
    }
}

/// Rows outside of the tenant's own partitions, by which it is found: each names the tenant.
pub fn is_claim(item: &Item, whose: &Whose, tenant: penfold_types::TenantId) -> bool {
    let (pk, sk) = (item.key.pk().as_str(), item.key.sk().as_bytes());
    let fits = (pk.starts_with("r#") && sk == b"r") || (pk.starts_with("d#") && sk == b"d") || item.key == tenant_entry(&whose.name);
    fits && item.row.bytes("t").is_some_and(|own| &own[..] == tenant.as_bytes())
}

/// What a claim is, in words.
fn said(key: &Key) -> String {
    match key.pk().as_str().split_once('#') {
        Some(("r", address)) => format!("the address {address}"),
        Some(("d", domain)) => format!("the domain {domain}"),
        _ => "the tenant's name".to_owned(),
    }
}
