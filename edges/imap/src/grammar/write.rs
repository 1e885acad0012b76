//! Values to bytes. Everything appends to one buffer; nothing is allocated on the way.

use super::name;

/// Longest string that is sent quoted; others go as literals.
const QUOTED_LIMIT: usize = 1000;

/// Decimal digits.
pub fn number(out: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0u8; 20];
    let mut at = digits.len();
    loop {
        at -= 1;
        if let Some(digit) = digits.get_mut(at) {
            *digit = b'0' + (number % 10) as u8;
        }
        number /= 10;
        if number == 0 {
            break;
        }
    }
    out.extend_from_slice(digits.get(at..).unwrap_or_default());
}

/// `{n}`, CRLF and the octets; NUL, which only a literal8 may hold, is shown as 0x80.
pub fn literal(out: &mut Vec<u8>, bytes: &[u8]) {
    literal_header(out, bytes.len() as u64, false);
    without_nul(out, bytes);
}

pub fn literal_header(out: &mut Vec<u8>, len: u64, binary: bool) {
    out.extend_from_slice(if binary { b"~{" } else { b"{" });
    number(out, len);
    out.extend_from_slice(b"}\r\n");
}

/// The octets, with 0x80 for NUL.
pub fn without_nul(out: &mut Vec<u8>, bytes: &[u8]) {
    let from = out.len();
    out.extend_from_slice(bytes);
    let mut at = from;
    while let Some(next) = out.get(at..).and_then(|rest| memchr::memchr(0, rest)) {
        at += next;
        if let Some(byte) = out.get_mut(at) {
            *byte = 0x80;
        }
    }
}

/// string: quoted where it can be. With `utf8` a quoted string may hold UTF-8 (RFC 9051 §4.3, RFC 9755 §3).
pub fn string(out: &mut Vec<u8>, bytes: &[u8], utf8: bool) {
    let plain = bytes.len() <= QUOTED_LIMIT && bytes.iter().all(|b| matches!(b, 0x20..0x7f) || (utf8 && *b >= 0x80));
    if !plain || (utf8 && std::str::from_utf8(bytes).is_err()) {
        literal(out, bytes);
        return;
    }
    out.push(b'"');
    for byte in bytes {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

pub fn nstring(out: &mut Vec<u8>, value: Option<&[u8]>, utf8: bool) {
    match value {
        Some(bytes) => string(out, bytes, utf8),
        None => out.extend_from_slice(b"NIL"),
    }
}

/// astring: an atom where it can be one.
pub fn astring(out: &mut Vec<u8>, bytes: &[u8], utf8: bool) {
    let atom = !bytes.is_empty()
        && !bytes.eq_ignore_ascii_case(b"NIL")
        && bytes.iter().all(|b| b.is_ascii_alphanumeric() || b"-_./:=+!#$&',;<>?@[]^`|~".contains(b));
    if atom { out.extend_from_slice(bytes) } else { string(out, bytes, utf8) }
}

/// A mailbox name in the form that the client understands.
pub fn mailbox(out: &mut Vec<u8>, path: &str, utf8: bool) {
    astring(out, name::encode(path, utf8).as_bytes(), utf8);
}

/// Names with spaces between.
pub fn words<'a>(out: &mut Vec<u8>, words: impl IntoIterator<Item = &'a str>) {
    for (at, word) in words.into_iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(write: impl Fn(&mut Vec<u8>)) -> Vec<u8> {
        let mut out = Vec::new();
        write(&mut out);
        out
    }

    #[test]
    fn strings_take_the_form_that_they_need() {
        assert_eq!(made(|o| string(o, b"a\"b\\c", false)), b"\"a\\\"b\\\\c\"");
        assert_eq!(made(|o| string(o, "ü".as_bytes(), false)), "{2}\r\nü".as_bytes());
        assert_eq!(made(|o| string(o, "ü".as_bytes(), true)), "\"ü\"".as_bytes());
        assert_eq!(made(|o| string(o, b"\xff", true)), b"{1}\r\n\xff");
        assert_eq!(made(|o| string(o, b"a\r\nb\0", false)), b"{5}\r\na\r\nb\x80");
        assert_eq!(made(|o| astring(o, b"INBOX", false)), b"INBOX");
        assert_eq!(made(|o| astring(o, b"nil", false)), b"\"nil\"");
        assert_eq!(made(|o| astring(o, b"", false)), b"\"\"");
        assert_eq!(made(|o| mailbox(o, "Entwürfe", false)), b"Entw&APw-rfe");
        assert_eq!(made(|o| mailbox(o, "a b", false)), b"\"a b\"");
    }

    #[test]
    fn numbers_are_decimal() {
        for n in [0, 1, 9, 10, 4_294_967_295, u64::MAX] {
            assert_eq!(made(|o| number(o, n)), n.to_string().as_bytes());
        }
    }
}
