//! The sockets of HTTP, plain and TLS.

use crate::client::{Client, named};
use crate::lent::read_on;
use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::serve::Listener;
use penfold_runtime::{ACME_TLS, Front};
use penfold_types::Env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

const HANDSHAKE: Duration = Duration::from_secs(10);
/// Handshakes that wait for their turn with the router.
const READY: usize = 64;
/// Handshakes under way.
const UNDER_WAY: usize = 256;

/// Serves until `stop` says true, then lets requests end.
pub async fn serve(
    env: Env,
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    front: Front,
    router: Router,
    stop: watch::Receiver<bool>,
) -> std::io::Result<()> {
    let stopped = |mut stop: watch::Receiver<bool>| async move {
        // An error means that whoever could say stop is gone.
        let _ = stop.wait_for(|stop| *stop).await;
    };
    let named = from_fn_with_state((front, tls.is_some()), named);
    let router = router.layer(named).layer(from_fn(read_on)).into_make_service_with_connect_info::<Client>();
    match tls {
        None => axum::serve(listener, router).with_graceful_shutdown(stopped(stop)).await,
        Some(config) => {
            let address = listener.local_addr()?;
            let (ready, accepted) = mpsc::channel(READY);
            tokio::spawn(shake_hands(env, listener, TlsAcceptor::from(config), ready, stop.clone()));
            axum::serve(Shaken { accepted, address }, router).with_graceful_shutdown(stopped(stop)).await
        }
    }
}

type Ready = mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>;

/// Handshakes happen side by side, so that a slow peer delays nobody.
async fn shake_hands(env: Env, listener: TcpListener, acceptor: TlsAcceptor, ready: Ready, mut stop: watch::Receiver<bool>) {
    let places = Arc::new(tokio::sync::Semaphore::new(UNDER_WAY));
    loop {
        let accepted = tokio::select! {
            biased;
            _ = stop.wait_for(|stop| *stop) => return,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            env.sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(place) = places.clone().acquire_owned().await else { return };
        let (acceptor, ready) = (acceptor.clone(), ready.clone());
        tokio::spawn(async move {
            if let Ok(Ok(mut stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await {
                // An authority has seen what it came for, and nothing else is said under that protocol (RFC 8737 §3).
                if stream.get_ref().1.alpn_protocol() == Some(ACME_TLS) {
                    let _ = tokio::time::timeout(HANDSHAKE, stream.shutdown()).await;
                    return;
                }
                // An error means that the router has stopped.
                let _ = ready.send((stream, peer)).await;
            }
            drop(place);
        });
    }
}

/// Connections whose handshake is done.
pub(crate) struct Shaken {
    accepted: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Listener for Shaken {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.accepted.recv().await {
            Some(connection) => connection,
            // No more will come; the shutdown signal ends the server.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}
