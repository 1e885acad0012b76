//! What TLS reports are made of: RFC 8460 §4. One fact for each session, and for each policy that kept one from beginning.

use std::net::IpAddr;

/// RFC 8460 §4.2 `policy-type`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PolicyType {
    Tlsa,
    Sts,
    NoPolicyFound,
}

/// RFC 8460 §4.3 `result-type`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum ResultType {
    StarttlsNotSupported,
    CertificateHostMismatch,
    CertificateExpired,
    CertificateNotTrusted,
    ValidationFailure,
    TlsaInvalid,
    DnssecInvalid,
    StsPolicyFetchError,
    StsPolicyInvalid,
    StsWebpkiInvalid,
}

impl ResultType {
    pub fn name(self) -> &'static str {
        match self {
            Self::StarttlsNotSupported => "starttls-not-supported",
            Self::CertificateHostMismatch => "certificate-host-mismatch",
            Self::CertificateExpired => "certificate-expired",
            Self::CertificateNotTrusted => "certificate-not-trusted",
            Self::ValidationFailure => "validation-failure",
            Self::TlsaInvalid => "tlsa-invalid",
            Self::DnssecInvalid => "dnssec-invalid",
            Self::StsPolicyFetchError => "sts-policy-fetch-error",
            Self::StsPolicyInvalid => "sts-policy-invalid",
            Self::StsWebpkiInvalid => "sts-webpki-invalid",
        }
    }
}

/// The policy that a session was held to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyFacts {
    pub kind: PolicyType,
    /// `policy-string`: TLSA records, or the lines of the MTA-STS policy.
    pub text: Vec<String>,
    /// `mx-host`: the patterns of the MTA-STS policy.
    pub mx: Vec<String>,
}

impl PolicyFacts {
    pub(crate) fn none() -> Self {
        Self { kind: PolicyType::NoPolicyFound, text: Vec::new(), mx: Vec::new() }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fact {
    pub policy: PolicyFacts,
    /// The recipients' domain.
    pub domain: String,
    /// `receiving-mx-hostname` and `receiving-ip`; `None` where it did not come to that.
    pub host: Option<String>,
    pub address: Option<IpAddr>,
    pub result: Result<(), ResultType>,
}

/// Takes facts. Called in the middle of an attempt, so it must not wait.
pub trait Facts: Send + Sync {
    fn session(&self, fact: Fact);
}

/// Where nobody reports.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFacts;

impl Facts for NoFacts {
    fn session(&self, _: Fact) {}
}
