//! Whole files of a calendar: to objects, and back.

use std::{collections::HashMap, ops::Range};

use super::{
    fault::{Fault, Limits, What},
    object::{Kind, Object, ZONES, collect_names, tzid},
    tree::{self, Component},
    zone::Zone,
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
const MOST_SKIPPED: usize = 20_000;

/// A component at the top of a calendar, by its lines alone.
struct Chunk {
    name: String,
    line: u32,
    range: Range<usize>,
    /// Which of the file's calendars it stands in.
    calendar: u32,
    fault: Option<Fault>,
}

/// Objects of the same UID, whose components may stand anywhere in the file.
struct Group {
    line: u32,
    /// Whether they have one.
    named: bool,
    /// Each with the line on which it begins.
    parts: Vec<(Range<usize>, u32)>,
    calendar: u32,
    zones: Vec<String>,
}

/// A file that is looked through, and whose objects are made one at a time.
pub struct File<B> {
    bytes: B,
    groups: Vec<Group>,
    /// By calendar and name.
    zones: HashMap<(u32, String), Range<usize>>,
    /// The first of each name.
    first: HashMap<String, Range<usize>>,
    /// Everything else: no objects yet.
    found: Split,
}

impl<B: AsRef<[u8]>> File<B> {
    /// `limits` is for the whole file; each object is under the limits of every day.
    pub fn read(bytes: B, limits: &Limits) -> Self {
        let mut file = Self { bytes, groups: Vec::new(), zones: HashMap::new(), first: HashMap::new(), found: Split::default() };
        let mut by_uid: HashMap<String, usize> = HashMap::new();
        for chunk in chunks(file.bytes.as_ref(), limits, &mut file.found) {
            let part = match chunk.fault.clone().map_or_else(|| component(file.bytes.as_ref(), &chunk), Err) {
                Ok(part) => part,
                Err(fault) => {
                    file.found.skip(fault);
                    continue;
                }
            };
            if part.is("VTIMEZONE") {
                let name = tzid(&part).unwrap_or_default().to_owned();
                file.first.entry(name.clone()).or_insert_with(|| chunk.range.clone());
                file.zones.entry((chunk.calendar, name)).or_insert(chunk.range);
                continue;
            }
            if Kind::of(&part.name).is_none() {
                file.found.skip(Fault::resource(chunk.line, format!("{} is not known here", part.name)));
                continue;
            }
            let uid = part.property("UID").map_or("", |line| line.value.trim());
            let index = match uid {
                "" => file.groups.len(),
                uid => *by_uid.entry(uid.to_owned()).or_insert(file.groups.len()),
            };
            if index == file.groups.len() {
                let (line, calendar) = (chunk.line, chunk.calendar);
                file.groups.push(Group { line, named: !uid.is_empty(), parts: Vec::new(), calendar, zones: Vec::new() });
            }
            let Some(group) = file.groups.get_mut(index) else { continue };
            let mut names = Vec::new();
            collect_names(&part, &mut names);
            for name in names {
                if group.zones.len() < ZONES && !group.zones.iter().any(|known| known == name) {
                    group.zones.push(name.to_owned());
                }
            }
            group.parts.push((chunk.range, chunk.line));
        }
        file
    }

    pub fn len(&self) -> usize {
        self.groups.len()
    }

    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// What could not be taken already when the file was looked through, with its lines.
    pub fn skipped(&self) -> &[Fault] {
        &self.found.skipped
    }

    /// One of its objects, with the zones that it names, and the line on which it begins. What has no UID gets the one that `uid`
    /// makes of its line.
    pub fn object(&self, index: usize, uid: impl Fn(u32) -> Option<String>) -> Result<(Object, u32), Fault> {
        let group = self.groups.get(index).ok_or_else(|| Fault::data(0, "no such object"))?;
        let made = match group.named {
            true => None,
            false => Some(uid(group.line).ok_or_else(|| Fault::resource(group.line, "a component without UID"))?),
        };
        let slice = |range: &Range<usize>| self.bytes.as_ref().get(range.clone()).unwrap_or_default();
        // A zone stands in its own calendar; what is cut in two by others may name one of any, where not everybody has it.
        let other = |name: &String| self.first.get(name).filter(|_| Zone::named(name).is_none());
        let zone = |name: &String| self.zones.get(&(group.calendar, name.clone())).or_else(|| other(name));
        let zones: Vec<&[u8]> = group.zones.iter().filter_map(zone).map(slice).collect();
        // What would be refused is not put together first: others may name the same long zones.
        let octets: usize = zones.iter().map(|text| text.len()).chain(group.parts.iter().map(|(range, _)| range.len())).sum();
        if octets > Limits::default().octets {
            return Err(Fault::new(What::MaxResourceSize, group.line, "more octets than are taken"));
        }
        let mut text = calendar(zones.iter().copied().chain(group.parts.iter().map(|(range, _)| slice(range))), None);
        if let Some(uid) = &made {
            text = with_uid(&text, group.parts.first().map(|(range, _)| slice(range)).unwrap_or_default(), uid);
        }
        // Its own lines are not the file's.
        let lines = |text: &[u8]| u32::try_from(text.iter().filter(|byte| **byte == b'\n').count()).unwrap_or(u32::MAX);
        let in_file = |line: u32| {
            let mut begin = 1 + lines(&head(None)) + zones.iter().map(|text| lines(text)).sum::<u32>();
            for (at, (range, own)) in group.parts.iter().enumerate() {
                // One that was given a UID has a line more.
                let more = u32::from(at == 0 && made.is_some());
                let length = lines(slice(range)) + more;
                if (begin..begin + length).contains(&line) {
                    return own + (line - begin).saturating_sub(more);
                }
                begin += length;
            }
            group.line
        };
        let object = Object::read(&text).map_err(|fault| Fault { line: in_file(fault.line), ..fault })?;
        Ok((object, group.line))
    }
}

/// The same with a UID behind the first line of that part.
fn with_uid(text: &[u8], part: &[u8], uid: &str) -> Vec<u8> {
    let at = text.windows(part.len().max(1)).position(|window| window == part).unwrap_or(0);
    let end = text.iter().skip(at).position(|byte| *byte == b'\n').map_or(text.len(), |length| at + length + 1);
    let (before, after) = text.split_at(end);
    let mut out = before.to_vec();
    push_line(&mut out, &format!("UID:{uid}"));
    out.extend_from_slice(after);
    out
}

/// Cuts a file into objects. `limits` is for the whole file; each object is under the limits of every day.
pub fn split(bytes: &[u8], limits: &Limits) -> Split {
    let file = File::read(bytes, limits);
    let all: Vec<_> = (0..file.len()).map(|index| file.object(index, |_| None)).collect();
    let mut out = file.found;
    for one in all {
        match one {
            Ok((object, _)) => out.objects.push(object),
            Err(fault) => out.skip(fault),
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

/// How a calendar begins that is written here.
pub fn head(name: Option<&str>) -> Vec<u8> {
    let mut text = b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Penfold//Calendar//EN\r\n".to_vec();
    for property in ["NAME", "X-WR-CALNAME"] {
        if let Some(name) = name {
            push_line(&mut text, &format!("{property}:{}", escape(name)));
        }
    }
    text
}

impl Object {
    /// The definitions of zones that stand in it, by name.
    pub fn definitions(&self) -> impl Iterator<Item = (&str, &[u8])> {
        let zones = self.calendar().components.iter().filter(|part| part.is("VTIMEZONE"));
        zones.map(|part| (tzid(part).unwrap_or_default(), self.bytes().get(part.range.clone()).unwrap_or_default()))
    }

    /// Its components as they were written.
    pub fn parts(&self) -> impl Iterator<Item = &[u8]> {
        let parts = self.calendar().components.iter().filter(|part| !part.is("VTIMEZONE"));
        parts.map(|part| self.bytes().get(part.range.clone()).unwrap_or_default())
    }
}

/// One calendar of components as they are, each with the line end that the last one of a file may lack.
pub(super) fn calendar<'a>(parts: impl Iterator<Item = &'a [u8]>, name: Option<&str>) -> Vec<u8> {
    let mut text = head(name);
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
    let (mut chunks, mut open, mut calendar): (Vec<Chunk>, Option<Chunk>, u32) = (Vec::new(), None, 0);
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
        calendar += u32::from(line.is("BEGIN") && value == "VCALENDAR");
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
            open = Some(Chunk { name: value, line: line.number, range: line.range, calendar, fault: None });
        } else if open.is_none() {
            out.property(&line);
        }
    }
    if let Some(unfinished) = open {
        out.skip(Fault::data(unfinished.line, format!("BEGIN:{} has no END", unfinished.name)));
    }
    chunks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::icalendar::join;

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
        assert_eq!(found.skipped.iter().map(|fault| fault.line).collect::<Vec<_>>(), [30, 25, 20, 27]);
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

    fn event(uid: &str, names: &[String]) -> String {
        let names: String = names.iter().map(|name| format!("X-A;TZID={name}:1\n")).collect();
        format!("BEGIN:VEVENT\nUID:{uid}\nDTSTART:20260101T120000Z\n{names}END:VEVENT\n")
    }

    fn zone(name: &str, more: &str) -> String {
        let standard = "BEGIN:STANDARD\nDTSTART:19700101T000000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0100\nEND:STANDARD\n";
        format!("BEGIN:VTIMEZONE\nTZID:{name}\n{standard}{more}END:VTIMEZONE\n")
    }

    /// Each name is looked for among those that are known: without a bound that is the square of what a file has.
    #[test]
    fn no_object_names_more_zones_than_are_looked_at() {
        let names: Vec<String> = (0..600).map(|n| format!("z{n}")).collect();
        let parts: String = names.chunks(150).map(|names| event("1", names)).collect();
        let text = format!("BEGIN:VCALENDAR\n{parts}{}END:VCALENDAR\n", event("2", &names[..3]));
        let file = File::read(text.as_bytes(), &Limits::file(1 << 20));
        assert_eq!(file.groups.iter().map(|group| group.zones.len()).collect::<Vec<_>>(), [ZONES, 3]);
    }

    #[test]
    fn a_zone_of_another_calendar_is_the_first_of_its_name() {
        let calendar = |parts: &str| format!("BEGIN:VCALENDAR\n{parts}END:VCALENDAR\n");
        let zones = ["X-N:1\n", "X-N:2\n"].map(|more| calendar(&zone("Own", more)));
        let own = zone("Own", "X-N:3\n") + &event("b", &["Own".to_owned()]);
        let text = [&zones[..], &[calendar(&event("a", &["Own".to_owned()])), calendar(&own)]].concat().concat();
        let found = split(text.as_bytes(), &Limits::file(1 << 20));
        let zone_of =
            |object: &Object| object.definitions().map(|(_, text)| String::from_utf8_lossy(text).into_owned()).collect::<String>();
        assert_eq!(found.objects.len(), 2, "{:?}", found.skipped);
        assert!(zone_of(&found.objects[0]).contains("X-N:1") && zone_of(&found.objects[1]).contains("X-N:3"));
    }

    #[test]
    fn what_is_too_long_with_its_zones_is_told_by_its_own_line() {
        let long = format!("X-LONG:{}\n", "x".repeat(600 << 10));
        let zones = zone("One", &long) + &zone("Two", &long);
        let names = ["One".to_owned(), "Two".to_owned()];
        let text = format!("BEGIN:VCALENDAR\n{zones}{}{}END:VCALENDAR\n", event("a", &names), event("b", &names[..1]));
        let found = split(text.as_bytes(), &Limits::file(4 << 20));
        assert_eq!(found.objects.iter().map(Object::uid).collect::<Vec<_>>(), ["b"]);
        assert_eq!(found.skipped.iter().map(|fault| (fault.what, fault.line)).collect::<Vec<_>>(), [(What::MaxResourceSize, 20)]);
    }
}
