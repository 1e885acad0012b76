//! When somebody is busy (RFC 4791 §7.10, RFC 5545 §3.6.4): read off the index of times. Only what recurs is read itself.

use crate::facts::Facts;
use crate::widened;
use penfold_formats::icalendar::{Busy as BusyType, Object, Zone, write_utc as utc};
use penfold_mailbox::{Hit, Mailbox};
use penfold_types::{FolderId, ItemId, Result, Timestamp};
use std::ops::Range;

/// Objects that one question looks at.
const OBJECTS: usize = 20_000;
/// Instances of one series in one question.
const INSTANCES: usize = 10_000;
/// Times of all of them.
const TOGETHER: usize = 200_000;
/// Series that are read at once.
const BATCH: usize = 100;

/// A time at which somebody is busy, in UTC seconds, within the window.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Busy {
    pub start: i64,
    pub end: i64,
    pub kind: BusyType,
}

/// By one calendar and by when its owner can be met at all, in order, what overlaps made one; `None` where it would be more than one
/// answer tells. Times by the clock alone are read in `floating`.
pub async fn busy(
    mailbox: &Mailbox,
    folder: FolderId,
    window: Range<i64>,
    floating: &Zone,
    availability: &[Object],
) -> Result<Option<Vec<Busy>>> {
    let hits = mailbox.objects_between(folder, widened(&window), OBJECTS).await?;
    if hits.len() > OBJECTS {
        return Ok(None);
    }
    let (mut found, mut series): (Vec<Busy>, Vec<ItemId>) = (Vec::new(), Vec::new());
    for Hit { item, facts, .. } in hits {
        match Facts::decode(&facts) {
            Facts::Once { busy: None, .. } => {}
            Facts::Once { start, end, floating: clock, busy: Some(kind) } => {
                let at = |time: i64| if clock { floating.utc(time) } else { time };
                found.push(Busy { start: at(start), end: at(end), kind });
            }
            Facts::Read => series.push(item),
        }
    }
    for object in availability {
        // One that has too many times in this window says nothing here: what the calendar says is told all the same.
        let Ok(all) = object.busy(window.clone(), floating, INSTANCES) else { continue };
        if found.len() + all.len() <= TOGETHER / 2 {
            found.extend(all.into_iter().map(|(time, kind)| Busy { start: time.start, end: time.end, kind }));
        }
    }
    // False: it would be too much.
    let mut add = |object: &Object| {
        let Ok(all) = object.busy(window.clone(), floating, INSTANCES) else { return false };
        found.extend(all.into_iter().map(|(time, kind)| Busy { start: time.start, end: time.end, kind }));
        found.len() <= TOGETHER
    };
    for some in series.chunks(BATCH) {
        for bytes in mailbox.object_bytes_in_part(folder, some).await?.into_iter().flatten() {
            if Object::read(&bytes).is_ok_and(|object| !add(&object)) {
                return Ok(None);
            }
        }
    }
    Ok(Some(merged(found, &window)))
}

/// Cut to the window, each sort by itself without overlaps.
fn merged(mut all: Vec<Busy>, window: &Range<i64>) -> Vec<Busy> {
    for one in &mut all {
        (one.start, one.end) = (one.start.max(window.start), one.end.min(window.end));
    }
    all.retain(|one| one.start < one.end);
    all.sort_by_key(|one| (one.kind, one.start, one.end));
    let mut out: Vec<Busy> = Vec::with_capacity(all.len());
    for one in all {
        match out.last_mut() {
            Some(last) if last.kind == one.kind && last.end >= one.start => last.end = last.end.max(one.end),
            _ => out.push(one),
        }
    }
    out.sort();
    out
}

/// VFREEBUSY (RFC 5545 §3.6.4).
pub fn free_busy_text(window: &Range<i64>, times: &[Busy], now: Timestamp) -> String {
    let mut out = String::from("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Penfold//EN\r\nBEGIN:VFREEBUSY\r\n");
    let line = |name: &str, at: i64| format!("{name}:{}\r\n", utc(at));
    out += &line("DTSTAMP", now.seconds());
    out += &line("DTSTART", window.start);
    out += &line("DTEND", window.end);
    for one in times {
        out += &format!("FREEBUSY;FBTYPE={}:{}/{}\r\n", one.kind.name(), utc(one.start), utc(one.end));
    }
    out + "END:VFREEBUSY\r\nEND:VCALENDAR\r\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_cut_and_made_one_by_sort() {
        let one = |start, end, kind| Busy { start, end, kind };
        let all = vec![
            one(50, 70, BusyType::Busy),
            one(-5, 10, BusyType::Busy),
            one(10, 20, BusyType::Busy),
            one(15, 60, BusyType::Tentative),
            one(200, 300, BusyType::Busy),
            one(30, 30, BusyType::Busy),
        ];
        let wanted = vec![one(0, 20, BusyType::Busy), one(15, 60, BusyType::Tentative), one(50, 70, BusyType::Busy)];
        assert_eq!(merged(all, &(0..100)), wanted);
    }
}
