//! The table and the secrets as most callers want them: a throttled request comes back with jitter, and a commit whose answer was lost is sent
//! again under the same id, which carries it out once (the table's contract).

use crate::{Commit, Key, Page, PortError, Query, Row, Sk, World, Write};
use penfold_types::{CommitId, Env, TenantId};
use std::time::Duration;

const TRIES: u32 = 6;
/// The first pause; each is twice as long as the one before.
const PAUSE: Duration = Duration::from_millis(10);

/// An error is one that stays, or that was there at every try.
#[derive(Clone, Copy)]
pub struct Retrying<'a>(pub &'a World);

macro_rules! retried {
    ($env:expr, $request:expr) => {{
        let mut attempt = 0;
        loop {
            match $request.await {
                Err(PortError::Throttled | PortError::Unknown) if attempt < TRIES => {
                    $env.sleep_jittered(PAUSE * (1 << attempt)).await;
                    attempt += 1;
                }
                answer => break answer,
            }
        }
    }};
}

impl Retrying<'_> {
    fn env(&self) -> &Env {
        &self.0.env
    }

    pub async fn get(&self, key: &Key) -> Result<Option<Row>, PortError> {
        retried!(self.env(), self.0.table.get(key))
    }

    pub async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>, PortError> {
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        retried!(self.env(), self.0.table.batch_get(keys))
    }

    pub async fn query(&self, query: &Query) -> Result<Page, PortError> {
        retried!(self.env(), self.0.table.query(query))
    }

    pub async fn query_all(&self, query: &Query) -> Result<Vec<(Sk, Row)>, PortError> {
        retried!(self.env(), self.0.table.query_all(query.clone()))
    }

    /// One row by itself, at half a commit's price. Only for writes that may be carried out twice.
    pub async fn put(&self, write: Write) -> Result<(), PortError> {
        retried!(self.env(), self.0.table.put(write.clone()))
    }

    pub async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>, PortError> {
        retried!(self.env(), self.0.secrets.wrap(tenant, key))
    }

    pub async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32], PortError> {
        retried!(self.env(), self.0.secrets.unwrap(tenant, wrapped))
    }

    pub async fn destroy(&self, tenant: TenantId) -> Result<(), PortError> {
        retried!(self.env(), self.0.secrets.destroy(tenant))
    }

    pub async fn commit(&self, writes: Vec<Write>) -> Result<(), PortError> {
        let commit = Commit { id: CommitId::new(self.env()), writes };
        retried!(self.env(), self.0.table.commit(&commit))
    }
}
