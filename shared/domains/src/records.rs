//! One DNS record that a domain should have.

use serde::Serialize;
use serde::ser::{SerializeStruct, Serializer};
use std::fmt;

/// What a record is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Aim {
    /// The proof that the domain is the tenant's.
    Ownership,
    Mx,
    Spf,
    Dkim,
    Dmarc,
    /// The TXT record; the policy's host is [`Aim::MtaStsHost`].
    MtaSts,
    MtaStsHost,
    TlsRpt,
    Submission,
    Submissions,
    Imap,
    Imaps,
    Autoconfig,
    Autodiscover,
    Caldavs,
    Carddavs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Need {
    /// Without it mail does not come in, or is refused elsewhere.
    Required,
    Recommended,
}

/// Names are without a final dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    Mx {
        preference: u16,
        host: String,
    },
    /// The joined text, whatever its length.
    Txt(String),
    Cname(String),
    Srv {
        priority: u16,
        weight: u16,
        port: u16,
        target: String,
    },
}

impl Data {
    /// The name of the type.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Mx { .. } => "MX",
            Self::Txt(_) => "TXT",
            Self::Cname(_) => "CNAME",
            Self::Srv { .. } => "SRV",
        }
    }
}

/// As it is typed into the form of a DNS provider: no quotes, no final dots.
impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mx { preference, host } => write!(f, "{preference} {host}"),
            Self::Txt(text) | Self::Cname(text) => f.write_str(text),
            Self::Srv { priority, weight, port, target } => write!(f, "{priority} {weight} {port} {target}"),
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Absolute, without a final dot.
    pub name: String,
    pub data: Data,
    pub aim: Aim,
    pub need: Need,
    /// What it is for, as the end of a sentence that begins with the record.
    pub purpose: String,
}

/// `{"type", "name", "value"}` and what it is for.
impl Serialize for Record {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Record", 6)?;
        object.serialize_field("type", self.data.kind())?;
        object.serialize_field("name", &self.name)?;
        object.serialize_field("value", &self.data.to_string())?;
        object.serialize_field("for", &self.aim)?;
        object.serialize_field("need", &self.need)?;
        object.serialize_field("purpose", &self.purpose)?;
        object.end()
    }
}
