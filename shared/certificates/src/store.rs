//! The table, with the retries that a round wants.

use penfold_ports::{Commit, Key, PortError, Query, Row, Sk, World, Write};
use penfold_types::{CommitId, Env, Result};
use std::time::Duration;

const TRIES: u32 = 6;

#[derive(Clone)]
pub(crate) struct Store(pub World);

async fn pause(env: &Env, attempt: u32) {
    env.sleep_jittered(Duration::from_millis(20 << attempt.min(6))).await;
}

macro_rules! retried {
    ($env:expr, $request:expr) => {{
        let mut attempt = 0;
        loop {
            match $request.await {
                Err(PortError::Throttled | PortError::Unknown) if attempt < TRIES => {
                    pause($env, attempt).await;
                    attempt += 1;
                }
                answer => break answer,
            }
        }
    }};
}

impl Store {
    pub fn env(&self) -> &Env {
        &self.0.env
    }

    pub async fn get(&self, key: &Key) -> Result<Option<Row>> {
        Ok(retried!(self.env(), self.0.table.get(key))?)
    }

    pub async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>> {
        Ok(retried!(self.env(), self.0.table.batch_get(keys))?)
    }

    pub async fn query(&self, query: &Query) -> Result<Vec<(Sk, Row)>> {
        Ok(retried!(self.env(), self.0.table.query_all(query.clone()))?)
    }

    /// False where a condition did not hold. The id makes a commit that is sent again the same one.
    pub async fn commit(&self, writes: Vec<Write>) -> Result<bool> {
        let commit = Commit { id: CommitId::new(self.env()), writes };
        match retried!(self.env(), self.0.table.commit(&commit)) {
            Ok(()) => Ok(true),
            Err(PortError::Condition { .. }) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }
}
