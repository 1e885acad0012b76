//! What TLS reports are made of: RFC 8460 §4. One fact for each session, and for each policy that kept one from beginning.

use penfold_reports::{Tally, TlsFact, tls};
use std::net::IpAddr;

/// RFC 8460 §4.2 `policy-type`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum PolicyType {
    Tlsa,
    Sts,
    NoPolicyFound,
}

impl PolicyType {
    pub fn name(self) -> &'static str {
        match self {
            Self::Tlsa => "tlsa",
            Self::Sts => "sts",
            Self::NoPolicyFound => "no-policy-found",
        }
    }
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

/// Counted, for reports to the domains that want them.
impl Facts for Tally {
    fn session(&self, fact: Fact) {
        let Fact { policy, domain, host, address, result } = fact;
        let facts = tls::PolicyFacts {
            policy_type: policy.kind.name().to_owned(),
            policy_string: policy.text,
            policy_domain: domain.clone(),
            mx_host: policy.mx,
        };
        let failure = result.err().map(|result| tls::Failure {
            result_type: result.name().to_owned(),
            receiving_mx_hostname: host,
            receiving_ip: address.map(|address| address.to_canonical().to_string()),
            ..tls::Failure::default()
        });
        Self::session(self, domain, TlsFact { policy: facts, failure });
    }
}
