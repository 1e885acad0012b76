use crate::core::Core;
use crate::journal::mark_flushed;
use crate::layout::Space;
use fjall::AbstractTree;
use std::path::PathBuf;
use std::time::Duration;

/// So much journal is read again at open in a few milliseconds; it is not worth a flush.
const ENOUGH: u64 = 4 << 20;
const PATIENCE: u32 = 1_000;

/// A clean close writes everything to tables, so that the next open has no journal to read again.
pub(crate) struct Closing {
    pub(crate) store: PathBuf,
    /// Bytes in the journals, about.
    pub(crate) journalled: u64,
}

impl Closing {
    /// The committer calls this last. Where it does not work out, the journals are as good.
    pub(crate) fn flush(&self, core: &Core) {
        if self.journalled < ENOUGH || core.health.may_free().is_err() {
            return;
        }
        let spaces = [Space::Rows, Space::Blobs, Space::Jobs].map(|space| core.space(space));
        for space in spaces {
            if let Err(error) = space.rotate_memtable() {
                tracing::warn!(%error, "the store is closed without a flush");
                return;
            }
        }
        let is_flushed = || spaces.iter().all(|space| space.tree.sealed_memtable_count() == 0 && space.tree.active_memtable().is_empty());
        for _ in 0..PATIENCE {
            if is_flushed() {
                if let Err(error) = mark_flushed(&self.store) {
                    tracing::warn!(%error, "the store is closed without a mark");
                }
                return;
            }
            std::thread::park_timeout(Duration::from_millis(10));
        }
    }
}
