//! The `Web` port: one GET of what a stranger's URL names. Decision 37.

mod date;
mod judge;
mod target;
#[cfg(test)]
mod tests;

use crate::Network;
use async_trait::async_trait;
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Empty};
use hyper::body::{Body as _, Incoming};
use hyper::header::{self, HeaderName};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use parking_lot::Mutex;
use penfold_ports::{Dns, DnsError, Fetched, Found, Validators, WEB_REDIRECTS, WEB_SIZE, Web, WebError, WebPage};
use penfold_types::Env;
use rustls::time_provider::TimeProvider;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{ServerName, UnixTime};
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use target::Target;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_rustls::TlsConnector;

/// All of a fetch, its redirects too.
const TIME: Duration = Duration::from_secs(60);
/// Until there is a connection, with its handshake.
const CONNECT: Duration = Duration::from_secs(10);
/// Octets of the fields before a file.
const FIELDS: usize = 64 << 10;
/// Addresses of a host that are tried.
const ADDRESSES: usize = 4;
/// Fetches at a time, from one host one of them.
const AT_A_TIME: usize = 8;
/// For how long whoever comes meanwhile waits.
const PATIENCE: Duration = Duration::from_secs(5);
/// Octets of a validator that is kept.
const VALIDATOR: usize = 1024;

#[derive(Debug)]
struct Clock(Env);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Bounds that tests make smaller.
#[derive(Clone, Copy)]
struct Bounds {
    time: Duration,
    connect: Duration,
    size: usize,
}

/// Web servers, reached by names of the `Dns` port.
pub struct PublicWeb {
    env: Env,
    dns: Arc<dyn Dns>,
    tls: TlsConnector,
    allowed: Vec<Network>,
    bounds: Bounds,
    all: Arc<Semaphore>,
    /// Hosts that are being asked.
    hosts: Mutex<HashMap<String, Arc<Semaphore>>>,
}

/// A place among those who fetch.
struct Place<'a> {
    web: &'a PublicWeb,
    host: String,
    held: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.held = None;
        let mut hosts = self.web.hosts.lock();
        // One is the map's, so that nobody else holds or waits for it.
        if hosts.get(&self.host).is_some_and(|one| Arc::strong_count(one) == 1) {
            hosts.remove(&self.host);
        }
    }
}

/// For a function: the networks that `PENFOLD_SUBSCRIPTIONS_ALLOW` names, with a comma between them. An error is one sentence.
pub fn allowed_of_environment() -> Result<Vec<Network>, String> {
    let named = std::env::var("PENFOLD_SUBSCRIPTIONS_ALLOW").unwrap_or_default();
    named.split(',').map(str::trim).filter(|text| !text.is_empty()).map(str::parse).collect()
}

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

