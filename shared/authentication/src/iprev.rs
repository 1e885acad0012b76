//! The reverse lookup of the client (RFC 8601 §3): a name that leads back to the address.

use penfold_ports::{Dns, DnsError};
use std::net::IpAddr;

/// Names that are tried.
const NAMES: usize = 10;

/// RFC 8601 §2.7.3.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum IprevResult {
    Pass,
    Fail,
    TempError,
    /// The address has no name.
    PermError,
}

impl IprevResult {
    pub fn keyword(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::TempError => "temperror",
            Self::PermError => "permerror",
        }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Iprev {
    pub result: IprevResult,
    /// The name that leads back.
    pub name: Option<String>,
}

pub(crate) async fn verify(dns: &dyn Dns, client: IpAddr) -> Iprev {
    let client = client.to_canonical();
    let without = |result| Iprev { result, name: None };
    let names = match dns.names(client).await {
        Ok(answer) => answer.records,
        Err(DnsError::Temporary) => return without(IprevResult::TempError),
        Err(_) => return without(IprevResult::PermError),
    };
    let mut worst = IprevResult::Fail;
    for name in names.into_iter().take(NAMES) {
        let leads_back = match client {
            IpAddr::V4(own) => dns.v4(&name).await.map(|answer| answer.records.contains(&own)),
            IpAddr::V6(own) => dns.v6(&name).await.map(|answer| answer.records.contains(&own)),
        };
        match leads_back {
            Ok(true) => return Iprev { result: IprevResult::Pass, name: Some(name) },
            Err(DnsError::Temporary) => worst = IprevResult::TempError,
            _ => (),
        }
    }
    without(worst)
}
