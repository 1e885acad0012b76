//! One import or export, and its row: `tf#T` / `t#id`. `o` what was ordered, `by` whom (an import: who brought the file), `at` when; `st` its state, `b` and `e`
//! when it began and ended, `y` why it failed; `up` and `pn` which content it has and in how many parts, `z` its octets;
//! `sp` the steps done, `tu` the turns, `cu` where to go on, `rd` octets read, `ok` and `bad` what came of it, `to` of how many.

use crate::sheet::Layout;
use penfold_ports::{Name, Row, Value};
use penfold_types::{CommitId, Error, FolderId, PrincipalId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Order {
    ImportPeople {
        existing: Existing,
        /// Every row is judged, and nothing is changed.
        rehearse: bool,
    },
    ExportPeople,
    /// All that is in one mailbox.
    ExportMailbox {
        mailbox: PrincipalId,
    },
    /// A file of events, tasks, notes or cards into a folder of one's own, or into one that somebody opened.
    ImportObjects {
        mailbox: PrincipalId,
        folder: FolderId,
        holds: Holds,
        existing: Existing,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visit: Option<Visit>,
    },
    /// All of such a folder as one file.
    ExportObjects {
        mailbox: PrincipalId,
        folder: FolderId,
        holds: Holds,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        visit: Option<Visit>,
    },
}

/// Who has to do with a folder of somebody else's. Whether they may is judged at each turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Visit {
    pub by: PrincipalId,
    /// The address of the mailbox that the folder lies in, as it was when this was ordered.
    pub of: String,
}

/// What a folder's file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Holds {
    /// iCalendar (RFC 5545).
    Calendar,
    /// vCards (RFC 6350), one behind another.
    Cards,
}

/// Octets that a file may have.
pub(crate) const LONGEST: u64 = 64 << 20;

/// What becomes of a row about somebody, or of an object, who or which is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Existing {
    /// It is reported, and they stay as they are.
    #[default]
    Refuse,
    /// They become what the file says.
    Update,
}

impl Order {
    pub fn is_import(&self) -> bool {
        matches!(self, Self::ImportPeople { .. } | Self::ImportObjects { .. })
    }

    /// In somebody else's mailbox.
    pub fn visit(&self) -> Option<&Visit> {
        match self {
            Self::ImportObjects { visit, .. } | Self::ExportObjects { visit, .. } => visit.as_ref(),
            Self::ImportPeople { .. } | Self::ExportPeople | Self::ExportMailbox { .. } => None,
        }
    }

    /// Whose own it is: it is seen by nobody else. `None`: the tenant's.
    pub fn owner(&self) -> Option<PrincipalId> {
        match self {
            Self::ImportObjects { mailbox, visit, .. } | Self::ExportObjects { mailbox, visit, .. } => {
                Some(visit.as_ref().map_or(*mailbox, |visit| visit.by))
            }
            Self::ImportPeople { .. } | Self::ExportPeople | Self::ExportMailbox { .. } => None,
        }
    }

