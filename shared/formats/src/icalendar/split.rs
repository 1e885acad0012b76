//! Whole files of a calendar: to objects, and back.

use std::{
    collections::{HashMap, HashSet},
    ops::Range,
};

use super::{
    fault::{Fault, Limits},
    object::{Kind, Object, collect_names, tzid},
    tree::{self, Component},
};
use crate::lines::{Bounds, Line, Lines, escape, push_line, unescape};

/// What was in a file.
#[derive(Debug, Default)]
pub struct Split {
    /// In the order of the file; each with the zones that it names.
    pub objects: Vec<Object>,
    /// What could not be taken, with the file's lines.
    pub skipped: Vec<Fault>,
    /// What the file calls its calendar (RFC 7986 §5.1, or as everybody writes it).
    pub name: Option<String>,
    /// RFC 7986 §5.9, or as Apple writes it.
    pub color: Option<String>,
    /// Seconds after which it is to be looked at again (RFC 7986 §5.7), or as everybody wrote it before that.
    pub refresh: Option<u64>,
}

/// Of what could not be taken, so many are told.
const MOST_SKIPPED: usize = 1000;

/// A component at the top of a calendar, by its lines alone.
struct Chunk {
    name: String,
    line: u32,
    range: Range<usize>,
    fault: Option<Fault>,
}

/// Objects of the same UID, whose components may stand anywhere in the file.
struct Group<'a> {
    line: u32,
    parts: Vec<&'a Chunk>,
    zones: Vec<String>,
}

/// Cuts a file into objects. `limits` is for the whole file; each object is under the limits of every day.
pub fn split(bytes: &[u8], limits: &Limits) -> Split {
    let mut out = Split::default();
    let chunks = chunks(bytes, limits, &mut out);
    let mut zones: HashMap<String, Range<usize>> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut by_uid: HashMap<String, usize> = HashMap::new();
    for chunk in &chunks {
        let part = match chunk.fault.clone().map_or_else(|| component(bytes, chunk), Err) {
            Ok(part) => part,
            Err(fault) => {
                out.skip(fault);
                continue;
            }
        };
        if part.is("VTIMEZONE") {
            zones.entry(tzid(&part).unwrap_or_default().to_owned()).or_insert(chunk.range.clone());
            continue;
        }
        let uid = part.property("UID").map_or("", |line| line.value.trim());
        if Kind::of(&part.name).is_none() || uid.is_empty() {
            let text = if uid.is_empty() { format!("{} without UID", part.name) } else { format!("{} is not known here", part.name) };
            out.skip(Fault::resource(chunk.line, text));
            continue;
        }
        let index = *by_uid.entry(uid.to_owned()).or_insert(groups.len());
        if index == groups.len() {
            groups.push(Group { line: chunk.line, parts: Vec::new(), zones: Vec::new() });
        }
        let Some(group) = groups.get_mut(index) else { continue };
        let mut names = Vec::new();
        collect_names(&part, &mut names);
        for name in names {
            if !group.zones.iter().any(|known| known == name) {
                group.zones.push(name.to_owned());
            }
        }
        group.parts.push(chunk);
    }
    for group in groups {
        let zones = group.zones.iter().filter_map(|name| zones.get(name));
        let parts = group.parts.iter().map(|chunk| &chunk.range);
        let text = calendar(zones.chain(parts).map(|range| bytes.get(range.clone()).unwrap_or_default()), None);
        match Object::read(&text) {
            Ok(object) => out.objects.push(object),
            // Its own lines are not the file's.
            Err(fault) => out.skip(Fault { line: group.line, ..fault }),
        }
    }
    out
}

impl Split {
    fn skip(&mut self, fault: Fault) {
        if self.skipped.len() < MOST_SKIPPED {
            self.skipped.push(fault);
        }
    }

    fn property(&mut self, line: &Line<'_>) {
        let value = || Some(unescape(line.value.trim()).into_owned()).filter(|value| !value.is_empty());
        if line.is("NAME") || (line.is("X-WR-CALNAME") && self.name.is_none()) {
            self.name = value();
        }
        if line.is("COLOR") || (line.is("X-APPLE-CALENDAR-COLOR") && self.color.is_none()) {
            self.color = value();
        }
        if line.is("REFRESH-INTERVAL") || (line.is("X-PUBLISHED-TTL") && self.refresh.is_none()) {
            let read = super::value::duration(&line.value);
            self.refresh = read.and_then(|read| u64::try_from(read.days * 86_400 + read.seconds).ok());
        }
    }
}

/// One calendar of components as they are, each with the line end that the last one of a file may lack.
fn calendar<'a>(parts: impl Iterator<Item = &'a [u8]>, name: Option<&str>) -> Vec<u8> {
    let mut text = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Penfold//Calendar//EN\r\n".to_vec();
    for property in ["NAME", "X-WR-CALNAME"] {
        if let Some(name) = name {
            push_line(&mut text, &format!("{property}:{}", escape(name)));
        }
    }
    for part in parts {
        text.extend_from_slice(part);
        if !part.ends_with(b"\n") {
            text.extend_from_slice(b"\r\n");
        }
    }
    text.extend_from_slice(b"END:VCALENDAR\r\n");
    text
}

fn component(bytes: &[u8], chunk: &Chunk) -> Result<Component, Fault> {
    let part = bytes.get(chunk.range.clone()).unwrap_or_default();
    let at = |mut fault: Fault| {
        fault.line = fault.line.saturating_add(chunk.line).saturating_sub(1);
        fault
    };
    let tops = tree::read(part, &Limits::default()).map_err(at)?;
    tops.into_iter().next().ok_or_else(|| Fault::data(chunk.line, "an empty component"))
}

