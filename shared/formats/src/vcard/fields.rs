//! What servers and people look at in a card.

use crate::lines::{Line, split, unescape};

use super::card::Card;
use super::value::{data_uri, from_base64, is_base64, parts, plain, types};

/// RFC 6350 §6.1.4, and Apple's property for groups of 3.0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Individual,
    Group,
    Org,
    Location,
    Other,
}

/// RFC 6350 §6.2.2.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    pub family: String,
    pub given: String,
    pub additional: String,
    pub prefixes: String,
    pub suffixes: String,
}

/// An e-mail address or a telephone number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Point {
    pub value: String,
    /// In lower case: `home`, `work`, `cell` and the like; without `pref`.
    pub types: Vec<String>,
    /// 1 is the most preferred (RFC 6350 §5.3); `TYPE=pref` of 3.0 is 1.
    pub preference: Option<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Photo {
    Inline { media_type: String, bytes: Vec<u8> },
    Uri(String),
}

/// The day; the year is not always told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Birthday {
    pub year: Option<u16>,
    pub month: u8,
    pub day: u8,
}

impl Card<'_> {
    /// RFC 6350 §6.7.6. A resource has to have one (RFC 6352 §5.1); an empty one is none.
    pub fn uid(&self) -> Option<String> {
        self.first("UID").map(plain).filter(|uid| !uid.is_empty())
    }

    pub fn kind(&self) -> Kind {
        let kind = self.first("KIND").or_else(|| self.first("X-ADDRESSBOOKSERVER-KIND")).map(plain).map(|kind| kind.to_ascii_lowercase());
        match kind.as_deref() {
            None | Some("individual" | "") => Kind::Individual,
            Some("group") => Kind::Group,
            Some("org") => Kind::Org,
            Some("location") => Kind::Location,
            Some(_) => Kind::Other,
        }
    }

    /// The members of a group as they are written, `urn:uuid:...` mostly (RFC 6350 §6.6.5).
    pub fn members(&self) -> Vec<String> {
        let is_member = |line: &&Line<'_>| line.is("MEMBER") || line.is("X-ADDRESSBOOKSERVER-MEMBER");
        self.lines.iter().filter(is_member).map(|line| line.value.trim().to_owned()).collect()
    }

    /// FN, or what N says where a 3.0 has no FN. Of several the first.
    pub fn formatted_name(&self) -> Option<String> {
        if let Some(name) = self.first("FN").map(plain).filter(|name| !name.is_empty()) {
            return Some(name);
        }
        let name = self.name()?;
        let parts = [name.prefixes, name.given, name.additional, name.family, name.suffixes];
        let name = parts.iter().filter(|part| !part.is_empty()).map(String::as_str).collect::<Vec<_>>().join(" ");
        Some(name).filter(|name| !name.is_empty())
    }

    pub fn name(&self) -> Option<Name> {
        let mut parts = parts(self.first("N")?).into_iter();
        let mut next = || parts.next().unwrap_or_default();
        Some(Name { family: next(), given: next(), additional: next(), prefixes: next(), suffixes: next() })
    }

    pub fn emails(&self) -> Vec<Point> {
        self.all("EMAIL").map(|line| point(line, "mailto:")).filter(|point| !point.value.is_empty()).collect()
    }

    pub fn phones(&self) -> Vec<Point> {
        self.all("TEL").map(|line| point(line, "tel:")).filter(|point| !point.value.is_empty()).collect()
    }

    /// The organisation and its units, from the largest (RFC 6350 §6.6.4).
    pub fn organization(&self) -> Vec<String> {
        self.first("ORG").map(parts).unwrap_or_default()
    }

    pub fn title(&self) -> Option<String> {
        self.first("TITLE").map(plain).filter(|title| !title.is_empty())
    }

    pub fn nicknames(&self) -> Vec<String> {
        self.all("NICKNAME").flat_map(|line| split(&line.value, ',').map(|name| unescape(name.trim()).into_owned())).collect()
    }

    /// `None` also where it is inline and no base64.
    pub fn photo(&self) -> Option<Photo> {
        photo(self.first("PHOTO")?)
    }

    /// `None` also where there is no day (RFC 6350 §4.3.1 has months and years alone).
    pub fn birthday(&self) -> Option<Birthday> {
        let line = self.first("BDAY")?;
        let mut day = birthday(line.value.trim())?;
        // What Apple's clients write into 3.0, which has no date without a year.
        if line.param_value("X-APPLE-OMIT-YEAR").is_some() {
            day.year = None;
        }
        Some(day)
    }
}

fn point(line: &Line<'_>, scheme: &str) -> Point {
    let mut types = types(line);
    let written = line.param_value("PREF").and_then(|pref| pref.trim().parse().ok());
    let preference = written.or_else(|| types.iter().any(|kind| kind == "pref").then_some(1));
    types.retain(|kind| kind != "pref");
    let value = plain(line);
    let bare = value.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme)).and_then(|_| value.get(scheme.len()..));
    Point { value: bare.unwrap_or(&value).to_owned(), types, preference }
}

fn photo(line: &Line<'_>) -> Option<Photo> {
    if let Some((media_type, data)) = data_uri(&line.value) {
        return Some(Photo::Inline { media_type: media_type.to_ascii_lowercase(), bytes: from_base64(data)? });
    }
    if is_base64(line) {
        return Some(Photo::Inline { media_type: media_type(line), bytes: from_base64(&line.value)? });
    }
    Some(line.value.trim()).filter(|value| !value.is_empty()).map(|value| Photo::Uri(value.to_owned()))
}

/// The media type that TYPE=JPEG and the like stand for (RFC 2426 §3.1.4).
pub(super) fn media_type(line: &Line<'_>) -> String {
    match types(line).into_iter().find(|kind| !matches!(kind.as_str(), "base64" | "pref" | "home" | "work")) {
        Some(kind) if kind.contains('/') => kind,
        Some(kind) if line.is("SOUND") => format!("audio/{kind}"),
        Some(kind) if line.is("KEY") => format!("application/{kind}"),
        Some(kind) => format!("image/{kind}"),
        None => "application/octet-stream".to_owned(),
    }
}

/// `1985-04-12`, `19850412`, `--0412`, `--04-12`, each with a time or without (RFC 6350 §4.3.4, RFC 2426 §3.1.5).
pub(super) fn birthday(text: &str) -> Option<Birthday> {
    let date = text.split(['T', 't', ' ']).next()?;
    let (year, rest) = match date.strip_prefix("--") {
        Some(rest) => (None, rest),
        None => (Some(date.get(..4)?.parse::<u16>().ok()?), date.get(4..)?),
    };
    let digits: String = rest.chars().filter(|c| *c != '-').collect();
    if digits.len() != 4 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let (month, day) = (digits.get(..2)?.parse().ok()?, digits.get(2..)?.parse().ok()?);
    // Years that may be leap years stand in for none at all.
    let known = jiff::civil::Date::new(i16::try_from(year.unwrap_or(2000)).ok()?, month, day).is_ok();
    known.then_some(Birthday { year, month: month.unsigned_abs(), day: day.unsigned_abs() })
}
