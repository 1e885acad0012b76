//! When an object keeps somebody busy (RFC 4791 §7.10, RFC 5545 §3.8.2.6, RFC 7953).

use std::{collections::BTreeMap, ops::Range};

use super::{
    civil::DAY,
    fault::{Fault, What},
    object::{Kind, Object},
    occurrences::{Occurrence, Parts, TooMany},
    tree::Component,
    zone::Zone,
};

const YEAR: i64 = 366 * DAY;

/// FBTYPE (RFC 5545 §3.2.9), without FREE; the later ones weigh more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Busy {
    Tentative,
    Busy,
    Unavailable,
}

impl Busy {
    /// As FBTYPE and BUSYTYPE write it. What nobody knows is busy (§3.2.9).
    pub fn name(self) -> &'static str {
        match self {
            Self::Tentative => "BUSY-TENTATIVE",
            Self::Busy => "BUSY",
            Self::Unavailable => "BUSY-UNAVAILABLE",
        }
    }

    fn named(name: &str) -> Option<Self> {
        match name.trim().to_ascii_uppercase().as_str() {
            "FREE" => None,
            "BUSY-TENTATIVE" => Some(Self::Tentative),
            "BUSY-UNAVAILABLE" => Some(Self::Unavailable),
            _ => Some(Self::Busy),
        }
    }
}

impl Object {
    /// The busy times in a window of UTC, cut to it, in order; they can overlap. Tasks and journals keep nobody busy.
    pub fn busy(&self, window: Range<i64>, floating: &Zone, limit: usize) -> Result<Vec<(Range<i64>, Busy)>, TooMany> {
        let mut out = match self.kind() {
            Kind::Event => self.events(&window, floating, limit)?,
            Kind::FreeBusy => self.stated(floating),
            Kind::Availability => self.unavailable(&window, floating, limit)?,
            Kind::Todo | Kind::Journal => Vec::new(),
        };
        for (range, _) in &mut out {
            *range = range.start.max(window.start)..range.end.min(window.end);
        }
        out.retain(|(range, _)| !range.is_empty());
        out.sort_by_key(|(range, busy)| (range.start, range.end, *busy));
        if out.len() > limit { Err(TooMany) } else { Ok(out) }
    }

    fn events(&self, window: &Range<i64>, floating: &Zone, limit: usize) -> Result<Vec<(Range<i64>, Busy)>, TooMany> {
        let part = |one: &Occurrence| self.calendar().components.get(one.component);
        let found = self.occurrences(window.clone(), floating, limit)?;
        Ok(found.iter().filter_map(|one| Some((one.start..one.end, part(one).and_then(event)?))).collect())
    }

    fn stated(&self, floating: &Zone) -> Vec<(Range<i64>, Busy)> {
        let mut out = Vec::new();
        for line in self.components().flat_map(|(_, part)| part.all("FREEBUSY")) {
            let Some(busy) = Busy::named(line.param_value("FBTYPE").unwrap_or("BUSY")) else { continue };
            let periods = line.value.split(',').filter_map(|value| self.period(line, value, floating));
            out.extend(periods.map(|(start, end)| (start..end, busy)));
        }
        out
    }

    /// RFC 7953 §3.1: within its bounds somebody is unavailable wherever no AVAILABLE says otherwise.
    fn unavailable(&self, window: &Range<i64>, floating: &Zone, limit: usize) -> Result<Vec<(Range<i64>, Busy)>, TooMany> {
        let mut out = Vec::new();
        for (index, part) in self.components() {
            let Some(busy) = Busy::named(part.property("BUSYTYPE").map_or("BUSY-UNAVAILABLE", |line| &line.value)) else { continue };
            let span = self.span(floating);
            let mut at = window.start.max(span.first);
            let end = window.end.min(span.last.unwrap_or(i64::MAX));
            let mut series: BTreeMap<&str, Parts<'_>> = BTreeMap::new();
            for (number, (uid, timing)) in self.available(index).enumerate() {
                series.entry(uid).or_default().add(number, timing);
            }
            let mut free = Vec::new();
            for parts in series.values() {
                parts.collect(window, floating, limit, &mut free)?;
            }
            free.sort_by_key(|one| one.start);
            for one in free {
                if one.start > at {
                    out.push((at..one.start.min(end), busy));
                }
                at = at.max(one.end);
            }
            out.push((at..end, busy));
        }
        Ok(out)
    }
}

impl Object {
    /// Refuses an availability whose AVAILABLE have more than so many instances in the year from when each begins: no question about
    /// its times could be answered.
    pub fn judge_available(&self, limit: usize) -> Result<(), Fault> {
        let mut found = Vec::new();
        for (index, part) in self.components() {
            for (_, timing) in self.available(index) {
                let begin = timing.start.as_ref().map_or(0, |start| start.utc(&Zone::UTC));
                let mut one = Parts::default();
                one.add(index, timing);
                one.collect(&(begin..begin.saturating_add(YEAR)), &Zone::UTC, limit, &mut found)
                    .map_err(|_| Fault::new(What::MaxInstances, part.line, "more instances of AVAILABLE than are taken"))?;
            }
        }
        Ok(())
    }
}

