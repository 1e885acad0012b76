//! Changes of an object's bytes: what is not meant stays as its client wrote it.

use std::{collections::BTreeMap, ops::Range};

use super::{object::Object, timing::Timing, tree::Component};
use crate::lines::push_line;

/// What takes the place of some ranges of the bytes.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, Vec<u8>)>);

impl Edits {
    pub(super) fn remove(&mut self, range: Range<usize>) {
        self.0.push((range, Vec::new()));
    }

    pub(super) fn replace(&mut self, range: Range<usize>, bytes: Vec<u8>) {
        self.0.push((range, bytes));
    }

    pub(super) fn insert(&mut self, at: usize, bytes: Vec<u8>) {
        self.0.push((at..at, bytes));
    }

    /// The bytes with all of it done. Ranges inside of one that goes go with it.
    pub(super) fn apply(mut self, source: &[u8]) -> Vec<u8> {
        self.0.sort_by_key(|(range, _)| (range.start, range.end));
        let (mut out, mut at) = (Vec::with_capacity(source.len()), 0);
        for (range, bytes) in self.0 {
            if range.start < at {
                continue;
            }
            out.extend_from_slice(source.get(at..range.start).unwrap_or_default());
            out.extend_from_slice(&bytes);
            at = range.end;
        }
        out.extend_from_slice(source.get(at..).unwrap_or_default());
        out
    }
}

impl Object {
    /// Without all VALARMs: what somebody else than their owner may see.
    pub fn without_alarms(&self) -> Vec<u8> {
        let mut edits = Edits::default();
        for (_, part) in self.components() {
            alarms(part).for_each(|alarm| edits.remove(alarm.range.clone()));
        }
        edits.apply(self.bytes())
    }

    /// With the alarms that another version of the same object has, each in the component of the same instance.
    pub fn with_alarms_of(&self, other: &Object) -> Vec<u8> {
        let mut edits = Edits::default();
        let others: BTreeMap<_, _> = other.components().map(|(index, part)| (other.timing(index).and_then(instance), part)).collect();
        for (index, part) in self.components() {
            alarms(part).for_each(|alarm| edits.remove(alarm.range.clone()));
            let Some(theirs) = others.get(&self.timing(index).and_then(instance)) else { continue };
            let mut bytes = Vec::new();
            for alarm in alarms(theirs) {
                bytes.extend_from_slice(other.bytes().get(alarm.range.clone()).unwrap_or_default());
            }
            edits.insert(part.inner.end, bytes);
        }
        edits.apply(self.bytes())
    }

    /// With one property of each of its components, written anew; it has none of that name.
    pub fn with_property_of_each<'a>(&self, line: impl Fn(&Component) -> &'a str) -> Vec<u8> {
        let mut edits = Edits::default();
        for (_, part) in self.components() {
            let mut new = Vec::new();
            push_line(&mut new, line(part));
            edits.insert(part.components.first().map_or(part.inner.end, |first| first.range.start), new);
        }
        edits.apply(self.bytes())
    }

    /// With one property of one of the calendar's components, written as `NAME;PARAM=x:value`, in place of all that it has of that
    /// name; `None` takes them out. A line that is new stands behind the others. Without a component of that index nothing changes.
    pub fn with_property(&self, component: usize, name: &str, line: Option<&str>) -> Vec<u8> {
        let mut edits = Edits::default();
        let Some(part) = self.calendar().components.get(component) else { return self.bytes().to_vec() };
        let mut new = Vec::new();
        if let Some(line) = line {
            push_line(&mut new, line);
        }
        for old in part.all(name) {
            edits.replace(old.range.clone(), std::mem::take(&mut new));
        }
        if !new.is_empty() {
            let end = part.components.first().map_or(part.inner.end, |first| first.range.start);
            edits.insert(end, new);
        }
        edits.apply(self.bytes())
    }
}

fn alarms(part: &Component) -> impl Iterator<Item = &Component> {
    part.components.iter().filter(|inner| inner.is("VALARM"))
}

/// What names an instance in every version of its object: its time in UTC, or by the clock where it is of no zone.
fn instance(timing: &Timing) -> Option<(bool, i64)> {
    let of = &timing.overrides.as_ref()?.of;
    Some(match &of.zone {
        Some(zone) => (true, zone.utc(of.clock.local)),
        None => (false, of.clock.local),
    })
}

#[cfg(test)]
mod tests;
