use crate::lines::{Bounds, Broken, Line, Lines, Trouble};

use super::fault::{Fault, What};
use super::value::plain;

/// One vCard and the bytes that it was read from.
#[derive(Clone, Debug)]
pub struct Card<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) version: Version,
    /// Without BEGIN, VERSION and END.
    pub(super) lines: Vec<Line<'a>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// Of before the RFCs: read only, where a file is imported.
    V2,
    V3,
    V4,
}

/// How much of a card is read; its pictures count.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    pub octets: usize,
    pub lines: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { octets: 1 << 20, lines: 5000 }
    }
}

impl Limits {
    pub(super) fn bounds(self, soft_breaks: bool) -> Bounds {
        Bounds { octets: self.octets, lines: self.lines, line: self.octets, soft_breaks, ..Bounds::default() }
    }
}

impl Version {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V2 => "2.1",
            Self::V3 => "3.0",
            Self::V4 => "4.0",
        }
    }

    fn read(text: &str) -> Option<Self> {
        match text.trim() {
            "2.1" => Some(Self::V2),
            "3.0" => Some(Self::V3),
            "4.0" => Some(Self::V4),
            _ => None,
        }
    }
}

impl<'a> Card<'a> {
    /// Reads an address object: one card of version 3.0 or 4.0 with FN. A 3.0 may have N instead of FN, as old clients write
    /// it; N is not asked for. UID may be missing: see [`Card::uid`].
    pub fn read(bytes: &'a [u8], limits: Limits) -> Result<Self, Fault> {
        let card = Self::parse(bytes, limits)?;
        match card.version {
            Version::V2 => Err(Fault { what: What::Version, line: 1 }),
            Version::V3 if card.has("FN") || card.has("N") => Ok(card),
            Version::V4 if card.has("FN") => Ok(card),
            _ => Err(Fault { what: What::NoName, line: 1 }),
        }
    }

    /// Any version, and whatever it lacks.
    pub(super) fn parse(bytes: &'a [u8], limits: Limits) -> Result<Self, Fault> {
        let mut lines = Lines::new(bytes, limits.bounds(false));
        let begin = lines.next().ok_or(Fault { what: What::NoCard, line: 1 })?.map_err(fault)?;
        if !is_edge(&begin, "BEGIN") {
            return Err(Fault { what: What::NoCard, line: begin.number });
        }
        let mut card = Self { bytes, version: Version::V3, lines: Vec::new() };
        let mut version = None;
        let mut last = begin.number;
        for line in lines.by_ref() {
            let line = line.map_err(fault)?;
            last = line.number;
            match line.name.to_ascii_uppercase().as_str() {
                "END" if is_edge(&line, "END") => {
                    card.version = version.ok_or(Fault { what: What::Version, line: begin.number })?;
                    return match lines.next() {
                        None => Ok(card),
                        Some(more) => {
                            Err(Fault { what: What::SeveralCards, line: more.map_or_else(|broken| broken.number, |line| line.number) })
                        }
                    };
                }
                "BEGIN" | "END" => return Err(Fault { what: What::Syntax, line: last }),
                "VERSION" => version = Some(Version::read(&line.value).ok_or(Fault { what: What::Version, line: last })?),
                _ => card.lines.push(line),
            }
        }
        Err(Fault { what: What::NoCard, line: last })
    }

    pub fn version(&self) -> Version {
        self.version
    }

    /// As it was written.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The properties in their order, without BEGIN, VERSION and END.
    pub fn lines(&self) -> &[Line<'a>] {
        &self.lines
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.first(name).is_some()
    }

    pub(super) fn first(&self, name: &str) -> Option<&Line<'a>> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &Line<'a>> {
        self.lines.iter().filter(move |line| line.is(name))
    }

    /// What a line says as text, without escapes.
    pub fn text(&self, line: &Line<'_>) -> String {
        plain(line)
    }
}

fn is_edge(line: &Line<'_>, name: &str) -> bool {
    line.is(name) && line.value.trim().eq_ignore_ascii_case("VCARD")
}

pub(super) fn fault(broken: Broken) -> Fault {
    let what = match broken.what {
        Trouble::TooLong | Trouble::TooManyLines | Trouble::LineTooLong | Trouble::TooManyParameters => What::TooLarge,
        Trouble::NotUtf8 => What::NotUtf8,
        Trouble::Syntax => What::Syntax,
    };
    Fault { what, line: broken.number }
}
