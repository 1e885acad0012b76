//! Attachments that the server keeps (RFC 8607 §4.3): ATTACH with a MANAGED-ID.

use super::{edit::Edits, object::Object};
use crate::lines::{Line, parameter_value, push_line};
use std::collections::{BTreeMap, BTreeSet};

/// One of them, as it stands in an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Managed<'a> {
    pub id: &'a str,
    /// Type and subtype.
    pub media: &'a str,
    pub size: u64,
    pub name: &'a str,
    pub url: &'a str,
}

impl Managed<'_> {
    fn line(&self) -> Vec<u8> {
        let Self { id, media, size, name, url } = self;
        let mut out = Vec::new();
        let (id, media, name) = (parameter_value(id), parameter_value(media), parameter_value(name));
        push_line(&mut out, &format!("ATTACH;MANAGED-ID={id};FMTTYPE={media};SIZE={size};FILENAME={name}:{url}"));
        out
    }
}

fn id<'a>(line: &'a Line<'_>) -> Option<&'a str> {
    line.param_value("MANAGED-ID")
}

impl Object {
    /// Whether it names one, whatever its URL.
    pub fn manages(&self, wanted: &str) -> bool {
        self.managed_urls().any(|(id, _)| id == wanted)
    }

    /// Each id that it names, with each URL that stands there for it.
    pub fn managed_urls(&self) -> impl Iterator<Item = (&str, &str)> {
        let lines = self.components().flat_map(|(_, part)| part.properties.iter().filter(|line| line.is("ATTACH")));
        lines.filter_map(|line| Some((id(line)?, line.value.trim())))
    }

    /// Those of all its components: each id once, with its URL.
    pub fn managed(&self) -> BTreeMap<&str, &str> {
        self.managed_urls().collect()
    }

    /// With one more in each of its components.
    pub fn with_managed(&self, new: &Managed<'_>) -> Vec<u8> {
        let mut edits = Edits::default();
        for (_, part) in self.components() {
            let end = part.components.first().map_or(part.inner.end, |first| first.range.start);
            edits.insert(end, new.line());
        }
        edits.apply(self.bytes())
    }

    /// With another in the place of one, or without it, wherever it stands.
    pub fn with_managed_instead(&self, old: &str, new: Option<&Managed<'_>>) -> Vec<u8> {
        let mut edits = Edits::default();
        for (_, part) in self.components() {
            for line in part.all("ATTACH").filter(|line| id(line) == Some(old)) {
                edits.replace(line.range.clone(), new.map(Managed::line).unwrap_or_default());
            }
        }
        edits.apply(self.bytes())
    }

    /// Without these, wherever they stand.
    pub fn without_managed(&self, gone: &BTreeSet<&str>) -> Vec<u8> {
        let mut edits = Edits::default();
        for (_, part) in self.components() {
            for line in part.all("ATTACH").filter(|line| id(line).is_some_and(|id| gone.contains(id))) {
                edits.remove(line.range.clone());
            }
        }
        edits.apply(self.bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTART:20260301T100000Z\r\nRRULE:FREQ=DAILY\r\nATTACH:https://a.test/x\r\n\
                        BEGIN:VALARM\r\nACTION:DISPLAY\r\nTRIGGER:-PT5M\r\nDESCRIPTION:x\r\nATTACH:https://a.test/y\r\nEND:VALARM\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n\
                        UID:1\r\nRECURRENCE-ID:20260302T100000Z\r\nDTSTART:20260302T120000Z\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";

    #[test]
    fn they_come_into_each_component_and_go_from_each() {
        let object = Object::read(TEXT.as_bytes()).unwrap();
        assert!(object.managed().is_empty());
        let new = Managed { id: "a1", media: "text/plain", size: 3, name: "pläne; 1\"2.txt", url: "https://h.test/a1/x" };
        let with = Object::read(object.with_managed(&new).as_slice()).unwrap();
        let text = String::from_utf8(with.bytes().to_vec()).unwrap().replace("\r\n ", "");
        let line = "ATTACH;MANAGED-ID=a1;FMTTYPE=text/plain;SIZE=3;FILENAME=\"pläne; 1^'2.txt\":https://h.test/a1/x\r\n";
        assert_eq!(text.matches(line).count(), 2, "{text}");
        assert!(text.contains(&format!("{line}BEGIN:VALARM")), "{text}");
        assert_eq!(with.managed(), BTreeMap::from([("a1", "https://h.test/a1/x")]));
        let other = Managed { id: "b2", ..new.clone() };
        let with = Object::read(with.with_managed_instead("a1", Some(&other)).as_slice()).unwrap();
        assert_eq!(with.managed().into_keys().collect::<Vec<_>>(), ["b2"]);
        assert_eq!(with.with_managed_instead("a1", None), with.bytes());
        assert_eq!(with.with_managed_instead("b2", None), TEXT.as_bytes());
        let both = Object::read(with.with_managed(&new).as_slice()).unwrap();
        assert_eq!(both.without_managed(&BTreeSet::from(["a1"])), with.bytes());
        assert_eq!(both.without_managed(&BTreeSet::from(["a1", "b2", "c3"])), TEXT.as_bytes());
    }
}
