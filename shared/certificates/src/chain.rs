//! Whether what an authority gave is what was ordered.

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use penfold_types::{Error, Result, Timestamp};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use x509_parser::prelude::{FromDer, GeneralName, X509Certificate};

/// Octets of a chain; a real one has some thousand.
const SIZE: usize = 64 * 1024;
const CERTIFICATES: usize = 10;

/// From when to when the first certificate is good. An error says what is wrong with the chain.
pub(crate) fn check(pem: &str, name: &str, key: &[u8], now: Timestamp) -> Result<(Timestamp, Timestamp), String> {
    if pem.len() > SIZE {
        return Err("it is too long".to_owned());
    }
    let chain: Vec<_> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().map_err(|error| format!("it is no PEM: {error}"))?;
    if chain.len() > CERTIFICATES {
        return Err("it has too many certificates".to_owned());
    }
    let leaf = chain.first().ok_or("it is empty")?;
    let (rest, parsed) = X509Certificate::from_der(leaf).map_err(|error| format!("its first certificate cannot be read: {error}"))?;
    if !rest.is_empty() {
        return Err("something follows its first certificate".to_owned());
    }
    for other in &chain[1..] {
        X509Certificate::from_der(other).map_err(|error| format!("a certificate of it cannot be read: {error}"))?;
    }
    let names = parsed.subject_alternative_name().map_err(|error| format!("its names cannot be read: {error}"))?;
    let is_ours = |general: &GeneralName<'_>| matches!(general, GeneralName::DNSName(dns) if dns.eq_ignore_ascii_case(name));
    if !names.is_some_and(|names| names.value.general_names.iter().any(is_ours)) {
        return Err("it is for another name".to_owned());
    }
    let own = key_pair(key).map_err(|error| error.to_string())?;
    if parsed.public_key().subject_public_key.data != own.public_key().as_ref() {
        return Err("it is for another key".to_owned());
    }
    let at = |time: x509_parser::time::ASN1Time| Timestamp::from_seconds(time.timestamp());
    let (from, until) = (at(parsed.validity().not_before), at(parsed.validity().not_after));
    if until <= now || until <= from {
        return Err("it has expired".to_owned());
    }
    Ok((from, until))
}

fn key_pair(key: &[u8]) -> Result<EcdsaKeyPair> {
    EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, key)
        .map_err(|error| Error::broken("the key of a certificate cannot be used").because(error))
}

/// A new key as PKCS#8: P-256, which every client takes.
pub(crate) fn generate() -> Result<Vec<u8>> {
    let failed = |error: aws_lc_rs::error::Unspecified| Error::broken("a key cannot be made").because(error);
    let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).map_err(failed)?;
    let der: aws_lc_rs::pkcs8::Document = pair.to_pkcs8v1().map_err(failed)?;
    Ok(der.as_ref().to_vec())
}
