//! The ports on DynamoDB, S3, SQS and KMS.
//!
//! | port | service | file |
//! |---|---|---|
//! | Table | one DynamoDB table | `table.rs` |
//! | Blobs | one bucket | `blobs.rs` |
//! | Queue | FIFO queues, with rows for what is parked | `queue.rs` |
//! | Wake | watch rows, and a standard queue for each edge | `wake.rs` |
//! | Secrets | one KMS key, and a bucket with a secret for each tenant | `secrets.rs`, `tenant_secrets.rs` |
//!
//! [`Settings`] say where all that is; [`Ports::open`] sends nothing, so that a function starts quickly; [`Ports::check`]
//! asks each service once, for an edge that would rather not start than fail later. Every request goes through `wire.rs`,
//! which decides what its failure means and whether it may be sent again.

mod blobs;
mod cells;
mod check;
mod event;
mod expression;
mod ledger;
mod open;
mod queue;
mod secrets;
mod settings;
mod table;
mod tenant_secrets;
#[cfg(feature = "testing")]
pub mod testing;
mod values;
mod wake;
mod wire;

pub use cells::Place;
pub use check::CheckError;
pub use event::{Event, Failures};
pub use ledger::Compared;
pub use open::{Batch, Ports};
pub use queue::Incoming;
pub use settings::{Endpoints, Options, Settings, SettingsError};
pub use wire::Runner;
