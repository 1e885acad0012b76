use super::{Demand, dane};
use crate::facts::ResultType;
use parking_lot::Mutex;
use std::fmt;
use std::io;
use std::sync::Arc;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, Error, SignatureScheme};

/// Checks a certificate as its demand says. Whatever that is, the peer must hold the certificate's key.
pub(super) struct Verifier {
    demand: Demand,
    pki: Option<Arc<WebPkiServerVerifier>>,
    provider: Arc<CryptoProvider>,
    found: Mutex<Option<ResultType>>,
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Verifier")
    }
}

impl Verifier {
    pub fn new(demand: Demand, pki: Option<Arc<WebPkiServerVerifier>>, provider: Arc<CryptoProvider>) -> Self {
        Self { demand, pki, provider, found: Mutex::new(None) }
    }

    pub fn found(&self) -> Option<ResultType> {
        *self.found.lock()
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let checked = match &self.demand {
            Demand::Clear | Demand::May | Demand::Encrypt => return Ok(ServerCertVerified::assertion()),
            Demand::Observe | Demand::Pki { .. } => match &self.pki {
                Some(pki) => pki.verify_server_cert(end_entity, intermediates, name, ocsp, now).map(|_| ()),
                None => Err(Error::InvalidCertificate(CertificateError::UnknownIssuer)),
            },
            Demand::Dane { records, domain } => {
                let presented = dane::Presented { end_entity, intermediates, name, domain, now };
                dane::verify(records, &presented, &self.provider)
            }
        };
        match checked {
            Ok(()) => Ok(ServerCertVerified::assertion()),
            Err(error) => {
                *self.found.lock() = Some(kind(&error));
                if self.demand.is_strict() { Err(error) } else { Ok(ServerCertVerified::assertion()) }
            }
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// RFC 8460 §4.3.2.2.
fn kind(error: &Error) -> ResultType {
    use CertificateError as C;
    match error {
        Error::InvalidCertificate(C::NotValidForName | C::NotValidForNameContext { .. }) => ResultType::CertificateHostMismatch,
        Error::InvalidCertificate(C::Expired | C::ExpiredContext { .. } | C::NotValidYet | C::NotValidYetContext { .. }) => {
            ResultType::CertificateExpired
        }
        Error::InvalidCertificate(C::UnknownIssuer | C::BadSignature) => ResultType::CertificateNotTrusted,
        _ => ResultType::ValidationFailure,
    }
}

/// What a handshake that failed is called in a report.
pub(crate) fn result_type(error: &io::Error) -> ResultType {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
    inner.map_or(ResultType::ValidationFailure, kind)
}
