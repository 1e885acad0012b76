use async_trait::async_trait;
use bytes::Bytes;
use penfold_types::Result;
use std::fmt;
use std::sync::Arc;

/// What a recipient's sender wants to hear of it (RFC 3461 §4.1).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Notify {
    pub success: bool,
    pub failure: bool,
    pub delay: bool,
}

impl Notify {
    pub const NEVER: Self = Self { success: false, failure: false, delay: false };
}

/// Where NOTIFY was not given.
impl Default for Notify {
    fn default() -> Self {
        Self { success: false, failure: true, delay: true }
    }
}

/// How much of the message a report brings back (RFC 3461 §4.3).
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub enum Return {
    Full,
    #[default]
    Headers,
}

/// The octets of the message (RFC 6152, RFC 3030).
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Body {
    #[default]
    SevenBit,
    EightBit,
    Binary,
}

/// One recipient of one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recipient {
    /// What stands between the angle brackets of RCPT.
    pub path: String,
    /// `None` where the sender did not give NOTIFY.
    pub notify: Option<Notify>,
    /// ORCPT as it was given, in xtext (RFC 3461 §4.2).
    pub original: Option<String>,
}

/// The octets of a message: its lines end with CR LF, the last one too.
#[derive(Clone)]
pub enum Message {
    Here(Vec<Bytes>),
    /// To be brought once a host is ready to take it: many wait for hosts that never are, and memory is short.
    There(Arc<dyn Fetch>),
}

#[async_trait]
pub trait Fetch: Send + Sync {
    fn size(&self) -> u64;

    async fn fetch(&self) -> Result<Vec<Bytes>>;
}

impl Message {
    pub fn size(&self) -> u64 {
        match self {
            Self::Here(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Self::There(there) => there.size(),
        }
    }

    pub async fn fetch(&self) -> Result<Vec<Bytes>> {
        match self {
            Self::Here(pieces) => Ok(pieces.clone()),
            Self::There(there) => there.fetch().await,
        }
    }
}

impl From<Vec<Bytes>> for Message {
    fn from(pieces: Vec<Bytes>) -> Self {
        Self::Here(pieces)
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} octets", self.size())
    }
}

/// A message for the hosts of one destination.
#[derive(Clone, Debug)]
pub struct Outgoing {
    /// The domain of its recipients in ASCII, or an address literal.
    pub destination: String,
    /// What stands between the angle brackets of MAIL; empty for the null reverse-path.
    pub from: String,
    pub recipients: Vec<Recipient>,
    pub message: Message,
    pub body: Body,
    /// An address or a header field is not ASCII, so the peer must offer SMTPUTF8.
    pub utf8: bool,
    /// RFC 8689.
    pub require_tls: bool,
    /// The message says `TLS-Required: No`: what DANE and MTA-STS ask for does not keep it back (RFC 8689 §3).
    pub tls_optional: bool,
    /// RET and ENVID (in xtext) as they were given.
    pub ret: Option<Return>,
    pub envelope_id: Option<String>,
    pub deliver_by: Option<ByTime>,
    /// The addresses that it is sent from, by the name of their pool, where a tenant has one.
    pub pool: Option<String>,
}

/// When it is to be delivered (RFC 2852 §4).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ByTime {
    /// From now on; negative where that is over.
    pub seconds: i64,
    /// A message that is late is returned, and so is one that the next host would not keep to its time; else its sender is told.
    pub returns: bool,
    pub trace: bool,
}

/// A peer's answer, or ours in its place.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Said {
    pub code: u16,
    /// RFC 3463, of the answer, or made up from its code.
    pub status: (u8, u16, u16),
    /// One line of printable characters, at most 500.
    pub text: String,
    /// Whose answer it is; `None` where it is ours.
    pub host: Option<String>,
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (class, subject, detail) = self.status;
        if let Some(host) = &self.host {
            write!(f, "{host} said: ")?;
        }
        write!(f, "{} {class}.{subject}.{detail} {}", self.code, self.text)
    }
}

/// What became of one recipient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The peer took responsibility. `reports`: it knows NOTIFY and reports success itself.
    Accepted { said: Said, reports: bool },
    /// Try again later. `unsure`: the whole message was sent and no answer came, so the peer may have taken it.
    Deferred { said: Said, unsure: bool },
    /// Never.
    Refused { said: Said },
}

/// What became of one attempt.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Attempt {
    /// One for each recipient, in their order.
    pub outcomes: Vec<Outcome>,
    /// The host that was talked to last, and how: for the trace.
    pub host: Option<String>,
    /// `TLSv1.3`, and what proved the certificate: `dane`, `sts`, `pki` (a smart host, or REQUIRETLS with DNSSEC), or nothing.
    pub tls: Option<(String, Option<&'static str>)>,
}

/// Hands a message to a host that is responsible for its destination: one attempt, at that destination's hosts in their
/// order. Bounded in time and in what it reads; whatever a peer does is an outcome.
#[async_trait]
pub trait Relay: Send + Sync {
    async fn attempt(&self, mail: &Outgoing) -> Attempt;
}
