//! Which certificate is shown: by the name that the client asks for (SNI, RFC 6066 §3).

use super::TlsError;
use arc_swap::ArcSwap;
use rustls::client::verify_server_name;
use rustls::crypto::CryptoProvider;
use rustls::server::{ClientHello, ParsedCertificate, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

/// The protocol of TLS-ALPN-01 (RFC 8737 §6.2).
pub const ACME_TLS: &[u8] = b"acme-tls/1";

/// What is shown for names, changed while it is used. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Names {
    provider: Arc<CryptoProvider>,
    /// The one from files, or the one that was made.
    default: Arc<CertifiedKey>,
    /// The default was chosen by the operator: it comes first for what it carries.
    chosen: bool,
    /// For clients that ask for no name.
    own_name: Arc<str>,
    shown: Arc<ArcSwap<Shown>>,
}

#[derive(Clone, Default)]
struct Shown {
    certificates: HashMap<String, Arc<CertifiedKey>>,
    proofs: HashMap<String, Arc<CertifiedKey>>,
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Names: {} certificates", self.shown.load().certificates.len())
    }
}

impl Names {
    pub(super) fn new(provider: Arc<CryptoProvider>, default: CertifiedKey, chosen: bool) -> Self {
        Self { provider, default: Arc::new(default), chosen, own_name: "".into(), shown: Arc::default() }
    }

    /// The default is one that was made here.
    pub(super) fn made(&mut self) {
        self.chosen = false;
    }

    pub(super) fn called(&mut self, own_name: &str) {
        self.own_name = own_name.to_ascii_lowercase().into();
    }

    /// Whether the operator's own certificate carries a name.
    pub fn covers(&self, name: &str) -> bool {
        let Ok(name) = ServerName::try_from(name) else { return false };
        let parsed = self.default.cert.first().and_then(|leaf| ParsedCertificate::try_from(leaf).ok());
        self.chosen && parsed.is_some_and(|leaf| verify_server_name(&leaf, &name).is_ok())
    }

    /// Changes that are shown together: each time costs a copy of the whole, so that no handshake waits.
    pub fn edit(&self) -> NamesEdit<'_> {
        NamesEdit { names: self, certificates: Vec::new(), proofs: Vec::new() }
    }

    fn certified(&self, chain: &str, key: &[u8]) -> Result<Arc<CertifiedKey>, TlsError> {
        let wrong = |error: &dyn fmt::Display| TlsError(format!("a certificate cannot be used: {error}"));
        let chain = CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(|error| wrong(&error))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.to_vec()));
        CertifiedKey::from_der(chain, key, &self.provider).map(Arc::new).map_err(|error| wrong(&error))
    }

    /// RFC 8737 §3: signed by itself, with the name and the digest in a critical extension.
    fn proof(&self, name: &str, digest: &[u8]) -> Result<Arc<CertifiedKey>, TlsError> {
        let wrong = |error: &dyn fmt::Display| TlsError(format!("no proof can be made for {name}: {error}"));
        let mut parameters = rcgen::CertificateParams::new(vec![name.to_owned()]).map_err(|error| wrong(&error))?;
        parameters.custom_extensions = vec![rcgen::CustomExtension::new_acme_identifier(digest)];
        let key = rcgen::KeyPair::generate().map_err(|error| wrong(&error))?;
        let certificate = parameters.self_signed(&key).map_err(|error| wrong(&error))?;
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        // Not looked at by rustls: it knows no such critical extension, and the two were made for one another.
        let key = self.provider.key_provider.load_private_key(key).map_err(|error| wrong(&error))?;
        Ok(Arc::new(CertifiedKey::new(vec![certificate.der().clone()], key)))
    }

    fn find(&self, name: Option<&str>) -> Arc<CertifiedKey> {
        let shown = self.shown.load();
        let asked = name.map(str::to_ascii_lowercase);
        if self.chosen && asked.as_deref().is_none_or(|name| self.covers(name)) {
            return self.default.clone();
        }
        let known = |name: &str| shown.certificates.get(name).cloned();
        asked
            .as_deref()
            .and_then(known)
            .or_else(|| if self.chosen { None } else { known(&self.own_name) })
            .unwrap_or_else(|| self.default.clone())
    }
}

type Put = (String, Option<Arc<CertifiedKey>>);

/// What is to be shown from [`NamesEdit::show`] on.
pub struct NamesEdit<'a> {
    names: &'a Names,
    certificates: Vec<Put>,
    proofs: Vec<Put>,
}

impl NamesEdit<'_> {
    /// A chain as PEM, and its key as PKCS#8; `None` where the name has none any more. After an error nothing changes for it.
    pub fn set(&mut self, name: &str, certificate: Option<(&str, &[u8])>) -> Result<(), TlsError> {
        let ready = certificate.map(|(chain, key)| self.names.certified(chain, key)).transpose()?;
        self.certificates.push((name.to_ascii_lowercase(), ready));
        Ok(())
    }

    /// What an authority is shown that asks for a name by `acme-tls/1`: the SHA-256 of a key authorization.
    pub fn set_proof(&mut self, name: &str, digest: Option<&[u8]>) -> Result<(), TlsError> {
        let ready = digest.map(|digest| self.names.proof(name, digest)).transpose()?;
        self.proofs.push((name.to_ascii_lowercase(), ready));
        Ok(())
    }

    pub fn show(self) {
        self.names.shown.rcu(|shown| {
            let mut shown = Shown::clone(shown);
            put(&mut shown.certificates, &self.certificates);
            put(&mut shown.proofs, &self.proofs);
            shown
        });
    }
}

fn put(map: &mut HashMap<String, Arc<CertifiedKey>>, puts: &[Put]) {
    for (name, key) in puts {
        match key {
            Some(key) => map.insert(name.clone(), key.clone()),
            None => map.remove(name),
        };
    }
}

impl ResolvesServerCert for Names {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // RFC 8737 §3: whoever proves offers this protocol and no other.
        if hello.alpn().is_some_and(|mut offered| offered.any(|protocol| protocol == ACME_TLS)) {
            let name = hello.server_name()?.to_ascii_lowercase();
            return self.shown.load().proofs.get(&name).cloned();
        }
        Some(self.find(hello.server_name()))
    }
}
