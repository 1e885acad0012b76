//! Many objects as one calendar.

use std::{
    borrow::Cow,
    collections::{BTreeMap, HashMap},
    hash::{DefaultHasher, Hash, Hasher},
};

use super::{
    edit::Edits,
    fault::Limits,
    object::{Object, tzid},
    split::calendar,
    tree::Component,
    view::params,
    zone::Zone,
};
use crate::lines::{parameter_value, push_line};

/// Names that are tried for a zone whose own name is another one's already.
const TRIES: u64 = 8;

/// Many objects as one calendar, each zone once. Of those that everybody knows the first definition is as good as any; a zone of
/// somebody's own whose name is another one's there gets a name of its own, in all that names it. Where there is none for it, the
/// object stands in a calendar of its own behind that one (RFC 5545 §3.4). `name`: what the calendar is called (RFC 7986 §5.1, and as
/// it was said before that).
pub fn join<'a>(objects: impl IntoIterator<Item = &'a Object>, name: Option<&str>) -> Vec<u8> {
    let mut zones = Known::default();
    let mut definitions: Vec<Cow<'_, [u8]>> = Vec::new();
    let mut parts: Vec<Cow<'_, [u8]>> = Vec::new();
    let mut alone = Vec::new();
    for object in objects {
        let fitted = zones.fit(object).and_then(|fitted| {
            let renamed = if fitted.others.is_empty() { None } else { Some(renamed(object, &fitted.others)?) };
            Some((fitted, renamed))
        });
        let Some((Fitted { new, others, names }, renamed)) = fitted else {
            alone.extend(calendar(object.definitions().map(|(_, text)| text).chain(object.parts()), None));
            continue;
        };
        zones.0.extend(names);
        let Some(renamed) = renamed else {
            definitions.extend(new.into_iter().map(|(_, text)| Cow::Borrowed(text)));
            parts.extend(object.parts().map(Cow::Borrowed));
            continue;
        };
        for (name, text) in new {
            let other = others.get(name).and_then(|other| renamed.definitions().find(|(own, _)| own == other));
            definitions.push(other.map_or(Cow::Borrowed(text), |(_, text)| Cow::Owned(text.to_vec())));
        }
        parts.extend(renamed.parts().map(|part| Cow::Owned(part.to_vec())));
    }
    let mut text = calendar(definitions.iter().chain(&parts).map(|part| &**part), name);
    text.extend(alone);
    text
}

/// The zones of a calendar so far: each name with the definition as it was written.
#[derive(Default)]
struct Known<'a>(HashMap<String, &'a [u8]>);

/// What zones of an object are called instead.
type Others<'a> = BTreeMap<&'a str, String>;

/// How the zones of an object come into a calendar.
#[derive(Default)]
struct Fitted<'a> {
    /// Definitions that the calendar does not have yet, under the names that they have in their object.
    new: Vec<(&'a str, &'a [u8])>,
    others: Others<'a>,
    /// Those that are new, by the names that they have there.
    names: HashMap<String, &'a [u8]>,
}

