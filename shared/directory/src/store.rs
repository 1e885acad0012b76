//! The table, with the retries that every caller here wants: throttled requests come back with jitter, and a commit whose
//! answer was lost is sent again under the same id, which carries it out once (the table's contract).

use penfold_ports::{Commit, Key, Page, PortError, Query, Row, Sk, World, Write};
use penfold_types::{CommitId, Env, Error, Result, TenantId};
use std::time::Duration;

const TRIES: u32 = 6;

#[derive(Clone)]
pub(crate) struct Store {
    pub world: World,
}

/// Why a commit did not happen.
#[derive(Debug)]
pub(crate) enum Refused {
    /// Write number so-and-so did not find what it wanted.
    Condition(usize),
    Other(Error),
}

impl Refused {
    /// The caller's own words for each condition that may fail.
    pub fn explain(self, words: impl FnOnce(usize) -> Error) -> Error {
        match self {
            Self::Condition(write) => words(write),
            Self::Other(error) => error,
        }
    }
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Self {
        refused.explain(|write| Error::conflict("changed by somebody else meanwhile; try again").because(format!("write {write}")))
    }
}

async fn pause(env: &Env, attempt: u32) {
    env.sleep_jittered(Duration::from_millis(10 << attempt.min(6))).await;
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
        &self.world.env
    }

    pub async fn get(&self, key: &Key) -> Result<Option<Row>> {
        Ok(retried!(self.env(), self.world.table.get(key))?)
    }

    pub async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        Ok(retried!(self.env(), self.world.table.batch_get(keys))?)
    }

    pub async fn query(&self, query: &Query) -> Result<Page> {
        Ok(retried!(self.env(), self.world.table.query(query))?)
    }

    pub async fn query_all(&self, query: &Query) -> Result<Vec<(Sk, Row)>> {
        Ok(retried!(self.env(), self.world.table.query_all(query.clone()))?)
    }

    pub async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>> {
        Ok(retried!(self.env(), self.world.secrets.wrap(tenant, key))?)
    }

    pub async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32]> {
        Ok(retried!(self.env(), self.world.secrets.unwrap(tenant, wrapped))?)
    }

    pub async fn destroy(&self, tenant: TenantId) -> Result<()> {
        Ok(retried!(self.env(), self.world.secrets.destroy(tenant))?)
    }

    /// One row by itself, at half a commit's price. Only for writes that may be carried out twice.
    pub async fn put(&self, write: Write) -> Result<(), Refused> {
        match retried!(self.env(), self.world.table.put(write.clone())) {
            Ok(()) => Ok(()),
            Err(PortError::Condition { write }) => Err(Refused::Condition(write)),
            Err(other) => Err(Refused::Other(other.into())),
        }
    }

    pub async fn commit(&self, writes: Vec<Write>) -> Result<(), Refused> {
        let commit = Commit { id: CommitId::new(self.env()), writes };
        match retried!(self.env(), self.world.table.commit(&commit)) {
            Ok(()) => Ok(()),
            Err(PortError::Condition { write }) => Err(Refused::Condition(write)),
            Err(other) => Err(Refused::Other(other.into())),
        }
    }
}
