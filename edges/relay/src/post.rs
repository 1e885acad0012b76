//! Reports about TLS to web servers: RFC 8460 §5.4. One POST, no redirects, a small answer soon.

use crate::dial::Dial;
use crate::route::is_forbidden;
use crate::tls::{Connector, Demand, Roots};
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use hyper_util::rt::TokioIo;
use penfold_ports::Dns;
use penfold_reports::{Post, PostError};
use penfold_types::Env;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(60);
/// Addresses of a server that are tried.
const ADDRESSES: usize = 4;

pub struct HttpsPost {
    env: Env,
    dns: Arc<dyn Dns>,
    dial: Arc<dyn Dial>,
    tls: Connector,
    allow_loopback: bool,
}

fn wrong(error: impl Display) -> PostError {
    PostError(error.to_string())
}

impl HttpsPost {
    pub fn new(env: Env, dns: Arc<dyn Dns>, dial: Arc<dyn Dial>, roots: &Roots) -> Self {
        let tls = Connector::new(&env, roots);
        Self { env, dns, dial, tls, allow_loopback: false }
    }

    /// For tests: servers on this machine.
    #[must_use]
    pub fn on_loopback(mut self) -> Self {
        self.allow_loopback = true;
        self
    }

    async fn send(&self, url: &str, media_type: &str, body: Bytes) -> Result<(), PostError> {
        let uri: Uri = url.parse().map_err(wrong)?;
        let host = uri.host().unwrap_or_default();
        if uri.scheme_str() != Some("https")
            || host.parse::<penfold_types::Domain>().is_err()
            || uri.authority().is_some_and(|a| a.as_str().contains('@'))
        {
            return Err(wrong("it must be https with the name of a host"));
        }
        let (v4, v6) = tokio::join!(self.dns.v4(host), self.dns.v6(host));
        let v4 = v4.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from);
        let v6 = v6.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from);
        let allowed = |address: &IpAddr| self.allow_loopback || !is_forbidden(*address);
        let mut last = wrong("the host has no address");
        for address in v4.chain(v6).filter(allowed).take(ADDRESSES) {
            match self.connect(host, SocketAddr::new(address, uri.port_u16().unwrap_or(443))).await {
                Ok(stream) => return exchange(stream, &uri, media_type, body).await,
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn connect(&self, host: &str, at: SocketAddr) -> Result<crate::dial::Stream, PostError> {
        let stream = self.dial.dial(at, None).await.map_err(wrong)?;
        // RFC 8460 §3 lets a broken certificate pass; a report names hosts and addresses, so it does not here.
        Ok(self.tls.handshake(stream, host, at.ip(), &Demand::Pki { proof: "pki" }).await.map_err(wrong)?.stream)
    }
}

async fn exchange(stream: crate::dial::Stream, uri: &Uri, media_type: &str, body: Bytes) -> Result<(), PostError> {
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(wrong)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
    let request = Request::post(path).header(HOST, authority).header(CONTENT_TYPE, media_type).body(Full::new(body));
    let answer = sender.send_request(request.map_err(wrong)?);
    tokio::pin!(answer);
    let response = tokio::select! {
        biased;
        response = &mut answer => response,
        // The connection may end before its last bytes were looked at.
        _ = connection => answer.await,
    };
    let status = response.map_err(wrong)?.status();
    if status.is_success() { Ok(()) } else { Err(wrong(format!("it answers {status}"))) }
}

#[async_trait]
impl Post for HttpsPost {
    async fn post(&self, url: &str, media_type: &str, body: Bytes) -> Result<(), PostError> {
        tokio::select! {
            biased;
            answer = self.send(url, media_type, body) => answer,
            () = self.env.sleep(TIME) => Err(wrong("it is too slow")),
        }
    }
}
