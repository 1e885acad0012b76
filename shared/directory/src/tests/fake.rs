//! A table in memory that commits at once, with interleaving: each request gives way first.

use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::Mutex;
use penfold_ports::*;
use penfold_types::{Env, Modseq, TenantId};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

#[derive(Default)]
pub struct Fake {
    rows: Mutex<BTreeMap<Key, Row>>,
    /// Commits whose answer is lost after they were carried out.
    pub lose: Mutex<u32>,
    done: Mutex<BTreeSet<penfold_types::CommitId>>,
}

impl Fake {
    fn write(&self, after: Vec<(Key, Option<Row>)>) {
        let mut rows = self.rows.lock();
        for (key, row) in after {
            match row {
                Some(row) => rows.insert(key, row),
                None => rows.remove(&key),
            };
        }
    }

    pub fn keys(&self) -> Vec<Key> {
        self.rows.lock().keys().cloned().collect()
    }
}

#[async_trait]
impl Table for Fake {
    async fn get(&self, key: &Key, spent: &mut Units) -> Result<Option<Row>, PortError> {
        tokio::task::yield_now().await;
        spent.read += 1;
        Ok(self.rows.lock().get(key).cloned())
    }
    async fn batch_get(&self, keys: &[Key], spent: &mut Units) -> Result<Vec<Option<Row>>, PortError> {
        tokio::task::yield_now().await;
        assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len(), "the same key twice");
        spent.read += keys.len() as u64;
        let rows = self.rows.lock();
        Ok(keys.iter().map(|key| rows.get(key).cloned()).collect())
    }
    async fn query(&self, query: &Query, spent: &mut Units) -> Result<Page, PortError> {
        tokio::task::yield_now().await;
        spent.read += 1;
        let rows = self.rows.lock();
        let inside = |key: &Key| *key.pk() == query.pk && *key.sk() >= query.from && query.to.as_ref().is_none_or(|to| key.sk() < to);
        let mut found: Vec<_> = rows.iter().filter(|(key, _)| inside(key)).map(|(key, row)| (key.sk().clone(), row.clone())).collect();
        if query.reverse {
            found.reverse();
        }
        let more = found.len() > query.limit;
        found.truncate(query.limit);
        Ok(Page { rows: found, more })
    }
    async fn put(&self, write: Write, spent: &mut Units) -> Result<(), PortError> {
        tokio::task::yield_now().await;
        write.check_limits()?;
        let after = judge_put(&write, |key| Ok(self.rows.lock().get(key).cloned()), spent)?;
        self.write(after);
        Ok(())
    }
    async fn commit(&self, commit: &Commit, spent: &mut Units) -> Result<(), PortError> {
        tokio::task::yield_now().await;
        commit.check_limits()?;
        if self.done.lock().contains(&commit.id) {
            return Ok(());
        }
        let after = commit.judge(|key| Ok(self.rows.lock().get(key).cloned()), spent)?;
        self.write(after);
        self.done.lock().insert(commit.id);
        let mut lose = self.lose.lock();
        if *lose > 0 {
            *lose -= 1;
            return Err(PortError::Unknown);
        }
        Ok(())
    }
    async fn commit_chain(&self, _: &[Commit], _: &mut Units) -> Chain {
        Chain { done: 0, error: Some(PortError::Throttled) }
    }
}

struct Nothing;

#[async_trait]
impl Blobs for Nothing {
    async fn put(&self, _: &BlobKey, _: Vec<Bytes>, _: &mut Units) -> Result<(), PortError> {
        Err(PortError::Missing)
    }
    async fn get(&self, _: &BlobKey, _: &mut Units) -> Result<Bytes, PortError> {
        Err(PortError::Missing)
    }
    async fn get_range(&self, _: &BlobKey, _: Range<u64>, _: &mut Units) -> Result<Bytes, PortError> {
        Err(PortError::Missing)
    }
    async fn delete(&self, _: &BlobKey, _: &mut Units) -> Result<(), PortError> {
        Err(PortError::Missing)
    }
    async fn list(&self, _: TenantId, _: Option<&BlobKey>, _: &mut Units) -> Result<Vec<BlobKey>, PortError> {
        Err(PortError::Missing)
    }
}

#[async_trait]
impl Queue for Nothing {
    async fn send(&self, _: QueueName, _: Vec<Job>, _: &mut Units) -> Result<(), PortError> {
        Err(PortError::Missing)
    }
    async fn receive(&self, _: QueueName, _: usize, _: Duration, _: &mut Units) -> Result<Vec<Received>, PortError> {
        Err(PortError::Missing)
    }
    async fn extend(&self, _: QueueName, _: &[Receipt], _: Duration, _: &mut Units) -> Result<(), PortError> {
        Err(PortError::Missing)
    }
    async fn done(&self, _: QueueName, _: &[Receipt], _: &mut Units) -> Result<(), PortError> {
        Err(PortError::Missing)
    }
    async fn give_back(&self, _: QueueName, _: &[Receipt], _: &mut Units) -> Result<(), PortError> {
        Err(PortError::Missing)
    }
    async fn dead(&self, _: QueueName, _: &mut Units) -> Result<Vec<Dead>, PortError> {
        Err(PortError::Missing)
    }
    async fn release(&self, _: QueueName, _: &str, _: &mut Units) -> Result<usize, PortError> {
        Err(PortError::Missing)
    }
    async fn oldest(&self, _: QueueName) -> Result<Duration, PortError> {
        Err(PortError::Missing)
    }
    async fn backlog(&self, _: QueueName, _: TenantId) -> Result<usize, PortError> {
        Err(PortError::Missing)
    }
}

impl Wake for Nothing {
    fn watch(&self, _: Account) -> Watch {
        Watch::new(Arc::default(), Box::new(()))
    }
    fn wake(&self, _: Account, _: Modseq) {}
}

#[async_trait]
impl Secrets for Nothing {
    async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError> {
        Ok([&tenant.as_bytes()[..], key].concat())
    }
    async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError> {
        let key = wrapped.strip_prefix(&tenant.as_bytes()[..]).ok_or(PortError::Missing)?;
        key.try_into().map_err(|_| PortError::Missing)
    }
}

pub fn world() -> (World, Arc<Fake>) {
    let fake = Arc::new(Fake::default());
    let nothing = Arc::new(Nothing);
    (World::new(Env::system(), fake.clone(), nothing.clone(), nothing.clone(), nothing.clone(), nothing), fake)
}
