use crate::health::Level;
use std::path::PathBuf;

/// How much space the data directory's file system has left.
pub(crate) struct Disk {
    pub(crate) dir: PathBuf,
    /// Percent that must be free for new blobs and jobs, and bytes that are enough; commits go on down to two fifths of it.
    pub(crate) reserve: u64,
    pub(crate) at_most: u64,
}

impl Disk {
    pub(crate) fn level(&self) -> Level {
        // A file system that cannot say is not a reason to refuse mail: a write will tell.
        let Ok(stat) = rustix::fs::statvfs(&self.dir) else { return Level::Good };
        let bytes = |blocks: u64| u128::from(blocks) * u128::from(stat.f_frsize);
        let free = bytes(stat.f_bavail);
        let reserve = (bytes(stat.f_blocks) * u128::from(self.reserve) / 100).min(self.at_most.into());
        if free * 5 < reserve * 2 {
            Level::Full
        } else if free < reserve {
            Level::Low
        } else {
            Level::Good
        }
    }
}
