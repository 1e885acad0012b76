use async_trait::async_trait;
use penfold_types::Domain;
use std::net::IpAddr;

/// RFC 5321 §5.1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MailExchange {
    pub preference: u16,
    /// Empty for a null MX (RFC 7505).
    pub exchange: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DnsError {
    /// The name, or records of this type, do not exist.
    #[error("no such record")]
    Missing,
    /// Ask again later.
    #[error("the name server did not answer")]
    Temporary,
}

/// Resolves names. Answers are sorted where their order has a meaning (MX by preference).
#[async_trait]
pub trait Dns: Send + Sync {
    async fn txt(&self, name: &str) -> Result<Vec<String>, DnsError>;
    async fn mx(&self, domain: &Domain) -> Result<Vec<MailExchange>, DnsError>;
    async fn addresses(&self, host: &str) -> Result<Vec<IpAddr>, DnsError>;
    async fn names(&self, address: IpAddr) -> Result<Vec<String>, DnsError>;
}
