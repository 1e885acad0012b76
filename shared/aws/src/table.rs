//! Rows as items of one table. Reads are strongly consistent. A commit is a transaction under the commit's id as client
//! token, so sending it again after a lost answer carries it out once; a single put has no token, so its lost answer is
//! the caller's to settle.
//!
//! What DynamoDB gives less than the port's contract: a query that runs beside a transaction is isolated row by row
//! (read-committed), not as a whole. See docs/decisions/0011-aws-ports.md.

mod commit;
mod put;
mod query;

use crate::cells::Cells;
use crate::ledger::{Ledger, consumed};
use crate::values::{Item, key_item, read_item};
use crate::wire::{Repeat, Wire};
use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{KeysAndAttributes, ReturnConsumedCapacity};
use penfold_ports::{Chain, Commit, Key, Page, PortError, Query, Row, Table, Units, Write, item_size, limits, read_units};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

/// Answers of a batch that brought nothing, before the batch is given up.
const EMPTY_ANSWERS: u32 = 6;
const FIRST_PAUSE: Duration = Duration::from_millis(30);

#[derive(Clone)]
pub(crate) struct DynamoTable {
    pub(crate) wire: Arc<Wire>,
    pub(crate) client: Client,
    pub(crate) cells: Arc<Cells>,
    pub(crate) ledger: Arc<Ledger>,
    /// Look at rows before they are written, so that what a write costs can be counted and compared.
    pub(crate) verify: bool,
}

fn reading(units: u64) -> Units {
    Units { read: units, ..Units::default() }
}

fn units_of(key: &Key, row: Option<&Row>) -> u64 {
    read_units(row.map_or(0, |row| item_size(key, row)))
}

fn read_row(item: Option<Item>) -> Result<Option<Row>, PortError> {
    item.map(|item| read_item(item).map(|(_, row)| row)).transpose()
}

impl DynamoTable {
    /// Some of the keys: those that are there, and those that were not looked at.
    async fn batch(&self, table: &str, keys: Vec<Key>, spent: &mut Units) -> Result<(Vec<(Key, Row)>, Vec<Key>), PortError> {
        let wanted = KeysAndAttributes::builder().set_keys(Some(keys.iter().map(key_item).collect())).consistent_read(true).build();
        let wanted = wanted.map_err(|error| PortError::Broken(error.to_string()))?;
        let request = self.client.batch_get_item().request_items(table, wanted).return_consumed_capacity(ReturnConsumedCapacity::Total);
        let mut answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(|failure| failure.of_read())?;
        let reported = consumed(answer.consumed_capacity(), false);
        let items = answer.responses.take().and_then(|mut tables| tables.remove(table)).unwrap_or_default();
        let found: Vec<_> = items.into_iter().map(read_item).collect::<Result<_, _>>()?;
        let left = answer.unprocessed_keys.take().and_then(|mut tables| tables.remove(table));
        let left: BTreeSet<Key> =
            left.map_or_else(Vec::new, |left| left.keys).into_iter().filter_map(|key| read_item(key).ok()).map(|(key, _)| key).collect();
        let sizes: BTreeMap<&Key, &Row> = found.iter().map(|(key, row)| (key, row)).collect();
        let counted = keys.iter().filter(|key| !left.contains(*key)).map(|key| units_of(key, sizes.get(key).copied())).sum();
        let absent = keys.len() - left.len() - found.len();
        self.ledger.compare("batch get", reading(counted), reported.filter(|_| absent == 0));
        spent.read += counted;
        Ok((found, left.into_iter().collect()))
    }

    /// The rows that are there, of any number of different keys up to a batch's.
    pub(crate) async fn batch_map(&self, keys: BTreeSet<Key>, spent: &mut Units) -> Result<HashMap<Key, Row>, PortError> {
        let mut rows = HashMap::new();
        for (table, keys) in self.cells.by_table(keys, spent).await? {
            self.batch_of(table, keys, &mut rows, spent).await?;
        }
        Ok(rows)
    }

    async fn batch_of(&self, table: &str, mut left: Vec<Key>, rows: &mut HashMap<Key, Row>, spent: &mut Units) -> Result<(), PortError> {
        let (mut empty, mut pause) = (0, FIRST_PAUSE);
        while !left.is_empty() {
            let asked = left.len();
            let (found, rest) = self.batch(table, left, spent).await?;
            rows.extend(found);
            left = rest;
            if left.len() == asked {
                empty += 1;
                if empty >= EMPTY_ANSWERS {
                    return Err(PortError::Throttled);
                }
                self.wire.env.sleep_jittered(pause).await;
                pause *= 2;
            }
        }
        Ok(())
    }
}

#[async_trait]
impl Table for DynamoTable {
    async fn get(&self, key: &Key, spent: &mut Units) -> Result<Option<Row>, PortError> {
        let request = self
            .client
            .get_item()
            .table_name(self.cells.table(key.pk(), spent).await?)
            .set_key(Some(key_item(key)))
            .consistent_read(true)
            .return_consumed_capacity(ReturnConsumedCapacity::Total);
        let answer = self.wire.call(Repeat::Safe, || request.clone().send()).await.map_err(|failure| failure.of_read())?;
        let reported = consumed(answer.consumed_capacity(), false);
        let row = read_row(answer.item)?;
        let counted = units_of(key, row.as_ref());
        self.ledger.compare("get", reading(counted), reported);
        spent.read += counted;
        Ok(row)
    }

    async fn batch_get(&self, keys: &[Key], spent: &mut Units) -> Result<Vec<Option<Row>>, PortError> {
        if keys.len() > limits::BATCH {
            return Err(PortError::Limit("a batch has at most 100 keys"));
        }
        let rows = self.batch_map(keys.iter().cloned().collect(), spent).await?;
        Ok(keys.iter().map(|key| rows.get(key).cloned()).collect())
    }

    async fn query(&self, query: &Query, spent: &mut Units) -> Result<Page, PortError> {
        self.run_query(query, spent).await
    }

    async fn put(&self, write: Write, spent: &mut Units) -> Result<(), PortError> {
        write.check_limits()?;
        self.put_one(&write, spent).await
    }

    async fn commit(&self, commit: &Commit, spent: &mut Units) -> Result<(), PortError> {
        commit.check_limits()?;
        self.transact(commit, spent).await
    }

    async fn commit_chain(&self, commits: &[Commit], spent: &mut Units) -> Chain {
        for (done, commit) in commits.iter().enumerate() {
            if let Err(error) = self.commit(commit, spent).await {
                return Chain { done, error: Some(error) };
            }
        }
        Chain { done: commits.len(), error: None }
    }
}
