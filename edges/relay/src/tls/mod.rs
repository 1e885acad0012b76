//! TLS to other hosts: encrypted where that is offered, proven where somebody published how.

mod dane;
mod verifier;

pub(crate) use dane::{describe, usable};
pub(crate) use verifier::result_type;

use crate::dial::Stream;
use crate::facts::ResultType;
use penfold_ports::Tlsa;
use penfold_types::Env;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::client::{Resumption, WebPkiServerVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::{ServerName, UnixTime};
use tokio_rustls::rustls::time_provider::TimeProvider;
use tokio_rustls::rustls::{ClientConfig, ProtocolVersion, RootCertStore};
use verifier::Verifier;

/// How much of TLS a host must show before it gets a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Demand {
    /// None of it.
    Clear,
    /// RFC 7435: better than nothing, and no reason to fail.
    May,
    /// As `May`; what a check would say is reported (RFC 8461 §5, testing).
    Observe,
    /// RFC 7672 §2.2: there are TLSA records, and none that can be used.
    Encrypt,
    /// A certificate for the host's name from an authority that we trust; `proof` says who wants it.
    Pki { proof: &'static str },
    /// RFC 7672 §3. `domain`: a name that a certificate below a trust anchor may have too.
    Dane { records: Vec<Tlsa>, domain: String },
}

impl Demand {
    pub fn is_strict(&self) -> bool {
        matches!(self, Self::Encrypt | Self::Pki { .. } | Self::Dane { .. })
    }

    /// What proves the certificate, once the handshake is done.
    pub fn proof(&self) -> Option<&'static str> {
        match self {
            Self::Pki { proof } => Some(proof),
            Self::Dane { .. } => Some("dane"),
            _ => None,
        }
    }
}

/// Certificates of authorities.
#[derive(Clone)]
pub struct Roots(Arc<RootCertStore>);

impl Roots {
    /// What the machine trusts. Where it trusts nobody, nothing that needs a proof is sent.
    pub fn native() -> Self {
        let mut store = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        for error in &found.errors {
            tracing::warn!(%error, "a certificate of an authority cannot be read");
        }
        store.add_parsable_certificates(found.certs);
        Self(Arc::new(store))
    }

    pub fn of(store: RootCertStore) -> Self {
        Self(Arc::new(store))
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

/// A stream with TLS on it.
pub(crate) struct Secured {
    pub stream: Stream,
    /// `TLSv1.3`
    pub version: &'static str,
    /// What the check found wrong, where it was not enforced.
    pub found: Option<ResultType>,
}

pub(crate) struct Connector {
    provider: Arc<CryptoProvider>,
    time: Arc<dyn TimeProvider>,
    /// `None` where nobody is trusted.
    pki: Option<Arc<WebPkiServerVerifier>>,
}

impl Connector {
    pub fn new(env: &Env, roots: &Roots) -> Self {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let pki = WebPkiServerVerifier::builder_with_provider(roots.0.clone(), provider.clone()).build().ok();
        Self { provider, time: Arc::new(Clock(env.clone())), pki }
    }

    /// `host`: a name, or an address without brackets. The caller keeps the time.
    pub async fn handshake(&self, stream: Stream, host: &str, address: IpAddr, demand: &Demand) -> io::Result<Secured> {
        let name = ServerName::try_from(host.to_owned()).unwrap_or_else(|_| ServerName::IpAddress(address.into()));
        let verifier = Arc::new(Verifier::new(demand.clone(), self.pki.clone(), self.provider.clone()));
        let mut config = ClientConfig::builder_with_details(self.provider.clone(), self.time.clone())
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(verifier.clone())
            .with_no_client_auth();
        // A ticket would carry one check's result over to another.
        config.resumption = Resumption::disabled();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        let version = match stream.get_ref().1.protocol_version() {
            Some(ProtocolVersion::TLSv1_2) => "TLSv1.2",
            _ => "TLSv1.3",
        };
        Ok(Secured { stream: Box::new(stream), version, found: verifier.found() })
    }
}
