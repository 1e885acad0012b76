//! What all connections share.

use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_ports::{Account, Rates, Seat, Seats, Turns};
use penfold_runtime::network;
use penfold_types::{Env, PrincipalId, TenantId};
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

/// Limits and times of the edge.
#[derive(Clone)]
pub struct Options {
    /// For implicit TLS and STARTTLS; without it neither is offered.
    pub tls: Option<TlsAcceptor>,
    /// Connections in all.
    pub connections: usize,
    /// Connections of one person, and of all people of one tenant; 0: no limit.
    pub connections_per_person: u32,
    pub connections_per_tenant: u32,
    /// Connections from one network on which nobody has signed in yet; loopback is not counted. 0: no limit.
    pub strangers_per_network: u32,
    /// Commands of one person a minute, of which all may come at once; more are carried out later. 0: no limit.
    pub commands_per_minute: u32,
    /// Places for commands to be carried out in.
    pub turns: Turns,
    /// Until somebody has signed in.
    pub before_login: Duration,
    /// RFC 9051 §5.4: at least 30 minutes.
    pub autologout: Duration,
    /// An idling connection looks at its account at least so often: a lost wake costs no more.
    pub recheck: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            tls: None,
            connections: 100_000,
            connections_per_person: 40,
            connections_per_tenant: 10_000,
            strangers_per_network: 100,
            commands_per_minute: 12_000,
            turns: Turns::new(0),
            before_login: Duration::from_secs(60),
            autologout: Duration::from_secs(30 * 60 + 30),
            recheck: Duration::from_secs(10 * 60),
        }
    }
}

/// KB of large literals that all connections together may hold; who comes later is read later.
const UPLOADS: usize = 512 << 10;

pub struct Server {
    pub(crate) env: Env,
    pub(crate) directory: Directory,
    pub(crate) mailboxes: Mailboxes,
    pub(crate) options: Options,
    people: Seats<PrincipalId>,
    tenants: Seats<TenantId>,
    strangers: Seats<IpAddr>,
    pub(crate) pace: Rates<Account>,
    connections: AtomicUsize,
    /// KB of large literals that may be in memory at once.
    pub(crate) uploads: Arc<Semaphore>,
}

impl Server {
    pub fn new(env: Env, directory: Directory, mailboxes: Mailboxes, options: Options) -> Arc<Self> {
        Arc::new(Self {
            people: Seats::new(options.connections_per_person),
            tenants: Seats::new(options.connections_per_tenant),
            strangers: Seats::new(options.strangers_per_network),
            pace: Rates::per_minute(env.clone(), options.commands_per_minute),
            env,
            directory,
            mailboxes,
            options,
            connections: AtomicUsize::new(0),
            uploads: Arc::new(Semaphore::new(UPLOADS)),
        })
    }

    /// Connections that are open now.
    pub fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// A place for a connection; `None` where all are taken.
    pub(crate) fn admit(self: &Arc<Self>) -> Option<Admitted> {
        let before = self.connections.fetch_add(1, Ordering::Relaxed);
        let admitted = Admitted(self.clone());
        (before < self.options.connections).then_some(admitted)
    }

    /// A seat for one more connection of somebody who signed in.
    pub(crate) fn seat(&self, who: Account) -> Option<Seated> {
        Some(Seated { _person: self.people.take(who.principal)?, _tenant: self.tenants.take(who.tenant)? })
    }

    /// A seat for a connection on which nobody has signed in yet.
    pub(crate) fn stranger(&self, peer: IpAddr) -> Option<Stranger> {
        if peer.is_loopback() {
            return Some(Stranger { _network: None });
        }
        Some(Stranger { _network: Some(self.strangers.take(network(peer))?) })
    }
}

/// Counts a connection while it lives.
pub(crate) struct Admitted(Arc<Server>);

impl Drop for Admitted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Counts a person's connection while it lives.
pub(crate) struct Seated {
    _person: Seat<PrincipalId>,
    _tenant: Seat<TenantId>,
}

/// Counts a connection until somebody signs in.
pub(crate) struct Stranger {
    _network: Option<Seat<IpAddr>>,
}
