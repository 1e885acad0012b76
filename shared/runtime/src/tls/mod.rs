//! The certificates: of names that an authority gave one for; else from files, or made at the first start and signed by itself,
//! good for trying things out.

mod names;
#[cfg(test)]
mod tests;

pub use names::{ACME_TLS, Names, NamesEdit};

use rustls::ServerConfig;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct TlsError(String);

/// What a TLS listener needs. TLS 1.2 and 1.3 by rustls's defaults.
#[derive(Clone)]
pub struct Tls {
    /// SMTP and IMAP, which agree on no protocol by ALPN.
    pub server: Arc<ServerConfig>,
    /// HTTPS, where authorities also look for proofs.
    pub web: Arc<ServerConfig>,
    pub names: Names,
}

impl Tls {
    /// From PEM files.
    pub fn load(certificate: &Path, key: &Path) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_file_iter(certificate)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|e| TlsError(format!("cannot read the certificate in {}: {e}", certificate.display())))?;
        let key_file =
            PrivateKeyDer::from_pem_file(key).map_err(|e| TlsError(format!("cannot read the private key in {}: {e}", key.display())))?;
        Self::with(chain, key_file, true).map_err(|e| TlsError(format!("the certificate in {} cannot be used: {e}", certificate.display())))
    }

    /// From PEM text, as a service that keeps secrets puts it into the environment.
    pub fn from_pem(certificate: &str, key: &str) -> Result<Self, TlsError> {
        let failed = |e: &dyn std::fmt::Display| TlsError(format!("the certificate and key given as PEM text cannot be used: {e}"));
        let chain = CertificateDer::pem_slice_iter(certificate.as_bytes()).collect::<Result<Vec<_>, _>>().map_err(|e| failed(&e))?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).map_err(|e| failed(&e))?;
        Self::with(chain, key, true).map_err(|e| failed(&e))
    }

    /// Made now and signed by itself: good behind a load balancer that does not ask.
    pub fn make(host_name: &str) -> Result<Self, TlsError> {
        let failed = |e: &dyn std::fmt::Display| TlsError(format!("cannot make a certificate for {host_name}: {e}"));
        let made = rcgen::generate_simple_self_signed([host_name.to_owned()]).map_err(|e| failed(&e))?;
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).map_err(|e| failed(&e))?;
        Self::with(vec![made.cert.der().clone()], key, false).map_err(|e| failed(&e))
    }

    /// `chosen` by the operator: then it comes before those that an authority gave.
    fn with(chain: Vec<CertificateDer<'static>>, key: PrivateKeyDer<'static>, chosen: bool) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let default = CertifiedKey::from_der(chain, key, &provider)?;
        Self::showing(Names::new(provider, default, chosen))
    }

    fn showing(names: Names) -> Result<Self, rustls::Error> {
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?.with_no_client_auth();
        let server = builder.with_cert_resolver(Arc::new(names.clone()));
        let mut web = server.clone();
        web.alpn_protocols = vec![b"http/1.1".to_vec(), ACME_TLS.to_vec()];
        Ok(Self { server: Arc::new(server), web: Arc::new(web), names })
    }

    /// The name whose certificate is shown to clients that ask for none, where the operator chose no certificate.
    pub fn called(self, own_name: &str) -> Result<Self, TlsError> {
        let mut names = self.names;
        names.called(own_name);
        Self::showing(names).map_err(|e| TlsError(format!("the certificate cannot be used: {e}")))
    }

    /// From `dir`, where a self-signed certificate for `host_name` and the loopback names is made if there is none.
    pub fn load_or_make(dir: &Path, host_name: &str) -> Result<Self, TlsError> {
        let (certificate, key) = (dir.join("certificate.pem"), dir.join("key.pem"));
        if !certificate.exists() || !key.exists() {
            make(dir, &certificate, &key, host_name)
                .map_err(|e| TlsError(format!("cannot make a certificate in {}: {e}", dir.display())))?;
        }
        let made = Self::load(&certificate, &key)?;
        let mut names = made.names;
        names.made();
        Self::showing(names).map_err(|e| TlsError(format!("the certificate in {} cannot be used: {e}", certificate.display())))
    }
}

fn make(dir: &Path, certificate: &Path, key: &Path, host_name: &str) -> Result<(), Box<dyn std::error::Error>> {
    std::fs::create_dir_all(dir)?;
    let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
    if host_name != "localhost" {
        names.push(host_name.to_owned());
    }
    let made = rcgen::generate_simple_self_signed(names)?;
    // The key first: a certificate without its key is made again at the next start.
    write_private(key, made.signing_key.serialize_pem().as_bytes())?;
    write_private(certificate, made.cert.pem().as_bytes())?;
    Ok(())
}

/// Under its name there is all of it or nothing, whenever the power goes.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    use std::os::unix::fs::OpenOptionsExt;
    let aside = path.with_extension("new");
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&aside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&aside, path)?;
    std::fs::File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
}
