use parking_lot::Mutex;
use penfold_ports::PortError;
use std::io;
use std::sync::atomic::{AtomicU8, Ordering};

/// What the store can still do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(crate) enum Level {
    Good,
    /// Little space: no new blobs and jobs, but what is on its way can still be committed.
    Low,
    /// Hardly any space: no commits either.
    Full,
    /// A write or sync failed for want of space: final until the next open.
    OutOfSpace,
    /// A write or sync failed: final until the next open.
    Broken,
    Closed,
}

/// Read by every request, set by the committer.
pub(crate) struct Health {
    level: AtomicU8,
    cause: Mutex<String>,
}

impl Default for Health {
    fn default() -> Self {
        Self { level: AtomicU8::new(Level::Good as u8), cause: Mutex::new(String::new()) }
    }
}

impl Health {
    pub(crate) fn level(&self) -> Level {
        match self.level.load(Ordering::Acquire) {
            0 => Level::Good,
            1 => Level::Low,
            2 => Level::Full,
            3 => Level::OutOfSpace,
            4 => Level::Broken,
            _ => Level::Closed,
        }
    }

    pub(crate) fn set_space(&self, level: Level) {
        // The final levels stay.
        let _ = self.level.fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| (now <= Level::Full as u8).then_some(level as u8));
    }

    pub(crate) fn close(&self) {
        let _ = self.level.fetch_max(Level::Closed as u8, Ordering::AcqRel);
    }

    pub(crate) fn fail(&self, level: Level, cause: String) {
        tracing::error!(%cause, "the store failed and takes no writes until it is opened again");
        *self.cause.lock() = cause;
        self.level.fetch_max(level as u8, Ordering::AcqRel);
    }

    /// For what brings new data in: blobs and jobs.
    pub(crate) fn may_bring_in(&self) -> Result<(), PortError> {
        if self.level() == Level::Low { Err(PortError::Full) } else { self.may_commit() }
    }

    pub(crate) fn may_commit(&self) -> Result<(), PortError> {
        if self.level() == Level::Full { Err(PortError::Full) } else { self.may_free() }
    }

    /// For what frees space, and for reads that need the store open.
    pub(crate) fn may_free(&self) -> Result<(), PortError> {
        match self.level() {
            Level::Good | Level::Low | Level::Full => Ok(()),
            Level::OutOfSpace => Err(PortError::Full),
            Level::Broken => Err(PortError::Broken(self.cause.lock().clone())),
            Level::Closed => Err(PortError::Broken("the store is closed".to_owned())),
        }
    }
}

/// True where an error of the engine means that the disk is full.
pub(crate) fn is_out_of_space(error: &fjall::Error) -> bool {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if error.downcast_ref::<io::Error>().is_some_and(|e| matches!(e.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
        {
            return true;
        }
        source = error.source();
    }
    false
}

pub(crate) fn broken(error: impl std::fmt::Display) -> PortError {
    PortError::Broken(error.to_string())
}