impl<'a> Known<'a> {
    /// `None` where there is no name for one of them.
    fn fit(&self, object: &'a Object) -> Option<Fitted<'a>> {
        let (mut fitted, mut seen) = (Fitted::default(), Vec::new());
        for (name, text) in object.definitions() {
            // The first of a name is the one that counts in an object.
            if seen.contains(&name) {
                continue;
            }
            seen.push(name);
            let (own, is_new) = self.name(name, text, &fitted.names)?;
            if own != name {
                fitted.others.insert(name, own.clone());
            }
            if is_new {
                fitted.new.push((name, text));
                fitted.names.insert(own, text);
            }
        }
        Some(fitted)
    }

    /// What a zone is called in the calendar, and whether it is not there yet.
    fn name(&self, name: &str, text: &[u8], more: &HashMap<String, &'a [u8]>) -> Option<(String, bool)> {
        let everybodys = Zone::named(name).is_some();
        for attempt in 0..TRIES {
            let own = if attempt == 0 { name.to_owned() } else { other_name(name, text, attempt) };
            if attempt > 0 && Zone::named(&own).is_some() {
                continue;
            }
            match self.0.get(&own).or_else(|| more.get(&own)) {
                None => return Some((own, true)),
                Some(known) if everybodys || *known == text => return Some((own, false)),
                Some(_) => {}
            }
        }
        None
    }
}

/// Made from the definition, so that it is mostly free at once, whatever there is of the name.
fn other_name(name: &str, text: &[u8], attempt: u64) -> String {
    let mut hasher = DefaultHasher::new();
    (text, attempt).hash(&mut hasher);
    format!("{name}-{:08x}", hasher.finish() >> 32)
}

/// The same object with other names of zones wherever it names them; `None` where it could not be read with them.
fn renamed(object: &Object, others: &Others<'_>) -> Option<Object> {
    let mut edits = Edits::default();
    for part in object.calendar().components.iter().filter(|part| !part.is("VTIMEZONE")) {
        rename(part, others, &mut edits);
    }
    for zone in object.calendar().components.iter().filter(|part| part.is("VTIMEZONE")) {
        let Some((other, line)) = tzid(zone).and_then(|name| others.get(name)).zip(zone.property("TZID")) else { continue };
        let mut new = Vec::new();
        push_line(&mut new, &format!("TZID:{other}"));
        edits.replace(line.range.clone(), new);
    }
    // The longer names may make it longer than what is taken.
    let text = edits.apply(object.bytes());
    Object::read_within(&text, &Limits::file(text.len())).ok()
}

fn rename(part: &Component, others: &Others<'_>, edits: &mut Edits) {
    for line in &part.properties {
        let Some(other) = line.param_value("TZID").and_then(|name| others.get(name)) else { continue };
        let mut new = Vec::new();
        push_line(&mut new, &format!("{}{};TZID={}:{}", line.name, params(line, "TZID"), parameter_value(other), line.value));
        edits.replace(line.range.clone(), new);
    }
    part.components.iter().for_each(|inner| rename(inner, others, edits));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::icalendar::{Limits, split};

    fn event(uid: &str, zone: &str, offset: &str) -> Object {
        let text = format!(
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VTIMEZONE\r\nTZID:{zone}\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:{offset}\r\n\
             TZOFFSETTO:{offset}\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART;X-A=\"b;c\";TZID=\"{zone}\":20260301T100000\r\n\
             RRULE:FREQ=DAILY\r\nEXDATE;TZID=\"{zone}\":20260302T100000,20260303T100000\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        );
        Object::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn two_zones_of_one_name_stay_two() {
        let names = ["+0100", "+0700", "+0100", "-0330", "+0700"];
        let objects: Vec<Object> = names.iter().enumerate().map(|(n, offset)| event(&n.to_string(), "Own; zone", offset)).collect();
        let text = join(&objects, None);
        let found = split(&text, &Limits::file(1 << 20));
        assert_eq!((found.objects.len(), found.skipped.len()), (5, 0), "{}", String::from_utf8_lossy(&text));
        for (before, after) in objects.iter().zip(&found.objects) {
            let when = |object: &Object| object.occurrences(1_772_000_000..1_772_700_000, &Zone::UTC, 100).unwrap();
            let times = |object: &Object| when(object).iter().map(|one| one.start).collect::<Vec<_>>();
            assert_eq!(times(before), times(after), "{}", String::from_utf8_lossy(after.bytes()));
            assert!(String::from_utf8_lossy(after.bytes()).contains("X-A=\"b;c\""));
        }
        let text = String::from_utf8(text).unwrap();
        assert_eq!((text.matches("BEGIN:VTIMEZONE").count(), text.matches("TZID:Own; zone\r\n").count()), (3, 1), "{text}");
        // What comes first keeps its bytes.
        assert!(text.contains(std::str::from_utf8(objects[0].parts().next().unwrap()).unwrap()));
    }

    /// Without a name of its own a zone would be taken for another one of its name.
    #[test]
    fn what_finds_no_name_for_its_zone_stands_in_a_calendar_of_its_own() {
        let last = event("last", "Own", "+0700");
        let definition = last.definitions().next().unwrap().1;
        let taken = (1..TRIES).map(|attempt| other_name("Own", definition, attempt));
        let names: Vec<String> = std::iter::once("Own".to_owned()).chain(taken).collect();
        let mut objects: Vec<Object> = names.iter().enumerate().map(|(n, name)| event(&n.to_string(), name, "+0100")).collect();
        objects.push(last);
        objects.push(event("more", "More", "+0200"));
        let text = join(&objects, Some("Mine"));
        let found = split(&text, &Limits::file(1 << 20));
        assert_eq!((found.objects.len(), found.skipped.len()), (objects.len(), 0), "{}", String::from_utf8_lossy(&text));
        let offset = |uid: &str| {
            let object = found.objects.iter().find(|object| object.uid() == uid).unwrap();
            let name = object.definitions().next().unwrap().0;
            object.zone(name).map(|zone| zone.offset(0))
        };
        assert_eq!((offset("0"), offset("last"), offset("more")), (Some(3600), Some(7 * 3600), Some(2 * 3600)));
        let text = String::from_utf8(text).unwrap();
        assert_eq!((text.matches("BEGIN:VCALENDAR").count(), text.matches("X-WR-CALNAME").count()), (2, 1), "{text}");
    }

    #[test]
    fn of_a_zone_that_everybody_knows_one_definition_is_enough() {
        let objects = [event("a", "Europe/Berlin", "+0100"), event("b", "Europe/Berlin", "+0200")];
        let text = String::from_utf8(join(&objects, None)).unwrap();
        assert_eq!((text.matches("BEGIN:VTIMEZONE").count(), text.matches("TZID=\"Europe/Berlin\":").count()), (1, 4), "{text}");
    }
}
