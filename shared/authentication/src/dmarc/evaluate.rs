//! The evaluation of one message (RFC 9989 §5.3).

use super::record::{Alignment, Policy, Published};
use super::walk::walk;
use super::{Author, Dmarc, DmarcResult};
use crate::name::is_within;
use penfold_ports::{Dns, DnsError};

/// A domain for which SPF or DKIM speaks.
pub(crate) struct Identified {
    /// As A-labels in lower case.
    pub domain: String,
    /// It passed; otherwise whether it does could not be found out now.
    pub passed: bool,
}

pub(crate) async fn evaluate(dns: &dyn Dns, author: Author, dkim: &[Identified], spf: &[Identified]) -> Dmarc {
    let Author::Domain(domain) = &author else {
        let result = if author == Author::Several { DmarcResult::None } else { DmarcResult::PermError };
        return Dmarc { author, result, ..Dmarc::default() };
    };
    let domain = domain.clone();
    let mut out = Dmarc { author, ..Dmarc::default() };
    let walk = match walk(dns, &domain).await {
        Ok(walk) => walk,
        Err(_) => return Dmarc { result: DmarcResult::TempError, ..out },
    };
    let organization = walk.organization();
    let Some((policy_domain, published)) = walk.applying().filter(|(_, record)| record.counts()) else { return out };
    out.organization = Some(organization.to_owned());
    out.policy_domain = Some(policy_domain.to_owned());
    let mut open = false;
    match policy(dns, &domain, policy_domain, &published).await {
        Ok(policy) => out.policy = policy,
        // The stricter one: it is applied only after a verdict that may be asked for again.
        Err(_) => (out.policy, open) = (published.for_subdomains().max(published.for_nonexistent()), true),
    }
    let near = Near { dns, author: &domain, organization };
    for (identified, mode, aligned) in [(dkim, published.adkim, &mut out.dkim_aligned), (spf, published.aspf, &mut out.spf_aligned)] {
        for one in identified {
            match near.aligned(&one.domain, mode).await {
                Ok(true) if one.passed => *aligned = true,
                Ok(true) | Err(_) => open = true,
                Ok(false) => (),
            }
            if *aligned {
                break;
            }
        }
    }
    out.result = match (out.dkim_aligned || out.spf_aligned, open) {
        (true, _) => DmarcResult::Pass,
        (false, true) => DmarcResult::TempError,
        (false, false) => DmarcResult::Fail,
    };
    out.published = Some(published);
    out
}

/// Of `p`, `sp` and `np` the one that applies.
async fn policy(dns: &dyn Dns, author: &str, policy_domain: &str, published: &Published) -> Result<Policy, DnsError> {
    if author == policy_domain {
        return Ok(published.for_itself());
    }
    let (existing, other) = (published.for_subdomains(), published.for_nonexistent());
    if existing == other {
        return Ok(existing);
    }
    // RFC 8020: where one type has no such name, no type has.
    match dns.v4(author).await {
        Err(DnsError::NoName) => Ok(other),
        Err(DnsError::Temporary) => Err(DnsError::Temporary),
        _ => Ok(existing),
    }
}

struct Near<'a> {
    dns: &'a dyn Dns,
    author: &'a str,
    organization: &'a str,
}

impl Near<'_> {
    /// §4.4. Both names have the same Organizational Domain, or are the same where the owner is strict.
    async fn aligned(&self, domain: &str, mode: Alignment) -> Result<bool, DnsError> {
        if domain == self.author {
            return Ok(true);
        }
        // An Organizational Domain is above its names, so most strangers need no walk.
        if mode == Alignment::Strict || !is_within(domain, self.organization) {
            return Ok(false);
        }
        Ok(walk(self.dns, domain).await?.organization() == self.organization)
    }
}
