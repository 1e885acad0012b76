//! Cells: each a table, a bucket, a queue and a key of its own. All that is a tenant's lies in one of them; what belongs to no
//! tenant (routes, domains, the list of tenants) lies in the home cell, and so does a row for each tenant that is not at
//! home. A process asks for that row once a minute at most, and never where there is one cell only.

use crate::values::{key_item, read_item};
use crate::wire::{Repeat, Wire};
use aws_sdk_dynamodb::Client;
use parking_lot::Mutex;
use penfold_ports::{Key, Name, Pk, PortError, QueueName, Row, Units, Value, When, Write, shared};
use penfold_types::TenantId;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How long a process believes where a tenant lies. Who moves one keeps its heads frozen for longer.
const BELIEVED: Duration = Duration::from_secs(60);
/// Tenants remembered; beyond that all are asked for again.
const REMEMBERED: usize = 100_000;
const CELL: Name = Name::new("cell");

/// Where a cell lies.
#[derive(Clone, PartialEq, Eq, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Place {
    pub cell: String,
    pub table: String,
    pub bucket: String,
    /// The URLs of its queues.
    pub deliver: String,
    pub send: String,
    pub relay: String,
    pub transfer: String,
    pub subscribe: String,
    /// The bucket with the tenants' secrets: of all cells those of the home cell are used.
    pub secrets: String,
    /// Id, ARN or alias of the key that encrypts the tenants' secrets.
    pub key: String,
}

impl Place {
    pub(crate) fn queue(&self, name: QueueName) -> &str {
        match name {
            QueueName::Deliver => &self.deliver,
            QueueName::Send => &self.send,
            QueueName::Relay => &self.relay,
            QueueName::Transfer => &self.transfer,
            QueueName::Subscribe => &self.subscribe,
        }
    }
}

pub(crate) struct Cells {
    wire: Arc<Wire>,
    client: Client,
    /// This process's own first.
    places: Vec<Place>,
    home: usize,
    /// Where tenants go that are made now.
    new: usize,
    known: Mutex<HashMap<TenantId, (usize, Instant)>>,
}

impl Cells {
    /// `home` and `new` are among `places`: settings.rs has looked.
    pub(crate) fn new(wire: Arc<Wire>, client: Client, places: Vec<Place>, home: &str, new: &str) -> Self {
        let find = |name: &str| places.iter().position(|place| place.cell == name).unwrap_or(0);
        Self { home: find(home), new: find(new), wire, client, places, known: Mutex::default() }
    }

    pub(crate) fn own(&self) -> &Place {
        &self.places[0]
    }

    pub(crate) fn home(&self) -> &Place {
        &self.places[self.home]
    }

    pub(crate) fn all(&self) -> &[Place] {
        &self.places
    }

    /// The cell of a tenant, by its place among all.
    pub(crate) async fn at(&self, tenant: TenantId, spent: &mut Units) -> Result<usize, PortError> {
        let (at, known) = self.find(tenant, spent).await?;
        if !known {
            self.remember(tenant, at);
        }
        Ok(at)
    }

    pub(crate) async fn of(&self, tenant: TenantId, spent: &mut Units) -> Result<&Place, PortError> {
        Ok(&self.places[self.at(tenant, spent).await?])
    }

    /// True where nothing had to be asked.
    async fn find(&self, tenant: TenantId, spent: &mut Units) -> Result<(usize, bool), PortError> {
        if self.places.len() == 1 {
            return Ok((0, true));
        }
        let known = self.known.lock().get(&tenant).copied();
        match known {
            Some((at, until)) if self.wire.env.monotonic() < until => Ok((at, true)),
            _ => Ok((self.ask(tenant, spent).await?, false)),
        }
    }

    async fn ask(&self, tenant: TenantId, spent: &mut Units) -> Result<usize, PortError> {
        let get = self.client.get_item().table_name(&self.home().table).set_key(Some(key_item(&shared::placement(tenant))));
        let get = get.consistent_read(true);
        let answer = self.wire.call(Repeat::Safe, || get.clone().send()).await.map_err(|failure| failure.of_read())?;
        spent.read += 1;
        match answer.item.map(read_item).transpose()? {
            Some((_, row)) => self.named(&row),
            None => Ok(self.home),
        }
    }

    fn named(&self, row: &Row) -> Result<usize, PortError> {
        let name = match row.get(CELL) {
            Some(Value::S(name)) => name.as_str(),
            _ => "",
        };
        let missing = || PortError::Broken(format!("a tenant lies in cell {name}, which PENFOLD_CELLS does not name"));
        self.places.iter().position(|place| place.cell == name).ok_or_else(missing)
    }

    fn remember(&self, tenant: TenantId, at: usize) {
        let mut known = self.known.lock();
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(tenant, (at, self.wire.env.monotonic() + BELIEVED));
    }

    /// The table of a partition. What is a cell's own lies in this process's.
    pub(crate) async fn table(&self, pk: &Pk, spent: &mut Units) -> Result<&str, PortError> {
        Ok(match pk.tenant() {
            Some(tenant) => &self.of(tenant, spent).await?.table,
            None if pk.is_of_cell() => &self.own().table,
            None => &self.home().table,
        })
    }

    /// A commit that makes a tenant also places it, where new tenants do not stay at home.
    pub(crate) fn placing(&self, writes: &[Write]) -> Option<Write> {
        if self.new == self.home {
            return None;
        }
        let tenant = writes.iter().find_map(|write| match write {
            Write::Put { key, when: When::Absent, .. } if shared::is_tenant(key) => key.pk().tenant(),
            _ => None,
        })?;
        // One whose blobs or rows this process has put already is not made but brought, and stays where they are.
        let known = self.known.lock().get(&tenant).map(|(at, _)| *at);
        if known.is_some_and(|at| at != self.new) {
            return None;
        }
        self.remember(tenant, self.new);
        let row = Row::new().with(CELL, self.places[self.new].cell.as_str());
        Some(Write::Put { key: shared::placement(tenant), row, when: When::Always })
    }

    /// Keys by the table that they lie in.
    pub(crate) async fn by_table(
        &self,
        keys: impl IntoIterator<Item = Key>,
        spent: &mut Units,
    ) -> Result<HashMap<&str, Vec<Key>>, PortError> {
        let mut tables: HashMap<&str, Vec<Key>> = HashMap::new();
        for key in keys {
            tables.entry(self.table(key.pk(), spent).await?).or_default().push(key);
        }
        Ok(tables)
    }
}
