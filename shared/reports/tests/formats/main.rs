//! The formats of reports: examples of the documents both ways, what reporters really send, and what attackers would.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod dmarc;
mod hostile;
mod letters;
mod property;
mod tls;
