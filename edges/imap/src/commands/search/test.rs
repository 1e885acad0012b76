//! A search key, ready to be asked. Each answer is yes, no, or "not with what is known so far", so one evaluation serves
//! the list, the summaries and the octets in turn, and nothing is read that the answer does not hang on.

use crate::grammar::date::day_of;
use crate::grammar::{DayRange, SearchKey};
use crate::session::{Selected, Stop};
use penfold_formats::mime::{Mailbox, Needle, body_contains, decode_header, header_fields, text_contains};
use penfold_mailbox::{Content, Keywords, Message, UidSet};
use penfold_types::{ItemId, Modseq, Uid};

pub enum Test {
    Constant(bool),
    Flag(Keywords),
    In(UidSet),
    Received(DayRange),
    Sent(DayRange),
    /// Received at or after this second.
    Since(i64),
    Larger(u64),
    Smaller(u64),
    Modseq(Modseq),
    Item(ItemId),
    Thread(ItemId),
    /// A field that the envelope has.
    Addresses(Field, Needle),
    Subject(Needle),
    Header(String, Needle),
    Body(Needle),
    Text(Needle),
    Not(Box<Test>),
    Or(Box<Test>, Box<Test>),
    And(Vec<Test>),
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Field {
    From,
    To,
    Cc,
    Bcc,
}

/// What the list knows of a message.
#[derive(Clone)]
pub struct Listed {
    pub uid: Uid,
    pub item: ItemId,
    keywords: Keywords,
    modseq: Modseq,
    size: u32,
    received: i64,
    zone: i16,
}

impl Listed {
    pub fn of(message: &Message<'_>) -> Self {
        Self {
            uid: message.uid,
            item: message.item,
            keywords: message.keywords.clone(),
            modseq: message.modseq,
            size: message.size,
            received: message.received,
            zone: message.zone,
        }
    }
}

impl Test {
    pub fn new(key: &SearchKey, selected: &Selected, now: i64) -> Result<Self, Stop> {
        use SearchKey as K;
        let inner = |key: &SearchKey| Self::new(key, selected, now).map(Box::new);
        Ok(match key {
            K::All => Self::Constant(true),
            K::Nothing => Self::Constant(false),
            // A keyword that cannot exist is on no message.
            K::Flag(name) => Keywords::parse([name.as_str()]).map_or(Self::Constant(false), Self::Flag),
            K::Numbers(set) => Self::In(selected.uids(set, false)?),
            K::Uids(set) => Self::In(selected.uids(set, true)?),
            K::Received(range) => Self::Received(*range),
            K::Sent(range) => Self::Sent(*range),
            K::Younger(seconds) => Self::Since(now.saturating_sub((*seconds).into())),
            K::Older(seconds) => Self::Not(Box::new(Self::Since(now.saturating_sub((*seconds).into()).saturating_add(1)))),
            K::Larger(size) => Self::Larger(*size),
            K::Smaller(size) => Self::Smaller(*size),
            K::Modseq(modseq) => Self::Modseq(Modseq(*modseq)),
            K::EmailId(id) => object_id(id, 'M').map_or(Self::Constant(false), Self::Item),
            K::ThreadId(id) => object_id(id, 'T').map_or(Self::Constant(false), Self::Thread),
            K::Header { name, value } => header(name, value),
            K::Body(value) if value.is_empty() => Self::Constant(true),
            K::Text(value) if value.is_empty() => Self::Constant(true),
            K::Body(value) => Self::Body(Needle::new(value)),
            K::Text(value) => Self::Text(Needle::new(value)),
            K::Not(key) => Self::Not(inner(key)?),
            K::Or(a, b) => Self::Or(inner(a)?, inner(b)?),
            K::And(keys) => Self::And(keys.iter().map(|key| Self::new(key, selected, now)).collect::<Result<_, _>>()?),
        })
    }

