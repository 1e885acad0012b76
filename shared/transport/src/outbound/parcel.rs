//! What goes to one destination: the row that every attempt begins and ends with.
//!
//! A parcel that is done stays for as long as a queue may bring its job again, so that nothing is sent twice for a job that
//! came twice.

use super::schedule::LATE;
use super::submission::{Envelope, Late, put_notify, put_text, read_notify, read_text};
use crate::codec::{Reader, Writer};
use bytes::Bytes;
use penfold_ports::{Name, Query, Recipient, Row, Said, Sk, TenantScope, Value, When, World};
use penfold_types::{AcceptanceId, Error, Result, Timestamp};

/// What an attempt is judged by: it changes with every write.
const VERSION: Name = Name::new("v");
const STATE: Name = Name::new("st");
const AT: Name = Name::new("at");
const WHAT: Name = Name::new("e");
const WHO: Name = Name::new("r");

const FORMAT: u8 = 1;
/// Recipients of one parcel at most: as many as every host must take in one transaction (RFC 5321 §4.5.3.1.8).
pub const RECIPIENTS: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// The next attempt is due at this time.
    Waiting,
    /// An attempt was begun at this time, and its end is not known.
    Trying,
    /// What is to be told is to be told before anything else.
    Reporting,
    /// Since this time.
    Done,
    /// An administrator holds it.
    Held,
}

impl State {
    const ALL: [Self; 5] = [Self::Waiting, Self::Trying, Self::Reporting, Self::Done, Self::Held];
}

