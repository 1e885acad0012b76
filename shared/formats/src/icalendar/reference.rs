//! Zones by reference (RFC 7809): objects without the definitions that everybody has, and with those that are missing.

use super::{
    civil::{DAY, FIRST, date_of, day_of, write_local},
    edit::Edits,
    object::{Object, collect_names},
    tree::Component,
    zone::{Change, Zone},
};
use crate::lines::push_line;

/// Of a definition: the changes up to the year 2100.
const UNTIL: i64 = 4_102_444_800;
/// Onsets in one line.
const IN_A_LINE: usize = 50;

fn tzid(zone: &Component) -> Option<&str> {
    zone.property("TZID").map(|line| line.value.trim())
}

/// A zone under its own name in the IANA database.
fn standard(name: &str) -> Option<Zone> {
    Zone::named(name).filter(|zone| zone.name().is_some_and(|own| own.eq_ignore_ascii_case(name)))
}

impl Object {
    fn defined(&self) -> impl Iterator<Item = &Component> {
        self.calendar().components.iter().filter(|part| part.is("VTIMEZONE"))
    }

    /// Without the definitions of zones that stand under their name in the IANA database; of others it keeps them.
    pub fn without_zones(&self) -> Vec<u8> {
        let mut edits = Edits::default();
        for zone in self.defined().filter(|zone| tzid(zone).and_then(standard).is_some()) {
            edits.replace(zone.range.clone(), Vec::new());
        }
        edits.apply(self.bytes())
    }

    /// From when on its zones have to be defined: 1970, or the year before the one in which it begins.
    fn begin(&self) -> i64 {
        let starts = self.timings().filter_map(|(_, timing)| Some(timing.start.as_ref()?.clock.local));
        let (year, ..) = date_of(starts.min().unwrap_or(0).clamp(FIRST, 0).div_euclid(DAY));
        if year >= 1970 { 0 } else { day_of((year - 1).max(1), 1, 1) * DAY }
    }

    /// With a definition of each zone that it names, as RFC 5545 §3.6.5 wants: those that it lacks are made.
    pub fn with_zones(&self) -> Vec<u8> {
        let mut names = Vec::new();
        let parts = || self.calendar().components.iter().filter(|part| !part.is("VTIMEZONE"));
        parts().for_each(|part| collect_names(part, &mut names));
        let mut made = Vec::new();
        for name in names.into_iter().filter(|name| self.defined().all(|zone| tzid(zone) != Some(name))) {
            if let Some(zone) = Zone::named(name) {
                define(name, &zone, self.begin(), &mut made);
            }
        }
        let mut edits = Edits::default();
        if let Some(first) = parts().next().filter(|_| !made.is_empty()) {
            edits.insert(first.range.start, made);
        }
        edits.apply(self.bytes())
    }
}

/// VTIMEZONE: what holds at the beginning, by the clock, and each change after that. Changes of the same sort are one observance with
/// many onsets, so that nothing has to be guessed about rules.
fn define(name: &str, zone: &Zone, from: i64, out: &mut Vec<u8>) {
    let begin = zone.offset(from);
    let mut observances = vec![(Change { at: from - begin, from: begin, to: begin, name: String::new(), dst: false }, Vec::new())];
    for change in zone.changes(from).take_while(|change| change.at < UNTIL) {
        let same = |own: &Change| (own.from, own.to, own.dst, &own.name) == (change.from, change.to, change.dst, &change.name);
        match observances.iter_mut().skip(1).find(|(own, _)| same(own)) {
            Some((_, onsets)) => onsets.push(write_local(change.at + change.from)),
            None => observances.push((change, Vec::new())),
        }
    }
    push_line(out, "BEGIN:VTIMEZONE");
    push_line(out, &format!("TZID:{name}"));
    for (first, onsets) in observances {
        let sort = if first.dst { "DAYLIGHT" } else { "STANDARD" };
        push_line(out, &format!("BEGIN:{sort}"));
        push_line(out, &format!("DTSTART:{}", write_local(first.at + first.from)));
        push_line(out, &format!("TZOFFSETFROM:{}", offset(first.from)));
        push_line(out, &format!("TZOFFSETTO:{}", offset(first.to)));
        if !first.name.is_empty() {
            push_line(out, &format!("TZNAME:{}", first.name));
        }
        for some in onsets.chunks(IN_A_LINE) {
            push_line(out, &format!("RDATE:{}", some.join(",")));
        }
        push_line(out, &format!("END:{sort}"));
    }
    push_line(out, "END:VTIMEZONE");
}

