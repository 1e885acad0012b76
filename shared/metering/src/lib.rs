//! What the service has used, as numbers that others can read: what mailboxes used, counted from their logs by the hour, and
//! the counted requests of this process in the text format that Prometheus scrapes.

mod exposition;
pub mod usage;

pub use exposition::{Gauge, exposition};
