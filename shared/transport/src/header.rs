//! The few facts of a header that acceptance needs, in one pass over its lines and without copying.

use memchr::memchr;
use std::ops::Range;

/// A longer header is refused: nobody writes one, and each reader of the message would pay for it.
pub const HEADER_LIMIT: usize = 1024 * 1024;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Header {
    /// Received fields, and those of them that we wrote.
    pub received: usize,
    pub ours: usize,
    /// From fields; a message has one (RFC 5322 §3.6).
    pub authors: usize,
    /// Sender fields; at most one.
    pub senders: usize,
    /// Where Return-Path fields stand.
    pub return_paths: Vec<Range<usize>>,
    /// Where Bcc and Resent-Bcc fields stand.
    pub blind: Vec<Range<usize>>,
    /// `TLS-Required: No` (RFC 8689 §3).
    pub tls_optional: bool,
    pub message_id: bool,
    pub date: bool,
    /// The empty line was found.
    pub ended: bool,
    /// The header has no end within the limit.
    pub too_large: bool,
}

impl Header {
    /// What a message may not bring along, in order: where it was returned to is ours to say, and so is what we found out
    /// about it (RFC 8601 §5).
    pub fn not_theirs(&self, message: &[u8], hostname: &str) -> Vec<Range<usize>> {
        let mut ranges = penfold_authentication::forged_results(message, hostname);
        ranges.extend(self.return_paths.iter().cloned());
        ranges.sort_unstable_by_key(|range| range.start);
        ranges
    }
}

/// Reads up to the empty line that ends the header (RFC 5322 §2.1).
pub(crate) fn read(message: &[u8], hostname: &str) -> Header {
    let mut out = Header::default();
    let by_us = format!("by {hostname} ");
    let (mut at, mut field) = (0, Field::Other);
    while let Some(line) = next_line(message, at) {
        let text = &message[line.clone()];
        if text == b"\r\n" || text == b"\n" {
            out.ended = true;
            break;
        }
        if line.end > HEADER_LIMIT {
            out.too_large = true;
            break;
        }
        let folded = text.starts_with(b" ") || text.starts_with(b"\t");
        if !folded {
            field = Field::of(text);
            out.received += usize::from(field == Field::Received);
            out.authors += usize::from(field == Field::From);
            out.senders += usize::from(field == Field::Sender);
            out.tls_optional |= field == Field::TlsRequired && value(text).eq_ignore_ascii_case(b"no");
            out.message_id |= field == Field::MessageId;
            out.date |= field == Field::Date;
        }
        match field {
            Field::ReturnPath => mark(&mut out.return_paths, &line, folded),
            Field::Blind => mark(&mut out.blind, &line, folded),
            Field::Received if contains(text, by_us.as_bytes()) => out.ours += 1,
            _ => (),
        }
        at = line.end;
    }
    out
}

/// A folded line belongs to the field before it.
fn mark(ranges: &mut Vec<Range<usize>>, line: &Range<usize>, folded: bool) {
    match ranges.last_mut().filter(|_| folded) {
        Some(last) => last.end = line.end,
        None => ranges.push(line.clone()),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    From,
    Sender,
    TlsRequired,
    Received,
    ReturnPath,
    Blind,
    MessageId,
    Date,
    Other,
}

impl Field {
    fn of(line: &[u8]) -> Self {
        match line.first() {
            Some(b'F' | b'f') if is_named(line, b"From") => Self::From,
            Some(b'R' | b'r') if is_named(line, b"Received") => Self::Received,
            Some(b'R' | b'r') if is_named(line, b"Return-Path") => Self::ReturnPath,
            Some(b'R' | b'r') if is_named(line, b"Resent-Bcc") => Self::Blind,
            Some(b'S' | b's') if is_named(line, b"Sender") => Self::Sender,
            Some(b'T' | b't') if is_named(line, b"TLS-Required") => Self::TlsRequired,
            Some(b'B' | b'b') if is_named(line, b"Bcc") => Self::Blind,
            Some(b'M' | b'm') if is_named(line, b"Message-ID") => Self::MessageId,
            Some(b'D' | b'd') if is_named(line, b"Date") => Self::Date,
            _ => Self::Other,
        }
    }
}

fn is_named(line: &[u8], name: &[u8]) -> bool {
    let Some(head) = line.get(..name.len()) else { return false };
    // RFC 5322 §4.5.8: old messages have white space before the colon.
    let rest = line.get(name.len()..).unwrap_or_default().trim_ascii_start();
    head.eq_ignore_ascii_case(name) && rest.first() == Some(&b':')
}

/// What stands behind the colon.
fn value(line: &[u8]) -> &[u8] {
    memchr(b':', line).and_then(|at| line.get(at + 1..)).unwrap_or_default().trim_ascii()
}

fn next_line(message: &[u8], from: usize) -> Option<Range<usize>> {
    let rest = message.get(from..).filter(|rest| !rest.is_empty())?;
    let len = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
    Some(from..from + len)
}

fn contains(line: &[u8], wanted: &[u8]) -> bool {
    line.windows(wanted.len()).any(|window| window.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_finds() {
        let message = b"Return-Path: <a@x>\r\nReceived: from a\r\n by mx.test with ESMTP; x\r\nreceived : from b by other.test with SMTP\r\nRETURN-PATH:\r\n <b@y>\r\nSubject: x\r\n\r\nReceived: body\r\n";
        let header = read(message, "mx.test");
        assert_eq!(header.authors, 0);
        assert_eq!(read(b"From: a@x\r\nfrom :\r\n b@x\r\nFrom-Line: c\r\n\r\nFrom: d", "mx.test").authors, 2);
        assert_eq!((header.received, header.ours, header.too_large), (2, 1, false));
        let optional = |field: &str| read(field.as_bytes(), "mx.test").tls_optional;
        assert!(optional("TLS-Required: No\r\n\r\n") && optional("tls-required:no\r\n\r\n"));
        assert!(!optional("TLS-Required: Nobody\r\n\r\n") && !optional("X: No\r\n\r\nTLS-Required: No\r\n"));
        let paths: Vec<_> = header.return_paths.iter().map(|r| &message[r.clone()]).collect();
        assert_eq!(paths, [b"Return-Path: <a@x>\r\n".as_slice(), b"RETURN-PATH:\r\n <b@y>\r\n"]);
    }

    #[test]
    fn odd_headers_do_no_harm() {
        for odd in [b"".as_slice(), b"\r\n", b"Received", b"Received:", b"\0\xff", b" folded\r\n at once"] {
            assert!(!read(odd, "mx.test").too_large);
        }
        let endless = [b"X: ".as_slice(), &vec![b'a'; HEADER_LIMIT + 1], b"\r\n\r\n"].concat();
        assert!(read(&endless, "mx.test").too_large);
    }
}