/// How far one recipient came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Fate {
    /// With what was said last.
    Waiting(Option<Said>),
    Sent(Said),
    Failed(Said),
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Passage {
    pub to: Recipient,
    pub fate: Fate,
    /// The last fate that the sender was told, or need not be told.
    pub told: bool,
    /// That it is late was told.
    pub told_late: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Parcel {
    pub acceptance: AcceptanceId,
    /// Bytes of the blob.
    pub length: u64,
    pub accepted: Timestamp,
    /// No attempt begins after this.
    pub expires: Timestamp,
    pub destination: String,
    /// The reverse-path; empty for the null one.
    pub from: String,
    pub envelope: Envelope,
    /// Header fields in front of the blob, whole lines.
    pub head: Bytes,
    pub passages: Vec<Passage>,
    pub state: State,
    pub at: Timestamp,
    pub version: u64,
    /// The job by which the last attempt was begun.
    pub(super) job: u32,
    /// Attempts that were begun, and those of which the end is not known.
    pub attempts: u32,
    pub interrupted: u32,
}

fn put_said(out: &mut Writer, said: &Said) {
    let (class, subject, detail) = said.status;
    out.number(said.code.into()).u8(class).number(subject.into()).number(detail.into()).bytes(said.text.as_bytes());
    put_text(out, said.host.as_ref());
}

fn read_said(from: &mut Reader) -> Option<Said> {
    let small = |number: u64| u16::try_from(number).ok();
    let code = small(from.number()?)?;
    let status = (from.u8()?, small(from.number()?)?, small(from.number()?)?);
    Some(Said { code, status, text: from.text()?, host: read_text(from)? })
}

impl Passage {
    fn encode(&self, out: &mut Writer) {
        out.bytes(self.to.path.as_bytes());
        put_notify(out, self.to.notify);
        put_text(out, self.to.original.as_ref());
        out.u8(u8::from(self.told) | u8::from(self.told_late) << 1);
        let (kind, said) = match &self.fate {
            Fate::Waiting(None) => (0, None),
            Fate::Waiting(Some(said)) => (1, Some(said)),
            Fate::Sent(said) => (2, Some(said)),
            Fate::Failed(said) => (3, Some(said)),
        };
        out.u8(kind);
        if let Some(said) = said {
            put_said(out, said);
        }
    }

    fn decode(from: &mut Reader) -> Option<Self> {
        let to = Recipient { path: from.text()?, notify: read_notify(from)?, original: read_text(from)? };
        let bits = from.u8()?;
        let fate = match from.u8()? {
            0 => Fate::Waiting(None),
            1 => Fate::Waiting(Some(read_said(from)?)),
            2 => Fate::Sent(read_said(from)?),
            3 => Fate::Failed(read_said(from)?),
            _ => return None,
        };
        Some(Self { to, fate, told: bits & 1 > 0, told_late: bits & 2 > 0 })
    }

    pub fn waits(&self) -> bool {
        matches!(self.fate, Fate::Waiting(_))
    }
}

/// A page of a tenant's parcels, the oldest first, also those that are done, and where to go on. `after`: the last one of
/// the page before.
pub async fn parcels(world: &World, scope: &TenantScope, after: Option<(AcceptanceId, u64)>) -> Result<(Vec<(u64, Parcel)>, bool)> {
    let prefix = Sk::all_outgoing();
    let all = Query::prefix(scope.outgoing(prefix.clone()).pk().clone(), &prefix);
    let from = after.map_or(prefix, |(acceptance, part)| Sk::outgoing(acceptance, part).successor());
    let page = world.table.query(&Query { from, ..all }).await?;
    let read = |(sk, row): (Sk, Row)| {
        let (acceptance, part) = Parcel::named(&sk).ok_or_else(|| Error::broken("a parcel has no name"))?;
        Ok((part, Parcel::from_row(acceptance, &row)?))
    };
    Ok((page.rows.into_iter().map(read).collect::<Result<_>>()?, page.more))
}

impl Parcel {
    /// The sender wanted it delivered by now or not at all (RFC 2852).
    pub(super) fn is_too_late(&self, now: Timestamp) -> bool {
        self.envelope.deliver_by.is_some_and(|by| by.late == Late::Return && now >= by.at)
    }

    /// From when on the sender is told that it is late.
    pub(super) fn late_from(&self) -> Timestamp {
        match self.envelope.deliver_by {
            Some(by) if by.late == Late::Notify => by.at,
            _ => self.accepted.plus(LATE),
        }
    }

    /// How many recipients wait.
    pub fn waiting(&self) -> usize {
        self.passages.iter().filter(|passage| passage.waits()).count()
    }

    /// On the condition that nobody has written it since.
    pub(super) fn stands(&self) -> When {
        When::Equal(vec![(VERSION, self.version.into())])
    }

    /// Attributes of the row; those of others stay.
    pub(super) fn attributes(&self) -> Vec<(Name, Value)> {
        let mut what = Writer::default();
        what.u8(FORMAT).number(self.length).i64(self.accepted.millis()).i64(self.expires.millis());
        what.bytes(self.destination.as_bytes()).bytes(self.from.as_bytes());
        self.envelope.encode(&mut what);
        what.bytes(&self.head).number(self.job.into()).number(self.attempts.into()).number(self.interrupted.into());
        let mut who = Writer::default();
        who.number(self.passages.len() as u64);
        for passage in &self.passages {
            passage.encode(&mut who);
        }
        vec![
            (VERSION, self.version.into()),
            (STATE, (self.state as u64).into()),
            (AT, self.at.millis().max(0).unsigned_abs().into()),
            (WHAT, what.0.into()),
            (WHO, who.0.into()),
        ]
    }

    pub(super) fn to_row(&self) -> Row {
        self.attributes().into_iter().fold(Row::new(), |row, (name, value)| row.with(name, value))
    }

    pub(super) fn from_row(acceptance: AcceptanceId, row: &Row) -> Result<Self> {
        Self::read(acceptance, row).ok_or_else(|| Error::broken("a parcel's row cannot be read"))
    }

    /// The acceptance and the part that a row's key names.
    pub(super) fn named(sk: &Sk) -> Option<(AcceptanceId, u64)> {
        let (id, part) = sk.as_bytes().strip_prefix(Sk::all_outgoing().as_bytes())?.split_at_checked(16)?;
        Some((AcceptanceId::from_slice(id)?, u64::from_be_bytes(part.try_into().ok()?)))
    }

    fn read(acceptance: AcceptanceId, row: &Row) -> Option<Self> {
        let mut what = Reader(row.bytes(WHAT)?.clone());
        if what.u8()? != FORMAT {
            return None;
        }
        let (length, accepted, expires) = (what.number()?, what.i64()?, what.i64()?);
        let (destination, from) = (what.text()?, what.text()?);
        let envelope = Envelope::decode(&mut what)?;
        let head = what.bytes()?;
        let small = |number: u64| u32::try_from(number).ok();
        let (job, attempts, interrupted) = (small(what.number()?)?, small(what.number()?)?, small(what.number()?)?);
        let mut who = Reader(row.bytes(WHO)?.clone());
        let count = usize::try_from(who.number()?).ok().filter(|count| *count <= RECIPIENTS)?;
        let passages = (0..count).map(|_| Passage::decode(&mut who)).collect::<Option<_>>()?;
        Some(Self {
            acceptance,
            length,
            accepted: Timestamp::from_millis(accepted),
            expires: Timestamp::from_millis(expires),
            destination,
            from,
            envelope,
            head,
            passages,
            state: *State::ALL.get(usize::try_from(row.u64(STATE)?).ok()?)?,
            at: Timestamp::from_millis(i64::try_from(row.u64(AT)?).ok()?),
            version: row.u64(VERSION)?,
            job,
            attempts,
            interrupted,
        })
    }
}