/// How an event keeps its owner busy: not at all where it is transparent or cancelled. Outlook says there what it means by "away".
fn event(part: &Component) -> Option<Busy> {
    let is = |name: &str, value: &str| part.property(name).is_some_and(|line| line.value.trim().eq_ignore_ascii_case(value));
    if is("TRANSP", "TRANSPARENT") || is("STATUS", "CANCELLED") {
        None
    } else if is("STATUS", "TENTATIVE") || is("X-MICROSOFT-CDO-BUSYSTATUS", "TENTATIVE") {
        Some(Busy::Tentative)
    } else if is("X-MICROSOFT-CDO-BUSYSTATUS", "OOF") {
        Some(Busy::Unavailable)
    } else {
        Some(Busy::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::icalendar::{civil::write_utc, occurrences::event, value::clock};

    fn busy(lines: &str, from: &str, to: &str) -> Vec<String> {
        let at = |text| clock(text).unwrap().local;
        let found = event(lines).busy(at(from)..at(to), &Zone::UTC, 100).unwrap();
        found.iter().map(|(range, busy)| format!("{}/{} {}", write_utc(range.start), write_utc(range.end), busy.name())).collect()
    }

    #[test]
    fn events_keep_busy_unless_they_say_otherwise() {
        let lines = "BEGIN:VEVENT\nUID:1\nDTSTART:20260101T120000Z\nDURATION:PT2H\nRRULE:FREQ=DAILY\nEND:VEVENT
BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260102T120000Z\nDTSTART:20260102T120000Z\nDURATION:PT1H\nSTATUS:TENTATIVE\nEND:VEVENT
BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260103T120000Z\nDTSTART:20260103T120000Z\nDURATION:PT1H\nTRANSP:TRANSPARENT\nEND:VEVENT
BEGIN:VEVENT\nUID:1\nRECURRENCE-ID:20260104T120000Z\nDTSTART:20260104T120000Z\nDURATION:PT1H\nSTATUS:CANCELLED\nEND:VEVENT";
        let found = busy(lines, "20260101T130000Z", "20260105T130000Z");
        assert_eq!(
            found,
            [
                "20260101T130000Z/20260101T140000Z BUSY",
                "20260102T120000Z/20260102T130000Z BUSY-TENTATIVE",
                "20260105T120000Z/20260105T130000Z BUSY"
            ]
        );
        assert!(busy("BEGIN:VTODO\nUID:1\nDTSTART:20260101T120000Z\nDURATION:PT1H\nEND:VTODO", "20260101", "20270101").is_empty());
    }

    #[test]
    fn what_others_say_of_themselves() {
        let lines = "BEGIN:VFREEBUSY\nUID:1\nFREEBUSY;FBTYPE=FREE:20260101T000000Z/PT1H\nFREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260101T120000Z/20260101T130000Z,20260105T120000Z/PT1H\nFREEBUSY;FBTYPE=X-ODD:20260101T100000Z/PT1H\nEND:VFREEBUSY";
        let found = busy(lines, "20260101", "20260102");
        assert_eq!(found, ["20260101T100000Z/20260101T110000Z BUSY", "20260101T120000Z/20260101T130000Z BUSY-UNAVAILABLE"]);
    }

    /// RFC 7953 §4: Monday to Friday from nine to five, in Montreal, Thursdays until noon.
    #[test]
    fn available_hours() {
        let lines = "BEGIN:VAVAILABILITY\nUID:1\nDTSTART;TZID=America/Montreal:20111002T000000
BEGIN:AVAILABLE\nUID:a\nDTSTART;TZID=America/Montreal:20111002T090000\nDTEND;TZID=America/Montreal:20111002T170000\nRRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,FR\nEXDATE;TZID=America/Montreal:20111002T090000\nEND:AVAILABLE
BEGIN:AVAILABLE\nUID:b\nDTSTART;TZID=America/Montreal:20111006T090000\nDTEND;TZID=America/Montreal:20111006T120000\nRRULE:FREQ=WEEKLY\nEND:AVAILABLE\nEND:VAVAILABILITY";
        assert_eq!(
            busy(lines, "20111005T120000Z", "20111007T120000Z"),
            [
                "20111005T120000Z/20111005T130000Z BUSY-UNAVAILABLE",
                "20111005T210000Z/20111006T130000Z BUSY-UNAVAILABLE",
                "20111006T160000Z/20111007T120000Z BUSY-UNAVAILABLE",
            ]
        );
        assert_eq!(busy(lines, "20111001T000000Z", "20111003T000000Z"), ["20111002T040000Z/20111003T000000Z BUSY-UNAVAILABLE"]);
    }
}
