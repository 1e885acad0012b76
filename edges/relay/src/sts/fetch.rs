//! The policy over HTTPS: RFC 8461 §3.3. One GET, no redirects, a small answer soon.

use super::{FetchError, PolicyFetcher};
use crate::dial::Dial;
use crate::route::is_forbidden;
use crate::tls::{Connector, Demand, Roots};
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Response, StatusCode, body::Incoming};
use hyper_util::rt::TokioIo;
use penfold_ports::Dns;
use penfold_types::Env;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls;

const SIZE: usize = 64 * 1024;
const TIME: Duration = Duration::from_secs(60);
/// Addresses of a policy host that are tried.
const ADDRESSES: usize = 4;

/// The real fetcher.
pub struct Https {
    env: Env,
    dns: Arc<dyn Dns>,
    dial: Arc<dyn Dial>,
    tls: Connector,
    port: u16,
    allow_loopback: bool,
}

impl Https {
    pub fn new(env: Env, dns: Arc<dyn Dns>, dial: Arc<dyn Dial>, roots: &Roots) -> Self {
        let tls = Connector::new(&env, roots);
        Self { env, dns, dial, tls, port: 443, allow_loopback: false }
    }

    /// For tests: another port, and hosts on this machine.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        (self.port, self.allow_loopback) = (port, true);
        self
    }

    async fn get(&self, host: &str) -> Result<String, FetchError> {
        let (v6, v4) = tokio::join!(self.dns.v6(host), self.dns.v4(host));
        let v6 = v6.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from);
        let v4 = v4.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from);
        let mut last = FetchError::Unreachable("it has no address".to_owned());
        let allowed = |address: &IpAddr| self.allow_loopback || !is_forbidden(*address);
        // The older family first: a policy host is a web server, and half of those have no other.
        for address in v4.chain(v6).filter(allowed).take(ADDRESSES) {
            match self.get_from(host, address).await {
                Err(FetchError::Unreachable(why)) => last = FetchError::Unreachable(why),
                answer => return answer,
            }
        }
        Err(last)
    }

    async fn get_from(&self, host: &str, address: IpAddr) -> Result<String, FetchError> {
        let unreachable = |error: &dyn std::fmt::Display| FetchError::Unreachable(error.to_string());
        let stream = self.dial.dial(SocketAddr::new(address, self.port), None).await.map_err(|error| unreachable(&error))?;
        let demand = Demand::Pki { proof: "sts" };
        let secured = self.tls.handshake(stream, host, address, &demand).await.map_err(|error| {
            let certificate = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match certificate {
                Some(rustls::Error::InvalidCertificate(_)) => FetchError::Untrusted,
                _ => unreachable(&error),
            }
        })?;
        let (mut sender, connection) =
            hyper::client::conn::http1::handshake(TokioIo::new(secured.stream)).await.map_err(|error| unreachable(&error))?;
        let request = Request::get("/.well-known/mta-sts.txt").header(HOST, host).body(Empty::<Bytes>::new());
        let request = request.map_err(|error| unreachable(&error))?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|error| unreachable(&error))?;
            text(response).await
        };
        tokio::pin!(exchange);
        tokio::select! {
            biased;
            answer = &mut exchange => answer,
            // The connection may end before its last bytes were looked at.
            _ = connection => exchange.await,
        }
    }
}

async fn text(response: Response<Incoming>) -> Result<String, FetchError> {
    if response.status() != StatusCode::OK {
        return Err(FetchError::Unreachable(format!("it answers {}", response.status())));
    }
    let kind = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("text/plain") {
        return Err(FetchError::Invalid("its media type is not text/plain".to_owned()));
    }
    let body = Limited::new(response.into_body(), SIZE).collect().await.map_err(|error| FetchError::Invalid(error.to_string()))?;
    String::from_utf8(body.to_bytes().to_vec()).map_err(|_| FetchError::Invalid("it is no UTF-8".to_owned()))
}

#[async_trait]
impl PolicyFetcher for Https {
    async fn fetch(&self, domain: &str) -> Result<String, FetchError> {
        let host = format!("mta-sts.{domain}");
        tokio::select! {
            biased;
            answer = self.get(&host) => answer,
            () = self.env.sleep(TIME) => Err(FetchError::Unreachable("it is too slow".to_owned())),
        }
    }
}
