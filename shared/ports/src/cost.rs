//! What a request would be billed by DynamoDB and S3, counted on every adapter so that cost is a number that tests hold.
//! Amazon DynamoDB developer guide, "Item sizes and formats" and "Read and write capacity".

use crate::{Key, Row, Value};
use parking_lot::Mutex;
use penfold_types::TenantId;
use std::collections::BTreeMap;
use std::ops::{AddAssign, Sub};

/// Billed request units.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Units {
    /// Strongly consistent reads of up to 4 KB.
    pub read: u64,
    /// Writes of up to 1 KB; a transaction counts each twice.
    pub write: u64,
    /// Puts and lists, which S3 bills alike.
    pub blob_put: u64,
    pub blob_get: u64,
    pub blob_delete: u64,
    /// Queue requests: each send, receive, extend or delete call, of up to 10 jobs.
    pub queue: u64,
}

impl AddAssign for Units {
    fn add_assign(&mut self, other: Self) {
        self.read += other.read;
        self.write += other.write;
        self.blob_put += other.blob_put;
        self.blob_get += other.blob_get;
        self.blob_delete += other.blob_delete;
        self.queue += other.queue;
    }
}

/// What was used since: counts only grow.
impl Sub for Units {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            read: self.read - before.read,
            write: self.write - before.write,
            blob_put: self.blob_put - before.blob_put,
            blob_get: self.blob_get - before.blob_get,
            blob_delete: self.blob_delete - before.blob_delete,
            queue: self.queue - before.queue,
        }
    }
}

fn value_size(value: &Value) -> usize {
    match value {
        // One byte for two digits, and one for the exponent.
        Value::U(number) => 1 + (number.checked_ilog10().unwrap_or(0) as usize + 2) / 2,
        Value::S(text) => text.len(),
        Value::B(bytes) => bytes.len(),
    }
}

/// A row's size in bytes: names and values, key attributes (`pk`, `sk`) included.
pub fn item_size(key: &Key, row: &Row) -> usize {
    let attributes: usize = row.iter().map(|(name, value)| name.len() + value_size(value)).sum();
    2 + key.pk().as_str().len() + 2 + key.sk().as_bytes().len() + attributes
}

/// Units to read `size` bytes: at least one, absent rows too.
pub fn read_units(size: usize) -> u64 {
    size.div_ceil(4096).max(1) as u64
}

/// Units to write a row of `size` bytes once, outside a transaction.
pub fn write_units(size: usize) -> u64 {
    size.div_ceil(1024).max(1) as u64
}

/// What one operation of one tenant has used so far.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Usage {
    pub operation: &'static str,
    pub tenant: Option<TenantId>,
    pub requests: u64,
    pub units: Units,
}

/// Requests and units by operation and tenant.
type Counts = BTreeMap<(&'static str, Option<TenantId>), (u64, Units)>;

/// Adds up units by operation and tenant.
#[derive(Default, Debug)]
pub struct Meter {
    counts: Mutex<Counts>,
}

impl Meter {
    pub fn add(&self, operation: &'static str, tenant: Option<TenantId>, units: Units) {
        let mut counts = self.counts.lock();
        let entry = counts.entry((operation, tenant)).or_default();
        entry.0 += 1;
        entry.1 += units;
    }

    pub fn usage(&self) -> Vec<Usage> {
        let counts = self.counts.lock();
        counts
            .iter()
            .map(|((operation, tenant), (requests, units))| Usage { operation, tenant: *tenant, requests: *requests, units: *units })
            .collect()
    }

    /// All that one operation used, over all tenants.
    pub fn total(&self, operation: &str) -> Units {
        let mut sum = Units::default();
        for ((name, _), (_, units)) in self.counts.lock().iter() {
            if *name == operation {
                sum += *units;
            }
        }
        sum
    }
}
