use crate::{Key, Name, Pk, PortError, Row, Sk, Units, Value};
use async_trait::async_trait;
use penfold_types::CommitId;

/// What every adapter refuses beyond, being the narrower of the worlds.
pub mod limits {
    /// Bytes of a partition key.
    pub const PK: usize = 2048;
    /// Bytes of a sort key.
    pub const SK: usize = 1024;
    /// Bytes of one row, key included.
    pub const ROW: usize = 400 * 1024;
    /// Writes in one commit.
    pub const WRITES: usize = 100;
    /// Bytes of all rows of one commit.
    pub const COMMIT: usize = 4 * 1024 * 1024;
    /// Bytes of rows in one page of a query.
    pub const PAGE: usize = 1024 * 1024;
    /// Keys in one batch read.
    pub const BATCH: usize = 100;
}

/// When a write may happen. Judged against the row as it is at the moment of the commit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum When {
    Always,
    /// There is no such row.
    Absent,
    /// There is such a row.
    Present,
    /// The row exists and these attributes have these values.
    Equal(Vec<(Name, Value)>),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Write {
    /// Replaces the whole row.
    Put { key: Key, row: Row, when: When },
    /// Sets and removes single attributes; a row that was absent is made (unless `when` forbids it).
    Update { key: Key, set: Vec<(Name, Value)>, remove: Vec<Name>, when: When },
    /// Removing an absent row is no error.
    Delete { key: Key, when: When },
    /// Writes nothing; only its condition counts.
    Check { key: Key, when: When },
}

impl Write {
    pub fn put(key: Key, row: Row) -> Self {
        Self::Put { key, row, when: When::Always }
    }

    pub fn put_new(key: Key, row: Row) -> Self {
        Self::Put { key, row, when: When::Absent }
    }

    pub fn delete(key: Key) -> Self {
        Self::Delete { key, when: When::Always }
    }

    pub fn key(&self) -> &Key {
        match self {
            Self::Put { key, .. } | Self::Update { key, .. } | Self::Delete { key, .. } | Self::Check { key, .. } => key,
        }
    }

    pub fn when(&self) -> &When {
        match self {
            Self::Put { when, .. } | Self::Update { when, .. } | Self::Delete { when, .. } | Self::Check { when, .. } => when,
        }
    }
}

/// All or nothing. No two writes name the same row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// The client token: sending a commit again under the same id within ten minutes does not carry it out twice.
    pub id: CommitId,
    pub writes: Vec<Write>,
}

/// A range of one partition, in the order of its sort keys.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Query {
    pub pk: Pk,
    /// The first sort key, included.
    pub from: Sk,
    /// The end, not included; `None`: to the end of the partition.
    pub to: Option<Sk>,
    /// Rows at most.
    pub limit: usize,
    /// From the end backwards.
    pub reverse: bool,
}

impl Query {
    /// Every row whose sort key begins with `prefix`.
    pub fn prefix(pk: Pk, prefix: &Sk) -> Self {
        // Nothing sorts after every key that begins with nothing, or with 0xff alone.
        let to = Some(prefix.after_prefix()).filter(|end| !end.as_bytes().is_empty());
        Self { pk, from: prefix.clone(), to, limit: usize::MAX, reverse: false }
    }
}

/// Rows in order. `more` is true where the page ended (by the limit or at 1 MB) before the range did: go on after the
/// last row.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Page {
    pub rows: Vec<(Sk, Row)>,
    pub more: bool,
}

/// How far a chain of commits came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chain {
    /// Commits carried out, from the first.
    pub done: usize,
    /// What stopped it, where it did not come to the end. An `Unknown` speaks of commit number `done`, and of those
    /// after it none was sent.
    pub error: Option<PortError>,
}

/// Ordered rows. Reads see every commit that returned before the read began; they never see a part of a commit, nor
/// anything that a power cut could still take back.
///
/// Every method adds what it cost to `spent`, also where it fails.
#[async_trait]
pub trait Table: Send + Sync {
    async fn get(&self, key: &Key, spent: &mut Units) -> Result<Option<Row>, PortError>;

    /// At most [`limits::BATCH`] keys; answers stand in the order of the keys.
    async fn batch_get(&self, keys: &[Key], spent: &mut Units) -> Result<Vec<Option<Row>>, PortError>;

    async fn query(&self, query: &Query, spent: &mut Units) -> Result<Page, PortError>;

    /// One row by itself, at half a commit's price; durable when it returns.
    async fn put(&self, write: Write, spent: &mut Units) -> Result<(), PortError>;

    /// All of it or nothing, durable when it returns. At most [`limits::WRITES`] writes and [`limits::COMMIT`] bytes.
    /// `Condition` names the first write that did not hold.
    async fn commit(&self, commit: &Commit, spent: &mut Units) -> Result<(), PortError>;

    /// Commits that build on one another, without waiting in between; ends at the first that fails.
    async fn commit_chain(&self, commits: &[Commit], spent: &mut Units) -> Chain;
}
