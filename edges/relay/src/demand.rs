//! What a host must show: DANE (RFC 7672) before MTA-STS (RFC 8461), and REQUIRETLS (RFC 8689) on top.

use crate::client::Inner;
use crate::facts::{PolicyFacts, PolicyType, ResultType};
use crate::route::Host;
use crate::said::ours;
use crate::sts::{Found, Mode};
use crate::tls::{Demand, describe, usable};
use penfold_ports::{DnsError, Said};

/// A demand, and the policy it comes from.
#[derive(Debug)]
pub(crate) struct Plan {
    pub demand: Demand,
    pub policy: PolicyFacts,
    /// To be reported though the session goes on.
    pub wrong: Option<ResultType>,
}

/// A host that must not be used.
#[derive(Debug)]
pub(crate) struct Barred {
    pub said: Said,
    pub policy: PolicyFacts,
    pub result: ResultType,
}

/// RFC 7672 §2.2: `None` where there is nothing to hold the host to.
pub(crate) async fn dane(inner: &Inner, host: &Host, secure: bool, domain: &str) -> Result<Option<Plan>, Box<Barred>> {
    // RFC 7672 §2.2.2: names without DNSSEC are not even asked.
    if !secure || host.address.is_some() {
        return Ok(None);
    }
    let name = format!("_{}._tcp.{}", inner.config.port, host.name);
    let mut policy = PolicyFacts { kind: PolicyType::Tlsa, text: Vec::new(), mx: Vec::new() };
    let records = match inner.dns.tlsa(&name).await {
        Ok(answer) if answer.secure => answer.records,
        Ok(_) | Err(DnsError::NoName | DnsError::NoRecord) => return Ok(None),
        // Whoever forges answers must not win by breaking this one.
        Err(DnsError::Temporary) => {
            let said = ours(451, (4, 7, 5), format!("the TLSA records of {} cannot be had", host.name));
            return Err(Box::new(Barred { said, policy, result: ResultType::DnssecInvalid }));
        }
    };
    policy.text = records.iter().map(describe).collect();
    let records = usable(&records);
    Ok(Some(if records.is_empty() {
        Plan { demand: Demand::Encrypt, policy, wrong: Some(ResultType::TlsaInvalid) }
    } else {
        Plan { demand: Demand::Dane { records, domain: domain.to_owned() }, policy, wrong: None }
    }))
}

/// RFC 8461 §5.
pub(crate) fn sts(found: &Found, host: &Host) -> Result<Plan, Box<Barred>> {
    let none = |policy| Plan { demand: Demand::May, policy, wrong: None };
    let Some(policy) = &found.policy else { return Ok(none(PolicyFacts::none())) };
    let facts = PolicyFacts { kind: PolicyType::Sts, text: policy.lines.clone(), mx: policy.mx.clone() };
    match (policy.mode, policy.allows(&host.name)) {
        (Mode::None, _) => Ok(none(PolicyFacts::none())),
        (Mode::Enforce, true) => Ok(Plan { demand: Demand::Pki { proof: "sts" }, policy: facts, wrong: None }),
        (Mode::Enforce, false) => {
            let said = ours(451, (4, 7, 5), format!("{} is no host of the domain's MTA-STS policy", host.name));
            Err(Box::new(Barred { said, policy: facts, result: ResultType::ValidationFailure }))
        }
        (Mode::Testing, true) => Ok(Plan { demand: Demand::Observe, policy: facts, wrong: None }),
        (Mode::Testing, false) => Ok(Plan { demand: Demand::May, policy: facts, wrong: Some(ResultType::ValidationFailure) }),
    }
}

/// RFC 8689 §4.2.1: the host must be known to be the domain's, by DNSSEC or MTA-STS, and prove its name.
pub(crate) fn require_tls(plan: Plan, host: &Host, secure: bool) -> Result<Plan, Said> {
    match plan.demand {
        Demand::Dane { .. } | Demand::Pki { .. } => Ok(plan),
        _ if secure => Ok(Plan { demand: Demand::Pki { proof: "pki" }, ..plan }),
        _ => Err(unproven(&host.name)),
    }
}

pub(crate) fn unproven(host: &str) -> Said {
    ours(550, (5, 7, 30), format!("the message may only go where REQUIRETLS is supported, and {host} cannot be proven"))
}
