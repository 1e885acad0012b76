//! The `Dns` port on name servers: stub resolution with a cache, and DNSSEC proven here and not believed (RFC 4035 §4.9.3).

mod name_server;
mod records;
#[cfg(test)]
mod tests;
mod update;

pub use name_server::NameServer;
pub use update::{DnsUpdate, UpdateError, Updater};

use async_trait::async_trait;
use bytes::Bytes;
use hickory_resolver::config::{NameServerConfig, ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError as Answered, NetError};
use hickory_resolver::proto::dnssec::{Proof, TrustAnchors};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::read_system_conf;
use hickory_resolver::{Resolver, TokioResolver, lookup::Lookup};
use parking_lot::Mutex;
use penfold_ports::{Answer, Dns, DnsError, MailExchange, Service, Tlsa, World};
use penfold_types::Env;
use records::{Alias, Record};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, timeout};

/// One try with one server.
const TRY: Duration = Duration::from_secs(3);
/// A question, with its aliases and all that DNSSEC asks on the way.
const QUESTION: Duration = Duration::from_secs(12);
/// The question about the root that comes before all others.
const PROBE: Duration = Duration::from_secs(4);
/// Answers that are kept; each is at most 64 KB and seldom 1 KB.
const CACHE: u64 = 4096;
/// A change of a record is seen after this, whatever its TTL says.
const KEPT: Duration = Duration::from_secs(3600);
const KEPT_MISSING: Duration = Duration::from_secs(300);
/// How long it is known whether the servers pass on what DNSSEC needs.
const CAPABLE: Duration = Duration::from_secs(600);
/// Bounds of the port.
const RECORDS: usize = 100;
const OCTETS: usize = 64 * 1024;

/// The name servers cannot be used; one sentence that says why.
#[derive(Debug, thiserror::Error)]
#[error("the name servers cannot be used: {0}")]
pub struct NameServersError(String);

/// A function's world, in which names resolve where it has name servers.
pub fn resolving(world: World) -> World {
    match SystemDns::of_environment(world.env.clone()) {
        Ok(dns) => world.with_dns(Arc::new(dns)),
        Err(error) => {
            tracing::warn!(%error, "no name is looked up: no domain can be proved or checked");
            world
        }
    }
}

/// Many a server (in a home router, say) passes on no signatures. With such a one nothing could be proven and everything would
/// look forged, so it is asked about the root first; what it answers is then taken as insecure.
pub struct SystemDns {
    validating: TokioResolver,
    plain: TokioResolver,
    /// Keeps nothing.
    fresh: TokioResolver,
    env: Env,
    capable: Mutex<Option<(bool, Instant)>>,
}

impl SystemDns {
    /// Asks these servers; those of the system where there are none. `anchor`: a file with DNSKEY records to believe in, in place
    /// of those of the public root. Needs a tokio runtime when it is asked.
    pub fn new(servers: &[NameServer], anchor: Option<&Path>, env: Env) -> Result<Self, NameServersError> {
        let anchors = match anchor {
            Some(file) => TrustAnchors::from_file(file)
                .map_err(|error| NameServersError(format!("the trust anchor in {}: {error}", file.display())))?,
            None => TrustAnchors::default(),
        };
        Self::with_anchors(servers, env, Arc::new(anchors), CACHE)
    }

    /// For a function: the servers that `PENFOLD_NAME_SERVERS` names, with a comma between them, or those of the system.
    pub fn of_environment(env: Env) -> Result<Self, NameServersError> {
        let named = std::env::var("PENFOLD_NAME_SERVERS").unwrap_or_default();
        let read =
            |text: &str| text.trim().parse::<NameServer>().map_err(|error| NameServersError(format!("PENFOLD_NAME_SERVERS: {error}")));
        let servers = named.split(',').filter(|text| !text.trim().is_empty()).map(read).collect::<Result<Vec<_>, _>>()?;
        Self::new(&servers, None, env)
    }

    /// What the primary name server of a zone says now: nothing is kept.
    pub fn primary(server: NameServer, env: Env) -> Result<Self, NameServersError> {
        Self::with_anchors(&[server], env, Arc::new(TrustAnchors::default()), 0)
    }

    fn with_anchors(servers: &[NameServer], env: Env, anchors: Arc<TrustAnchors>, cache: u64) -> Result<Self, NameServersError> {
        let wrong = |error: NetError| NameServersError(error.to_string());
        let found = if servers.is_empty() {
            read_system_conf().map_err(wrong)?.0.name_servers
        } else {
            servers.iter().map(|server| server.to_config()).collect()
        };
        if found.is_empty() {
            return Err(NameServersError("there are none".to_owned()));
        }
        Ok(Self {
            validating: resolver(found.clone(), Some(anchors), cache).map_err(wrong)?,
            plain: resolver(found.clone(), None, cache).map_err(wrong)?,
            fresh: resolver(found, None, 0).map_err(wrong)?,
            env,
            capable: Mutex::default(),
        })
    }

