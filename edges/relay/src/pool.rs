//! Connections that wait some seconds for the next message to the same host.

use crate::config::Config;
use crate::connection::{Connection, Pace, Patience};
use parking_lot::Mutex;
use penfold_types::Env;
use std::collections::BTreeMap;
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::sync::{Semaphore, watch};

struct Kept {
    number: u64,
    connection: Connection,
}

#[derive(Default)]
struct Idle {
    last: u64,
    count: usize,
    by_key: BTreeMap<String, Vec<Kept>>,
}

pub(crate) struct Pool {
    env: Env,
    pace: Pace,
    keep: Duration,
    kept: usize,
    messages: u32,
    idle: Mutex<Idle>,
}

impl Pool {
    pub fn new(env: Env, config: &Config) -> Self {
        let patience = Patience::new(Duration::ZERO, Arc::new(Semaphore::new(0)), watch::channel(false).1);
        let pace = Pace { until: env.monotonic(), timeouts: config.timeouts.clone(), env: env.clone(), patience };
        Self { env, pace, keep: config.keep, kept: config.kept, messages: config.messages, idle: Mutex::default() }
    }

    /// The one that was used last.
    pub fn take(&self, key: &str) -> Option<Connection> {
        self.remove(key, |kept| kept.pop())
    }

    fn remove(&self, key: &str, pick: impl Fn(&mut Vec<Kept>) -> Option<Kept>) -> Option<Connection> {
        let mut idle = self.idle.lock();
        let kept = idle.by_key.get_mut(key)?;
        let found = pick(kept);
        if kept.is_empty() {
            idle.by_key.remove(key);
        }
        idle.count -= usize::from(found.is_some());
        found.map(|kept| kept.connection)
    }

    /// Keeps a connection for a while, or ends it where it is of no more use.
    pub fn put(self: &Arc<Self>, key: String, connection: Connection) {
        if !connection.session.is_ready() {
            return;
        }
        let mut idle = self.idle.lock();
        if idle.count >= self.kept || connection.messages >= self.messages || self.keep.is_zero() {
            drop(idle);
            let pace = self.pace.clone();
            tokio::spawn(async move { connection.quit(&pace).await });
            return;
        }
        idle.last += 1;
        idle.count += 1;
        let number = idle.last;
        idle.by_key.entry(key.clone()).or_default().push(Kept { number, connection });
        drop(idle);
        tokio::spawn(let_go(Arc::downgrade(self), self.env.clone(), self.keep, key, number));
    }

    /// Ends all that wait.
    pub async fn close(&self) {
        let kept = std::mem::take(&mut *self.idle.lock()).by_key;
        let mut ending = tokio::task::JoinSet::new();
        for kept in kept.into_values().flatten() {
            let pace = self.pace.clone();
            ending.spawn(async move { kept.connection.quit(&pace).await });
        }
        ending.join_all().await;
    }
}

/// A pool that is gone has closed its connections already.
async fn let_go(pool: Weak<Pool>, env: Env, keep: Duration, key: String, number: u64) {
    env.sleep(keep).await;
    let Some(pool) = pool.upgrade() else { return };
    let own = |kept: &mut Vec<Kept>| kept.iter().position(|one| one.number == number).map(|at| kept.remove(at));
    if let Some(connection) = pool.remove(&key, own) {
        connection.quit(&pool.pace).await;
    }
}
