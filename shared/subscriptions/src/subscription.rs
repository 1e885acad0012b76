//! One calendar from elsewhere, and its row: `sb#T` / `s#A F`. `s` sealed: its URL and validators; `at` when it was made, `rv` its
//! revision, `tu` its turn, `du` when that is due, `iv` and `pv` the seconds that were asked for and that the file says; `ft` when
//! it was fetched, `ct` when something changed, `er` what is wrong, `fl` failures in a row, `gs` since when there is nothing, `st`
//! that it was given up; `n` its objects, `sk` those that were left out, `hs` the hash of the file, `bl` and `bz` a file that is
//! not yet worked off.

use penfold_mailbox::Blob;
use penfold_ports::{Account, Name, Row, Validators, Value};
use penfold_types::{AcceptanceId, FolderId, Timestamp};
use serde::{Deserialize, Serialize};

/// What of it is nobody else's to know: many a URL is a secret.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Kept {
    pub url: String,
    /// The URL that gave what follows, after all redirects; without it they are of nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub etag: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_modified: Option<String>,
    /// Its folder is still to be made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub make: Option<Make>,
}

/// What its folder is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Make {
    pub name: String,
    /// `#rrggbb`
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub color: Option<String>,
}

impl Kept {
    pub fn validators(&self) -> Option<Validators> {
        Some(Validators { of: self.of.clone()?, etag: self.etag.clone(), last_modified: self.last_modified.clone() })
    }

    /// What came with the file that is there now.
    pub fn know(&mut self, validators: Option<Validators>) {
        let known = validators.map(|Validators { of, etag, last_modified }| (Some(of), etag, last_modified));
        (self.of, self.etag, self.last_modified) = known.unwrap_or_default();
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It was not fetched yet.
    New,
    /// It is as it was at the last fetch.
    Current,
    /// The last fetch failed; another is to come.
    Failing,
    /// It is not fetched any more until somebody asks for it.
    Stopped,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subscription {
    pub account: Account,
    pub folder: FolderId,
    pub kept: Kept,
    pub created: Timestamp,
    pub revision: u64,
    pub turn: u64,
    pub due: Timestamp,
    pub refresh: u64,
    pub published: u64,
    pub fetched: Option<Timestamp>,
    pub changed: Option<Timestamp>,
    /// For whoever subscribed.
    pub error: Option<String>,
    pub failures: u64,
    pub gone: Option<Timestamp>,
    pub stopped: bool,
    /// When a fetch was asked for the last time.
    pub asked: Option<Timestamp>,
    pub objects: u64,
    pub skipped: u64,
    pub hash: Option<[u8; 32]>,
    pub file: Option<Blob>,
}

fn millis(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or_default()
}

impl Subscription {
    pub(crate) fn new(account: Account, folder: FolderId, url: &str, refresh: u64, now: Timestamp) -> Self {
        Self {
            account,
            folder,
            kept: Kept { url: url.to_owned(), ..Kept::default() },
            created: now,
            revision: 1,
            turn: 1,
            due: now,
            refresh,
            published: 0,
            fetched: None,
            changed: None,
            error: None,
            failures: 0,
            gone: None,
            stopped: false,
            asked: None,
            objects: 0,
            skipped: 0,
            hash: None,
            file: None,
        }
    }

    pub fn state(&self) -> State {
        match (self.stopped, &self.error, self.fetched) {
            (true, ..) => State::Stopped,
            (false, Some(_), _) => State::Failing,
            (false, None, Some(_)) => State::Current,
            (false, None, None) => State::New,
        }
    }

    /// What was brought and not worked off must come again, so it is asked for without validators.
    pub(crate) fn forget_file(&mut self) {
        if self.file.take().is_some() {
            self.kept.know(None);
        }
    }

    /// What is written beside what is sealed: to set, and to remove.
    pub(crate) fn attributes(&self) -> (Vec<(Name, Value)>, Vec<Name>) {
        let mut set: Vec<(Name, Value)> = vec![
            ("at".into(), millis(self.created).into()),
            ("rv".into(), self.revision.into()),
            ("tu".into(), self.turn.into()),
            ("du".into(), millis(self.due).into()),
            ("iv".into(), self.refresh.into()),
            ("pv".into(), self.published.into()),
            ("fl".into(), self.failures.into()),
            ("st".into(), self.stopped.into()),
            ("n".into(), self.objects.into()),
            ("sp".into(), self.skipped.into()),
        ];
        let time = |at: Option<Timestamp>| at.map(|at| Value::from(millis(at)));
        let optional: [(Name, Option<Value>); 8] = [
            ("ft".into(), time(self.fetched)),
            ("ct".into(), time(self.changed)),
            ("gs".into(), time(self.gone)),
            ("rq".into(), time(self.asked)),
            ("er".into(), self.error.as_deref().map(Value::from)),
            ("hs".into(), self.hash.map(|hash| hash.to_vec().into())),
            ("bl".into(), self.file.map(|file| file.acceptance.as_bytes().into())),
            ("bz".into(), self.file.map(|file| file.length.into())),
        ];
        let mut remove = Vec::new();
        for (name, value) in optional {
            match value {
                Some(value) => set.push((name, value)),
                None => remove.push(name),
            }
        }
        (set, remove)
    }

    /// `None`: a newer version wrote it.
    pub(crate) fn read(account: Account, folder: FolderId, kept: Kept, row: &Row) -> Option<Self> {
        let time = |name: &'static str| row.u64(name).map(|millis| Timestamp::from_millis(i64::try_from(millis).unwrap_or(i64::MAX)));
        let file = row.bytes("bl").and_then(|bytes| AcceptanceId::from_slice(bytes)).zip(row.u64("bz"));
        Some(Self {
            account,
            folder,
            kept,
            created: time("at")?,
            revision: row.u64("rv")?,
            turn: row.u64("tu")?,
            due: time("du")?,
            refresh: row.u64("iv")?,
            published: row.u64("pv")?,
            fetched: time("ft"),
            changed: time("ct"),
            error: row.str("er").map(str::to_owned),
            failures: row.u64("fl")?,
            gone: time("gs"),
            stopped: row.u64("st") == Some(1),
            asked: time("rq"),
            objects: row.u64("n")?,
            skipped: row.u64("sp").unwrap_or_default(),
            hash: row.bytes("hs").and_then(|bytes| <[u8; 32]>::try_from(&bytes[..]).ok()),
            file: file.map(|(acceptance, length)| Blob { acceptance, length }),
        })
    }

    #[cfg(test)]
    pub(crate) fn for_tests() -> Self {
        let account =
            Account { tenant: penfold_types::TenantId::from_bytes([1; 16]), principal: penfold_types::PrincipalId::from_bytes([2; 16]) };
        Self::new(account, FolderId::from_bytes([3; 16]), "https://example.com/a.ics", crate::USUAL, Timestamp::from_seconds(1_000_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_reads_back() {
        let now = Timestamp::from_seconds(5_000_000);
        let one = Subscription::for_tests();
        let all = Subscription {
            fetched: Some(now),
            changed: Some(now),
            error: Some("it is late".to_owned()),
            gone: Some(now),
            stopped: true,
            hash: Some([7; 32]),
            file: Some(Blob { acceptance: AcceptanceId::from_bytes([9; 16]), length: 10 }),
            ..one.clone()
        };
        for one in [one, all] {
            let mut row = Row::new();
            for (name, value) in one.attributes().0 {
                row.set(name, value);
            }
            assert_eq!(Subscription::read(one.account, one.folder, one.kept.clone(), &row), Some(one));
        }
    }
}
