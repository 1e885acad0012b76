//! The rules of RFC 4791 §9.9 by kind of component.

use std::ops::Range;

use super::Matcher;
use crate::icalendar::{
    civil::DAY,
    object::Kind,
    occurrences::{Occurrence, TooMany},
    timing::Timing,
    tree::Component,
};

/// What one search looks at, and what it answers with.
const BRIEF: i64 = 400 * DAY;
const MOST: usize = 20_000;

impl Matcher<'_> {
    /// Which of the calendar's components have something in a window.
    pub(super) fn hits(&self, window: &Range<i64>) -> Vec<usize> {
        let mut hits: Vec<usize> = match self.object.kind() {
            Kind::FreeBusy => {
                self.object.components().filter(|(index, part)| self.free_busy(*index, part, window)).map(|(index, _)| index).collect()
            }
            Kind::Todo => self.todos(window),
            _ => self.found(window).map_or_else(
                |TooMany| self.all(),
                |found| found.iter().filter(|one| one.overlaps(window)).map(|one| one.component).collect(),
            ),
        };
        hits.sort_unstable();
        hits.dedup();
        hits
    }

    /// Occurrences in a window, or in the begin of a long one.
    pub(super) fn found(&self, window: &Range<i64>) -> Result<Vec<Occurrence>, TooMany> {
        let span = self.object.span(self.floating);
        // An override can be elsewhere than its series; a second more finds what only touches.
        let start = window.start.max(span.first.saturating_sub(1));
        let mut end = window.end.min(span.last.map_or(i64::MAX, |last| last.saturating_add(1)));
        if self.brief && end.saturating_sub(start) > BRIEF {
            self.cut.set(true);
            end = start.saturating_add(BRIEF);
        }
        if start >= end { Ok(Vec::new()) } else { self.object.occurrences(start..end, self.floating, MOST) }
    }

    fn all(&self) -> Vec<usize> {
        self.object.components().map(|(index, _)| index).collect()
    }

    fn todos(&self, window: &Range<i64>) -> Vec<usize> {
        let undated = self.object.timings().filter(|(_, timing)| timing.start.is_none() && timing.due.is_none()).map(|(index, _)| index);
        let component = |index: usize| self.object.calendar().components.get(index);
        let mut hits: Vec<usize> = undated.filter(|index| component(*index).is_some_and(|part| self.undated(part, window))).collect();
        let near = window.start.saturating_sub(1)..window.end.saturating_add(1);
        match self.found(&near) {
            Err(TooMany) => return self.all(),
            Ok(found) => hits.extend(
                found
                    .iter()
                    .filter(|one| self.object.timing(one.component).is_some_and(|timing| todo(timing, one, window)))
                    .map(|one| one.component),
            ),
        }
        hits
    }

    /// A task with neither DTSTART nor DUE: what counts is when it was made and done.
    fn undated(&self, part: &Component, window: &Range<i64>) -> bool {
        let time = |name| {
            let line = part.property(name)?;
            Some(self.object.zones().stamp(line, &line.value).ok()?.utc(self.floating))
        };
        let (start, end) = (window.start, window.end);
        match (time("CREATED"), time("COMPLETED")) {
            (Some(created), Some(completed)) => (start <= created || start <= completed) && (end >= created || end >= completed),
            (None, Some(completed)) => start <= completed && end >= completed,
            (Some(created), None) => end > created,
            (None, None) => true,
        }
    }

    fn free_busy(&self, index: usize, part: &Component, window: &Range<i64>) -> bool {
        let bounds = part.property("DTSTART").is_some() && part.property("DTEND").is_some();
        let Some(timing) = self.object.timing(index).filter(|_| bounds) else {
            return self.object.periods(index, self.floating).any(|(start, end)| start < window.end && end > window.start);
        };
        let Some(start) = timing.start.as_ref().map(|start| start.utc(self.floating)) else { return false };
        window.start <= start.saturating_add(timing.length.nominal()) && window.end > start
    }
}

/// The table for VTODO.
fn todo(timing: &Timing, found: &Occurrence, window: &Range<i64>) -> bool {
    let (start, end) = (window.start, window.end);
    match (timing.start.is_some(), timing.due.is_some(), timing.has_length) {
        (true, true, _) => (start < found.end || start <= found.start) && (end > found.start || end >= found.end),
        (true, false, true) => start <= found.end && (end > found.start || end >= found.end),
        (true, false, false) => start <= found.start && end > found.start,
        _ => start < found.end && end >= found.end,
    }
}
