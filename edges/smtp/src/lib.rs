//! SMTP: the MX and submission ports (RFC 5321, RFC 6409, RFC 8314). [`Session`] speaks the protocol and does no I/O;
//! `driver.rs` owns sockets, TLS and time; whether a message may come in is decided in `penfold-transport`.

mod answers;
mod budget;
mod config;
mod driver;
mod envelope;
mod grammar;
mod listen;
mod receive;
mod reply;
mod session;
mod share;

pub use budget::{Budget, Lease};
pub use config::{Config, Port, Role};
pub use driver::Smtp;
pub use grammar::parameters::{By, Hold, MailParameters, RcptParameters};
pub use grammar::path::Path;
pub use reply::Reply;
pub use session::{Answer, Ask, Recipient, Session, Step, Transaction};
