//! Bodies: what requests ask for as plain structures, and answers out of them. No store and no I/O.
//!
//! Elements and attributes that are not known are passed over (RFC 4918 §17). A body that is no XML, or not the one that
//! the method takes, is a [`Refused`], which knows its status and its body.

pub mod acl;
pub mod address_data;
mod body;
pub mod calendar_data;
pub mod error;
pub mod href;
pub mod mkcol;
pub mod multistatus;
pub mod propfind;
pub mod proppatch;
pub mod refused;
pub mod report;
#[cfg(test)]
mod tests;
mod time;
pub mod wanted;

pub use error::Precondition;
pub use multistatus::{Multistatus, Propstats, Response};
pub use refused::Refused;
pub use wanted::{Selection, Wanted};
