use crate::health::Level;
use std::path::PathBuf;

/// How much space the data directory's file system has left.
pub(crate) struct Disk {
    pub(crate) dir: PathBuf,
    /// Percent that must be free for new blobs and jobs; commits go on down to two fifths of it.
    pub(crate) reserve: u64,
}

impl Disk {
    pub(crate) fn level(&self) -> Level {
        // A file system that cannot say is not a reason to refuse mail: a write will tell.
        let Ok(stat) = rustix::fs::statvfs(&self.dir) else { return Level::Good };
        let (free, all) = (u128::from(stat.f_bavail) * 1000, u128::from(stat.f_blocks));
        if free < all * u128::from(self.reserve) * 4 {
            Level::Full
        } else if free < all * u128::from(self.reserve) * 10 {
            Level::Low
        } else {
            Level::Good
        }
    }
}
