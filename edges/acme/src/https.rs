//! One HTTPS request of an authority's API: a connection each, bounded in time and size. Names are asked of the `Dns` port.

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::{HOST, HeaderValue};
use hyper::{Request, Response, Uri};
use hyper_util::rt::TokioIo;
use instant_acme::{BodyWrapper, BytesResponse, Error, HttpClient};
use penfold_ports::Dns;
use penfold_types::Env;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use std::future::Future;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::time_provider::TimeProvider;
use tokio_rustls::rustls::{self, ClientConfig, RootCertStore};

/// Octets of an answer; a chain has some thousand.
const SIZE: usize = 1 << 20;
const TIME: Duration = Duration::from_secs(30);
/// Until another address is tried.
const CONNECT: Duration = Duration::from_secs(10);
/// Addresses of an authority that are tried.
const ADDRESSES: usize = 4;

type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Whom we trust to speak for an authority.
#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// What the machine trusts.
    pub fn native() -> Self {
        let mut store = RootCertStore::empty();
        store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        Self(Arc::new(store))
    }

    /// The certificates in a PEM file, and nobody else. An error is one sentence.
    pub fn from_file(file: &Path) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("the certificates in {} cannot be used: {error}", file.display());
        let mut store = RootCertStore::empty();
        for one in CertificateDer::pem_file_iter(file).map_err(|error| wrong(&error))? {
            store.add(one.map_err(|error| wrong(&error))?).map_err(|error| wrong(&error))?;
        }
        if store.is_empty() { Err(wrong(&"there are none")) } else { Ok(Self(Arc::new(store))) }
    }
}

#[derive(Debug)]
struct Clock(Env);

impl TimeProvider for Clock {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().seconds()).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Https {
    env: Env,
    dns: Arc<dyn Dns>,
    tls: TlsConnector,
}

impl Https {
    pub fn new(env: Env, dns: Arc<dyn Dns>, roots: &Roots) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = ClientConfig::builder_with_details(provider, Arc::new(Clock(env.clone())))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots.0.clone())
            .with_no_client_auth();
        Ok(Self { env, dns, tls: TlsConnector::from(Arc::new(config)) })
    }

    async fn exchange(&self, request: Request<BodyWrapper<Bytes>>) -> Result<Response<Full<Bytes>>, Failure> {
        let uri = request.uri().clone();
        if uri.scheme_str() != Some("https") {
            return Err("an authority is reached by https only".into());
        }
        let host = uri.host().ok_or("the URL names no host")?.trim_matches(['[', ']']).to_owned();
        let stream = self.connect(&host, uri.port_u16().unwrap_or(443)).await?;
        let stream = self.tls.connect(ServerName::try_from(host)?, stream).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let request = relative(request, &uri)?;
        let exchange = async {
            let (parts, body) = sender.send_request(request).await?.into_parts();
            let body = Limited::new(body, SIZE).collect().await?.to_bytes();
            Ok(Response::from_parts(parts, Full::new(body)))
        };
        tokio::pin!(exchange);
        tokio::select! {
            biased;
            answer = &mut exchange => answer,
            // The connection may end before its last bytes were looked at.
            _ = connection => exchange.await,
        }
    }

    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Failure> {
        let addresses = match host.parse::<IpAddr>() {
            Ok(address) => vec![address],
            Err(_) => self.addresses(host).await,
        };
        let mut last: Failure = format!("{host} has no address").into();
        for address in addresses.into_iter().take(ADDRESSES) {
            let socket = SocketAddr::new(address, port);
            match tokio::time::timeout(CONNECT, TcpStream::connect(socket)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => last = format!("{socket}: {error}").into(),
                Err(_) => last = format!("{socket} does not answer").into(),
            }
        }
        Err(last)
    }

    async fn addresses(&self, host: &str) -> Vec<IpAddr> {
        let (v6, v4) = tokio::join!(self.dns.v6(host), self.dns.v4(host));
        let v4 = v4.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from);
        v4.chain(v6.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from)).collect()
    }
}

/// As it is sent to the host itself: a path, and the host as a field.
fn relative(request: Request<BodyWrapper<Bytes>>, uri: &Uri) -> Result<Request<BodyWrapper<Bytes>>, Failure> {
    let (mut parts, body) = request.into_parts();
    let authority = uri.authority().map(ToString::to_string).unwrap_or_default();
    parts.headers.insert(HOST, HeaderValue::from_str(&authority)?);
    parts.uri = uri.path_and_query().map_or_else(|| Uri::from_static("/"), |path| Uri::from(path.clone()));
    Ok(Request::from_parts(parts, body))
}

impl HttpClient for Https {
    fn request(&self, request: Request<BodyWrapper<Bytes>>) -> Pin<Box<dyn Future<Output = Result<BytesResponse, Error>> + Send>> {
        let own = self.clone();
        Box::pin(async move {
            let answer = tokio::select! {
                biased;
                answer = own.exchange(request) => answer,
                () = own.env.sleep(TIME) => Err("the authority does not answer in time".into()),
            };
            answer.map(BytesResponse::from).map_err(Error::Other)
        })
    }
}
