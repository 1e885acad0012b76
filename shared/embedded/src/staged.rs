use crate::core::Core;
use crate::health::broken;
use crate::intake::Change;
use crate::layout::Space;
use bytes::Bytes;
use penfold_ports::{PortError, Row};
use std::collections::HashMap;

/// What one round has decided and not yet written. A key that is written twice in a round goes to the journal once.
#[derive(Default)]
pub(crate) struct Staged {
    changes: HashMap<(Space, Bytes), Option<Bytes>>,
}

impl Staged {
    pub(crate) fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// Bytes it will take in the journal, about.
    pub(crate) fn size(&self) -> u64 {
        let items = self.changes.iter().map(|((_, key), value)| 24 + key.len() + value.as_ref().map_or(0, Bytes::len));
        items.sum::<usize>() as u64
    }

    pub(crate) fn set(&mut self, change: Change) {
        self.changes.insert((change.space, change.key), change.value);
    }

    /// The row as the next commit finds it: as staged, else as the engine has it (which only the committer changes).
    pub(crate) fn row(&self, core: &Core, key: &Bytes) -> Result<Option<Row>, PortError> {
        let stored = match self.changes.get(&(Space::Rows, key.clone())) {
            Some(value) => value.clone(),
            None => core.space(Space::Rows).get(key).map_err(broken)?.map(Bytes::from),
        };
        stored.map(|bytes| Row::decode(bytes).map_err(broken)).transpose()
    }

    /// One batch in the journal: all of the round or nothing survives a crash.
    pub(crate) fn write(self, core: &Core) -> fjall::Result<()> {
        let mut batch = fjall::OwnedWriteBatch::with_capacity(core.db().clone(), self.changes.len());
        for ((space, key), value) in self.changes {
            match value {
                Some(value) => batch.insert(core.space(space), key, value),
                None => batch.remove(core.space(space), key),
            }
        }
        batch.commit()
    }
}