    /// `octets`: the message as it came, or its beginning up to the end of its header where `whole` octets are not needed.
    pub fn judge(&self, listed: &Listed, content: Option<&Content>, octets: Option<&[u8]>) -> Option<bool> {
        let judge = |test: &Self| test.judge(listed, content, octets);
        match self {
            Self::Constant(value) => Some(*value),
            Self::Flag(keyword) => Some(listed.keywords.has(keyword)),
            Self::In(uids) => Some(uids.contains(listed.uid)),
            Self::Received(range) => Some(within(day_of(listed.received, listed.zone), range)),
            Self::Since(second) => Some(listed.received >= *second),
            Self::Larger(size) => Some(u64::from(listed.size) > *size),
            Self::Smaller(size) => Some(u64::from(listed.size) < *size),
            Self::Modseq(modseq) => Some(listed.modseq >= *modseq),
            Self::Item(item) => Some(listed.item == *item),
            Self::Thread(thread) => content.map(|content| content.thread == *thread),
            Self::Sent(range) => content.map(|content| {
                let envelope = &content.summary.envelope;
                envelope.sent.is_some_and(|sent| within(day_of(sent, envelope.sent_zone), range))
            }),
            Self::Subject(needle) => content.map(|content| {
                let subject = content.summary.envelope.subject.as_deref();
                subject.is_some_and(|subject| needle.is_in(decode_header(subject).as_bytes()))
            }),
            Self::Addresses(field, needle) => addresses(*field, needle, content?, octets),
            Self::Header(name, needle) => octets.map(|octets| {
                let prefix = content.map_or(&[][..], |content| &content.prefix);
                [prefix, octets].into_iter().any(|header| field_has(header, name, needle))
            }),
            Self::Body(needle) => octets.zip(content).map(|(octets, content)| body_contains(&content.summary.root, octets, needle)),
            Self::Text(needle) => octets
                .zip(content)
                .map(|(octets, content)| needle.is_in(&content.prefix) || text_contains(&content.summary.root, octets, needle)),
            Self::Not(test) => judge(test).map(|value| !value),
            Self::Or(a, b) => match (judge(a), judge(b)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            },
            Self::And(tests) => all(tests.iter().map(judge)),
        }
    }

    /// What an answer may need beside the header: the octets of the body.
    pub fn needs_body(&self) -> bool {
        match self {
            Self::Body(_) | Self::Text(_) => true,
            Self::Not(test) => test.needs_body(),
            Self::Or(a, b) => a.needs_body() || b.needs_body(),
            Self::And(tests) => tests.iter().any(Self::needs_body),
            _ => false,
        }
    }
}

/// One no is a no, whatever else is not known.
fn all(answers: impl Iterator<Item = Option<bool>>) -> Option<bool> {
    let mut known = Some(true);
    for answer in answers {
        match answer {
            Some(false) => return Some(false),
            Some(true) => {}
            None => known = None,
        }
    }
    known
}

fn within(day: i64, range: &DayRange) -> bool {
    range.from <= day && day < range.to
}

fn object_id(text: &str, letter: char) -> Option<ItemId> {
    text.strip_prefix(letter)?.parse().ok()
}

fn header(name: &str, value: &str) -> Test {
    let needle = Needle::new(value);
    match name.to_ascii_lowercase().as_str() {
        "subject" if !value.is_empty() => Test::Subject(needle),
        "from" if !value.is_empty() => Test::Addresses(Field::From, needle),
        "to" if !value.is_empty() => Test::Addresses(Field::To, needle),
        "cc" if !value.is_empty() => Test::Addresses(Field::Cc, needle),
        "bcc" if !value.is_empty() => Test::Addresses(Field::Bcc, needle),
        _ => Test::Header(name.to_owned(), needle),
    }
}

/// RFC 9051 §6.4.4: an empty value asks whether there is such a field.
fn field_has(header: &[u8], name: &str, needle: &Needle) -> bool {
    let mut fields = header_fields(header).filter(|(own, _, _)| own.eq_ignore_ascii_case(name.as_bytes()));
    fields.any(|(_, _, value)| needle.folded().is_empty() || needle.is_in(decode_header(value).as_bytes()))
}

/// In the addresses as the envelope has them. Where its list was cut, the header itself must be read.
fn addresses(field: Field, needle: &Needle, content: &Content, octets: Option<&[u8]>) -> Option<bool> {
    let envelope = &content.summary.envelope;
    let (list, name) = match field {
        Field::From => (&envelope.from, "from"),
        Field::To => (&envelope.to, "to"),
        Field::Cc => (&envelope.cc, "cc"),
        Field::Bcc => (&envelope.bcc, "bcc"),
    };
    if list.iter().any(|mailbox| needle.is_in(shown(mailbox).as_bytes())) {
        return Some(true);
    }
    if content.summary.cut { octets.map(|octets| field_has(octets, name, needle)) } else { Some(false) }
}

/// `Name <local@domain>`
fn shown(mailbox: &Mailbox) -> String {
    let text = |part: &Option<Box<[u8]>>| part.as_deref().map(decode_header).unwrap_or_default();
    let address = match (&mailbox.mailbox, &mailbox.host) {
        (Some(_), Some(_)) => format!("<{}@{}>", text(&mailbox.mailbox), text(&mailbox.host)),
        _ => text(&mailbox.mailbox),
    };
    match &mailbox.name {
        Some(_) => format!("{} {address}", text(&mailbox.name)),
        None => address,
    }
}
