//! The words every other crate speaks: ids, addresses, modification sequences, error kinds, and the `Env` from which
//! time, randomness and waiting are taken.

mod address;
pub mod date;
mod env;
mod error;
mod id;
mod numbers;

pub use address::{Address, AddressError, Domain};
pub use env::{Env, Source, System, Timestamp};
pub use error::{Error, Kind, Result};
pub use id::{AcceptanceId, CommitId, FolderId, ItemId, PrincipalId, TenantId};
pub use numbers::{Modseq, Uid, UidValidity};
