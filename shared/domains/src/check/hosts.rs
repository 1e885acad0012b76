//! Names that lead to hosts: aliases, services, and what stands in their way.

use super::{Judged, listed};
use penfold_directory::Service as Public;
use penfold_ports::{Dns, DnsError, Service};
use penfold_types::Domain;
use std::collections::BTreeSet;
use std::net::IpAddr;

pub(super) fn shown(srv: &Service) -> String {
    let target = if srv.target.is_empty() { "." } else { &srv.target };
    format!("{} {} {} {target}", srv.priority, srv.weight, srv.port)
}

/// RFC 2782, 6186.
pub(super) fn srv(port: u16, target: &str, found: &[Service]) -> Judged {
    if found.is_empty() {
        return Judged::missing();
    }
    let ours = |srv: &Service| srv.port == port && srv.target.eq_ignore_ascii_case(target);
    if !found.iter().any(ours) {
        return Judged::differs("clients are led elsewhere; replace it with what is wanted");
    }
    match found.iter().all(ours) {
        true => Judged::ok(),
        false => Judged::noting("some clients are led elsewhere; remove what is not wanted"),
    }
}

/// An alias of our host, or addresses that are all our host's.
pub(super) async fn alias(dns: &dyn Dns, name: &str, host: &str) -> (Vec<String>, Judged) {
    let aliases = dns.alias(name).await.map(|answer| answer.records).unwrap_or_default();
    if aliases.iter().any(|alias| alias.eq_ignore_ascii_case(host)) {
        return (aliases, Judged::ok());
    }
    let (own, wanted) = (addresses(dns, name).await, addresses(dns, host).await);
    let (Ok(own), Ok(wanted)) = (own, wanted) else { return (aliases, Judged::unanswered()) };
    let found = if aliases.is_empty() { own.iter().map(IpAddr::to_string).collect() } else { aliases };
    let judged = if found.is_empty() {
        Judged::missing()
    } else if !own.is_empty() && own.is_subset(&wanted) {
        Judged::ok()
    } else {
        Judged::differs(format!("it leads to another host than {host}; replace it with what is wanted"))
    };
    (found, judged)
}

/// Whether a name leads to a host that has an address, by an alias or by its addresses; `None` where nobody answers. The host
/// leads to itself.
pub async fn leads_to(dns: &dyn Dns, name: &str, host: &str) -> Option<bool> {
    match addresses(dns, host).await {
        Ok(found) if found.is_empty() => return Some(false),
        Ok(_) => {}
        Err(_) => return None,
    }
    if name.eq_ignore_ascii_case(host) {
        return Some(true);
    }
    match alias(dns, name, host).await.1.verdict {
        crate::Verdict::Ok => Some(true),
        crate::Verdict::CannotBeAsked => None,
        _ => Some(false),
    }
}

async fn addresses(dns: &dyn Dns, host: &str) -> Result<BTreeSet<IpAddr>, Judged> {
    let v4 = listed(dns.v4(host).await.map(|answer| answer.records))?;
    let v6 = listed(dns.v6(host).await.map(|answer| answer.records))?;
    Ok(v4.into_iter().map(IpAddr::V4).chain(v6.into_iter().map(IpAddr::V6)).collect())
}

/// One sentence for each thing that no single record shows.
pub(super) async fn conflicts(dns: &dyn Dns, domain: &Domain, service: &Public) -> Vec<String> {
    let (domain, host) = (domain.as_str(), service.host.as_str());
    let mut found = Vec::new();
    if let Some(target) = aliased(dns, domain).await {
        found.push(format!(
            "{domain} is an alias (CNAME) of {target}, so it can have no records of its own (RFC 1034 §3.6.2); \
             replace the alias with the addresses that it leads to"
        ));
    }
    if let Some(target) = aliased(dns, host).await {
        found.push(format!(
            "{host} is an alias (CNAME) of {target}, and an MX must not lead to one (RFC 2181 §10.3); give it addresses, or serve \
             with --host-name {target}"
        ));
    }
    let none = |answer: Result<(), DnsError>| answer.is_err_and(DnsError::is_void);
    if none(dns.v4(host).await.map(|_| ())) && none(dns.v6(host).await.map(|_| ())) {
        found.push(format!("{host}, to which all of this leads, has no address; publish one, or serve with another --host-name"));
    }
    found
}

async fn aliased(dns: &dyn Dns, name: &str) -> Option<String> {
    dns.alias(name).await.ok()?.records.into_iter().next()
}
