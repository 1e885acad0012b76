//! From configuration to a running world: settings, TLS, telemetry, and the ports they ask for.

mod config;
mod dns;
mod fairness;
mod proxy;
mod public_ports;
mod socket;
mod source;
mod telemetry;
mod tls;
mod web;

pub use config::{Acme, Config, ConfigError, Settings};
pub use dns::{DnsUpdate, NameServer, NameServersError, SystemDns, UpdateError, Updater, resolving};
pub use fairness::Fairness;
pub use proxy::{Front, Network};
pub use public_ports::PublicPorts;
pub use socket::{network, settle};
pub use source::Source;
pub use telemetry::{LogFormat, start_logging};
pub use tls::{ACME_TLS, Names, NamesEdit, Tls, TlsError};
pub use web::{PublicWeb, allowed_of_environment};
