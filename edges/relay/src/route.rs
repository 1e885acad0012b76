//! Where the mail of a domain goes: RFC 5321 §5.1.

use crate::config::Config;
use crate::said::ours;
use penfold_ports::{Dns, DnsError, MailExchange, Said};
use penfold_types::Env;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A host that may take the mail.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Host {
    /// In lower case; an address as it is written without brackets.
    pub name: String,
    /// DNSSEC proves that it is this domain's (RFC 7672 §2.2.1).
    pub secure: bool,
    /// Of a literal: nothing is to be asked.
    pub address: Option<IpAddr>,
}

/// Addresses in the order in which they are tried.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Addresses {
    pub list: Vec<IpAddr>,
    pub secure: bool,
}

/// Nobody else's mail goes there.
pub(crate) fn is_forbidden(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_unspecified() || v4.is_multicast() || v4 == Ipv4Addr::BROADCAST,
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unspecified() || v6.is_multicast(),
    }
}

fn dns_later(name: &str) -> Said {
    ours(451, (4, 4, 3), format!("the name servers of {name} do not answer"))
}

fn loops(name: &str) -> Said {
    ours(554, (5, 4, 6), format!("mail for {name} loops back to this host"))
}

/// The hosts of a destination, the preferred ones first.
pub(crate) async fn hosts(dns: &dyn Dns, env: &Env, config: &Config, destination: &str) -> Result<Vec<Host>, Said> {
    let domain = destination.trim_end_matches('.').to_ascii_lowercase();
    if domain.starts_with('[') {
        let address = literal(&domain).ok_or_else(|| ours(550, (5, 1, 2), format!("{domain} is no address literal")))?;
        return Ok(vec![Host { name: address.to_string(), secure: false, address: Some(address) }]);
    }
    match dns.mx(&domain).await {
        Ok(answer) => {
            if answer.records.iter().all(|mx| mx.exchange.trim_matches('.').is_empty()) {
                // RFC 7505 §4.1.
                return Err(ours(556, (5, 1, 10), format!("{domain} takes no mail")));
            }
            let exchanges = order(env, answer.records);
            let host = |mx: MailExchange| Host { name: mx.exchange, secure: answer.secure, address: None };
            let hosts: Vec<Host> = without_us(config, exchanges).into_iter().map(host).collect();
            if hosts.is_empty() { Err(loops(&domain)) } else { Ok(hosts) }
        }
        Err(DnsError::Temporary) => Err(dns_later(&domain)),
        Err(DnsError::NoName) => Err(ours(550, (5, 1, 2), format!("there is no domain {domain}"))),
        // The address records say whether DNSSEC proves them.
        Err(DnsError::NoRecord) if config.names().contains(&domain) => Err(loops(&domain)),
        Err(DnsError::NoRecord) => Ok(vec![Host { name: domain, secure: true, address: None }]),
    }
}

/// By preference; equals in no order, so that they share the load.
fn order(env: &Env, records: Vec<MailExchange>) -> Vec<MailExchange> {
    let mut drawn: Vec<_> = records
        .into_iter()
        .map(|mx| MailExchange { exchange: mx.exchange.trim_end_matches('.').to_ascii_lowercase(), ..mx })
        .filter(|mx| !mx.exchange.is_empty())
        .map(|mx| ((mx.preference, env.random_u64()), mx))
        .collect();
    drawn.sort_by_key(|(key, _)| *key);
    drawn.into_iter().map(|(_, mx)| mx).collect()
}

/// RFC 5321 §5.1: where we are one of them, only better ones are left.
fn without_us(config: &Config, mut exchanges: Vec<MailExchange>) -> Vec<MailExchange> {
    let names = config.names();
    if let Some(ours) = exchanges.iter().filter(|mx| names.contains(&mx.exchange)).map(|mx| mx.preference).min() {
        exchanges.retain(|mx| mx.preference < ours);
    }
    exchanges
}

/// RFC 5321 §4.1.3.
fn literal(domain: &str) -> Option<IpAddr> {
    let inside = domain.strip_prefix('[')?.strip_suffix(']')?;
    match inside.strip_prefix("ipv6:") {
        Some(v6) => v6.parse::<Ipv6Addr>().ok().map(IpAddr::from),
        None => inside.parse::<Ipv4Addr>().ok().map(IpAddr::from),
    }
}

/// The addresses of a host, IPv6 first. `trusted`: it was configured, so that any address will do.
pub(crate) async fn addresses(dns: &dyn Dns, config: &Config, host: &Host, trusted: bool) -> Result<Addresses, Said> {
    let found = match host.address.or_else(|| host.name.parse().ok()) {
        Some(address) => Addresses { list: vec![address], secure: false },
        None => ask(dns, &host.name).await?,
    };
    if trusted {
        return Ok(found);
    }
    let Addresses { mut list, secure } = found;
    list.retain(|address| config.allow_loopback || !is_forbidden(*address));
    if list.is_empty() {
        return Err(ours(550, (5, 4, 4), format!("{} has no address that mail can be sent to", host.name)));
    }
    list.retain(|address| !config.own_addresses.iter().any(|own| own.to_canonical() == address.to_canonical()));
    if list.is_empty() {
        return Err(loops(&host.name));
    }
    Ok(Addresses { list, secure })
}

async fn ask(dns: &dyn Dns, name: &str) -> Result<Addresses, Said> {
    let (v6, v4) = tokio::join!(dns.v6(name), dns.v4(name));
    let failed = matches!(v6, Err(DnsError::Temporary)) || matches!(v4, Err(DnsError::Temporary));
    // RFC 7672 §2.2.2: what one of them does not prove, neither does.
    let insecure = v6.as_ref().is_ok_and(|answer| !answer.secure) || v4.as_ref().is_ok_and(|answer| !answer.secure);
    let v6 = v6.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from);
    let list: Vec<IpAddr> = v6.chain(v4.map(|answer| answer.records).unwrap_or_default().into_iter().map(IpAddr::from)).collect();
    match (list.is_empty(), failed) {
        (true, true) => Err(dns_later(name)),
        (true, false) => Err(ours(550, (5, 4, 4), format!("{name} has no address"))),
        (false, _) => Ok(Addresses { list, secure: !insecure }),
    }
}
