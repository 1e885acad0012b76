//! Quoted-printable and base64: RFC 2045 §6.7 and §6.8.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// Characters of a line at most.
const LINE: usize = 76;
/// Octets that fill a line of base64.
const OCTETS: usize = 57;

/// Line breaks are CR LF and stay.
pub(super) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + body.len() / 4);
    let mut rest = body;
    while !rest.is_empty() {
        let end = memchr::memmem::find(rest, b"\r\n").unwrap_or(rest.len());
        let (line, after) = rest.split_at(end);
        quote_line(line, &mut out);
        rest = match after.get(2..) {
            Some(next) => {
                out.extend_from_slice(b"\r\n");
                next
            }
            None => after,
        };
    }
    out
}

fn quote_line(line: &[u8], out: &mut Vec<u8>) {
    let mut column = 0;
    for (at, &byte) in line.iter().enumerate() {
        let last = at + 1 == line.len();
        let literal = matches!(byte, b'!'..=b'~' if byte != b'=') || (matches!(byte, b' ' | b'\t') && !last);
        let width = if literal { 1 } else { 3 };
        // A soft line break needs a column of its own.
        if column + width > LINE - usize::from(!last) {
            out.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if literal {
            out.push(byte);
        } else {
            out.extend_from_slice(format!("={byte:02X}").as_bytes());
        }
        column += width;
    }
}

/// Lines of 76 characters; the last one has no line break, because the one that follows a part is its boundary's, unless
/// the body had one.
pub(super) fn base64(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 3 * 4 + body.len() / 40 + 4);
    for (number, octets) in body.chunks(OCTETS).enumerate() {
        if number > 0 {
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(STANDARD.encode(octets).as_bytes());
    }
    if body.ends_with(b"\r\n") {
        out.extend_from_slice(b"\r\n");
    }
    out
}
