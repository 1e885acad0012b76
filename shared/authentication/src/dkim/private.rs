//! Keys that sign, and the records that publish them.

use super::Algorithm;
use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use penfold_types::Env;
use std::fmt;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the private key cannot be used: it must be RSA of at least 2048 bits or Ed25519, as PKCS#8")]
pub struct KeyError;

/// RSA of 2048 bits and more, or Ed25519.
pub struct PrivateKey(Pair);

enum Pair {
    Rsa(RsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl PrivateKey {
    /// A new key; RSA gets 2048 bits, since longer ones do not fit into what every resolver passes on (RFC 8301 §3.2).
    /// RSA takes its randomness from the library and a second of time, so do it aside; Ed25519 takes it from `env`.
    pub fn generate(algorithm: Algorithm, env: &Env) -> Result<Self, KeyError> {
        match algorithm {
            Algorithm::RsaSha256 => RsaKeyPair::generate(KeySize::Rsa2048).map(|pair| Self(Pair::Rsa(pair))).map_err(|_| KeyError),
            Algorithm::Ed25519Sha256 => {
                let mut seed = [0; 32];
                env.fill(&mut seed);
                Ed25519KeyPair::from_seed_unchecked(&seed).map(|pair| Self(Pair::Ed25519(pair))).map_err(|_| KeyError)
            }
        }
    }

    /// The type is read off the key.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        if let Ok(pair) = Ed25519KeyPair::from_pkcs8(der) {
            return Ok(Self(Pair::Ed25519(pair)));
        }
        RsaKeyPair::from_pkcs8(der).map(|pair| Self(Pair::Rsa(pair))).map_err(|_| KeyError)
    }

    /// DER; a secret, to be sealed by whoever keeps it.
    pub fn to_pkcs8(&self) -> Result<Vec<u8>, KeyError> {
        match &self.0 {
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| der.as_ref().to_vec()).map_err(|_| KeyError),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|der| der.as_ref().to_vec()).map_err(|_| KeyError),
        }
    }

    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Pair::Rsa(_) => Algorithm::RsaSha256,
            Pair::Ed25519(_) => Algorithm::Ed25519Sha256,
        }
    }

    /// The text of the TXT record at `<selector>._domainkey.<domain>` (RFC 6376 §3.6.1). For RSA it is longer than one string
    /// of a record may be (255 octets); name servers and their forms cut it, and readers join it.
    pub fn record(&self) -> Result<String, KeyError> {
        let public = match &self.0 {
            Pair::Rsa(pair) => {
                let der: aws_lc_rs::encoding::PublicKeyX509Der<'_> = pair.public_key().as_der().map_err(|_| KeyError)?;
                STANDARD.encode(der.as_ref())
            }
            Pair::Ed25519(pair) => STANDARD.encode(pair.public_key().as_ref()),
        };
        Ok(format!("v=DKIM1; k={}; p={public}", self.algorithm().key_type()))
    }

    pub(super) fn sign(&self, signed: &[u8]) -> Result<Vec<u8>, KeyError> {
        match &self.0 {
            Pair::Rsa(pair) => {
                let mut out = vec![0; pair.public_modulus_len()];
                // The padding is not random; the library draws what it needs to blind itself.
                pair.sign(&RSA_PKCS1_SHA256, &aws_lc_rs::rand::SystemRandom::new(), signed, &mut out).map_err(|_| KeyError)?;
                Ok(out)
            }
            Pair::Ed25519(pair) => Ok(pair.sign(digest(&SHA256, signed).as_ref()).as_ref().to_vec()),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({})", self.algorithm().name())
    }
}
