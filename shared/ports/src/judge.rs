//! The judgement of writes, pure, so that every adapter that keeps its own rows decides alike: limits, conditions, the
//! rows afterwards, and the price.

use crate::{Commit, Key, Name, PortError, Row, Units, Value, When, Write, item_size, limits, write_units};
use std::borrow::Cow;
use std::collections::BTreeSet;

/// A row as it is after a write; `None` where it is gone.
pub type After<'a> = (&'a Key, Option<Cow<'a, Row>>);

impl When {
    pub fn holds(&self, row: Option<&Row>) -> bool {
        match (self, row) {
            (Self::Always, _) | (Self::Absent, None) | (Self::Present, Some(_)) => true,
            (Self::Equal(wanted), Some(row)) => wanted.iter().all(|(name, value)| row.get(*name) == Some(value)),
            _ => false,
        }
    }
}

impl Write {
    /// The row after this write, given the row before; `None` for no row.
    pub fn apply(&self, before: Option<Row>) -> Option<Cow<'_, Row>> {
        match self {
            Self::Put { row, .. } => Some(Cow::Borrowed(row)),
            Self::Delete { .. } => None,
            Self::Check { .. } => before.map(Cow::Owned),
            Self::Update { set, remove, .. } => {
                let mut row = before.unwrap_or_default();
                remove.iter().for_each(|name| row.remove(*name));
                set.iter().for_each(|(name, value)| row.set(*name, value.clone()));
                Some(Cow::Owned(row))
            }
        }
    }

    /// What can be refused without looking at what is stored.
    pub fn check_limits(&self) -> Result<usize, PortError> {
        let key = self.key();
        if key.pk().as_str().is_empty() || key.pk().as_str().len() > limits::PK || key.pk().as_str().contains('\0') {
            return Err(PortError::Limit("a partition key has 1 to 2,048 bytes and no NUL"));
        }
        if key.sk().as_bytes().is_empty() || key.sk().as_bytes().len() > limits::SK {
            return Err(PortError::Limit("a sort key has 1 to 1,024 bytes"));
        }
        // They lie beside the key in one item.
        let is_of_key = |(name, _): &(Name, Value)| matches!(name.as_str(), "pk" | "sk");
        let (size, takes_key) = match self {
            Self::Put { row, .. } => (item_size(key, row), row.iter().any(is_of_key)),
            Self::Update { set, .. } => (0, set.iter().any(is_of_key)),
            _ => (0, false),
        };
        if takes_key {
            return Err(PortError::Limit("no attribute is called pk or sk, as the parts of a key are"));
        }
        if size > limits::ROW { Err(PortError::Limit("a row has at most 400 KB")) } else { Ok(size) }
    }
}

impl Commit {
    /// What can be refused without looking at what is stored: counts, sizes, a row named twice.
    pub fn check_limits(&self) -> Result<(), PortError> {
        if self.writes.is_empty() || self.writes.len() > limits::WRITES {
            return Err(PortError::Limit("a commit has 1 to 100 writes"));
        }
        let mut total = 0;
        let mut keys = BTreeSet::new();
        for write in &self.writes {
            total += write.check_limits()?;
            if !keys.insert(write.key()) {
                return Err(PortError::Limit("no two writes of a commit name the same row"));
            }
        }
        if total > limits::COMMIT { Err(PortError::Limit("a commit has at most 4 MB")) } else { Ok(()) }
    }
}

/// What a write costs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Price {
    /// By itself: a unit per KB.
    Single,
    /// In a commit: two.
    Transaction,
}

/// What sending a commit again under its id costs: the rows are read, nothing is written.
pub fn repeat_units(writes: &[Write]) -> u64 {
    2 * writes.len() as u64
}

/// Decides writes against the rows that `before` gives (it is called once for each write, in order): the rows afterwards
/// of all but the checks, or the first condition that failed. In a commit the price is the same either way: by the larger
/// of before and after, and for a row that is only checked too. Limits that need no look at the rows
/// ([`Commit::check_limits`]) are the caller's.
pub fn judge<'a>(
    writes: &'a [Write],
    mut before: impl FnMut(&Key) -> Result<Option<Row>, PortError>,
    price: Price,
    spent: &mut Units,
) -> Result<Vec<After<'a>>, PortError> {
    let factor = if price == Price::Single { 1 } else { 2 };
    let mut failed = None;
    let mut total = 0;
    let mut too_large = false;
    let mut rows = Vec::with_capacity(writes.len());
    for (index, write) in writes.iter().enumerate() {
        let old = before(write.key())?;
        let old_size = old.as_ref().map_or(0, |row| item_size(write.key(), row));
        if !write.when().holds(old.as_ref()) {
            failed = failed.or(Some(index));
            // By itself, a failed condition is billed by the row that is there; in a transaction, as the write.
            if price == Price::Single {
                spent.write += write_units(old_size);
                continue;
            }
        }
        let new = write.apply(old);
        let new_size = new.as_ref().map_or(0, |row| item_size(write.key(), row));
        spent.write += factor * write_units(old_size.max(new_size));
        too_large |= new_size > limits::ROW;
        total += new_size;
        if !matches!(write, Write::Check { .. }) {
            rows.push((write.key(), new));
        }
    }
    if let Some(write) = failed {
        return Err(PortError::Condition { write });
    }
    if too_large || total > limits::COMMIT {
        return Err(PortError::Limit("a row has at most 400 KB, a commit 4 MB"));
    }
    Ok(rows)
}
