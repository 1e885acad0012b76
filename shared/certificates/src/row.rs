//! A name's row.

use penfold_ports::Row;
use penfold_types::Timestamp;
use serde::Serialize;

/// How far a name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// There is no certificate yet.
    Waiting,
    /// There is one.
    Good,
    /// There is one, and it could not be renewed so far.
    Failing,
    /// There was one.
    Expired,
}

impl State {
    pub fn word(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Good => "good",
            Self::Failing => "failing",
            Self::Expired => "expired",
        }
    }
}

/// What is said of a name; no secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub name: String,
    /// Directory of the authority that gave the certificate.
    pub authority: Option<String>,
    pub from: Option<Timestamp>,
    pub until: Option<Timestamp>,
    pub renew: Option<Timestamp>,
    /// Not tried again before this.
    pub next: Option<Timestamp>,
    /// In a row.
    pub failures: u64,
    pub error: Option<String>,
    /// An order that did not come to its end.
    pub order: Option<String>,
    /// Number of its last change; 0 for none.
    pub change: u64,
}

fn time(row: &Row, name: &'static str) -> Option<Timestamp> {
    row.u64(name).and_then(|millis| i64::try_from(millis).ok()).map(Timestamp::from_millis)
}

/// Times are stored as milliseconds.
pub(crate) fn stored(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0)
}

impl Entry {
    pub(crate) fn read(name: &str, row: &Row) -> Self {
        Self {
            name: name.to_owned(),
            authority: row.str("ca").map(str::to_owned),
            from: time(row, "nb"),
            until: time(row, "na"),
            renew: time(row, "rn"),
            next: time(row, "nx"),
            failures: row.u64("f").unwrap_or(0),
            error: row.str("e").map(str::to_owned),
            order: row.str("o").map(str::to_owned),
            change: row.u64("s").unwrap_or(0),
        }
    }

    pub fn state(&self, now: Timestamp) -> State {
        match self.until {
            None => State::Waiting,
            Some(until) if until <= now => State::Expired,
            Some(_) if self.failures > 0 => State::Failing,
            Some(_) => State::Good,
        }
    }
}
