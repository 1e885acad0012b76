//! The names that want a certificate: the service's own, and those of each domain that lead to what is served for it.

use crate::certificates::Certificates;
use penfold_directory::Service;
use penfold_domains::{Data, leads_to};
use penfold_ports::Dns;
use penfold_types::{Domain, Result};
use std::collections::BTreeSet;

/// Octets of a name in a certificate (RFC 5280's common practice; DNS has 253).
const LONGEST: usize = 253;

/// Names of a domain that are aliases of ours: only what is really served has one.
pub fn wanted(domain: &Domain, service: &Service) -> Vec<String> {
    let records = penfold_domains::wanted(domain, service, &[]).into_iter();
    records.filter(|record| matches!(&record.data, Data::Cname(host) if *host == service.host)).map(|record| record.name).collect()
}

/// A name that an authority can look at: not an address, and not one label.
fn is_public(name: &str) -> bool {
    name.len() <= LONGEST
        && name.contains('.')
        && name.parse::<std::net::IpAddr>().is_err()
        && name.parse::<Domain>().is_ok()
        && !name.ends_with(".localhost")
}

impl Certificates {
    /// All names, lower case and sorted: the service's first.
    pub async fn names(&self) -> Result<Vec<String>> {
        let Some(service) = self.directory.service().await? else { return Ok(Vec::new()) };
        let host = service.host.to_ascii_lowercase();
        let mut found = BTreeSet::new();
        for tenant in self.directory.every_tenant().await? {
            for info in self.directory.operator().domains(&tenant.to_string()).await? {
                let Ok(domain) = info.domain.parse::<Domain>() else { continue };
                // What is only claimed might be anybody's.
                if info.proved {
                    found.extend(wanted(&domain, &service).into_iter().filter(|name| is_public(name)));
                }
            }
        }
        found.remove(&host);
        let first = is_public(&host).then_some(host);
        Ok(first.into_iter().chain(found).collect())
    }

    /// Why a name's order would fail; `None` where it leads to us. An authority counts failures, so it is not asked then.
    pub(crate) async fn obstacle(&self, dns: &dyn Dns, name: &str) -> Result<Option<String>> {
        let host = self.directory.service().await?.map(|service| service.host).unwrap_or_default();
        Ok(match leads_to(dns, name, &host).await {
            Some(true) => None,
            Some(false) if name.eq_ignore_ascii_case(&host) => Some(format!("{name} has no address in DNS")),
            Some(false) => Some(format!("{name} does not lead to {host} in DNS")),
            None => Some(format!("no name server answers for {name}")),
        })
    }
}
