use crate::lines::escape;

use super::card::Version;
use super::draft::Draft;
use super::fields::Photo;
use super::value::to_base64;

/// What the directory knows of a person, a group or a room. Empty text is not written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields<'a> {
    pub uid: &'a str,
    /// How they are called, as one text.
    pub name: &'a str,
    pub given: &'a str,
    pub family: &'a str,
    /// The first is preferred.
    pub emails: &'a [&'a str],
    /// With a type of RFC 6350 §6.4.1: `voice`, `cell`, `fax`, ...
    pub phones: &'a [(&'a str, &'a str)],
    pub title: &'a str,
    pub organization: &'a str,
    pub department: &'a str,
    /// Who they report to, by name.
    pub manager: &'a str,
    pub office: &'a str,
    pub photo: Option<&'a Photo>,
    /// `group`, `location`; empty is a person.
    pub kind: &'a str,
    /// UIDs of a group's members, as URIs.
    pub members: &'a [&'a str],
    /// UTC, as in `20261127T014403Z`.
    pub revision: &'a str,
}

/// A card of these fields. [`Version::V2`] is written as 3.0.
pub fn build(fields: &Fields<'_>, version: Version) -> Vec<u8> {
    let version = if version == Version::V4 { Version::V4 } else { Version::V3 };
    let mut card = Build { out: format!("BEGIN:VCARD\r\nVERSION:{}\r\n", version.as_str()).into_bytes(), version };
    card.text("UID", fields.uid);
    Draft::new("FN", escape(fields.name)).write(&mut card.out);
    let structured = !fields.given.is_empty() || !fields.family.is_empty();
    if structured {
        card.put(Draft::new("N", format!("{};{};;;", escape(fields.family), escape(fields.given))));
    } else if version == Version::V3 {
        // RFC 2426 §3.1.2 wants N.
        card.put(Draft::new("N", format!("{};;;;", escape(fields.name))));
    }
    for (at, email) in fields.emails.iter().enumerate() {
        card.email(email, at == 0);
    }
    for (phone, kind) in fields.phones {
        let kinds = if kind.is_empty() { vec!["work"] } else { vec!["work", kind] };
        card.put(kinds.into_iter().fold(Draft::new("TEL", escape(phone)), |mut draft, kind| {
            draft.add("TYPE", kind);
            draft
        }));
    }
    card.text("TITLE", fields.title);
    if !fields.organization.is_empty() || !fields.department.is_empty() {
        let department = if fields.department.is_empty() { String::new() } else { format!(";{}", escape(fields.department)) };
        card.put(Draft::new("ORG", format!("{}{department}", escape(fields.organization))));
    }
    if !fields.office.is_empty() {
        card.put(Draft::new("ADR", format!(";{};;;;;", escape(fields.office))).with("TYPE", "work"));
    }
    card.manager(fields.manager);
    card.photo(fields.photo);
    card.group(fields);
    card.text("REV", fields.revision);
    card.out.extend_from_slice(b"END:VCARD\r\n");
    card.out
}

struct Build {
    out: Vec<u8>,
    version: Version,
}

impl Build {
    fn put(&mut self, draft: Draft) {
        draft.write(&mut self.out);
    }

    fn text(&mut self, name: &str, text: &str) {
        if !text.is_empty() {
            self.put(Draft::new(name, escape(text)));
        }
    }

    fn email(&mut self, email: &str, preferred: bool) {
        let mut draft = Draft::new("EMAIL", escape(email));
        match (self.version, preferred) {
            (Version::V4, true) => draft = draft.with("TYPE", "work").with("PREF", "1"),
            (Version::V4, false) => draft = draft.with("TYPE", "work"),
            (_, preferred) => {
                ["INTERNET", "WORK"].into_iter().chain(preferred.then_some("pref")).for_each(|kind| draft.add("TYPE", kind));
            }
        }
        self.put(draft);
    }

    /// Neither version has a property for it: what Outlook and what Apple's clients look at.
    fn manager(&mut self, manager: &str) {
        if !manager.is_empty() {
            self.text("X-MS-MANAGER", manager);
            let group = Some("manager".to_owned());
            self.put(Draft { group: group.clone(), ..Draft::new("X-ABRELATEDNAMES", escape(manager)) });
            self.put(Draft { group, ..Draft::new("X-ABLABEL", "_$!<Manager>!$_") });
        }
    }

    fn photo(&mut self, photo: Option<&Photo>) {
        let draft = match (photo, self.version) {
            (None, _) => return,
            (Some(Photo::Uri(uri)), Version::V4) => Draft::new("PHOTO", uri.as_str()),
            (Some(Photo::Uri(uri)), _) => Draft::new("PHOTO", uri.as_str()).with("VALUE", "uri"),
            (Some(Photo::Inline { media_type, bytes }), Version::V4) => {
                Draft::new("PHOTO", format!("data:{media_type};base64,{}", to_base64(bytes)))
            }
            (Some(Photo::Inline { media_type, bytes }), _) => {
                let kind = media_type.rsplit('/').next().unwrap_or_default().to_ascii_uppercase();
                Draft::new("PHOTO", to_base64(bytes)).with("ENCODING", "b").with("TYPE", &kind)
            }
        };
        self.put(draft);
    }

    fn group(&mut self, fields: &Fields<'_>) {
        let (kind, member) = match self.version {
            Version::V4 => ("KIND", "MEMBER"),
            _ => ("X-ADDRESSBOOKSERVER-KIND", "X-ADDRESSBOOKSERVER-MEMBER"),
        };
        self.text(kind, fields.kind);
        for uri in fields.members {
            self.put(Draft::new(member, *uri));
        }
    }
}
