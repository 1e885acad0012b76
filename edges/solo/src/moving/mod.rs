//! A whole tenant as one archive, from one store to another: rows as they are, attribute by attribute, and blobs as they are
//! stored, sealed; nothing is opened or numbered anew. Only the tenant's data keys are wrapped anew, for the other store has
//! other secrets.
//!
//! | file | what |
//! |---|---|
//! | key.rs | the export key, and what is derived from it |
//! | frame.rs | the file: a header, then sealed frames in order |
//! | record.rs | what a frame holds |
//! | digest.rs | the checksum that both sides come to |
//! | walk.rs | which partitions a tenant has |
//! | part.rs | rows read and kept until they are known to belong together |
//! | export.rs | out of a store |
//! | import.rs, put.rs, verify.rs | into a store, and read back |
//! | remove.rs | out again, where an import was cut off |
//! | pipe.rs | standard input and output, which the server does not have |
//!
//! Order in the file: whose it is; the rows that make it reachable (addresses, domains, its name), so that an import can refuse
//! before it writes anything; blobs; mailboxes; usage; audit and traces; people and the organisation; sums. An import writes in the
//! same order but the first, which it keeps for the end: a tenant that has not come over whole is not there.

mod digest;
mod export;
mod frame;
mod import;
mod key;
mod part;
mod pipe;
mod put;
mod record;
mod remove;
#[cfg(test)]
mod tests;
mod verify;
mod walk;

pub use export::export;
pub use frame::{read_archive, write_archive};
pub use import::import;
pub use key::ExportKey;
pub use pipe::{Pipe, open_source, open_target};
pub use remove::remove;

use penfold_ports::PortError;
use penfold_types::{Env, Error, Result};
use std::time::Duration;

/// What was moved.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Moved {
    pub tenant: String,
    pub rows: u64,
    pub blobs: u64,
    /// Of blobs, as they are stored.
    pub bytes: u64,
    /// The same on both sides.
    pub checksum: String,
}

/// Requests side by side.
const IN_FLIGHT: usize = 32;
const TRIES: u32 = 10;

/// Asks again where the store is busy; for what may be done twice.
async fn patiently<T, F: Future<Output = Result<T, PortError>>>(env: &Env, mut ask: impl FnMut() -> F) -> Result<T, PortError> {
    for attempt in 0.. {
        match ask().await {
            Err(PortError::Throttled | PortError::Unknown) if attempt < TRIES => {
                env.sleep_jittered(Duration::from_millis(20 << attempt.min(7))).await;
            }
            answer => return answer,
        }
    }
    Err(PortError::Throttled)
}

fn damaged(what: &str) -> Error {
    Error::broken(format!("the archive is damaged: {what}; take another copy of it, or export again"))
}
