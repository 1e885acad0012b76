//! Transfer encodings undone (RFC 2045 §6), tolerantly: what is broken is passed over or left, never an error.

use std::borrow::Cow;

use memchr::{memchr, memchr2};

use super::fields::line_length;
use super::summary::Part;

/// The body without its transfer encoding; never longer than it came. Containers and unknown encodings stay as they are.
pub fn decode_body(part: &Part, body: &[u8]) -> Vec<u8> {
    decoded(part, body).into_owned()
}

/// Whether BINARY can give the part; else its answer is UNKNOWN-CTE (RFC 3516 §4.3, RFC 9051 §7.1).
pub fn known_encoding(part: &Part) -> bool {
    matches!(part.encoding.as_str(), "7bit" | "8bit" | "binary" | "base64" | "quoted-printable")
}

pub(super) fn decoded<'b>(part: &Part, body: &'b [u8]) -> Cow<'b, [u8]> {
    // RFC 2045 §6.4: what has parts inside has no encoding of its own.
    if !part.children.is_empty() {
        return Cow::Borrowed(body);
    }
    match part.encoding.as_str() {
        "base64" => Cow::Owned(base64(body)),
        "quoted-printable" => Cow::Owned(quoted_printable(body)),
        _ => Cow::Borrowed(body),
    }
}

const SKIP: u8 = 0xff;
const PAD: u8 = 0xfe;

const fn alphabet() -> [u8; 256] {
    let mut table = [SKIP; 256];
    let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut value = 0;
    while value < 64 {
        table[letters[value as usize] as usize] = value;
        value += 1;
    }
    table[b'=' as usize] = PAD;
    table
}

static ALPHABET: [u8; 256] = alphabet();

fn sextet(byte: u8) -> u8 {
    ALPHABET.get(usize::from(byte)).copied().unwrap_or(SKIP)
}

/// RFC 2045 §6.8: characters outside the alphabet are passed over. Padding ends a run, and another run may follow, as in
/// bodies that were put together from pieces.
pub(super) fn base64(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() / 4 * 3 + 3);
    let mut rest = body;
    let (mut bits, mut count) = (0_u32, 0_u32);
    while let Some((&byte, tail)) = rest.split_first() {
        if count == 0
            && let Some((quad, after)) = rest.split_first_chunk::<4>()
        {
            let [a, b, c, d] = quad.map(sextet);
            if (a | b | c | d) < 64 {
                let word = u32::from(a) << 18 | u32::from(b) << 12 | u32::from(c) << 6 | u32::from(d);
                let [_, x, y, z] = word.to_be_bytes();
                out.extend_from_slice(&[x, y, z]);
                rest = after;
                continue;
            }
        }
        rest = tail;
        match sextet(byte) {
            SKIP => {}
            PAD => {
                flush(bits, count, &mut out);
                (bits, count) = (0, 0);
            }
            value => {
                (bits, count) = (bits << 6 | u32::from(value), count + 1);
                if count == 4 {
                    flush(bits, count, &mut out);
                    (bits, count) = (0, 0);
                }
            }
        }
    }
    flush(bits, count, &mut out);
    out
}

/// Two characters hold one byte, three hold two, four hold three; one holds none.
fn flush(bits: u32, count: u32, out: &mut Vec<u8>) {
    if count > 1 {
        let [_, x, y, z] = (bits << (6 * (4 - count))).to_be_bytes();
        out.extend([x, y, z].into_iter().take(count as usize - 1));
    }
}

/// RFC 2045 §6.7. White space at the end of a line was added on the way (rule 3); an "=" that begins no code stays.
pub(crate) fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while !rest.is_empty() {
        let (line, after) = rest.split_at(line_length(rest));
        rest = after;
        let content = line.strip_suffix(b"\n").unwrap_or(line);
        let content = content.strip_suffix(b"\r").unwrap_or(content);
        let ending = line.get(content.len()..).unwrap_or_default();
        let content = trim_end(content);
        match content.strip_suffix(b"=") {
            Some(content) => codes(content, false, &mut out),
            None => {
                codes(content, false, &mut out);
                out.extend_from_slice(ending);
            }
        }
    }
    out
}

fn trim_end(line: &[u8]) -> &[u8] {
    let kept = line.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |last| last + 1);
    line.get(..kept).unwrap_or(line)
}

/// "=XX" codes; with `underscores` also the "_" that is a space in RFC 2047 §4.2.
pub(super) fn codes(text: &[u8], underscores: bool, out: &mut Vec<u8>) {
    let mut rest = text;
    loop {
        let found = if underscores { memchr2(b'=', b'_', rest) } else { memchr(b'=', rest) };
        let (before, special) = rest.split_at(found.unwrap_or(rest.len()));
        out.extend_from_slice(before);
        rest = match special {
            [] => return,
            [b'_', after @ ..] => {
                out.push(b' ');
                after
            }
            [byte, high, low, after @ ..] => match (hex(*high), hex(*low)) {
                (Some(high), Some(low)) => {
                    out.push(high << 4 | low);
                    after
                }
                _ => {
                    out.push(*byte);
                    special.get(1..).unwrap_or_default()
                }
            },
            [byte, after @ ..] => {
                out.push(*byte);
                after
            }
        };
    }
}

pub(super) fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
