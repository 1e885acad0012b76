use crate::core::Core;
use crate::health::broken;
use crate::intake::Change;
use crate::layout::{Space, key_of};
use crate::staged::Staged;
use bytes::Bytes;
use penfold_ports::{Commit, PortError, Row, Write, item_size};
use penfold_types::CommitId;

/// Writes with everything that their caller can do for the committer done: keys and rows as they are stored. The committer
/// gives them back with its answer, so that they are also freed by the caller.
pub(crate) struct Prepared {
    pub(crate) id: Option<CommitId>,
    pub(crate) writes: Vec<Write>,
    stored: Vec<(Bytes, Option<Bytes>)>,
}

impl Prepared {
    pub(crate) fn commit(commit: &Commit) -> Self {
        Self::new(Some(commit.id), commit.writes.clone())
    }

    pub(crate) fn put(write: Write) -> Self {
        Self::new(None, vec![write])
    }

    fn new(id: Option<CommitId>, writes: Vec<Write>) -> Self {
        let stored = |write: &Write| {
            let row = if let Write::Put { row, .. } = write { Some(row.encode()) } else { None };
            (key_of(write.key()), row)
        };
        let stored = writes.iter().map(stored).collect();
        Self { id, writes, stored }
    }

    /// Bytes in memory, about.
    pub(crate) fn weight(&self) -> usize {
        let more = |write: &Write| match write {
            Write::Update { key, set, .. } => {
                let mut row = Row::new();
                set.iter().for_each(|(name, value)| row.set(*name, value.clone()));
                item_size(key, &row)
            }
            _ => 0,
        };
        let stored = self.stored.iter().map(|(key, row)| 64 + key.len() + 2 * row.as_ref().map_or(0, Bytes::len));
        stored.sum::<usize>() + self.writes.iter().map(more).sum::<usize>()
    }

    /// Gives the rows before, one after the other, in the order of the writes.
    pub(crate) fn rows_before<'a, K: ?Sized>(
        &'a self,
        staged: &'a Staged,
        core: &'a Core,
    ) -> impl FnMut(&K) -> Result<Option<Row>, PortError> + 'a {
        let mut keys = self.stored.iter();
        move |_| match keys.next() {
            Some((key, _)) => staged.row(core, key),
            None => Err(broken("more rows were asked for than there are writes")),
        }
    }

    /// Stages what was decided: `rows` are the rows afterwards, of all writes but checks.
    pub(crate) fn stage(&self, rows: impl Iterator<Item = Option<Row>>, staged: &mut Staged) {
        let changing = self.writes.iter().zip(&self.stored).filter(|(write, _)| !matches!(write, Write::Check { .. }));
        for ((_, (key, encoded)), row) in changing.zip(rows) {
            let value = encoded.clone().or_else(|| row.map(|row| row.encode()));
            staged.set(Change { space: Space::Rows, key: key.clone(), value });
        }
    }
}
