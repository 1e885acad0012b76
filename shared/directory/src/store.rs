//! The table, with the retries that every caller here wants, and conditions that are told apart.

use penfold_ports::{Key, Page, PortError, Query, Retrying, Row, Sk, When, World, Write};
use penfold_types::{Env, Error, Result, TenantId};

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

impl From<PortError> for Refused {
    fn from(error: PortError) -> Self {
        match error {
            PortError::Condition { write } => Self::Condition(write),
            other => Self::Other(other.into()),
        }
    }
}

impl Store {
    pub fn env(&self) -> &Env {
        &self.world.env
    }

    fn ports(&self) -> Retrying<'_> {
        Retrying(&self.world)
    }

    pub async fn get(&self, key: &Key) -> Result<Option<Row>> {
        Ok(self.ports().get(key).await?)
    }

    pub async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>> {
        Ok(self.ports().batch_get(keys).await?)
    }

    pub async fn query(&self, query: &Query) -> Result<Page> {
        Ok(self.ports().query(query).await?)
    }

    pub async fn query_all(&self, query: &Query) -> Result<Vec<(Sk, Row)>> {
        Ok(self.ports().query_all(query).await?)
    }

    pub async fn wrap(&self, tenant: TenantId, key: &[u8; 32]) -> Result<Vec<u8>> {
        Ok(self.ports().wrap(tenant, key).await?)
    }

    pub async fn unwrap(&self, tenant: TenantId, wrapped: &[u8]) -> Result<[u8; 32]> {
        Ok(self.ports().unwrap(tenant, wrapped).await?)
    }

    pub async fn destroy(&self, tenant: TenantId) -> Result<()> {
        Ok(self.ports().destroy(tenant).await?)
    }

    /// One row by itself, at half a commit's price. Only for writes that may be carried out twice.
    pub async fn put(&self, write: Write) -> Result<(), Refused> {
        Ok(self.ports().put(write).await?)
    }

    /// One write that must not be carried out twice, or whose condition speaks of what it changes itself: where its answer is
    /// lost, it is not taken for another's.
    pub async fn once(&self, write: Write) -> Result<(), Refused> {
        self.commit(vec![write]).await
    }

    /// Whether a commit of these would be carried out now.
    pub async fn would(&self, writes: &[Write]) -> Result<(), Refused> {
        for (number, write) in writes.iter().enumerate().filter(|(_, write)| *write.when() != When::Always) {
            let row = self.get(write.key()).await.map_err(Refused::Other)?;
            if !write.when().holds(row.as_ref()) {
                return Err(Refused::Condition(number));
            }
        }
        Ok(())
    }

    pub async fn commit(&self, writes: Vec<Write>) -> Result<(), Refused> {
        Ok(self.ports().commit(writes).await?)
    }
}
