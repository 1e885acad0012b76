//! The body of a job: everything that delivering needs, so that it asks for nothing that could have changed since.

use crate::codec::{Reader, Writer};
use bytes::Bytes;
use penfold_ports::Account;
use penfold_types::{AcceptanceId, Address, PrincipalId, TenantId, Timestamp};

const VERSION: u8 = 2;
/// Without `junk`.
const OLDER: u8 = 1;
/// Groups that one message may reach by nesting.
pub const GROUPS: usize = 1000;

/// What is the same for every job of a message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    pub tenant: TenantId,
    pub acceptance: AcceptanceId,
    /// Bytes of the blob.
    pub length: u64,
    /// When it was accepted: INTERNALDATE.
    pub received: Timestamp,
    pub prefix: Bytes,
    /// `penfold_formats::mime::Summary`, encoded.
    pub summary: Bytes,
    /// The reverse-path; `None` for the null one and for one without a domain name.
    pub from: Option<Address>,
    /// Its author's domain asks for it, or a filter: it goes to Junk.
    pub junk: bool,
    /// A person of ours handed it in, and From is their own: only such mail is signed, for anybody may write our names into From.
    pub submitted: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum To {
    Mailbox(PrincipalId),
    /// Into Sent of whom it was handed in by.
    Sent(PrincipalId),
    List(Walk),
    /// What reads reports about the tenant's mail.
    Reports,
}

/// How far a group, and the groups inside it, were expanded. One job walks the whole tree, so a group that is reached
/// by two ways, or by itself, is expanded once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Walk {
    /// The group that was written to; names the job's queue group.
    pub root: PrincipalId,
    /// Counts the jobs of the walk.
    pub step: u64,
    /// Every group found so far, the root first; those before `next` are done.
    pub groups: Vec<PrincipalId>,
    /// The place in `groups` of the one that is being expanded.
    pub next: usize,
    /// Where in it to go on; empty: at its beginning.
    pub cursor: Bytes,
}

impl Walk {
    pub fn new(root: PrincipalId) -> Self {
        Self { root, step: 0, groups: vec![root], next: 0, cursor: Bytes::new() }
    }
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery {
    pub mail: Mail,
    pub to: To,
    /// As it was written in the envelope.
    pub original: String,
}

impl Mail {
    pub(crate) fn encode(&self, out: &mut Writer) {
        out.id(self.tenant.as_bytes()).id(self.acceptance.as_bytes()).number(self.length).i64(self.received.millis());
        out.bytes(&self.prefix).bytes(&self.summary);
        out.bytes(self.from.as_ref().map(Address::to_string).unwrap_or_default().as_bytes())
            .u8(u8::from(self.junk) | u8::from(self.submitted) << 1);
    }

    pub(crate) fn decode(from: &mut Reader) -> Option<Self> {
        let mail = Self::decode_older(from)?;
        let bits = from.u8()?;
        Some(Self { junk: bits & 1 > 0, submitted: bits & 2 > 0, ..mail })
    }

    fn decode_older(from: &mut Reader) -> Option<Self> {
        let tenant = TenantId::from_bytes(from.id()?);
        let acceptance = AcceptanceId::from_bytes(from.id()?);
        let (length, received) = (from.number()?, Timestamp::from_millis(from.i64()?));
        let (prefix, summary) = (from.bytes()?, from.bytes()?);
        let sender = from.text()?.parse().ok();
        Some(Self { tenant, acceptance, length, received, prefix, summary, from: sender, junk: false, submitted: false })
    }
}

impl Delivery {
    /// The queue group: what must happen in order.
    pub fn group(&self) -> String {
        match &self.to {
            To::Mailbox(principal) | To::Sent(principal) => format!("{}/{principal}", self.mail.tenant),
            To::List(walk) => format!("{}/list/{}", self.mail.tenant, walk.root),
            To::Reports => format!("{}/reports", self.mail.tenant),
        }
    }

    /// Whose it is, where it goes into a mailbox.
    pub fn mailbox(&self) -> Option<Account> {
        match self.to {
            To::Mailbox(principal) | To::Sent(principal) => Some(Account { tenant: self.mail.tenant, principal }),
            To::List(_) | To::Reports => None,
        }
    }

    pub fn encode(&self) -> Bytes {
        let mut out = Writer(Vec::with_capacity(128 + self.mail.prefix.len() + self.mail.summary.len()));
        out.u8(VERSION);
        self.mail.encode(&mut out);
        out.bytes(self.original.as_bytes());
        match &self.to {
            To::Mailbox(principal) => {
                out.u8(0).id(principal.as_bytes());
            }
            To::Sent(principal) => {
                out.u8(2).id(principal.as_bytes());
            }
            To::List(walk) => {
                out.u8(1).id(walk.root.as_bytes()).number(walk.step).number(walk.next as u64).bytes(&walk.cursor);
                out.number(walk.groups.len() as u64);
                for group in &walk.groups {
                    out.id(group.as_bytes());
                }
            }
            To::Reports => {
                out.u8(3);
            }
        }
        Bytes::from(out.0)
    }

    /// `None` where the bytes are no job of a version that is known here.
    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let mut from = Reader(bytes.clone());
        let mail = match from.u8()? {
            VERSION => Mail::decode(&mut from)?,
            OLDER => Mail::decode_older(&mut from)?,
            _ => return None,
        };
        let original = from.text()?;
        let to = match from.u8()? {
            0 => To::Mailbox(PrincipalId::from_bytes(from.id()?)),
            1 => To::List(decode_walk(&mut from)?),
            2 => To::Sent(PrincipalId::from_bytes(from.id()?)),
            3 => To::Reports,
            _ => return None,
        };
        from.is_empty().then_some(Self { mail, to, original })
    }
}

fn decode_walk(from: &mut Reader) -> Option<Walk> {
    let root = PrincipalId::from_bytes(from.id()?);
    let (step, next) = (from.number()?, usize::try_from(from.number()?).ok()?);
    let cursor = from.bytes()?;
    let count = usize::try_from(from.number()?).ok().filter(|n| *n <= GROUPS)?;
    let groups = (0..count).map(|_| from.id().map(PrincipalId::from_bytes)).collect::<Option<Vec<_>>>()?;
    Some(Walk { root, step, groups, next, cursor })
}
