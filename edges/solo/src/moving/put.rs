//! Writing what came: a row where there is none, or where the same is there already, so that an import can be run again. Bounded
//! in how much is under way, by number and by bytes.

use super::walk::Pages;
use super::{IN_FLIGHT, patiently};
use bytes::Bytes;
use penfold_mailbox::Mailboxes;
use penfold_ports::{BlobKey, Commit, Key, Pk, PortError, Row, When, World, Write, limits};
use penfold_types::{CommitId, Error, Result};
use std::sync::Arc;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Bytes of blobs that are held at a time, in units of 1 KiB; a larger blob goes alone.
const HELD: u32 = 64 * 1024;

/// Work side by side; the first error ends all.
pub struct Crew {
    work: JoinSet<Result<()>>,
    held: Arc<Semaphore>,
}

impl Crew {
    pub fn new() -> Self {
        Self { work: JoinSet::new(), held: Arc::new(Semaphore::new(HELD as usize)) }
    }

    /// Waits for a place first. `bytes`: what the work holds.
    pub async fn take(&mut self, bytes: usize, work: impl Future<Output = Result<()>> + Send + 'static) -> Result<()> {
        let units = u32::try_from(bytes / 1024).unwrap_or(HELD).clamp(1, HELD);
        while self.work.len() >= IN_FLIGHT {
            self.one().await?;
        }
        let held = self.held.clone();
        // Those who hold the rest go on meanwhile by themselves.
        let place = held.acquire_many_owned(units).await.map_err(|_| Error::broken("there is no room to work"))?;
        self.work.spawn(async move {
            let done = work.await;
            drop(place);
            done
        });
        Ok(())
    }

    async fn one(&mut self) -> Result<bool> {
        match self.work.join_next().await {
            None => Ok(false),
            Some(Ok(done)) => done.map(|()| true),
            Some(Err(error)) => Err(Error::broken("a write ended unexpectedly").because(error)),
        }
    }

    /// Until all is done.
    pub async fn rest(&mut self) -> Result<()> {
        while self.one().await? {}
        Ok(())
    }
}

fn other(key: &Key) -> Error {
    Error::conflict(format!(
        "another row {} {} is here already, of another archive or of an earlier time; take that out with penfold import --tenant-remove and its archive",
        key.pk().as_str(),
        key.sk().as_bytes().escape_ascii()
    ))
}

/// `same` judges a row that is there already.
pub async fn put_row(world: World, key: Key, row: Row, same: impl Fn(&Row) -> bool) -> Result<()> {
    let write = Write::put_new(key.clone(), row.clone());
    match patiently(&world.env, || world.table.put(write.clone())).await {
        Ok(()) => return Ok(()),
        Err(PortError::Condition { .. }) => {}
        Err(error) => return Err(error.into()),
    }
    match patiently(&world.env, || world.table.get(&key)).await? {
        Some(there) if same(&there) => Ok(()),
        // This tenant lived here once, and was removed: such a head keeps nobody's place.
        Some(there) if Mailboxes::is_destroyed(&key, &there) => {
            let when = When::Equal(there.iter().cloned().collect());
            let write = Write::Put { key: key.clone(), row: row.clone(), when };
            match patiently(&world.env, || world.table.put(write.clone())).await {
                Ok(()) => Ok(()),
                Err(PortError::Condition { .. }) if patiently(&world.env, || world.table.get(&key)).await?.as_ref() == Some(&row) => Ok(()),
                Err(PortError::Condition { .. }) => Err(other(&key)),
                Err(error) => Err(error.into()),
            }
        }
        _ => Err(other(&key)),
    }
}

/// Of a mailbox that was destroyed here and comes back without a row, for nobody has opened it since.
pub async fn clear_destroyed(world: &World, key: &Key) -> Result<()> {
    let head = patiently(&world.env, || world.table.get(key)).await?;
    if let Some(head) = head.filter(|head| Mailboxes::is_destroyed(key, head)) {
        let delete = Write::Delete { key: key.clone(), when: When::Equal(head.iter().cloned().collect()) };
        match patiently(&world.env, || world.table.put(delete.clone())).await {
            // A sending before, whose answer was lost, took it away.
            Ok(()) | Err(PortError::Condition { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// All rows of a partition.
pub async fn clear(world: &World, pk: Pk) -> Result<()> {
    let mut pages = Pages::new(pk);
    while let Some(page) = pages.next(world).await? {
        for part in page.chunks(limits::WRITES) {
            let writes = part.iter().map(|(key, _)| Write::delete(key.clone())).collect();
            let commit = Commit { id: CommitId::new(&world.env), writes };
            patiently(&world.env, || world.table.commit(&commit)).await?;
        }
    }
    Ok(())
}

/// `look`: some may be there already; a blob's name is never used for other bytes.
pub async fn put_blob(world: World, key: BlobKey, parts: Vec<Bytes>, look: bool) -> Result<()> {
    if look {
        match patiently(&world.env, || world.blobs.get(&key)).await {
            Ok(there) if there == parts.concat() => return Ok(()),
            Ok(_) => {
                return Err(Error::conflict(format!(
                    "another blob {} is here already; this is not a copy of the same tenant",
                    key.as_str()
                )));
            }
            Err(PortError::Missing) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(patiently(&world.env, || world.blobs.put(&key, parts.clone())).await?)
}
