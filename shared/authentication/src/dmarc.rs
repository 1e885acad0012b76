//! Domain-based Message Authentication, Reporting and Conformance (RFC 9989): is the domain that people see in From one
//! that vouches for the message, and what does its owner ask for if not?

mod author;
mod evaluate;
mod record;
#[cfg(test)]
mod tests;
mod walk;

pub use author::Author;
pub(crate) use author::author;
pub(crate) use evaluate::{Identified, evaluate};
use penfold_ports::{Dns, DnsError};
pub use record::{Alignment, Policy, Psd, Published};

/// RFC 8601 §2.7 as RFC 9989 registers it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum DmarcResult {
    /// Nobody asks for anything.
    #[default]
    None,
    Pass,
    Fail,
    TempError,
    /// The message has no From that could be judged.
    PermError,
}

impl DmarcResult {
    pub fn keyword(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

/// What was found for the Author Domain, and what a report about it needs (RFC 9990).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Dmarc {
    pub author: Author,
    pub result: DmarcResult,
    /// Where the record that applies stands, without `_dmarc`.
    pub policy_domain: Option<String>,
    /// The Organizational Domain of the author.
    pub organization: Option<String>,
    pub published: Option<Published>,
    /// What that record asks for this author: of `p`, `sp` and `np` the one that applies.
    pub policy: Policy,
    /// A name that DKIM vouches for is aligned; the same for SPF.
    pub dkim_aligned: bool,
    pub spf_aligned: bool,
}

/// What to do with the message, by the owner's wish and without any policy of ours.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Handling {
    Accept,
    Quarantine,
    Reject,
    /// A temporary failure stands between us and the verdict: `4yz`.
    Later,
}

impl Dmarc {
    pub fn handling(&self) -> Handling {
        handling(self.result, self.policy, self.published.as_ref())
    }
}

/// The policy counts only where the result is `fail`. While the owner is testing (`t=y`), one step less than what is asked.
/// A temporary error is waited out where the owner asks for something, or where it hides whether they do: otherwise who
/// can silence a name server could forge its mail. With `p=none` there is nothing to wait for.
pub fn handling(result: DmarcResult, policy: Policy, published: Option<&Published>) -> Handling {
    let asked = if published.is_some_and(|published| published.testing) { policy.less() } else { policy };
    match (result, asked) {
        (DmarcResult::TempError, Policy::None) if published.is_some() => Handling::Accept,
        (DmarcResult::TempError, _) => Handling::Later,
        (DmarcResult::Fail, Policy::Quarantine) => Handling::Quarantine,
        (DmarcResult::Fail, Policy::Reject) => Handling::Reject,
        _ => Handling::Accept,
    }
}

/// The Organizational Domain of a name (RFC 9989 §4.10.2), by at most eight questions.
pub async fn organizational_domain(dns: &dyn Dns, name: &str) -> Result<String, DnsError> {
    Ok(walk::walk(dns, name).await?.organization().to_owned())
}