impl PublicWeb {
    /// `allowed`: networks that may be reached though they are not public. Servers prove themselves to what the machine trusts.
    pub fn new(env: Env, dns: Arc<dyn Dns>, allowed: &[Network]) -> Result<Self, rustls::Error> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self::with_roots(env, dns, allowed, roots)
    }

    fn with_roots(env: Env, dns: Arc<dyn Dns>, allowed: &[Network], roots: RootCertStore) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_details(provider, Arc::new(Clock(env.clone())))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        Ok(Self {
            env,
            dns,
            tls: TlsConnector::from(Arc::new(config)),
            allowed: allowed.to_vec(),
            bounds: Bounds { time: TIME, connect: CONNECT, size: WEB_SIZE },
            all: Arc::new(Semaphore::new(AT_A_TIME)),
            hosts: Mutex::default(),
        })
    }

    async fn in_time<T>(&self, time: Duration, work: impl Future<Output = Result<T, WebError>>, late: WebError) -> Result<T, WebError> {
        tokio::select! {
            biased;
            answer = work => answer,
            () = self.env.sleep(time) => Err(late),
        }
    }

    /// Waits a little for the host, then for one of all places, so that a slow host holds up nobody else.
    async fn place(&self, host: &str) -> Result<Place<'_>, WebError> {
        let one = self.hosts.lock().entry(host.to_owned()).or_insert_with(|| Arc::new(Semaphore::new(1))).clone();
        let mut place = Place { web: self, host: host.to_owned(), held: None };
        let wait = async {
            let host = one.acquire_owned().await.map_err(|_| WebError::Busy)?;
            Ok((host, self.all.clone().acquire_owned().await.map_err(|_| WebError::Busy)?))
        };
        place.held = Some(self.in_time(PATIENCE, wait, WebError::Busy).await?);
        Ok(place)
    }

    async fn follow(&self, page: &WebPage) -> Result<Fetched, WebError> {
        let mut to = Target::read(&page.url).ok_or(WebError::Url)?;
        for _ in 0..=WEB_REDIRECTS {
            // The bytes of a host that leads on are never read.
            let _place = self.place(&to.host).await?;
            match self.ask(&to, page).await? {
                Answered::Done(fetched) => return Ok(fetched),
                Answered::Elsewhere(next) => to = next,
            }
        }
        Err(WebError::Redirect)
    }

    async fn ask(&self, to: &Target, page: &WebPage) -> Result<Answered, WebError> {
        let stream = self.connect(to).await?;
        let mut builder = hyper::client::conn::http1::Builder::new();
        builder.max_buf_size(FIELDS);
        let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|_| WebError::Answer)?;
        let known = page.known.as_ref().filter(|known| known.of == to.url());
        let request = request(to, known)?;
        let exchange = async {
            let response = sender.send_request(request).await.map_err(|error| wrong(&error))?;
            self.read(to, response, known.is_some()).await
        };
        tokio::pin!(exchange);
        tokio::select! {
            biased;
            answer = &mut exchange => answer,
            // The connection may end before its last bytes were looked at.
            _ = connection => exchange.await,
        }
    }

    /// Every address is judged, and the connection goes to just the one that was: a name that changes meanwhile changes nothing.
    async fn connect(&self, to: &Target) -> Result<Box<dyn Stream>, WebError> {
        let found = match to.host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.addresses(&to.host).await?,
        };
        let open: Vec<IpAddr> = found.into_iter().filter(|address| judge::is_allowed(*address, &self.allowed)).take(ADDRESSES).collect();
        let mut last = WebError::Forbidden;
        for address in open {
            match self.in_time(self.bounds.connect, self.reach(to, address), WebError::Unreachable).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    async fn reach(&self, to: &Target, address: IpAddr) -> Result<Box<dyn Stream>, WebError> {
        let stream = TcpStream::connect(SocketAddr::new(address, to.port)).await.map_err(|_| WebError::Unreachable)?;
        if !to.tls {
            return Ok(Box::new(stream));
        }
        let name = ServerName::try_from(to.host.clone()).map_err(|_| WebError::Url)?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            if matches!(inner, Some(rustls::Error::InvalidCertificate(_))) { WebError::Untrusted } else { WebError::Unreachable }
        })?;
        Ok(Box::new(stream))
    }

    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, WebError> {
        let (v4, v6) = tokio::join!(self.dns.v4(host), self.dns.v6(host));
        let late = matches!(v4, Err(DnsError::Temporary)) || matches!(v6, Err(DnsError::Temporary));
        let v4 = v4.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from);
        let found: Vec<IpAddr> = v4.chain(v6.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from)).collect();
        match (found.is_empty(), late) {
            (true, true) => Err(WebError::Unreachable),
            (true, false) => Err(WebError::NoName),
            _ => Ok(found),
        }
    }

    /// `known`: validators were sent.
    async fn read(&self, to: &Target, response: Response<Incoming>, known: bool) -> Result<Answered, WebError> {
        let status = response.status();
        let field = |name: HeaderName| response.headers().get(name).and_then(|value| value.to_str().ok());
        if matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            let next = field(header::LOCATION).and_then(|location| to.follow(location));
            return next.map(Answered::Elsewhere).ok_or(WebError::Redirect);
        }
        if status == StatusCode::NOT_MODIFIED && known {
            return Ok(Answered::Done(Fetched::Same));
        }
        if status != StatusCode::OK {
            let after = field(header::RETRY_AFTER).and_then(|text| date::retry_after(text, self.env.now()));
            return Ok(Answered::Done(Fetched::Not { status: status.as_u16(), after }));
        }
        // Nothing else was asked for, so nothing swells on being opened.
        if field(header::CONTENT_ENCODING).is_some_and(|coding| !coding.trim().eq_ignore_ascii_case("identity")) {
            return Err(WebError::Answer);
        }
        let validator = |name| field(name).filter(|text| text.len() <= VALIDATOR).map(str::to_owned);
        let media = field(header::CONTENT_TYPE).and_then(|text| text.split(';').next()).unwrap_or_default();
        let (etag, last_modified) = (validator(header::ETAG), validator(header::LAST_MODIFIED));
        let given = etag.is_some() || last_modified.is_some();
        let validators = given.then(|| Validators { of: to.url(), etag, last_modified });
        let media = media.trim().to_ascii_lowercase();
        let bytes = whole(response.into_body(), self.bounds.size).await?;
        Ok(Answered::Done(Fetched::New(Found { bytes, validators, media })))
    }
}

enum Answered {
    Done(Fetched),
    Elsewhere(Target),
}

fn wrong(error: &hyper::Error) -> WebError {
    if error.is_incomplete_message() { WebError::Torn } else { WebError::Answer }
}

/// A body that is longer than it may be is not read to its end, and one that says so beforehand not at all.
async fn whole(mut body: Incoming, most: usize) -> Result<Bytes, WebError> {
    if body.size_hint().lower() > most as u64 {
        return Err(WebError::Large);
    }
    let mut out = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| WebError::Torn)?.into_data() else { continue };
        if out.len() + data.len() > most {
            return Err(WebError::Large);
        }
        out.extend_from_slice(&data);
    }
    Ok(out.freeze())
}

fn request(to: &Target, known: Option<&Validators>) -> Result<Request<Empty<Bytes>>, WebError> {
    let mut request = Request::get(&to.path)
        .header(header::HOST, to.authority())
        .header(header::USER_AGENT, "Penfold")
        .header(header::ACCEPT, "text/calendar, */*;q=0.1")
        .header(header::ACCEPT_ENCODING, "identity")
        .header(header::CONNECTION, "close");
    let Validators { etag, last_modified, .. } = known.cloned().unwrap_or_default();
    for (name, value) in [(header::IF_NONE_MATCH, etag), (header::IF_MODIFIED_SINCE, last_modified)] {
        if let Some(value) = value {
            request = request.header(name, value);
        }
    }
    request.body(Empty::new()).map_err(|_| WebError::Url)
}

#[async_trait]
impl Web for PublicWeb {
    async fn get(&self, page: &WebPage) -> Result<Fetched, WebError> {
        self.in_time(self.bounds.time, self.follow(page), WebError::Slow).await
    }
}