    /// Refuses what cannot be the beginning of its file.
    pub(crate) fn look(&self, begin: &[u8]) -> Result<()> {
        let text = begin.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(begin).trim_ascii_start();
        let is = |word: &[u8]| text.get(..word.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(word));
        match self {
            Self::ImportPeople { .. } => Layout::of(begin).map(drop),
            Self::ImportObjects { holds: Holds::Calendar, .. } if !is(b"BEGIN:VCALENDAR") => {
                Err(Error::invalid("the file does not begin with BEGIN:VCALENDAR"))
            }
            Self::ImportObjects { holds: Holds::Cards, .. } if !is(b"BEGIN:VCARD") => {
                Err(Error::invalid("the file does not begin with BEGIN:VCARD"))
            }
            _ => Ok(()),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its content is still to come.
    Uploading,
    /// Its turn is still to come.
    Waiting,
    Running,
    Done,
    /// It cannot be carried on; what was done stays.
    Failed,
    /// Somebody stopped it; what was done stays.
    Cancelled,
}

impl State {
    const ALL: [Self; 6] = [Self::Uploading, Self::Waiting, Self::Running, Self::Done, Self::Failed, Self::Cancelled];

    pub(crate) fn number(self) -> u64 {
        self as u64
    }

    /// Something is still to come of it.
    pub fn is_open(self) -> bool {
        matches!(self, Self::Uploading | Self::Waiting | Self::Running)
    }

    /// A worker may go on with it.
    pub fn is_under_way(self) -> bool {
        matches!(self, Self::Waiting | Self::Running)
    }
}

/// A row that could not be taken in, or a message that could not be taken out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wrong {
    /// The line of the file, from 1; 0 where it is about no line.
    pub line: u64,
    pub column: Option<String>,
    pub detail: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transfer {
    pub id: CommitId,
    pub tenant: TenantId,
    pub order: Order,
    pub by: String,
    pub created: Timestamp,
    pub state: State,
    pub began: Option<Timestamp>,
    pub ended: Option<Timestamp>,
    /// Why it failed.
    pub why: Option<String>,
    pub(crate) upload: u64,
    pub(crate) parts: u32,
    /// Octets of its content.
    pub octets: u64,
    pub(crate) step: u64,
    pub(crate) turn: u64,
    /// Where to go on; whoever carries it on says how.
    pub cursor: String,
    /// Octets of its content that were read.
    pub read: u64,
    pub done: u64,
    pub failed: u64,
    /// How many there are, where that is known.
    pub total: Option<u64>,
}

impl Transfer {
    pub(crate) fn new(id: CommitId, tenant: TenantId, order: Order, by: &str, now: Timestamp) -> Self {
        let state = if order.is_import() { State::Uploading } else { State::Waiting };
        Self {
            id,
            tenant,
            order,
            by: by.to_owned(),
            created: now,
            state,
            began: None,
            ended: None,
            why: None,
            upload: 0,
            parts: 0,
            octets: 0,
            step: 0,
            turn: 0,
            cursor: String::new(),
            read: 0,
            done: 0,
            failed: 0,
            total: None,
        }
    }

    pub(crate) fn row(&self) -> Result<Row> {
        let order = serde_json::to_string(&self.order).map_err(|error| Error::broken("an order cannot be written").because(error))?;
        let mut row = Row::new().with("o", order).with("at", stored(self.created));
        for (name, value) in self.changing() {
            row.set(name, value);
        }
        Ok(row)
    }

    /// What changes as it goes on.
    pub(crate) fn changing(&self) -> Vec<(Name, Value)> {
        let mut set: Vec<(Name, Value)> = vec![
            ("st".into(), self.state.number().into()),
            ("by".into(), self.by.as_str().into()),
            ("up".into(), self.upload.into()),
            ("pn".into(), u64::from(self.parts).into()),
            ("z".into(), self.octets.into()),
            ("sp".into(), self.step.into()),
            ("tu".into(), self.turn.into()),
            ("cu".into(), self.cursor.as_str().into()),
            ("rd".into(), self.read.into()),
            ("ok".into(), self.done.into()),
            ("bad".into(), self.failed.into()),
        ];
        for (name, time) in [("b", self.began), ("e", self.ended)] {
            set.extend(time.map(|time| (Name::from(name), stored(time).into())));
        }
        set.extend(self.why.as_deref().map(|why| ("y".into(), why.into())));
        set.extend(self.total.map(|total| ("to".into(), total.into())));
        set
    }

    /// `None`: a newer version wrote it.
    pub(crate) fn read(tenant: TenantId, id: CommitId, row: &Row) -> Option<Self> {
        let number = |name: &'static str| row.u64(name).unwrap_or(0);
        let time = |name: &'static str| row.u64(name).map(|millis| Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)));
        Some(Self {
            id,
            tenant,
            order: serde_json::from_str(row.str("o")?).ok()?,
            by: row.str("by")?.to_owned(),
            created: time("at")?,
            state: *State::ALL.get(usize::try_from(row.u64("st")?).ok()?)?,
            began: time("b"),
            ended: time("e"),
            why: row.str("y").map(str::to_owned),
            upload: number("up"),
            parts: u32::try_from(number("pn")).ok()?,
            octets: number("z"),
            step: number("sp"),
            turn: number("tu"),
            cursor: row.str("cu").unwrap_or_default().to_owned(),
            read: number("rd"),
            done: number("ok"),
            failed: number("bad"),
            total: row.u64("to"),
        })
    }
}

fn stored(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0)
}
