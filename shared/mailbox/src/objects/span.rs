//! When objects are. Each has one row, under how long it is and when it begins, so that what lies in a window is found by one
//! short range for each length: an event that reaches into the window begins at most its length before it.

use super::read::damaged;
use crate::account::Mailbox;
use penfold_ports::{Query, Rights, Row, Sk};
use penfold_types::{FolderId, ItemId, Result};
use std::ops::Range;

const DAY: i64 = 86_400;
/// How long objects of each level may be, in seconds; those of the last have no end.
const LEVELS: [i64; 6] = [DAY, 8 * DAY, 64 * DAY, 512 * DAY, 4096 * DAY, i64::MAX];

/// From when to when something of an object can be, in seconds since 1970. Whoever gives it answers for there being nothing
/// outside.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    pub first: i64,
    /// `None`: it goes on for ever.
    pub last: Option<i64>,
}

impl Span {
    /// What has no time at all is in every window.
    pub const ALWAYS: Self = Self { first: i64::MIN, last: None };

    /// Level and start.
    pub(crate) fn place(self) -> (u8, i64) {
        let length = self.last.map_or(i64::MAX, |last| last.saturating_sub(self.first));
        let level = LEVELS.iter().position(|limit| length <= *limit).unwrap_or(LEVELS.len() - 1);
        (u8::try_from(level).unwrap_or(u8::MAX), self.first)
    }

    /// A span that lies at a place.
    pub(crate) fn of_place(level: u8, start: i64) -> Self {
        let length = LEVELS.get(usize::from(level)).copied().filter(|length| *length < i64::MAX);
        Self { first: start, last: length.map(|length| start.saturating_add(length)) }
    }
}

/// An object that may have something in a window.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hit {
    pub name: String,
    /// The object, and its version now.
    pub object: ItemId,
    pub item: ItemId,
    /// What was put beside its span, as it was given.
    pub facts: bytes::Bytes,
}

impl Mailbox {
    /// Objects whose span touches the window, and some of about the same length that end before it; at most `limit`, and one
    /// more where there are more. It costs what is in the window, and all that has no end.
    pub async fn objects_between(&self, folder: FolderId, window: Range<i64>, limit: usize) -> Result<Vec<Hit>> {
        self.judge_in(folder, |own| own.has_some(Rights::READ.and(Rights::FREE_BUSY))).await?;
        let mut found = Vec::new();
        for (level, length) in LEVELS.iter().enumerate() {
            let level = u8::try_from(level).unwrap_or(u8::MAX);
            let from = if *length == i64::MAX { i64::MIN } else { window.start.saturating_sub(*length) };
            // At most the limit, whatever a page holds.
            let mut query = Query {
                pk: self.scope().pk().clone(),
                from: Sk::spans(folder, level, from),
                to: Some(Sk::spans(folder, level, window.end)),
                limit: limit + 1 - found.len(),
                reverse: false,
            };
            loop {
                let page = self.inner.world.table.query(&query).await?;
                for (sk, row) in &page.rows {
                    found.push(self.hit(sk, row).await?);
                }
                if found.len() > limit {
                    return Ok(found);
                }
                match page.rows.last() {
                    Some((last, _)) if page.more => {
                        query.from = last.successor();
                        query.limit = limit + 1 - found.len();
                    }
                    _ => break,
                }
            }
        }
        Ok(found)
    }

    async fn hit(&self, sk: &Sk, row: &Row) -> Result<Hit> {
        let object = sk.as_bytes().len().checked_sub(16).and_then(|at| ItemId::from_slice(&sk.as_bytes()[at..])).ok_or_else(damaged)?;
        let item = row.bytes("i").and_then(|bytes| ItemId::from_slice(bytes)).ok_or_else(damaged)?;
        let facts = match row.bytes("f") {
            Some(sealed) => self.open_sealed(object.as_bytes(), sealed).await?.into(),
            None => bytes::Bytes::new(),
        };
        Ok(Hit { name: row.str("n").ok_or_else(damaged)?.to_owned(), object, item, facts })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_lies_at_the_level_of_its_length() {
        assert_eq!(Span { first: 5, last: Some(5) }.place(), (0, 5));
        assert_eq!(Span { first: 0, last: Some(DAY) }.place(), (0, 0));
        assert_eq!(Span { first: 0, last: Some(DAY + 1) }.place(), (1, 0));
        assert_eq!(Span { first: -7, last: None }.place(), (5, -7));
        assert_eq!(Span { first: i64::MIN, last: Some(i64::MAX) }.place(), (5, i64::MIN));
        assert_eq!(Span::ALWAYS.place(), (5, i64::MIN));
    }
}
