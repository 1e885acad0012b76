//! Mail out: the SMTP client, an implementation of [`penfold_ports::Relay`].
//!
//! [`Client`] finds the hosts of a destination (`route`), decides what they must show (`demand`: DANE, MTA-STS,
//! REQUIRETLS), connects or reuses a connection (`connection`, `pool`), and hands the message over. The protocol itself is
//! a [`Session`] without I/O; what a host cannot take is converted (`convert`) or refused. Queues and retries are not here.

mod attempt;
mod client;
mod config;
mod connection;
mod convert;
mod demand;
mod destinations;
mod dial;
mod facts;
mod pool;
mod post;
mod route;
mod said;
mod session;
mod smart_host;
mod sts;
mod tls;
mod web;

pub use client::{Client, Outside};
pub use config::{Config, Timeouts};
pub use convert::{Octets, Unfit, convert};
pub use dial::{Dial, Duplex, Stream, Tcp};
pub use facts::{Fact, Facts, NoFacts, PolicyFacts, PolicyType, ResultType};
pub use post::HttpsPost;
pub use session::{Answer, Answers, Cause, Failure, Fault, Letter, Offers, Session, SignIn, Starttls, Step, Terms, Wait, fit};
pub use smart_host::{SmartHost, SmartHostError};
pub use sts::{FetchError, Https, Mode, NoPolicies, Policy, PolicyError, PolicyFetcher};
pub use tls::Roots;
