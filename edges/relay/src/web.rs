//! The way to a web server, for reports and policies: a connection of its own, by TLS that proves the server's name; no redirects.

use crate::dial::{Dial, Stream};
use crate::route::is_forbidden;
use crate::tls::{Connector, Demand, Roots};
use http_body_util::combinators::BoxBody;
use hyper::body::Incoming;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use penfold_ports::Dns;
use penfold_types::Env;
use std::convert::Infallible;
use std::fmt::Display;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

/// Addresses of a server that are tried.
const ADDRESSES: usize = 4;

pub(crate) struct Web {
    dns: Arc<dyn Dns>,
    dial: Arc<dyn Dial>,
    tls: Connector,
    /// For tests: servers on this machine.
    pub allow_loopback: bool,
}

pub(crate) type Body = BoxBody<bytes::Bytes, Infallible>;

impl Web {
    pub fn new(env: &Env, dns: Arc<dyn Dns>, dial: Arc<dyn Dial>, roots: &Roots) -> Self {
        Self { dns, dial, tls: Connector::new(env, roots), allow_loopback: false }
    }

    /// Those that are to be tried. The older family first: half of all web servers have no other.
    pub async fn addresses(&self, host: &str) -> Vec<IpAddr> {
        let (v4, v6) = tokio::join!(self.dns.v4(host), self.dns.v6(host));
        let v4 = v4.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from);
        let v6 = v6.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from);
        v4.chain(v6).filter(|address| self.allow_loopback || !is_forbidden(*address)).take(ADDRESSES).collect()
    }

    /// `proof`: what the certificate is looked at for, as it is told.
    pub async fn connect(&self, host: &str, at: SocketAddr, proof: &'static str) -> io::Result<Stream> {
        let stream = self.dial.dial(at, None).await?;
        Ok(self.tls.handshake(stream, host, at.ip(), &Demand::Pki { proof }).await?.stream)
    }
}

/// One request. `read` takes of the answer what is wanted, while the connection is kept going.
pub(crate) async fn exchange<T, E>(
    stream: Stream,
    request: hyper::http::Result<Request<Body>>,
    wrong: impl Fn(&dyn Display) -> E,
    read: impl AsyncFnOnce(Response<Incoming>) -> Result<T, E>,
) -> Result<T, E> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| wrong(&error))?;
    let request = request.map_err(|error| wrong(&error))?;
    let exchange = async {
        let response = sender.send_request(request).await.map_err(|error| wrong(&error))?;
        read(response).await
    };
    tokio::pin!(exchange);
    tokio::select! {
        biased;
        answer = &mut exchange => answer,
        // The connection may end before its last bytes were looked at.
        _ = connection => exchange.await,
    }
}
