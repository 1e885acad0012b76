//! What is asked of an authority's client, and what it asks back meanwhile.

use async_trait::async_trait;
use penfold_types::Result;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// How it is proved that a name is ours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Method {
    /// HTTP-01 (RFC 8555 §8.3): a file on port 80.
    Http,
    /// DNS-01 (RFC 8555 §8.4): a TXT record.
    Dns,
    /// TLS-ALPN-01 (RFC 8737): a certificate on port 443.
    TlsAlpn,
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Http => "http",
            Self::Dns => "dns",
            Self::TlsAlpn => "tls-alpn",
        })
    }
}

impl FromStr for Method {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "http" => Ok(Self::Http),
            "dns" => Ok(Self::Dns),
            "tls-alpn" => Ok(Self::TlsAlpn),
            _ => Err(format!("{text} is no challenge; write http, dns or tls-alpn")),
        }
    }
}

/// What is to be found when the authority looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    pub method: Method,
    pub token: String,
    /// RFC 8555 §8.1.
    pub key_authorization: String,
    /// Its SHA-256.
    pub digest: Vec<u8>,
}

/// An order for one name.
#[derive(Debug, Clone)]
pub struct Request {
    pub name: String,
    /// Private key of the certificate, as PKCS#8: a secret.
    pub key: Vec<u8>,
    /// What [`Steps::keep_account`] was given before.
    pub account: Option<Vec<u8>>,
    /// An order of an earlier attempt that did not come to its end.
    pub order: Option<String>,
    /// Preferred ones first.
    pub methods: Vec<Method>,
}

/// What an order needs on its way. An error ends it.
#[async_trait]
pub trait Steps: Send + Sync {
    /// Credentials of a new account: a secret, to be kept before anything is ordered with it.
    async fn keep_account(&self, credentials: &[u8]) -> Result<()>;
    /// An order was begun; where we die, it is taken up again under this name.
    async fn begun(&self, order: &str) -> Result<()>;
    /// Shows a proof wherever the authority may look; false where this method cannot be used for the name.
    async fn show(&self, proof: &Proof) -> Result<bool>;
}

/// Why there is no certificate.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{text}")]
pub struct Refused {
    /// One sentence for the operator.
    pub text: String,
    /// The authority wants fewer requests.
    pub busy: bool,
    /// The order cannot be taken up again.
    pub ended: bool,
    /// The authority does not know our account: a new one is needed.
    pub unknown: bool,
}

impl Refused {
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), busy: false, ended: false, unknown: false }
    }

    #[must_use]
    pub fn ended(self) -> Self {
        Self { ended: true, ..self }
    }
}

impl From<penfold_types::Error> for Refused {
    fn from(error: penfold_types::Error) -> Self {
        Self::new(error.to_string())
    }
}

/// An authority's client.
#[async_trait]
pub trait Authority: Send + Sync {
    /// Its directory's URL, which tells accounts and certificates of several authorities apart.
    fn name(&self) -> &str;

    /// The certificate chain as PEM. May be called again for the same name after any failure.
    async fn order(&self, request: Request, steps: &dyn Steps) -> Result<String, Refused>;
}
