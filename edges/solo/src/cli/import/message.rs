//! The bytes of a message between the systems: line ends, and dates.

use penfold_formats::mime::{header_fields, parse_date};

/// The message with CRLF at the ends of its lines. A message that has any is taken as it is: then a bare LF is content.
pub fn internet_lines(bytes: Vec<u8>) -> Vec<u8> {
    if bytes.windows(2).any(|two| two == b"\r\n") {
        return bytes;
    }
    let mut out = Vec::with_capacity(bytes.len() + bytes.len() / 32);
    for byte in bytes {
        if byte == b'\n' {
            out.push(b'\r');
        }
        out.push(byte);
    }
    out
}

/// The message with LF at the ends of its lines, where that can be undone; else as it is.
pub fn unix_lines(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut before = 0;
    for (index, byte) in bytes.iter().enumerate() {
        match byte {
            b'\n' if before != b'\r' => return bytes.to_vec(),
            b'\r' if before == b'\r' => return bytes.to_vec(),
            b'\r' if bytes.get(index + 1) == Some(&b'\n') => {}
            _ => out.push(*byte),
        }
        before = *byte;
    }
    out
}

/// The header without the empty line after it.
pub fn header(bytes: &[u8]) -> &[u8] {
    let mut start = 0;
    while let Some(length) = bytes.get(start..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
        let line = bytes.get(start..start + length).unwrap_or_default();
        if line.is_empty() || line == b"\r" {
            return bytes.get(..start).unwrap_or_default();
        }
        start += length + 1;
    }
    bytes
}

/// What the Date field says.
pub fn date(bytes: &[u8]) -> Option<(i64, i16)> {
    header_fields(header(bytes)).find(|(name, _, _)| name.eq_ignore_ascii_case(b"date")).and_then(|(_, _, value)| parse_date(value))
}
