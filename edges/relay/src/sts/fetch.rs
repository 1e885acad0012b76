//! The policy over HTTPS: RFC 8461 §3.3. One GET, no redirects, a small answer soon.

use super::{FetchError, PolicyFetcher};
use crate::dial::Dial;
use crate::tls::Roots;
use crate::web::{Web, exchange};
use async_trait::async_trait;
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Response, StatusCode, body::Incoming};
use penfold_ports::Dns;
use penfold_types::Env;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::rustls;

const SIZE: usize = 64 * 1024;
const TIME: Duration = Duration::from_secs(60);

/// The real fetcher.
pub struct Https {
    env: Env,
    web: Web,
    port: u16,
}

fn unreachable(error: &dyn std::fmt::Display) -> FetchError {
    FetchError::Unreachable(error.to_string())
}

impl Https {
    pub fn new(env: Env, dns: Arc<dyn Dns>, dial: Arc<dyn Dial>, roots: &Roots) -> Self {
        let web = Web::new(&env, dns, dial, roots);
        Self { env, web, port: 443 }
    }

    /// For tests: another port, and hosts on this machine.
    #[must_use]
    pub fn on_port(mut self, port: u16) -> Self {
        (self.port, self.web.allow_loopback) = (port, true);
        self
    }

    async fn get(&self, host: &str) -> Result<String, FetchError> {
        let mut last = unreachable(&"it has no address");
        for address in self.web.addresses(host).await {
            match self.get_from(host, SocketAddr::new(address, self.port)).await {
                Err(FetchError::Unreachable(why)) => last = FetchError::Unreachable(why),
                answer => return answer,
            }
        }
        Err(last)
    }

    async fn get_from(&self, host: &str, at: SocketAddr) -> Result<String, FetchError> {
        let stream = self.web.connect(host, at, "sts").await.map_err(|error| {
            let certificate = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match certificate {
                Some(rustls::Error::InvalidCertificate(_)) => FetchError::Untrusted,
                _ => unreachable(&error),
            }
        })?;
        let request = Request::get("/.well-known/mta-sts.txt").header(HOST, host).body(Empty::new().boxed());
        exchange(stream, request, unreachable, text).await
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
