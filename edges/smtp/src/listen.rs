//! Ports: connections are counted, served and, at the end, waited for.

use crate::Smtp;
use crate::config::Port;
use parking_lot::Mutex;
use penfold_runtime::{Front, network, settle};
use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};

const TOO_MANY: &[u8] = b"421 4.7.0 Too many connections, come back later\r\n";
/// After an accept that failed: most likely there are no more file descriptors.
const PAUSE: Duration = Duration::from_millis(100);

/// How many connections there are, in all and from each address.
#[derive(Clone)]
pub(crate) struct Connections(Arc<Mutex<Counts>>);

struct Counts {
    open: usize,
    all: usize,
    per_peer: u32,
    peers: HashMap<IpAddr, u32>,
}

impl Connections {
    pub fn new(all: usize, per_peer: u32) -> Self {
        Self(Arc::new(Mutex::new(Counts { open: 0, all, per_peer, peers: HashMap::new() })))
    }

    pub fn open(&self) -> usize {
        self.0.lock().open
    }

    /// `None` where there are too many already.
    pub fn enter(&self, peer: IpAddr) -> Option<Guard> {
        let peer = network(peer);
        let mut counts = self.0.lock();
        let limit = if peer.is_loopback() { u32::MAX } else { counts.per_peer };
        if counts.open >= counts.all || counts.peers.get(&peer).is_some_and(|n| *n >= limit) {
            return None;
        }
        counts.open += 1;
        *counts.peers.entry(peer).or_default() += 1;
        Some(Guard { connections: self.clone(), peer })
    }
}

pub(crate) struct Guard {
    connections: Connections,
    peer: IpAddr,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut counts = self.connections.0.lock();
        counts.open -= 1;
        if let Some(n) = counts.peers.get_mut(&self.peer) {
            *n -= 1;
            if *n == 0 {
                counts.peers.remove(&self.peer);
            }
        }
    }
}

impl Smtp {
    /// Connections there are now, over all ports.
    pub fn open_connections(&self) -> usize {
        self.connections.open()
    }

    /// Serves a port until the shutdown, and returns once the last of its connections has ended: those without a
    /// transaction at once, the others within the grace of the configuration.
    pub async fn serve(self, listener: TcpListener, port: Port, front: Front, mut shutdown: watch::Receiver<bool>) {
        let (alive, mut gone) = mpsc::channel::<()>(1);
        loop {
            let accepted = tokio::select! {
                biased;
                _ = shutdown.wait_for(|down| *down) => break,
                accepted = listener.accept() => accepted,
            };
            match accepted {
                Ok((stream, peer)) if front.covers(peer.ip()) => self.behind(&front, stream, peer.ip(), port, &shutdown, &alive),
                Ok((stream, peer)) => self.welcome(stream, peer.ip(), port, &shutdown, &alive),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    self.env.sleep_jittered(PAUSE).await;
                }
            }
        }
        drop((alive, listener));
        gone.recv().await;
    }

    /// From a load balancer: all limits are those of the client that it names.
    fn behind(
        &self,
        front: &Front,
        mut stream: TcpStream,
        balancer: IpAddr,
        port: Port,
        shutdown: &watch::Receiver<bool>,
        alive: &mpsc::Sender<()>,
    ) {
        let (smtp, front, shutdown, alive) = (self.clone(), front.clone(), shutdown.clone(), alive.clone());
        tokio::spawn(async move {
            match front.client(&mut stream, balancer).await {
                Ok(client) => smtp.welcome(stream, client, port, &shutdown, &alive),
                Err(error) => tracing::debug!(%balancer, %error, "a connection was closed"),
            }
        });
    }

    fn welcome(&self, stream: TcpStream, peer: IpAddr, port: Port, shutdown: &watch::Receiver<bool>, alive: &mpsc::Sender<()>) {
        let Some(guard) = self.connections.enter(peer) else {
            if !port.implicit_tls {
                // One short write into an empty buffer; where it does not fit, closing says the same.
                let _ = stream.try_write(TOO_MANY);
            }
            return;
        };
        settle(&stream);
        let (smtp, shutdown, alive) = (self.clone(), shutdown.clone(), alive.clone());
        tokio::spawn(async move {
            smtp.converse(stream, peer, port, shutdown).await;
            drop((guard, alive));
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_counted() {
        let connections = Connections::new(4, 2);
        let (one, home): (IpAddr, IpAddr) = ("192.0.2.1".parse().unwrap(), "127.0.0.1".parse().unwrap());
        let first = connections.enter(one).unwrap();
        let _second = connections.enter(one).unwrap();
        assert!(connections.enter(one).is_none());
        drop(first);
        let _third = connections.enter(one).unwrap();
        let _home = [connections.enter(home).unwrap(), connections.enter(home).unwrap()];
        assert!(connections.enter(home).is_none());
        let connections = Connections::new(9, 1);
        let _one = connections.enter("2001:db8:0:1::1".parse().unwrap()).unwrap();
        assert!(connections.enter("2001:db8:0:1::2".parse().unwrap()).is_none(), "of the same /64");
        assert!(connections.enter("2001:db8:0:2::1".parse().unwrap()).is_some());
    }
}
