//! `BODY[section]<partial>` and BINARY (RFC 9051 §6.4.5.1). A part's place is known from the summary; only its own octets
//! are read, and a large one is passed on piece by piece.

use super::Found;
use crate::grammar::write::{astring, literal, literal_header, number, without_nul};
use crate::grammar::{Section, SectionText};
use crate::session::{Output, Stop};
use penfold_formats::mime::{Part, decode_body, header_fields, known_encoding};
use penfold_mailbox::{Content, Mailbox};
use std::ops::Range;

/// Octets that are read and written at once.
const PIECE: u64 = 256 << 10;
/// The largest header that is looked at for single fields.
const HEADER: u64 = 4 << 20;

/// `BODY[...]<offset> `
pub fn label(out: &mut Vec<u8>, section: &Section, partial: Option<(u64, u64)>, utf8: bool) {
    out.extend_from_slice(b"BODY[");
    part_number(out, &section.part);
    let dot: &[u8] = if section.part.is_empty() { b"" } else { b"." };
    let word: &[u8] = match &section.text {
        SectionText::All => b"",
        SectionText::Header => b"HEADER",
        SectionText::HeaderFields { not: false, .. } => b"HEADER.FIELDS",
        SectionText::HeaderFields { not: true, .. } => b"HEADER.FIELDS.NOT",
        SectionText::Text => b"TEXT",
        SectionText::Mime => b"MIME",
    };
    if !word.is_empty() {
        out.extend_from_slice(dot);
        out.extend_from_slice(word);
    }
    if let SectionText::HeaderFields { names, .. } = &section.text {
        out.extend_from_slice(b" (");
        for (at, name) in names.iter().enumerate() {
            if at > 0 {
                out.push(b' ');
            }
            astring(out, name.as_bytes(), utf8);
        }
        out.push(b')');
    }
    end_label(out, partial);
}

pub fn binary_label(out: &mut Vec<u8>, word: &[u8], part: &[u32], partial: Option<(u64, u64)>) {
    out.extend_from_slice(word);
    part_number(out, part);
    end_label(out, partial);
}

fn part_number(out: &mut Vec<u8>, part: &[u32]) {
    for (at, level) in part.iter().enumerate() {
        if at > 0 {
            out.push(b'.');
        }
        number(out, (*level).into());
    }
}

fn end_label(out: &mut Vec<u8>, partial: Option<(u64, u64)>) {
    out.push(b']');
    if let Some((offset, _)) = partial {
        out.push(b'<');
        number(out, offset);
        out.push(b'>');
    }
    out.push(b' ');
}

/// The part of a number: of a message that is no multipart, part 1 is its body (RFC 9051 §6.4.5.1).
fn find<'a>(root: &'a Part, numbers: &[u32]) -> Option<&'a Part> {
    let mut here = root;
    // `here` is the root of a message, whose parts are counted from it.
    let mut at_root = true;
    for number in numbers {
        let parent = match (at_root, &here.message) {
            (true, _) => here,
            (false, Some(_)) => here.children.first()?,
            (false, None) => here,
        };
        let inside = at_root || here.message.is_some();
        here = if parent.is_multipart() {
            parent.children.get(usize::try_from(number.checked_sub(1)?).ok()?)?
        } else if inside && *number == 1 {
            parent
        } else {
            return None;
        };
        at_root = false;
    }
    Some(here)
}

/// Where a section's octets are in the item: our prefix, then the message as it came.
fn place(content: &Content, section: &Section) -> Option<Range<u64>> {
    let prefix = content.prefix.len() as u64;
    let root = &content.summary.root;
    let shifted = |range: &Range<u32>| u64::from(range.start) + prefix..u64::from(range.end) + prefix;
    if section.part.is_empty() {
        return match section.text {
            SectionText::All => Some(0..content.size()),
            SectionText::Header | SectionText::HeaderFields { .. } => Some(0..u64::from(root.header.end) + prefix),
            SectionText::Text => Some(shifted(&root.body)),
            SectionText::Mime => None,
        };
    }
    let part = find(root, &section.part)?;
    match section.text {
        SectionText::All => Some(shifted(&part.body)),
        SectionText::Mime if std::ptr::eq(part, root) => Some(0..u64::from(root.header.end) + prefix),
        SectionText::Mime => Some(shifted(&part.header)),
        // HEADER and TEXT are of the message inside; of any other part there is none.
        SectionText::Header | SectionText::HeaderFields { .. } => {
            part.message.as_ref().and(part.children.first()).map(|inner| shifted(&inner.header))
        }
        SectionText::Text => part.message.as_ref().and(part.children.first()).map(|inner| shifted(&inner.body)),
    }
}

