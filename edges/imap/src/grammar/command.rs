//! Commands after parsing. Mailbox names are still as on the wire: what they mean depends on what is enabled.

use super::sequence::SequenceSet;
use bytes::Bytes;

#[derive(Debug)]
pub struct Tagged {
    pub tag: String,
    pub command: Command,
}

/// One command of RFC 9051 §6 or of an extension.
#[derive(Debug)]
pub enum Command {
    Capability,
    Noop,
    Logout,
    Id,
    StartTls,
    Authenticate { mechanism: String, initial: Option<Bytes> },
    Login { user: Bytes, secret: Bytes },
    Enable(Vec<String>),
    Select(Select),
    Create { mailbox: Bytes, uses: Vec<String> },
    Delete(Bytes),
    Rename { from: Bytes, to: Bytes },
    Subscribe { mailbox: Bytes, on: bool },
    List(List),
    Lsub { reference: Bytes, pattern: Bytes },
    Namespace,
    Status { mailbox: Bytes, items: Vec<StatusItem> },
    Append { mailbox: Bytes, messages: Vec<Message> },
    Idle,
    Check,
    Close,
    Unselect,
    Expunge(Option<SequenceSet>),
    Search(Search),
    Fetch(Fetch),
    Store(Store),
    Copy { uid: bool, set: SequenceSet, mailbox: Bytes, moving: bool },
    GetQuota(Bytes),
    GetQuotaRoot(Bytes),
    SetQuota,
    GetAcl(Bytes),
    SetAcl { mailbox: Bytes, identifier: Bytes, rights: Bytes },
    DeleteAcl { mailbox: Bytes, identifier: Bytes },
    ListRights { mailbox: Bytes, identifier: Bytes },
    MyRights(Bytes),
}

/// SELECT and EXAMINE with their parameters (RFC 7162 §3.1.8 and §3.2.5).
#[derive(Debug)]
pub struct Select {
    pub mailbox: Bytes,
    pub examine: bool,
    pub condstore: bool,
    pub qresync: Option<Qresync>,
}

#[derive(Debug)]
pub struct Qresync {
    pub uidvalidity: u32,
    pub modseq: u64,
    pub known: Option<SequenceSet>,
    /// Message sequence numbers and their uids, which a client may know (RFC 7162 §3.2.5.2).
    pub matches: Option<(SequenceSet, SequenceSet)>,
}

/// LIST with what RFC 5258, 5819 and 6154 add.
#[derive(Debug, Default)]
pub struct List {
    pub reference: Bytes,
    pub patterns: Vec<Bytes>,
    /// True where selection options, RETURN or several patterns were given: an extended LIST (RFC 5258 §3).
    pub extended: bool,
    pub only_subscribed: bool,
    pub only_special: bool,
    pub recursive_match: bool,
    pub return_subscribed: bool,
    pub return_children: bool,
    pub return_special: bool,
    pub status: Vec<StatusItem>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatusItem {
    Messages,
    Recent,
    UidNext,
    UidValidity,
    Unseen,
    Deleted,
    Size,
    HighestModseq,
    MailboxId,
    AppendLimit,
    DeletedStorage,
}

/// One message of APPEND (RFC 9051 §6.3.12, RFC 3502).
#[derive(Debug)]
pub struct Message {
    pub flags: Vec<String>,
    pub received: Option<(i64, i16)>,
    pub bytes: Bytes,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StoreHow {
    Set,
    Add,
    Remove,
}

#[derive(Debug)]
pub struct Store {
    pub uid: bool,
    pub set: SequenceSet,
    pub how: StoreHow,
    pub silent: bool,
    pub flags: Vec<String>,
    pub unchanged_since: Option<u64>,
}

#[derive(Debug)]
pub struct Fetch {
    pub uid: bool,
    pub set: SequenceSet,
    pub items: Vec<FetchItem>,
    pub changed_since: Option<u64>,
    pub vanished: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum FetchItem {
    Uid,
    Flags,
    InternalDate,
    Size,
    Envelope,
    Body,
    BodyStructure,
    Modseq,
    EmailId,
    ThreadId,
    Rfc822,
    Rfc822Header,
    Rfc822Text,
    Section { section: Section, peek: bool, partial: Option<(u64, u64)> },
    Binary { part: Vec<u32>, peek: bool, partial: Option<(u64, u64)> },
    BinarySize(Vec<u32>),
}

/// What stands between the brackets of `BODY[]` (RFC 9051 §6.4.5.1).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Section {
    pub part: Vec<u32>,
    pub text: SectionText,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum SectionText {
    All,
    Header,
    HeaderFields { not: bool, names: Vec<String> },
    Text,
    Mime,
}

#[derive(Debug)]
pub struct Search {
    pub uid: bool,
    /// RETURN (RFC 4731): `None` where it was not given.
    pub returns: Option<Returns>,
    pub key: SearchKey,
}

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Returns {
    pub min: bool,
    pub max: bool,
    pub all: bool,
    pub count: bool,
    pub save: bool,
}

/// A search key (RFC 9051 §6.4.4). Strings are decoded from their charset.
#[derive(Clone, PartialEq, Debug)]
pub enum SearchKey {
    All,
    Nothing,
    Flag(String),
    Numbers(SequenceSet),
    Uids(SequenceSet),
    /// INTERNALDATE, in days since 1970 on its own clock: `from <= day < to`.
    Received(DayRange),
    /// The Date: field, likewise.
    Sent(DayRange),
    /// Received in the last so many seconds (RFC 5032).
    Younger(u32),
    Older(u32),
    Larger(u64),
    Smaller(u64),
    Header {
        name: String,
        value: String,
    },
    Body(String),
    Text(String),
    Modseq(u64),
    EmailId(String),
    ThreadId(String),
    Not(Box<SearchKey>),
    Or(Box<SearchKey>, Box<SearchKey>),
    And(Vec<SearchKey>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DayRange {
    pub from: i64,
    pub to: i64,
}

impl SearchKey {
    /// MODSEQ is named, so the answer ends with the highest one found (RFC 7162 §3.1.5).
    pub fn names_modseq(&self) -> bool {
        match self {
            Self::Modseq(_) => true,
            Self::Not(key) => key.names_modseq(),
            Self::Or(a, b) => a.names_modseq() || b.names_modseq(),
            Self::And(keys) => keys.iter().any(Self::names_modseq),
            _ => false,
        }
    }
}
