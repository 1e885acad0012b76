use async_trait::async_trait;
use bytes::Bytes;
use parking_lot::RwLock;
use penfold_ports::{Answer, Change, Dns, DnsError, MailExchange, RecordData, RecordKind, Service, Tlsa, ZoneError, Zones};
use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

/// Names in memory. Cheap to clone; clones share everything.
#[derive(Clone, Default)]
pub struct Zone(Arc<RwLock<Names>>);

#[derive(Default)]
struct Names {
    records: BTreeMap<String, Vec<Record>>,
    silent: BTreeSet<String>,
    unsigned: BTreeSet<String>,
    /// Zones that may be written into.
    kept: BTreeSet<String>,
}

#[derive(Clone, PartialEq)]
enum Record {
    Txt(Bytes),
    Mx(MailExchange),
    V4(Ipv4Addr),
    V6(Ipv6Addr),
    Ptr(String),
    Srv(Service),
    Tlsa(Tlsa),
    Alias(String),
}

/// Aliases that are followed.
const ALIASES: usize = 10;

fn lower(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// The name that a PTR record of an address stands at.
fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa")
        }
        IpAddr::V6(v6) => {
            let nibbles = v6.octets().into_iter().rev().flat_map(|byte| [byte & 15, byte >> 4]);
            format!("{}ip6.arpa", nibbles.map(|nibble| format!("{nibble:x}.")).collect::<String>())
        }
    }
}

impl Zone {
    fn add(&self, name: &str, record: Record) -> &Self {
        self.0.write().records.entry(lower(name)).or_default().push(record);
        self
    }

    pub fn txt(&self, name: &str, text: &str) -> &Self {
        self.add(name, Record::Txt(Bytes::copy_from_slice(text.as_bytes())))
    }

    pub fn txt_bytes(&self, name: &str, text: &[u8]) -> &Self {
        self.add(name, Record::Txt(Bytes::copy_from_slice(text)))
    }

    pub fn mx(&self, name: &str, preference: u16, exchange: &str) -> &Self {
        self.add(name, Record::Mx(MailExchange { preference, exchange: lower(exchange) }))
    }

    pub fn address(&self, host: &str, address: IpAddr) -> &Self {
        self.add(
            host,
            match address {
                IpAddr::V4(v4) => Record::V4(v4),
                IpAddr::V6(v6) => Record::V6(v6),
            },
        )
    }

    pub fn ptr(&self, address: IpAddr, name: &str) -> &Self {
        self.add(&reverse(address), Record::Ptr(lower(name)))
    }

    pub fn srv(&self, name: &str, service: Service) -> &Self {
        self.add(name, Record::Srv(service))
    }

    pub fn tlsa(&self, name: &str, tlsa: Tlsa) -> &Self {
        self.add(name, Record::Tlsa(tlsa))
    }

    pub fn alias(&self, name: &str, target: &str) -> &Self {
        self.add(name, Record::Alias(lower(target)))
    }

    /// There is such a name, and nothing more.
    pub fn name(&self, name: &str) -> &Self {
        self.0.write().records.entry(lower(name)).or_default();
        self
    }

    /// Nobody answers for this name.
    pub fn silent(&self, name: &str) -> &Self {
        self.0.write().silent.insert(lower(name));
        self
    }

    /// Somebody answers again.
    pub fn speak(&self, name: &str) -> &Self {
        self.0.write().silent.remove(&lower(name));
        self
    }

    /// No DNSSEC for this name; without it every answer is secure.
    pub fn unsigned(&self, name: &str) -> &Self {
        self.0.write().unsigned.insert(lower(name));
        self
    }

    /// A zone that takes changes.
    pub fn keep(&self, zone: &str) -> &Self {
        self.0.write().kept.insert(lower(zone));
        self
    }

    pub fn remove(&self, name: &str) -> &Self {
        self.0.write().records.remove(&lower(name));
        self
    }

