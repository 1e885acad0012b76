//! DMARC aggregate reports (RFC 9990): how one receiver judged the mail of one domain in one span of time.

mod read;
mod write;

pub use read::read;
pub use write::write;

use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// The root element (RFC 9990 §3.1.1). Keywords are kept as words: reporters know more of them than the document does.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Feedback {
    pub metadata: Metadata,
    pub policy: PolicyPublished,
    pub records: Vec<Record>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
pub struct Metadata {
    pub org_name: String,
    pub email: String,
    pub extra_contact_info: Option<String>,
    pub report_id: String,
    /// Seconds since 1970, UTC.
    pub begin: i64,
    pub end: i64,
    pub errors: Vec<String>,
    pub generator: Option<String>,
}

/// The policy that the reporter saw.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct PolicyPublished {
    pub domain: String,
    pub discovery_method: Option<String>,
    pub p: String,
    pub sp: Option<String>,
    pub np: Option<String>,
    pub fo: Option<String>,
    pub adkim: Option<String>,
    pub aspf: Option<String>,
    /// `y` or `n`
    pub testing: Option<String>,
}

/// Messages of one source that fared alike.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Record {
    pub source_ip: IpAddr,
    pub count: u64,
    pub evaluated: Evaluated,
    pub identifiers: Identifiers,
    pub dkim: Vec<DkimResult>,
    pub spf: Vec<SpfResult>,
}

/// `policy_evaluated`
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Evaluated {
    /// `none`, `pass`, `quarantine` or `reject`.
    pub disposition: String,
    /// A name that DKIM vouches for is aligned; the same for SPF.
    pub dkim: bool,
    pub spf: bool,
    pub reasons: Vec<Reason>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Reason {
    /// `type`
    pub kind: String,
    pub comment: Option<String>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct Identifiers {
    pub header_from: String,
    /// Empty for the null reverse-path.
    pub envelope_from: Option<String>,
    pub envelope_to: Option<String>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct DkimResult {
    pub domain: String,
    pub selector: String,
    pub result: String,
    pub human_result: Option<String>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
pub struct SpfResult {
    pub domain: String,
    pub scope: Option<String>,
    pub result: String,
    pub human_result: Option<String>,
}
