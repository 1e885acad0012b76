//! The ACME client (RFC 8555) of `penfold_certificates`: one order from its beginning, or from where it stopped, to its chain.
//! Nonces and signatures are instant-acme's; the connections are ours.

mod client;
mod https;

pub use client::{Account, Acme};
pub use https::{Https, Roots};