    /// Whether the servers pass on the signatures of the root.
    async fn is_capable(&self) -> Result<bool, DnsError> {
        let now = self.env.monotonic();
        if let Some((capable, _)) = self.capable.lock().filter(|(_, since)| now - *since < CAPABLE) {
            return Ok(capable);
        }
        let root = async |resolver: &TokioResolver| timeout(PROBE, resolver.lookup(Name::root(), RecordType::SOA)).await;
        let capable = match root(&self.validating).await {
            Ok(Ok(lookup)) => lookup.answers().iter().any(|one| one.record_type() == RecordType::SOA && one.proof == Proof::Secure),
            Ok(Err(NetError::Dns(_))) => false,
            // Some networks lose the larger answers. Where nothing comes at all, nothing is known.
            _ => match root(&self.plain).await {
                Ok(Ok(_) | Err(NetError::Dns(_))) => false,
                _ => return Err(DnsError::Temporary),
            },
        };
        let before = self.capable.lock().replace((capable, now));
        if !capable && before.is_none_or(|(before, _)| before) {
            tracing::warn!("the name servers pass on no DNSSEC signatures: no answer counts as secure, and mail goes out without DANE");
        }
        Ok(capable)
    }

    async fn ask<T: Record>(&self, name: Name) -> Result<Answer<T>, DnsError> {
        let resolver = if self.is_capable().await? { &self.validating } else { &self.plain };
        asked(resolver, name).await
    }

    async fn named<T: Record>(&self, name: &str) -> Result<Answer<T>, DnsError> {
        self.ask(records::name(name).ok_or(DnsError::NoName)?).await
    }
}

async fn asked<T: Record>(resolver: &TokioResolver, name: Name) -> Result<Answer<T>, DnsError> {
    match timeout(QUESTION, resolver.lookup(name, T::TYPE)).await {
        Ok(Ok(lookup)) => answer(&lookup),
        Ok(Err(error)) => Err(missing(&error)),
        Err(_) => Err(DnsError::Temporary),
    }
}

fn resolver(servers: Vec<NameServerConfig>, anchors: Option<Arc<TrustAnchors>>, cache: u64) -> Result<TokioResolver, NetError> {
    let mut options = ResolverOpts::default();
    options.timeout = TRY;
    options.attempts = 2;
    options.edns0 = true;
    options.cache_size = cache;
    options.use_hosts_file = ResolveHosts::Never;
    options.positive_max_ttl = Some(KEPT);
    options.negative_max_ttl = Some(KEPT_MISSING);
    // An answer is as secure as the aliases that lead to it.
    options.preserve_intermediates = true;
    let config = ResolverConfig::from_parts(None, Vec::new(), servers);
    let builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default()).with_options(options);
    match anchors {
        Some(anchors) => builder.with_trust_anchor(anchors).build(),
        None => builder.build(),
    }
}

/// What an error says about the name.
fn missing(error: &NetError) -> DnsError {
    let code = match error {
        NetError::Dns(Answered::NoRecordsFound(none)) => none.response_code,
        NetError::Dns(Answered::Nsec { response, proof, .. }) if *proof != Proof::Bogus => response.response_code,
        _ => return DnsError::Temporary,
    };
    match code {
        ResponseCode::NXDomain => DnsError::NoName,
        ResponseCode::NoError => DnsError::NoRecord,
        _ => DnsError::Temporary,
    }
}

fn answer<T: Record>(lookup: &Lookup) -> Result<Answer<T>, DnsError> {
    let of_type = |record: &&hickory_resolver::proto::rr::Record| {
        matches!(record.record_type(), RecordType::CNAME) || record.record_type() == T::TYPE
    };
    let (mut records, mut secure, mut octets) = (Vec::new(), true, 0);
    for record in lookup.answers().iter().filter(of_type) {
        if record.proof == Proof::Bogus {
            return Err(DnsError::Temporary);
        }
        secure &= record.proof == Proof::Secure;
        let Some(found) = T::read(&record.data) else { continue };
        octets += found.octets();
        if records.len() < RECORDS && octets <= OCTETS {
            records.push(found);
        }
    }
    records.sort_by_key(T::order);
    if records.is_empty() { Err(DnsError::NoRecord) } else { Ok(Answer { records, secure }) }
}

#[async_trait]
impl Dns for SystemDns {
    async fn txt(&self, name: &str) -> Result<Answer<Bytes>, DnsError> {
        self.named(name).await
    }

    async fn txt_now(&self, name: &str) -> Result<Answer<Bytes>, DnsError> {
        asked(&self.fresh, records::name(name).ok_or(DnsError::NoName)?).await
    }

    async fn mx(&self, name: &str) -> Result<Answer<MailExchange>, DnsError> {
        self.named(name).await
    }

    async fn v4(&self, host: &str) -> Result<Answer<Ipv4Addr>, DnsError> {
        self.named(host).await
    }

    async fn v6(&self, host: &str) -> Result<Answer<Ipv6Addr>, DnsError> {
        self.named(host).await
    }

    async fn names(&self, address: IpAddr) -> Result<Answer<String>, DnsError> {
        self.ask(Name::from(address.to_canonical())).await
    }

    async fn srv(&self, name: &str) -> Result<Answer<Service>, DnsError> {
        self.named(name).await
    }

    async fn tlsa(&self, name: &str) -> Result<Answer<Tlsa>, DnsError> {
        self.named(name).await
    }

    async fn alias(&self, name: &str) -> Result<Answer<String>, DnsError> {
        let Answer { records, secure } = self.named::<Alias>(name).await?;
        Ok(Answer { records: records.into_iter().map(|alias| alias.0).collect(), secure })
    }
}