fn cut(range: Range<u64>, partial: Option<(u64, u64)>) -> Range<u64> {
    let Some((offset, len)) = partial else { return range };
    let start = range.start.saturating_add(offset).min(range.end);
    start..start.saturating_add(len).min(range.end)
}

/// The value after the label.
pub async fn write(
    mailbox: &Mailbox,
    content: Option<&Content>,
    section: &Section,
    partial: Option<(u64, u64)>,
    found: &mut Found,
    out: &mut Output,
) -> Result<(), Stop> {
    let Some((content, range)) = content.and_then(|content| Some((content, place(content, section)?))) else {
        out.buf.extend_from_slice(b"NIL");
        return Ok(());
    };
    if let SectionText::HeaderFields { not, names } = &section.text {
        let end = range.end.min(range.start.saturating_add(HEADER));
        let Some(header) = read(mailbox, content, range.start..end, found).await? else {
            out.buf.extend_from_slice(b"NIL");
            return Ok(());
        };
        let fields = pick(&header, *not, names);
        let range = cut(0..fields.len() as u64, partial);
        literal(&mut out.buf, slice(&fields, &range));
        return Ok(());
    }
    stream(mailbox, content, cut(range, partial), found, out).await
}

fn slice<'a>(bytes: &'a [u8], range: &Range<u64>) -> &'a [u8] {
    let (start, end) = (usize::try_from(range.start).unwrap_or(usize::MAX), usize::try_from(range.end).unwrap_or(usize::MAX));
    bytes.get(start..end).unwrap_or_default()
}

/// Named fields, or all but those, and the empty line that ends a header (RFC 9051 §6.4.5.1).
fn pick(header: &[u8], not: bool, names: &[String]) -> Vec<u8> {
    let mut out = Vec::with_capacity(if not { header.len() } else { 256 });
    for (name, whole, _) in header_fields(header) {
        if names.iter().any(|wanted| wanted.as_bytes().eq_ignore_ascii_case(name)) != not {
            out.extend_from_slice(whole);
            if !whole.ends_with(b"\n") {
                out.extend_from_slice(b"\r\n");
            }
        }
    }
    out.extend_from_slice(b"\r\n");
    out
}

/// `None` where the octets cannot be read: the answer is NIL, and the rest goes on.
async fn read(mailbox: &Mailbox, content: &Content, range: Range<u64>, found: &mut Found) -> Result<Option<bytes::Bytes>, Stop> {
    let wanted = range.end.saturating_sub(range.start);
    match mailbox.bytes(content, range).await {
        Ok(bytes) if bytes.len() as u64 == wanted => Ok(Some(bytes)),
        Ok(_) => {
            found.broken = true;
            Ok(None)
        }
        Err(error) if error.kind() == penfold_types::Kind::Retry => Err(error.into()),
        Err(error) => {
            tracing::error!(%error, item = %content.item, "a message's octets cannot be read");
            found.broken = true;
            Ok(None)
        }
    }
}

/// A literal, read and written piece by piece. Once its length has been told, a piece that is missing ends the connection:
/// there is no other way to say so.
async fn stream(mailbox: &Mailbox, content: &Content, range: Range<u64>, found: &mut Found, out: &mut Output) -> Result<(), Stop> {
    let mut start = range.start;
    let mut end = range.end.min(start.saturating_add(PIECE));
    let Some(first) = read(mailbox, content, start..end, found).await? else {
        out.buf.extend_from_slice(b"NIL");
        return Ok(());
    };
    literal_header(&mut out.buf, range.end.saturating_sub(range.start), false);
    without_nul(&mut out.buf, &first);
    while end < range.end {
        out.breathe().await?;
        start = end;
        end = range.end.min(start.saturating_add(PIECE));
        match read(mailbox, content, start..end, found).await {
            Ok(Some(piece)) => without_nul(&mut out.buf, &piece),
            _ => return Err(Stop::Gone),
        }
    }
    Ok(())
}

