//! What the service has used, as numbers that others can read. Today: the counted requests of this process, in the text
//! format that Prometheus scrapes. The roll-ups that bills are made of come with the usage API.

mod exposition;

pub use exposition::{Gauge, exposition};
