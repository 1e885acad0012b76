//! The body of a job of the queue `send`: a message that was handed in, with everything that its way needs.

use crate::Target;
use crate::codec::{Reader, Writer};
use crate::job::Mail;
use bytes::Bytes;
use penfold_ports::{Account, Body, Notify, Return};
use penfold_types::{PrincipalId, TenantId, Timestamp};

const VERSION: u8 = 2;
/// Without `copy`.
const OLDER: u8 = 1;
/// Recipients of one message at most.
pub const RECIPIENTS: usize = 1000;

/// What MAIL said, beside the reverse-path.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Envelope {
    pub ret: Option<Return>,
    /// ENVID, in xtext.
    pub id: Option<String>,
    pub body: Body,
    pub utf8: bool,
    /// RFC 8689.
    pub require_tls: bool,
    /// The message says so (RFC 8689 §3).
    pub tls_optional: bool,
    /// Nothing leaves before this (RFC 4865).
    pub hold_until: Option<Timestamp>,
    pub deliver_by: Option<DeliverBy>,
}

/// RFC 2852: when it must have been delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DeliverBy {
    pub at: Timestamp,
    pub late: Late,
    /// The sender wants to hear of each host that takes it over.
    pub trace: bool,
}

/// What to do with a message that is late.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Late {
    Return,
    /// The sender is told, and it goes on.
    Notify,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Addressee {
    pub target: Target,
    /// As it was written between the angle brackets.
    pub path: String,
    pub notify: Option<Notify>,
    /// ORCPT as it was given.
    pub original: Option<String>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Submission {
    /// Of the tenant that it was handed in by.
    pub mail: Mail,
    /// Who handed it in; nobody where it is a program of ours.
    pub by: Option<PrincipalId>,
    /// The reverse-path as it was written; empty for the null one.
    pub from: String,
    pub envelope: Envelope,
    pub recipients: Vec<Addressee>,
    /// The number of the first parcel: one message may be handed in several times, by several groups.
    pub first_part: u64,
    /// A copy goes into Sent of whoever handed it in, with these fields, whole lines, that nobody else gets.
    pub copy: Option<Bytes>,
}

pub(super) fn put_notify(out: &mut Writer, notify: Option<Notify>) {
    let bits = notify.map_or(8, |n| u8::from(n.success) | u8::from(n.failure) << 1 | u8::from(n.delay) << 2);
    out.u8(bits);
}

pub(super) fn read_notify(from: &mut Reader) -> Option<Option<Notify>> {
    match from.u8()? {
        8 => Some(None),
        bits @ 0..8 => Some(Some(Notify { success: bits & 1 > 0, failure: bits & 2 > 0, delay: bits & 4 > 0 })),
        _ => None,
    }
}

/// Empty stands for absent: neither value is ever empty.
pub(super) fn put_text(out: &mut Writer, text: Option<&String>) {
    out.bytes(text.map_or("", String::as_str).as_bytes());
}

pub(super) fn read_text(from: &mut Reader) -> Option<Option<String>> {
    Some(Some(from.text()?).filter(|text| !text.is_empty()))
}

impl Envelope {
    pub(super) fn encode(&self, out: &mut Writer) {
        let ret = match self.ret {
            None => 0,
            Some(Return::Full) => 1,
            Some(Return::Headers) => 2,
        };
        out.u8(ret);
        put_text(out, self.id.as_ref());
        let body = match self.body {
            Body::SevenBit => 0,
            Body::EightBit => 1,
            Body::Binary => 2,
        };
        let flags = [self.utf8, self.require_tls, self.hold_until.is_some(), self.deliver_by.is_some(), self.tls_optional];
        out.u8(body).u8(bits(flags));
        if let Some(until) = self.hold_until {
            out.i64(until.millis());
        }
        if let Some(by) = self.deliver_by {
            out.i64(by.at.millis()).u8(bits([by.late == Late::Notify, by.trace]));
        }
    }

    pub(super) fn decode(from: &mut Reader) -> Option<Self> {
        let ret = match from.u8()? {
            0 => None,
            1 => Some(Return::Full),
            2 => Some(Return::Headers),
            _ => return None,
        };
        let id = read_text(from)?;
        let body = match from.u8()? {
            0 => Body::SevenBit,
            1 => Body::EightBit,
            2 => Body::Binary,
            _ => return None,
        };
        let bits = from.u8()?;
        let hold_until = if bits & 4 > 0 { Some(Timestamp::from_millis(from.i64()?)) } else { None };
        let deliver_by = if bits & 8 > 0 { Some(DeliverBy::decode(from)?) } else { None };
        let (utf8, require_tls, tls_optional) = (bits & 1 > 0, bits & 2 > 0, bits & 16 > 0);
        Some(Self { ret, id, body, utf8, require_tls, tls_optional, hold_until, deliver_by })
    }
}

impl DeliverBy {
    fn decode(from: &mut Reader) -> Option<Self> {
        let at = Timestamp::from_millis(from.i64()?);
        let bits = from.u8()?;
        Some(Self { at, late: if bits & 1 > 0 { Late::Notify } else { Late::Return }, trace: bits & 2 > 0 })
    }
}

/// The first flag is the lowest bit.
fn bits<const N: usize>(flags: [bool; N]) -> u8 {
    flags.into_iter().rev().fold(0, |bits, flag| bits << 1 | u8::from(flag))
}

impl Addressee {
    fn encode(&self, out: &mut Writer) {
        match &self.target {
            Target::Mailbox(account) => {
                out.u8(0).id(account.tenant.as_bytes()).id(account.principal.as_bytes());
            }
            Target::Group(tenant, group) => {
                out.u8(1).id(tenant.as_bytes()).id(group.as_bytes());
            }
            Target::Reports(tenant) => {
                out.u8(3).id(tenant.as_bytes());
            }
            Target::Outside(tenant, address) => {
                out.u8(2).id(tenant.as_bytes()).bytes(address.to_string().as_bytes());
            }
        }
        out.bytes(self.path.as_bytes());
        put_notify(out, self.notify);
        put_text(out, self.original.as_ref());
    }

    fn decode(from: &mut Reader) -> Option<Self> {
        let kind = from.u8()?;
        let tenant = TenantId::from_bytes(from.id()?);
        let target = match kind {
            0 => Target::Mailbox(Account { tenant, principal: PrincipalId::from_bytes(from.id()?) }),
            1 => Target::Group(tenant, PrincipalId::from_bytes(from.id()?)),
            3 => Target::Reports(tenant),
            2 => Target::Outside(tenant, from.text()?.parse().ok()?),
            _ => return None,
        };
        Some(Self { target, path: from.text()?, notify: read_notify(from)?, original: read_text(from)? })
    }
}

impl Submission {
    /// What one person hands in goes out in that order.
    pub fn group(&self) -> String {
        match self.by {
            Some(principal) => format!("{}/{principal}", self.mail.tenant),
            None => format!("{}/service", self.mail.tenant),
        }
    }

    pub fn encode(&self) -> Bytes {
        let mut out = Writer(Vec::with_capacity(256 + self.mail.summary.len() + self.recipients.len() * 48));
        out.u8(VERSION);
        self.mail.encode(&mut out);
        out.id(self.by.unwrap_or(PrincipalId::from_bytes([0; 16])).as_bytes()).bytes(self.from.as_bytes());
        self.envelope.encode(&mut out);
        out.number(self.first_part).number(self.recipients.len() as u64);
        for recipient in &self.recipients {
            recipient.encode(&mut out);
        }
        out.u8(self.copy.is_some().into());
        if let Some(blind) = &self.copy {
            out.bytes(blind);
        }
        Bytes::from(out.0)
    }

    /// `None` where the bytes are no job of a version that is known here.
    pub fn decode(bytes: &Bytes) -> Option<Self> {
        let mut from = Reader(bytes.clone());
        let version = from.u8().filter(|version| [VERSION, OLDER].contains(version))?;
        let mail = Mail::decode(&mut from)?;
        let by = Some(PrincipalId::from_bytes(from.id()?)).filter(|by| *by.as_bytes() != [0; 16]);
        let sender = from.text()?;
        let envelope = Envelope::decode(&mut from)?;
        let first_part = from.number()?;
        let count = usize::try_from(from.number()?).ok().filter(|count| *count <= RECIPIENTS)?;
        let recipients = (0..count).map(|_| Addressee::decode(&mut from)).collect::<Option<_>>()?;
        let copy = if version != OLDER && from.u8()? > 0 { Some(from.bytes()?) } else { None };
        from.is_empty().then_some(Self { mail, by, from: sender, envelope, recipients, first_part, copy })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_types::AcceptanceId;

    fn submission(envelope: Envelope) -> Submission {
        let mail = Mail {
            tenant: TenantId::from_bytes([1; 16]),
            acceptance: AcceptanceId::from_bytes([2; 16]),
            length: 3,
            received: Timestamp::from_seconds(4),
            prefix: Bytes::new(),
            summary: Bytes::from_static(b"summary"),
            from: None,
            junk: false,
            submitted: true,
        };
        let target = Target::Outside(mail.tenant, "a@out.test".parse().unwrap());
        let to = Addressee { target, path: "a@out.test".to_owned(), notify: None, original: None };
        Submission {
            mail,
            by: Some(PrincipalId::from_bytes([5; 16])),
            from: "b@x.test".to_owned(),
            envelope,
            recipients: vec![to],
            first_part: 0,
            copy: None,
        }
    }

    #[test]
    fn every_envelope_survives_a_round_trip() {
        let by = |late, trace| Some(DeliverBy { at: Timestamp::from_millis(-1), late, trace });
        let hold_until = Some(Timestamp::from_millis(1_700_000_000_123));
        let plain = Envelope { id: Some("QQ".to_owned()), ret: Some(Return::Headers), body: Body::EightBit, ..Envelope::default() };
        for envelope in [
            Envelope::default(),
            plain.clone(),
            Envelope { hold_until, utf8: true, ..plain.clone() },
            Envelope { deliver_by: by(Late::Return, false), require_tls: true, ..plain.clone() },
            Envelope { tls_optional: true, ..plain.clone() },
            Envelope { hold_until, deliver_by: by(Late::Notify, true), ..plain },
        ] {
            let copy = envelope.utf8.then(|| Bytes::from_static(b"Bcc: x@x.test\r\n"));
            let whole = Submission { copy, ..submission(envelope) };
            let bytes = whole.encode();
            assert_eq!(Submission::decode(&bytes), Some(whole));
            for cut in 0..bytes.len() {
                assert_eq!(Submission::decode(&bytes.slice(..cut)), None);
            }
        }
    }
}
