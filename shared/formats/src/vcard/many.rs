//! Files of many cards.

use std::borrow::Cow;

use memchr::memchr;

use super::card::{Card, Limits, Version};
use super::draft::Draft;
use super::fault::{Fault, What};
use super::old::upgrade;
use super::partial::push_raw;
use crate::lines::escape;

/// A card of a file: of 3.0 or 4.0, and as it was written where it could stay so. It may be without UID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    pub bytes: Cow<'a, [u8]>,
    /// Where it begins in the file, counted from 1.
    pub line: u32,
}

/// The cards of a file, one by one (a `.vcf` is nothing but cards behind each other). A bad one is a fault with its line in the
/// file, and reading goes on behind it. 2.1 becomes 3.0, text of old machines becomes UTF-8, who has no FN is called
/// by the organisation, an address or a number.
pub fn split(bytes: &[u8], limits: Limits) -> impl Iterator<Item = Result<Found<'_>, Fault>> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    Pieces { rest: bytes, line: 1 }.map(move |piece| {
        let (line, bytes) = piece?;
        Ok(Found { bytes: one(bytes, limits).map_err(|fault| at(fault, line))?, line })
    })
}

fn at(fault: Fault, line: u32) -> Fault {
    Fault { line: line.saturating_add(fault.line).saturating_sub(1), ..fault }
}

fn one(bytes: &[u8], limits: Limits) -> Result<Cow<'_, [u8]>, Fault> {
    match taken(bytes, limits) {
        Err(Fault { what: What::NotUtf8, .. }) => {
            let (text, _) = encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes);
            taken(text.as_bytes(), limits).map(|bytes| Cow::Owned(bytes.into_owned()))
        }
        other => other,
    }
}

fn taken(bytes: &[u8], limits: Limits) -> Result<Cow<'_, [u8]>, Fault> {
    // Lines of 2.1 cannot all be read as if they were of 3.0, so its version is looked for without reading them.
    if is_old(bytes) {
        let new = upgrade(bytes, limits)?;
        let card = Card::parse(&new, limits)?;
        return Ok(Cow::Owned(called(&card).unwrap_or_else(|| new.clone())));
    }
    let card = Card::parse(bytes, limits)?;
    if card.version() == Version::V2 {
        return Err(Fault { what: What::Version, line: 1 });
    }
    Ok(called(&card).map_or(Cow::Borrowed(bytes), Cow::Owned))
}

fn is_old(bytes: &[u8]) -> bool {
    bytes.split(|byte| *byte == b'\n').take(10_000).any(|line| line.trim_ascii().eq_ignore_ascii_case(b"VERSION:2.1"))
}

/// The card with an FN, where it has none. One with nothing to call it by keeps an empty one.
fn called(card: &Card<'_>) -> Option<Vec<u8>> {
    if card.has("FN") {
        return None;
    }
    let organization = || card.organization().into_iter().find(|part| !part.is_empty());
    let point = || card.emails().into_iter().chain(card.phones()).next().map(|point| point.value);
    let name = card.formatted_name().or_else(organization).or_else(point).unwrap_or_default();
    let mut out = format!("BEGIN:VCARD\r\nVERSION:{}\r\n", card.version().as_str()).into_bytes();
    Draft::new("FN", escape(&name)).write(&mut out);
    for line in card.lines() {
        push_raw(&mut out, card, line);
    }
    out.extend_from_slice(b"END:VCARD\r\n");
    Some(out)
}

/// From BEGIN:VCARD to the END:VCARD that belongs to it, each with its line.
struct Pieces<'a> {
    rest: &'a [u8],
    line: u32,
}

impl<'a> Iterator for Pieces<'a> {
    type Item = Result<(u32, &'a [u8]), Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut junk = None;
        while !self.rest.is_empty() {
            let first = self.line;
            let (line, length) = self.peek(self.rest);
            if is_edge(line, b"BEGIN") {
                return Some(junk.map_or_else(|| self.card(first), Err));
            }
            if !line.trim_ascii().is_empty() {
                junk.get_or_insert(Fault { what: What::NoCard, line: first });
            }
            self.skip(length);
        }
        junk.map(Err)
    }
}

impl<'a> Pieces<'a> {
    fn peek(&self, rest: &'a [u8]) -> (&'a [u8], usize) {
        let length = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
        (rest.get(..length).unwrap_or_default(), length)
    }

    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
        self.line = self.line.saturating_add(1);
    }

    fn card(&mut self, first: u32) -> Result<(u32, &'a [u8]), Fault> {
        let start = self.rest;
        let (mut depth, mut used) = (0_usize, 0_usize);
        let mut after_agent = false;
        while !self.rest.is_empty() {
            let (line, length) = self.peek(self.rest);
            if is_edge(line, b"BEGIN") {
                // Only AGENT has a card inside; another BEGIN means that the END of this one is missing.
                if depth > 0 && !after_agent {
                    return Err(Fault { what: What::NoCard, line: first });
                }
                depth += 1;
            }
            if !line.trim_ascii().is_empty() {
                after_agent = line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"AGENT"));
            }
            let ends = is_edge(line, b"END");
            self.skip(length);
            used += length;
            if ends {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Ok((first, start.get(..used).unwrap_or_default()));
                }
            }
        }
        Err(Fault { what: What::NoCard, line: first })
    }
}

fn is_edge(line: &[u8], name: &[u8]) -> bool {
    let line = line.trim_ascii();
    let Some((before, after)) = memchr(b':', line).map(|at| line.split_at(at)) else { return false };
    before.trim_ascii().eq_ignore_ascii_case(name) && after.get(1..).unwrap_or_default().trim_ascii().eq_ignore_ascii_case(b"VCARD")
}

/// A file of these cards.
pub fn join<'c>(cards: impl IntoIterator<Item = &'c [u8]>) -> Vec<u8> {
    let mut out = Vec::new();
    for card in cards {
        out.extend_from_slice(card.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(card));
        if out.last().is_some_and(|last| *last != b'\n') {
            out.extend_from_slice(b"\r\n");
        }
    }
    out
}