/// What stands at the top of the calendars in a file. A component that does not end ends where the next one begins.
fn chunks(bytes: &[u8], limits: &Limits, out: &mut Split) -> Vec<Chunk> {
    let bounds = Bounds { octets: limits.octets, lines: limits.lines, line: limits.octets, params: 200, soft_breaks: false };
    let (mut chunks, mut open): (Vec<Chunk>, Option<Chunk>) = (Vec::new(), None);
    for line in Lines::new(bytes, bounds) {
        let line = match line {
            Ok(line) => line,
            Err(broken) => {
                match &mut open {
                    Some(chunk) => drop(chunk.fault.get_or_insert(broken.into())),
                    None => out.skip(broken.into()),
                }
                continue;
            }
        };
        let value = line.value.trim().to_ascii_uppercase();
        let begins = line.is("BEGIN") && (value == "VCALENDAR" || value == "VTIMEZONE" || Kind::of(&value).is_some());
        let ends = line.is("END") && value == "VCALENDAR";
        if (begins || ends)
            && let Some(unfinished) = open.take()
        {
            out.skip(Fault::data(unfinished.line, format!("BEGIN:{} has no END", unfinished.name)));
        }
        if let Some(mut chunk) = open.take_if(|chunk| line.is("END") && value == chunk.name) {
            chunk.range.end = line.range.end;
            chunks.push(chunk);
        } else if open.is_none() && line.is("BEGIN") && value != "VCALENDAR" {
            if chunks.len() >= limits.components {
                out.skip(Fault::data(line.number, "more components than are taken"));
                break;
            }
            open = Some(Chunk { name: value, line: line.number, range: line.range, fault: None });
        } else if open.is_none() {
            out.property(&line);
        }
    }
    if let Some(unfinished) = open {
        out.skip(Fault::data(unfinished.line, format!("BEGIN:{} has no END", unfinished.name)));
    }
    chunks
}

/// Many objects as one calendar, each zone once: of two that have the same name the first. `name`: what the calendar is called
/// (RFC 7986 §5.1, and as it was said before that).
pub fn join<'a>(objects: impl IntoIterator<Item = &'a Object> + Clone, name: Option<&str>) -> Vec<u8> {
    let mut names: HashSet<&str> = HashSet::new();
    let mut parts: Vec<&[u8]> = Vec::new();
    let slice = |object: &'a Object, part: &Component| object.bytes().get(part.range.clone()).unwrap_or_default();
    for object in objects.clone() {
        for zone in object.calendar().components.iter().filter(|part| part.is("VTIMEZONE")) {
            if names.insert(tzid(zone).unwrap_or_default()) {
                parts.push(slice(object, zone));
            }
        }
    }
    for object in objects {
        parts.extend(object.calendar().components.iter().filter(|part| !part.is("VTIMEZONE")).map(|part| slice(object, part)));
    }
    calendar(parts.into_iter(), name)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "BEGIN:VCALENDAR\nVERSION:2.0\nMETHOD:PUBLISH\nX-WR-CALNAME:Home\\, sweet\nBEGIN:VTIMEZONE\nTZID:Own\nBEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\nEND:VTIMEZONE
BEGIN:VEVENT\nUID:1\nDTSTART;TZID=Own:20260101T120000\nRRULE:FREQ=DAILY\nEND:VEVENT
BEGIN:VEVENT\nUID:bad\nDTSTART:20260101T12\nEND:VEVENT
BEGIN:VEVENT\nUID:torn\nDTSTART:20260101T120000\nno line\nEND:VEVENT
BEGIN:VEVENT\nDTSTART:20260101T120000\nEND:VEVENT
BEGIN:VEVENT\nUID:open\nBEGIN:VALARM
BEGIN:VTODO\nUID:2\nSUMMARY:x\n  y\nEND:VTODO
BEGIN:VEVENT\nUID:1\nRECURRENCE-ID;TZID=Own:20260102T120000\nDTSTART;TZID=Own:20260102T130000\nEND:VEVENT\nEND:VCALENDAR";

    #[test]
    fn a_file_becomes_objects_and_back() {
        let found = split(FILE.as_bytes(), &Limits::file(1 << 20));
        assert_eq!(found.name.as_deref(), Some("Home, sweet"));
        assert_eq!(found.objects.iter().map(Object::uid).collect::<Vec<_>>(), ["1", "2"]);
        assert_eq!(found.skipped.iter().map(|fault| fault.line).collect::<Vec<_>>(), [30, 25, 27, 18]);
        let event = &found.objects[0];
        assert_eq!((event.components().count(), event.zone("Own").map(|zone| zone.offset(0))), (2, Some(3600)));
        assert!(!found.objects[1].bytes().windows(9).any(|part| part == b"VTIMEZONE"));
        // Together they are one file again, and the zone stands in it once.
        let other = split(FILE.replace("UID:1", "UID:3").as_bytes(), &Limits::file(1 << 20));
        let joined = join(found.objects.iter().chain(&other.objects[..1]), None);
        let text = String::from_utf8(joined).unwrap();
        assert_eq!((text.matches("BEGIN:VTIMEZONE").count(), text.matches("BEGIN:VEVENT").count()), (1, 4));
        let again = split(text.as_bytes(), &Limits::file(1 << 20));
        assert!(again.skipped.is_empty());
        assert_eq!(again.objects[0].bytes(), event.bytes());
    }
}
