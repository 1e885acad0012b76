use crate::{MailExchange, Service};
use async_trait::async_trait;

/// What a record says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum RecordData {
    /// The joined text, whatever its length.
    Txt(String),
    Mx(MailExchange),
    Srv(Service),
    /// CNAME; without a final dot.
    Alias(String),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RecordKind {
    Txt,
    Mx,
    Srv,
    Alias,
    /// IPv4 and IPv6.
    V4,
    V6,
}

/// One change at one name (RFC 2136 §2.5). Names are in ASCII, without a final dot.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Change {
    /// Adding what is there already changes nothing.
    Add { name: String, ttl: u32, data: RecordData },
    /// This very record; removing what is not there changes nothing.
    Remove { name: String, data: RecordData },
    /// All records of a type.
    RemoveAll { name: String, kind: RecordKind },
}

impl Change {
    pub fn name(&self) -> &str {
        match self {
            Self::Add { name, .. } | Self::Remove { name, .. } | Self::RemoveAll { name, .. } => name,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZoneError {
    /// Ask again later. Whether the change was carried out is not known; it may be sent again.
    #[error("the name server cannot be reached: {0}")]
    Unreachable(String),
    /// The server says no: the key, the zone or the record is not what it allows.
    #[error("the name server refuses: {0}")]
    Refused(String),
}

/// Writes into zones that a name server keeps for us.
#[async_trait]
pub trait Zones: Send + Sync {
    /// The zone of the server in which a name lies; `None` where it has none.
    async fn zone_of(&self, name: &str) -> Result<Option<String>, ZoneError>;

    /// All of the changes, in their order, or none; every name lies in `zone`. At most 100.
    async fn change(&self, zone: &str, changes: &[Change]) -> Result<(), ZoneError>;
}
