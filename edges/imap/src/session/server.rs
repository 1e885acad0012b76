//! What all connections share.

use parking_lot::Mutex;
use penfold_directory::Directory;
use penfold_mailbox::Mailboxes;
use penfold_types::{Env, PrincipalId};
use std::collections::HashMap;
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
    /// Connections of one person.
    pub connections_per_person: u32,
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
            connections_per_person: 100,
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
    people: Mutex<HashMap<PrincipalId, u32>>,
    connections: AtomicUsize,
    /// KB of large literals that may be in memory at once.
    pub(crate) uploads: Arc<Semaphore>,
}

impl Server {
    pub fn new(env: Env, directory: Directory, mailboxes: Mailboxes, options: Options) -> Arc<Self> {
        Arc::new(Self {
            env,
            directory,
            mailboxes,
            options,
            people: Mutex::default(),
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

    /// A place for one more connection of a person.
    pub(crate) fn seat(self: &Arc<Self>, person: PrincipalId) -> Option<Seat> {
        let mut people = self.people.lock();
        let count = people.entry(person).or_insert(0);
        if *count >= self.options.connections_per_person {
            return None;
        }
        *count += 1;
        drop(people);
        Some(Seat { server: self.clone(), person })
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
pub(crate) struct Seat {
    server: Arc<Server>,
    person: PrincipalId,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut people = self.server.people.lock();
        if let Some(count) = people.get_mut(&self.person) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                people.remove(&self.person);
            }
        }
    }
}
