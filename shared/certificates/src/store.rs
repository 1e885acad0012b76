//! The table, with the retries that a round wants.

use penfold_ports::{Key, PortError, Query, Retrying, Row, Sk, World, Write};
use penfold_types::{Env, Result};

#[derive(Clone)]
pub(crate) struct Store(World);

impl Store {
    pub fn new(world: World) -> Self {
        Self(world)
    }

    pub fn env(&self) -> &Env {
        &self.0.env
    }

    fn table(&self) -> Retrying<'_> {
        Retrying(&self.0)
    }

    pub async fn get(&self, key: &Key) -> Result<Option<Row>> {
        Ok(self.table().get(key).await?)
    }

    pub async fn batch_get(&self, keys: &[Key]) -> Result<Vec<Option<Row>>> {
        Ok(self.table().batch_get(keys).await?)
    }

    pub async fn query(&self, query: &Query) -> Result<Vec<(Sk, Row)>> {
        Ok(self.table().query_all(query).await?)
    }

    /// False where a condition did not hold.
    pub async fn commit(&self, writes: Vec<Write>) -> Result<bool> {
        match self.table().commit(writes).await {
            Ok(()) => Ok(true),
            Err(PortError::Condition { .. }) => Ok(false),
            Err(other) => Err(other.into()),
        }
    }
}
