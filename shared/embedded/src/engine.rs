use crate::committer::Committer;
use crate::core::Core;
use parking_lot::Mutex;
use std::fs::File;
use std::io;
use std::ops::Deref;
use std::sync::Arc;
use std::thread::JoinHandle;

/// Holds the committer's thread and the directory's lock. Every port holds this and the thread holds the core alone, so
/// dropping the last port ends the thread and then lets the directory go.
pub(crate) struct Engine {
    core: Arc<Core>,
    thread: Mutex<Option<JoinHandle<()>>>,
    _lock: File,
}

impl Engine {
    pub(crate) fn start(core: Arc<Core>, committer: Committer, lock: File) -> io::Result<Self> {
        let thread = std::thread::Builder::new().name("committer".to_owned()).spawn(move || committer.run())?;
        Ok(Self { core, thread: Mutex::new(Some(thread)), _lock: lock })
    }

    pub(crate) fn stop(&self) {
        self.core.close();
        if let Some(thread) = self.thread.lock().take()
            && thread.join().is_err()
        {
            tracing::error!("the committer panicked");
        }
    }
}

impl Deref for Engine {
    type Target = Core;

    fn deref(&self) -> &Core {
        &self.core
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stop();
    }
}
