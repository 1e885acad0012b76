//! The check_host() function (RFC 7208 §4).

use super::limits::{HOSTS, Limits};
use super::macros::{MacroString, Place, Values};
use super::record::{Directive, Mechanism, Network, Record, Target, is_spf};
use super::{Spf, SpfResult};
use crate::name::{dotted, is_name, is_within};
use bytes::Bytes;
use penfold_ports::{Dns, DnsError};
use std::net::IpAddr;
use std::pin::Pin;

/// Who asks to send as whom.
#[derive(Clone, Copy)]
pub(crate) struct Query<'a> {
    pub client: IpAddr,
    /// The name that is asked: of HELO, or the domain of MAIL FROM.
    pub domain: &'a str,
    /// `local-part@domain`, or only a domain.
    pub sender: &'a str,
    pub helo: &'a str,
    /// Our name.
    pub receiver: &'a str,
    pub seconds: i64,
}

pub(crate) async fn check(dns: &dyn Dns, query: &Query<'_>) -> Spf {
    let (local, sender_domain) = query.sender.rsplit_once('@').unwrap_or(("", query.sender));
    // RFC 7208 §4.3.
    let local = if local.is_empty() { "postmaster" } else { local };
    let mut state = Check {
        dns,
        query,
        sender: format!("{local}@{sender_domain}"),
        local: local.to_owned(),
        client: query.client.to_canonical(),
        limits: Limits::default(),
        validated: None,
    };
    let domain = query.domain.strip_suffix('.').unwrap_or(query.domain);
    let (result, explanation) = if is_name(domain) && domain.contains('.') {
        match state.host(domain.to_owned()).await {
            Ok((SpfResult::Fail, Some((text, domain)))) => (SpfResult::Fail, state.explain(&text, &domain).await),
            Ok((result, _)) | Err(result) => (result, None),
        }
    } else {
        (SpfResult::None, None)
    };
    Spf { domain: query.domain.to_owned(), result, explanation }
}

/// A result, and where its explanation is to be found: a name, and the domain that it belongs to.
type Found = (SpfResult, Option<(MacroString, String)>);

struct Check<'a> {
    dns: &'a dyn Dns,
    query: &'a Query<'a>,
    sender: String,
    local: String,
    client: IpAddr,
    limits: Limits,
    /// Names of the client that lead back to it (§5.5); asked once.
    validated: Option<Vec<String>>,
}

