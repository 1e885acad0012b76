//! Reports about TLS to web servers: RFC 8460 §5.4. One POST, no redirects, a small answer soon.

use crate::dial::Dial;
use crate::tls::Roots;
use crate::web::{Web, exchange};
use async_trait::async_trait;
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::header::{CONTENT_TYPE, HOST};
use hyper::{Request, Uri};
use penfold_ports::Dns;
use penfold_reports::{Post, PostError};
use penfold_types::Env;
use std::fmt::Display;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

const TIME: Duration = Duration::from_secs(60);

pub struct HttpsPost {
    env: Env,
    web: Web,
}

fn wrong(error: &dyn Display) -> PostError {
    PostError(error.to_string())
}

impl HttpsPost {
    pub fn new(env: Env, dns: Arc<dyn Dns>, dial: Arc<dyn Dial>, roots: &Roots) -> Self {
        let web = Web::new(&env, dns, dial, roots);
        Self { env, web }
    }

    /// For tests: servers on this machine.
    #[must_use]
    pub fn on_loopback(mut self) -> Self {
        self.web.allow_loopback = true;
        self
    }

    async fn send(&self, url: &str, media_type: &str, body: Bytes) -> Result<(), PostError> {
        let uri: Uri = url.parse().map_err(|error: hyper::http::uri::InvalidUri| wrong(&error))?;
        let host = uri.host().unwrap_or_default();
        let authority = uri.authority().map(|authority| authority.as_str()).unwrap_or_default();
        if uri.scheme_str() != Some("https") || host.parse::<penfold_types::Domain>().is_err() || authority.contains('@') {
            return Err(wrong(&"it must be https with the name of a host"));
        }
        let mut last = wrong(&"the host has no address");
        for address in self.web.addresses(host).await {
            // RFC 8460 §3 lets a broken certificate pass; a report names hosts and addresses, so it does not here.
            match self.web.connect(host, SocketAddr::new(address, uri.port_u16().unwrap_or(443)), "pki").await {
                Ok(stream) => {
                    let path = uri.path_and_query().map_or("/", |path| path.as_str());
                    let request = Request::post(path).header(HOST, authority).header(CONTENT_TYPE, media_type);
                    return exchange(stream, request.body(Full::new(body).boxed()), wrong, async |response| {
                        let status = response.status();
                        if status.is_success() { Ok(()) } else { Err(wrong(&format!("it answers {status}"))) }
                    })
                    .await;
                }
                Err(error) => last = wrong(&error),
            }
        }
        Err(last)
    }
}

#[async_trait]
impl Post for HttpsPost {
    async fn post(&self, url: &str, media_type: &str, body: Bytes) -> Result<(), PostError> {
        tokio::select! {
            biased;
            answer = self.send(url, media_type, body) => answer,
            () = self.env.sleep(TIME) => Err(wrong(&"it is too slow")),
        }
    }
}
