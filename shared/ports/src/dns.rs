use async_trait::async_trait;
use bytes::Bytes;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Records of one name and type.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Answer<T> {
    /// Never empty; MX and SRV by preference.
    pub records: Vec<T>,
    /// DNSSEC proves it, from the root on.
    pub secure: bool,
}

/// RFC 5321 §5.1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailExchange {
    pub preference: u16,
    /// Without a final dot; empty for a null MX (RFC 7505).
    pub exchange: String,
}

/// RFC 6698 §2.1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Tlsa {
    pub usage: u8,
    pub selector: u8,
    pub matching: u8,
    pub data: Bytes,
}

/// RFC 2782.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Service {
    pub priority: u16,
    pub weight: u16,
    pub port: u16,
    /// Without a final dot; empty where the service is said not to be there.
    pub target: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// There is no such name (NXDOMAIN).
    #[error("there is no such name")]
    NoName,
    /// The name is there, and has no records of this type.
    #[error("the name has no such record")]
    NoRecord,
    /// Ask again later: no answer, a failing server, or an answer that DNSSEC disproves.
    #[error("the name server did not answer")]
    Temporary,
}

impl DnsError {
    /// There is no such record, and asking again will not bring it.
    pub fn is_void(self) -> bool {
        matches!(self, Self::NoName | Self::NoRecord)
    }
}

/// Resolves names. Aliases are followed. A name is a domain name in ASCII without a final dot; what is none has no records.
/// An answer is bounded: 100 records, 64 KB.
#[async_trait]
pub trait Dns: Send + Sync {
    /// False where there is nobody to ask, and so nothing to wait for.
    fn is_there(&self) -> bool {
        true
    }

    /// The strings of each record joined.
    async fn txt(&self, name: &str) -> Result<Answer<Bytes>, DnsError>;

    /// The same, asked now: for somebody who has just changed it and waits for us to see that.
    async fn txt_now(&self, name: &str) -> Result<Answer<Bytes>, DnsError> {
        self.txt(name).await
    }

    async fn mx(&self, name: &str) -> Result<Answer<MailExchange>, DnsError>;
    async fn v4(&self, host: &str) -> Result<Answer<Ipv4Addr>, DnsError>;
    async fn v6(&self, host: &str) -> Result<Answer<Ipv6Addr>, DnsError>;
    /// PTR.
    async fn names(&self, address: IpAddr) -> Result<Answer<String>, DnsError>;
    async fn srv(&self, name: &str) -> Result<Answer<Service>, DnsError>;
    /// `_25._tcp.mx.example.com`
    async fn tlsa(&self, name: &str) -> Result<Answer<Tlsa>, DnsError>;

    /// The alias (CNAME) that stands at this very name, without a final dot. Only whoever judges a zone wants to know.
    async fn alias(&self, _name: &str) -> Result<Answer<String>, DnsError> {
        Err(DnsError::Temporary)
    }
}

/// Where there is no name server.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoDns;

#[async_trait]
impl Dns for NoDns {
    fn is_there(&self) -> bool {
        false
    }

    async fn txt(&self, _: &str) -> Result<Answer<Bytes>, DnsError> {
        Err(DnsError::Temporary)
    }

    async fn mx(&self, _: &str) -> Result<Answer<MailExchange>, DnsError> {
        Err(DnsError::Temporary)
    }

    async fn v4(&self, _: &str) -> Result<Answer<Ipv4Addr>, DnsError> {
        Err(DnsError::Temporary)
    }

    async fn v6(&self, _: &str) -> Result<Answer<Ipv6Addr>, DnsError> {
        Err(DnsError::Temporary)
    }

    async fn names(&self, _: IpAddr) -> Result<Answer<String>, DnsError> {
        Err(DnsError::Temporary)
    }

    async fn srv(&self, _: &str) -> Result<Answer<Service>, DnsError> {
        Err(DnsError::Temporary)
    }

    async fn tlsa(&self, _: &str) -> Result<Answer<Tlsa>, DnsError> {
        Err(DnsError::Temporary)
    }
}