impl Check<'_> {
    /// The result of a domain's record. An error is a result that ends everything.
    fn host(&mut self, domain: String) -> Pin<Box<dyn Future<Output = Result<Found, SpfResult>> + Send + '_>> {
        Box::pin(async move {
            let Some(record) = self.record(&domain).await? else { return Ok((SpfResult::None, None)) };
            for directive in &record.directives {
                if self.matches(directive, &domain).await? {
                    return Ok((directive.result, record.explanation.map(|text| (text, domain))));
                }
            }
            let Some(redirect) = record.redirect else { return Ok((SpfResult::Neutral, None)) };
            self.limits.term()?;
            let target = self.name(&redirect, &domain).await;
            match self.host(target).await? {
                (SpfResult::None, _) => Err(SpfResult::PermError),
                found => Ok(found),
            }
        })
    }

    /// §4.4 to §4.6.
    async fn record(&self, domain: &str) -> Result<Option<Record>, SpfResult> {
        if !is_name(domain) {
            return Ok(None);
        }
        let answer = match self.dns.txt(domain).await {
            Ok(answer) => answer.records,
            Err(error) if error.is_void() => return Ok(None),
            Err(_) => return Err(SpfResult::TempError),
        };
        let mut records = answer.iter().filter(|text| is_spf(text));
        match (records.next(), records.next()) {
            (None, _) => Ok(None),
            (Some(only), None) => Record::read(only).map(Some).ok_or(SpfResult::PermError),
            _ => Err(SpfResult::PermError),
        }
    }

    async fn matches(&mut self, directive: &Directive, domain: &str) -> Result<bool, SpfResult> {
        match &directive.mechanism {
            Mechanism::All => Ok(true),
            Mechanism::Ip(network) => Ok(network.contains(self.client)),
            Mechanism::Include(target) => {
                self.limits.term()?;
                let target = self.name(target, domain).await;
                match self.host(target).await? {
                    (SpfResult::Pass, _) => Ok(true),
                    (SpfResult::None, _) => Err(SpfResult::PermError),
                    _ => Ok(false),
                }
            }
            Mechanism::A(target) => {
                self.limits.term()?;
                let host = self.target(target, domain).await;
                self.leads_here(&host, target).await
            }
            Mechanism::Mx(target) => {
                self.limits.term()?;
                self.mx(target, domain).await
            }
            Mechanism::Ptr(target) => {
                self.limits.term()?;
                let parent = match target {
                    Some(target) => self.name(target, domain).await,
                    None => domain.to_owned(),
                };
                let parent = parent.trim_end_matches('.').to_ascii_lowercase();
                Ok(self.validated().await.iter().any(|name| is_within(name, &parent)))
            }
            Mechanism::Exists(target) => {
                self.limits.term()?;
                let name = self.name(target, domain).await;
                let answer = if is_name(&name) { self.dns.v4(&name).await } else { Err(DnsError::NoName) };
                Ok(!self.limits.records(answer)?.is_empty())
            }
        }
    }

    async fn mx(&mut self, target: &Target, domain: &str) -> Result<bool, SpfResult> {
        let name = self.target(target, domain).await;
        let answer = if is_name(&name) { self.dns.mx(&name).await } else { Err(DnsError::NoName) };
        let exchanges = self.limits.records(answer)?;
        if exchanges.len() > HOSTS {
            return Err(SpfResult::PermError);
        }
        for exchange in exchanges {
            if self.leads_here(&exchange.exchange, target).await? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether a host has an address whose network the client is in.
    async fn leads_here(&mut self, host: &str, target: &Target) -> Result<bool, SpfResult> {
        let addresses = match self.client {
            _ if !is_name(host) => self.limits.records(Err(DnsError::NoName))?,
            IpAddr::V4(_) => self.limits.records(self.dns.v4(host).await)?.into_iter().map(IpAddr::V4).collect(),
            IpAddr::V6(_) => self.limits.records(self.dns.v6(host).await)?.into_iter().map(IpAddr::V6).collect::<Vec<_>>(),
        };
        let prefix = if self.client.is_ipv4() { target.v4 } else { target.v6 };
        Ok(addresses.into_iter().any(|address| Network { address, prefix }.contains(self.client)))
    }

    async fn target(&mut self, target: &Target, domain: &str) -> String {
        match &target.name {
            Some(name) => self.name(name, domain).await,
            None => domain.to_owned(),
        }
    }

    /// A domain-spec expanded; what is too long loses labels from the left (§7.3).
    async fn name(&mut self, text: &MacroString, domain: &str) -> String {
        let expanded = self.expand(text, domain).await;
        let mut name = expanded.as_str();
        while name.trim_end_matches('.').len() > 253 {
            match name.split_once('.') {
                Some((_, rest)) => name = rest,
                None => break,
            }
        }
        name.to_owned()
    }

    async fn expand(&mut self, text: &MacroString, domain: &str) -> String {
        let validated = if text.needs_validated_name() { self.validated_for(domain).await } else { String::new() };
        let sender_domain = self.sender.rsplit_once('@').map_or("", |(_, domain)| domain);
        text.expand(&Values {
            sender: &self.sender,
            local: &self.local,
            sender_domain,
            domain,
            address: dotted(self.client),
            readable: self.client.to_string(),
            family: if self.client.is_ipv4() { "in-addr" } else { "ip6" },
            helo: self.query.helo,
            receiver: self.query.receiver,
            validated: &validated,
            seconds: self.query.seconds,
        })
    }

    /// §5.5. Whatever goes wrong here is no name.
    async fn validated(&mut self) -> &[String] {
        if self.validated.is_none() {
            let mut found = Vec::new();
            let names = self.dns.names(self.client).await.map(|answer| answer.records).unwrap_or_default();
            for name in names.into_iter().take(HOSTS) {
                let leads_back = match self.client {
                    IpAddr::V4(own) => self.dns.v4(&name).await.is_ok_and(|answer| answer.records.contains(&own)),
                    IpAddr::V6(own) => self.dns.v6(&name).await.is_ok_and(|answer| answer.records.contains(&own)),
                };
                if leads_back {
                    found.push(name.trim_end_matches('.').to_ascii_lowercase());
                }
            }
            self.validated = Some(found);
        }
        self.validated.as_deref().unwrap_or_default()
    }

    /// The value of `%{p}` (§7.3): the domain itself if it can be, else a name below it, else any.
    async fn validated_for(&mut self, domain: &str) -> String {
        let domain = domain.to_ascii_lowercase();
        let names = self.validated().await;
        let below = || names.iter().find(|name| is_within(name, &domain));
        names.iter().find(|name| **name == domain).or_else(below).or(names.first()).map_or("unknown", String::as_str).to_owned()
    }

    /// §6.2. Whatever goes wrong here is no explanation.
    async fn explain(&mut self, at: &MacroString, domain: &str) -> Option<String> {
        let name = self.name(at, domain).await;
        if !is_name(&name) {
            return None;
        }
        let records: Vec<Bytes> = self.dns.txt(&name).await.ok()?.records;
        let [only] = records.as_slice() else { return None };
        let text = MacroString::read(only, Place::Explanation)?;
        let said = self.expand(&text, domain).await;
        // Senders speak through macros too.
        let fits = said.len() <= 500 && said.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        fits.then_some(said)
    }
}
