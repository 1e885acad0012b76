//! How far a mailbox's log is counted, and what it came to.

use penfold_mailbox::COUNTED;
use penfold_ports::{Name, Row, Value, When};
use penfold_types::Modseq;

const BYTES: Name = Name::new("by");
const ITEMS: Name = Name::new("n");
const AT: Name = Name::new("at");
const SINCE: Name = Name::new("s");
const CLOSED: Name = Name::new("c");

#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) struct Mark {
    /// The last change that is counted.
    pub modseq: Modseq,
    /// What is there by all changes so far.
    pub bytes: u64,
    pub items: u64,
    /// Seconds of the last change, of the first one, and of the end.
    pub at: i64,
    pub since: i64,
    pub closed: Option<i64>,
}

impl Mark {
    pub fn attributes(&self) -> Vec<(Name, Value)> {
        let mut set = vec![
            (COUNTED, self.modseq.get().into()),
            (BYTES, self.bytes.into()),
            (ITEMS, self.items.into()),
            (AT, self.at.unsigned_abs().into()),
            (SINCE, self.since.unsigned_abs().into()),
        ];
        set.extend(self.closed.map(|at| (CLOSED, at.unsigned_abs().into())));
        set
    }

    /// What a row of it must not have any more.
    pub fn without(&self) -> Vec<Name> {
        if self.closed.is_some() { Vec::new() } else { vec![CLOSED] }
    }

    pub fn from_row(row: &Row) -> Option<Self> {
        let seconds = |name| i64::try_from(row.u64(name)?).ok();
        Some(Self {
            modseq: Modseq(row.u64(COUNTED)?),
            bytes: row.u64(BYTES)?,
            items: row.u64(ITEMS)?,
            at: seconds(AT)?,
            since: seconds(SINCE)?,
            closed: seconds(CLOSED),
        })
    }

    /// Nobody else has counted since.
    pub fn stands(&self) -> When {
        When::Equal(vec![(COUNTED, self.modseq.get().into()), (BYTES, self.bytes.into()), (ITEMS, self.items.into())])
    }

    /// For how many seconds of a span the mailbox was there.
    pub fn seconds_within(&self, from: i64, span: i64) -> u64 {
        let end = self.closed.unwrap_or(i64::MAX).min(from + span);
        u64::try_from(end - self.since.max(from)).unwrap_or(0)
    }
}