/// RFC 5545 §3.3.14.
fn offset(seconds: i64) -> String {
    let (sign, all) = (if seconds < 0 { '-' } else { '+' }, seconds.abs());
    let text = format!("{sign}{:02}{:02}", all / 3600, all / 60 % 60);
    if all % 60 == 0 { text } else { format!("{text}{:02}", all % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(zones: &str, name: &str) -> Object {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{zones}BEGIN:VEVENT\r\nUID:1\r\nDTSTART;TZID={name}:20260301T100000\r\nRRULE:FREQ=DAILY\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        Object::read(text.as_bytes()).unwrap()
    }

    fn old(name: &str) -> String {
        format!(
            "BEGIN:VTIMEZONE\r\nTZID:{name}\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
        )
    }

    #[test]
    fn what_everybody_knows_is_left_out_and_nothing_else() {
        let known = event(&old("Europe/Berlin"), "Europe/Berlin");
        assert_eq!(known.without_zones(), event("", "Europe/Berlin").bytes());
        for name in ["Own/Zone", "W. Europe Standard Time"] {
            let own = event(&old(name), name);
            assert_eq!(own.without_zones(), own.bytes(), "{name}");
            assert_eq!(own.with_zones(), own.bytes(), "{name}");
        }
    }

    #[test]
    fn a_definition_says_what_the_database_says() {
        for name in [
            "Europe/Berlin",
            "America/New_York",
            "Australia/Lord_Howe",
            "Asia/Kolkata",
            "Africa/Casablanca",
            "Africa/Monrovia",
            "Pacific/Apia",
        ] {
            let with = event("", name).with_zones();
            let whole = Object::read(&with).unwrap();
            let text = std::str::from_utf8(&with).unwrap();
            assert!(text.contains("BEGIN:VTIMEZONE") && text.lines().all(|line| line.len() <= 75), "{text}");
            // Under a name that is nobody's its own rules count.
            let own = Object::read(text.replace(name, "Own/Name").as_bytes()).unwrap();
            let (own, known) = (own.zone("Own/Name").unwrap(), Zone::named(name).unwrap());
            for hour in (0..(2099 - 1970) * 365 * 24).step_by(7) {
                let at = i64::from(hour) * 3600;
                assert_eq!(own.offset(at), known.offset(at), "{name} at {at}");
            }
            assert_eq!(whole.without_zones(), event("", name).bytes());
        }
    }

    #[test]
    fn a_definition_begins_before_the_event_does() {
        for (name, year) in [("Europe/Berlin", 1947), ("Europe/Berlin", 1800), ("America/New_York", 1918), ("Asia/Kolkata", 1900)] {
            let text = String::from_utf8(event("", name).bytes().to_vec()).unwrap().replace(":2026", &format!(":{year}"));
            let with = Object::read(&Object::read(text.as_bytes()).unwrap().with_zones()).unwrap();
            let renamed = String::from_utf8(with.bytes().to_vec()).unwrap().replace(name, "Own/Name");
            let (own, known) = (Object::read(renamed.as_bytes()).unwrap(), Zone::named(name).unwrap());
            let own = own.zone("Own/Name").unwrap();
            let begin = day_of(year, 1, 1) * DAY;
            for at in (begin..day_of(2030, 1, 1) * DAY).step_by(25 * 3600) {
                assert_eq!(own.offset(at), known.offset(at), "{name} at {at}");
            }
        }
        // Nearly all begin later, and are not made longer for it.
        assert!(String::from_utf8(event("", "Europe/Berlin").with_zones()).unwrap().contains("DTSTART:19700101T000000\r\n"));
    }
}