/// A part without its transfer encoding; `None` where there is none, or it cannot be told.
async fn decoded(mailbox: &Mailbox, content: &Content, numbers: &[u32], found: &mut Found) -> Result<Option<Vec<u8>>, Stop> {
    let section = Section { part: numbers.to_vec(), text: SectionText::All };
    let Some(range) = place(content, &section) else { return Ok(None) };
    let part = if numbers.is_empty() { None } else { find(&content.summary.root, numbers) };
    if part.is_some_and(|part| !known_encoding(part)) {
        found.unknown_encoding = true;
        return Ok(None);
    }
    let Some(bytes) = read(mailbox, content, range, found).await? else { return Ok(None) };
    Ok(Some(match part {
        Some(part) => decode_body(part, &bytes),
        None => bytes.to_vec(),
    }))
}

/// RFC 9051 §6.4.5: BINARY. NUL makes it a literal8.
pub async fn write_binary(
    mailbox: &Mailbox,
    content: Option<&Content>,
    part: &[u32],
    partial: Option<(u64, u64)>,
    found: &mut Found,
    out: &mut Output,
) -> Result<(), Stop> {
    let bytes = match content {
        Some(content) => decoded(mailbox, content, part, found).await?,
        None => None,
    };
    let Some(bytes) = bytes else {
        out.buf.extend_from_slice(b"NIL");
        return Ok(());
    };
    let bytes = slice(&bytes, &cut(0..bytes.len() as u64, partial));
    literal_header(&mut out.buf, bytes.len() as u64, memchr::memchr(0, bytes).is_some());
    for piece in bytes.chunks(PIECE as usize) {
        out.buf.extend_from_slice(piece);
        out.breathe().await?;
    }
    Ok(())
}

pub async fn write_binary_size(
    mailbox: &Mailbox,
    content: Option<&Content>,
    part: &[u32],
    found: &mut Found,
    out: &mut Output,
) -> Result<(), Stop> {
    let bytes = match content {
        Some(content) => decoded(mailbox, content, part, found).await?,
        None => None,
    };
    number(&mut out.buf, bytes.map_or(0, |bytes| bytes.len() as u64));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_formats::mime::summarise;

    /// The tree of RFC 9051 §6.4.5.1, in small.
    const MESSAGE: &str = "Content-Type: multipart/mixed; boundary=a\r\n\r\n--a\r\n\r\none\r\n--a\r\nContent-Type: application/octet-stream\r\n\r\ntwo\r\n\
        --a\r\nContent-Type: message/rfc822\r\n\r\nSubject: inner\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nthree.one\r\n\
        --b\r\nContent-Type: message/rfc822\r\n\r\nSubject: innermost\r\n\r\nplain\r\n--b--\r\n--a--\r\n";

    fn text(numbers: &[u32]) -> Option<String> {
        let summary = summarise(MESSAGE.as_bytes());
        let part = find(&summary.root, numbers)?;
        Some(String::from_utf8_lossy(part.body_of(MESSAGE.as_bytes())).into_owned())
    }

    #[test]
    fn parts_have_the_numbers_that_the_standard_gives_them() {
        assert_eq!(text(&[1]).as_deref(), Some("one"));
        assert_eq!(text(&[2]).as_deref(), Some("two"));
        assert!(text(&[3]).is_some_and(|t| t.starts_with("Subject: inner")));
        assert_eq!(text(&[3, 1]).as_deref(), Some("three.one"));
        assert!(text(&[3, 2]).is_some_and(|t| t.starts_with("Subject: innermost")));
        assert_eq!(text(&[3, 2, 1]).as_deref(), Some("plain"));
        for none in [&[4][..], &[1, 1], &[2, 1], &[3, 3], &[3, 2, 2], &[3, 2, 1, 1]] {
            assert_eq!(text(none), None, "{none:?}");
        }
    }

    #[test]
    fn of_a_plain_message_part_1_is_its_body() {
        let summary = summarise(b"Subject: x\r\n\r\nbody");
        assert!(find(&summary.root, &[1]).is_some_and(|part| std::ptr::eq(part, &summary.root)));
        assert!(find(&summary.root, &[2]).is_none() && find(&summary.root, &[1, 1]).is_none());
    }

    #[test]
    fn fields_are_picked_whole() {
        let header = b"From: a\r\nSubject: b\r\n c\r\nTo: d\r\n\r\n";
        assert_eq!(pick(header, false, &["SUBJECT".into()]), b"Subject: b\r\n c\r\n\r\n");
        assert_eq!(pick(header, true, &["subject".into()]), b"From: a\r\nTo: d\r\n\r\n");
        assert_eq!(pick(b"", false, &["x".into()]), b"\r\n");
    }
}
