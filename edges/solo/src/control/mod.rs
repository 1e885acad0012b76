//! How the command line reaches the store, which one process owns: through the socket `control.sock` in the data directory
//! (mode 0600) where a server runs, and else by opening the store itself. Either way the same handler answers, line by
//! line: a request is one line of JSON, and so is each response.

mod client;
mod reply;
mod server;

pub use client::{Asked, Place, ask};
pub use reply::{Reply, Response};
pub use server::listen;

use penfold_directory::Directory;
use penfold_domains::Primary;
use penfold_mailbox::Mailboxes;
use penfold_ports::World;
use std::path::PathBuf;

/// What a command works on.
#[derive(Clone)]
pub struct Service {
    pub world: World,
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    /// The name server that takes updates.
    pub primary: Option<Primary>,
}

/// A service and where its data lies.
#[derive(Clone)]
pub struct Context {
    pub service: Service,
    pub data: PathBuf,
}

/// The name of the socket in the data directory.
pub const SOCKET: &str = "control.sock";