    fn find<T>(&self, name: &str, pick: impl Fn(&Record) -> Option<T>) -> Result<Answer<T>, DnsError> {
        let (names, mut at, mut secure) = (self.0.read(), lower(name), true);
        for _ in 0..ALIASES {
            if names.silent.contains(&at) {
                return Err(DnsError::Temporary);
            }
            secure &= !names.unsigned.contains(&at);
            let Some(own) = names.records.get(&at) else {
                // A name above another one is there too.
                let below = format!(".{at}");
                let is_there = names.records.keys().any(|other| other.ends_with(&below));
                return Err(if is_there { DnsError::NoRecord } else { DnsError::NoName });
            };
            let records: Vec<T> = own.iter().filter_map(&pick).collect();
            if !records.is_empty() {
                return Ok(Answer { records, secure });
            }
            let alias = own.iter().find_map(|record| match record {
                Record::Alias(target) => Some(target.clone()),
                _ => None,
            });
            match alias {
                Some(target) => at = target,
                None => return Err(DnsError::NoRecord),
            }
        }
        Err(DnsError::Temporary)
    }
}

macro_rules! pick {
    ($kind:ident) => {
        |record| match record {
            Record::$kind(value) => Some(value.clone()),
            _ => None,
        }
    };
}

#[async_trait]
impl Dns for Zone {
    async fn txt(&self, name: &str) -> Result<Answer<Bytes>, DnsError> {
        self.find(name, pick!(Txt))
    }

    async fn mx(&self, name: &str) -> Result<Answer<MailExchange>, DnsError> {
        let mut answer = self.find(name, pick!(Mx))?;
        answer.records.sort_by_key(|mx| mx.preference);
        Ok(answer)
    }

    async fn v4(&self, host: &str) -> Result<Answer<Ipv4Addr>, DnsError> {
        self.find(host, pick!(V4))
    }

    async fn v6(&self, host: &str) -> Result<Answer<Ipv6Addr>, DnsError> {
        self.find(host, pick!(V6))
    }

    async fn names(&self, address: IpAddr) -> Result<Answer<String>, DnsError> {
        self.find(&reverse(address), pick!(Ptr))
    }

    async fn srv(&self, name: &str) -> Result<Answer<Service>, DnsError> {
        let mut answer = self.find(name, pick!(Srv))?;
        answer.records.sort_by_key(|service| service.priority);
        Ok(answer)
    }

    async fn tlsa(&self, name: &str) -> Result<Answer<Tlsa>, DnsError> {
        self.find(name, pick!(Tlsa))
    }

    async fn alias(&self, name: &str) -> Result<Answer<String>, DnsError> {
        // Found at the name itself, so none is followed.
        self.find(name, pick!(Alias))
    }
}

fn written(data: &RecordData) -> Record {
    match data.clone() {
        RecordData::Txt(text) => Record::Txt(text.into()),
        RecordData::Mx(mx) => Record::Mx(mx),
        RecordData::Srv(srv) => Record::Srv(srv),
        RecordData::Alias(host) => Record::Alias(lower(&host)),
    }
}

fn is_of(record: &Record, kind: RecordKind) -> bool {
    match kind {
        RecordKind::Txt => matches!(record, Record::Txt(_)),
        RecordKind::Mx => matches!(record, Record::Mx(_)),
        RecordKind::Srv => matches!(record, Record::Srv(_)),
        RecordKind::Alias => matches!(record, Record::Alias(_)),
        RecordKind::V4 => matches!(record, Record::V4(_)),
        RecordKind::V6 => matches!(record, Record::V6(_)),
    }
}

#[async_trait]
impl Zones for Zone {
    async fn zone_of(&self, name: &str) -> Result<Option<String>, ZoneError> {
        let (names, name) = (self.0.read(), lower(name));
        Ok(names.kept.iter().find(|zone| name == **zone || name.ends_with(&format!(".{zone}"))).cloned())
    }

    async fn change(&self, zone: &str, changes: &[Change]) -> Result<(), ZoneError> {
        let mut names = self.0.write();
        if !names.kept.contains(zone) {
            return Err(ZoneError::Refused("it is not kept here".to_owned()));
        }
        for change in changes {
            let own = names.records.entry(lower(change.name())).or_default();
            match change {
                Change::Add { data, .. } => {
                    let record = written(data);
                    // RFC 2136 §3.4.2.2: an alias stands alone.
                    let alone = is_of(&record, RecordKind::Alias) && !own.is_empty();
                    if !alone && !own.contains(&record) {
                        own.push(record);
                    }
                }
                Change::Remove { data, .. } => own.retain(|record| *record != written(data)),
                Change::RemoveAll { kind, .. } => own.retain(|record| !is_of(record, *kind)),
            }
        }
        Ok(())
    }
}
