//! Public keys in DNS (RFC 6376 §3.6), and what they verify.

use super::Algorithm;
use crate::tags::{Tags, base64};
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rsa::PublicKey;
use aws_lc_rs::signature::{ED25519, RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, RsaParameters, UnparsedPublicKey};
use penfold_ports::{Dns, DnsError};

/// RFC 8301 §3.2.
const LEAST_BITS: u32 = 1024;
/// More is a burden and no safety.
const MOST_BITS: u32 = 8192;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Trouble {
    /// Ask again later.
    Temporary,
    /// There is no such key.
    Missing(&'static str),
    /// There is one, and it is not used by us.
    Weak(&'static str),
}

#[derive(Debug)]
pub(crate) struct Key {
    algorithm: Algorithm,
    bytes: Vec<u8>,
    pub bits: u32,
    /// `t=s`: `i=` must be `d=`.
    pub strict: bool,
}

/// The key of a selector.
pub(crate) async fn key(dns: &dyn Dns, selector: &str, domain: &str, algorithm: Algorithm) -> Result<Key, Trouble> {
    let name = format!("{selector}._domainkey.{domain}");
    let records = match dns.txt(&name).await {
        Ok(answer) => answer.records,
        Err(DnsError::Temporary) => return Err(Trouble::Temporary),
        Err(_) => return Err(Trouble::Missing("there is no key")),
    };
    // RFC 6376 §6.1.2 leaves open what several records mean. The first that fits is taken, out of a few.
    let mut trouble = Trouble::Missing("there is no key");
    for record in records.iter().take(5) {
        match Key::read(record, algorithm) {
            Ok(key) => return Ok(key),
            Err(found) => trouble = found,
        }
    }
    Err(trouble)
}

impl Key {
    fn read(record: &[u8], algorithm: Algorithm) -> Result<Self, Trouble> {
        let missing = |reason| Err(Trouble::Missing(reason));
        let Some(tags) = Tags::read(record) else { return missing("the key cannot be read") };
        if tags.get("v").is_some_and(|version| version != b"DKIM1" || tags.first() != Some((b"v", b"DKIM1"))) {
            return missing("the key has another version");
        }
        if !tags.get("k").unwrap_or(b"rsa").eq_ignore_ascii_case(algorithm.key_type().as_bytes()) {
            return missing("the key is of another type");
        }
        if tags.list("h").is_some_and(|mut hashes| !hashes.any(|hash| hash.eq_ignore_ascii_case(b"sha256"))) {
            return missing("the key is for other hashes");
        }
        if tags.list("s").is_some_and(|mut services| !services.any(|service| service == b"*" || service.eq_ignore_ascii_case(b"email"))) {
            return missing("the key is for other services");
        }
        let Some(text) = tags.get("p") else { return missing("the key is missing") };
        if text.is_empty() {
            return missing("the key is revoked");
        }
        let Some(bytes) = base64(text) else { return missing("the key cannot be read") };
        let (bytes, bits) = match algorithm {
            Algorithm::RsaSha256 => rsa(&bytes)?,
            Algorithm::Ed25519Sha256 if bytes.len() == 32 => (bytes, 256),
            Algorithm::Ed25519Sha256 => return missing("the key cannot be read"),
        };
        let strict = tags.list("t").is_some_and(|mut flags| flags.any(|flag| flag == b"s"));
        Ok(Self { algorithm, bytes, bits, strict })
    }

    pub fn verifies(&self, signed: &[u8], signature: &[u8]) -> bool {
        match self.algorithm {
            Algorithm::RsaSha256 => {
                let key = UnparsedPublicKey::new(&RSA_PKCS1_1024_8192_SHA256_FOR_LEGACY_USE_ONLY, &self.bytes);
                key.verify(signed, signature).is_ok()
            }
            // RFC 8463 §3: what is signed is the hash.
            Algorithm::Ed25519Sha256 => {
                UnparsedPublicKey::new(&ED25519, &self.bytes).verify(digest(&SHA256, signed).as_ref(), signature).is_ok()
            }
        }
    }
}

/// An RSAPublicKey, which comes by itself or in a SubjectPublicKeyInfo, and its size.
fn rsa(der: &[u8]) -> Result<(Vec<u8>, u32), Trouble> {
    let unread = Trouble::Missing("the key cannot be read");
    let key = PublicKey::from_der(der).map_err(|_| unread)?;
    let bits = RsaParameters::public_modulus_len(key.as_ref()).map_err(|_| unread)?;
    match bits {
        ..LEAST_BITS => Err(Trouble::Weak("the key is too short")),
        LEAST_BITS..=MOST_BITS => Ok((key.as_ref().to_vec(), bits)),
        _ => Err(Trouble::Weak("the key is too long")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ed(record: &str) -> Result<Key, Trouble> {
        Key::read(record.as_bytes(), Algorithm::Ed25519Sha256)
    }

    #[test]
    fn records() {
        let p = "p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
        assert!(ed(&format!("v=DKIM1; k=ed25519; {p}")).is_ok_and(|key| !key.strict));
        assert!(ed(&format!("k=Ed25519; {p}; t=y:s; s=EMAIL; h=sha1:sha256; n=note; x=1")).is_ok_and(|key| key.strict));
        for bad in [
            format!("k=ed25519; v=DKIM1; {p}"),
            format!("v=DKIM2; k=ed25519; {p}"),
            p.to_owned(),
            format!("k=ed25519; {p}; s=other"),
            format!("k=ed25519; {p}; h=sha1"),
            "k=ed25519; p=".to_owned(),
            "k=ed25519".to_owned(),
            "k=ed25519; p=YQ==".to_owned(),
            "junk".to_owned(),
        ] {
            assert!(matches!(ed(&bad), Err(Trouble::Missing(_))), "{bad}");
        }
    }

    #[test]
    fn short_keys() {
        let record = "p=MFwwDQYJKoZIhvcNAQEBBQADSwAwSAJBANmBe10IgY+u7h3enWTukkqtUD5PR52Tb/mPfjC0QJTocVBq6Za/PlzfV+Py92VaCak19F4WrbVTK5Gg5tW220MCAwEAAQ==";
        assert_eq!(Key::read(record.as_bytes(), Algorithm::RsaSha256).err(), Some(Trouble::Weak("the key is too short")));
    }
}
