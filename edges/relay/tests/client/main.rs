//! The client against hosts of its own making: on virtual time over pipes, and over TCP on loopback.
#![allow(clippy::unwrap_used)]

mod fetch;
mod hostile;
mod loopback;
mod net;
mod policies;
mod post;
mod reuse;
mod routes;
mod smart;
mod tls;
