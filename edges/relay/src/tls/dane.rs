//! TLSA records against a certificate: RFC 6698 §2.1, as RFC 7672 §3 has it for SMTP.

use aws_lc_rs::digest::{SHA256, SHA512, digest};
use penfold_ports::Tlsa;
use std::sync::Arc;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::ServerCertVerifier as _;
use tokio_rustls::rustls::crypto::CryptoProvider;
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::server::ParsedCertificate;
use tokio_rustls::rustls::{CertificateError, Error, RootCertStore};

const TRUST_ANCHOR: u8 = 2;
const END_ENTITY: u8 = 3;

/// Records that say something for SMTP: RFC 7672 §3.1 leaves out the usages that need a public authority too.
pub(crate) fn usable(records: &[Tlsa]) -> Vec<Tlsa> {
    let fits = |record: &&Tlsa| {
        let data = match record.matching {
            0 => !record.data.is_empty(),
            1 => record.data.len() == 32,
            2 => record.data.len() == 64,
            _ => false,
        };
        matches!(record.usage, TRUST_ANCHOR | END_ENTITY) && record.selector <= 1 && data
    };
    records.iter().filter(fits).cloned().collect()
}

/// As a zone file has it: RFC 6698 §2.2.
pub(crate) fn describe(record: &Tlsa) -> String {
    let data: String = record.data.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{} {} {} {data}", record.usage, record.selector, record.matching)
}

/// What a peer showed.
pub(super) struct Presented<'a> {
    pub end_entity: &'a CertificateDer<'a>,
    pub intermediates: &'a [CertificateDer<'a>],
    pub name: &'a ServerName<'a>,
    pub domain: &'a str,
    pub now: UnixTime,
}

pub(super) fn verify(records: &[Tlsa], presented: &Presented<'_>, provider: &Arc<CryptoProvider>) -> Result<(), Error> {
    let of = |usage| records.iter().filter(move |record| record.usage == usage);
    // RFC 7672 §3.1.1: neither names nor dates matter.
    if of(END_ENTITY).any(|record| matches(record, presented.end_entity)) {
        return Ok(());
    }
    let mut anchors = RootCertStore::empty();
    for record in of(TRUST_ANCHOR) {
        for certificate in presented.intermediates.iter().filter(|certificate| matches(record, certificate)) {
            let _ = anchors.add(certificate.clone().into_owned());
        }
        // RFC 7671 §5.2.2: an anchor that is published whole need not be sent.
        if (record.selector, record.matching) == (0, 0) {
            let _ = anchors.add(CertificateDer::from(record.data.to_vec()));
        }
    }
    if anchors.is_empty() {
        return Err(Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure));
    }
    below(anchors, presented, provider)
}

/// RFC 7672 §3.1.2, §3.2.3: a chain from the anchor to a certificate for the host or the domain.
fn below(anchors: RootCertStore, presented: &Presented<'_>, provider: &Arc<CryptoProvider>) -> Result<(), Error> {
    let verifier = WebPkiServerVerifier::builder_with_provider(Arc::new(anchors), provider.clone())
        .build()
        .map_err(|error| Error::General(error.to_string()))?;
    let check = |name: &ServerName<'_>| {
        verifier.verify_server_cert(presented.end_entity, presented.intermediates, name, &[], presented.now).map(|_| ())
    };
    check(presented.name).or_else(|error| match ServerName::try_from(presented.domain) {
        Ok(domain) => check(&domain),
        Err(_) => Err(error),
    })
}

fn matches(record: &Tlsa, certificate: &CertificateDer<'_>) -> bool {
    let key;
    let selected: &[u8] = if record.selector == 0 {
        certificate
    } else {
        let Ok(parsed) = ParsedCertificate::try_from(certificate) else { return false };
        key = parsed.subject_public_key_info();
        &key
    };
    match record.matching {
        0 => *record.data == *selected,
        1 => *record.data == *digest(&SHA256, selected).as_ref(),
        2 => *record.data == *digest(&SHA512, selected).as_ref(),
        _ => false,
    }
}
