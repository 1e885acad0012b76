//! Character sets (RFC 2045 §5.1, RFC 2046 §4.1.2) undone, by encoding_rs.

use std::borrow::Cow;

use encoding_rs::{Encoding, REPLACEMENT, WINDOWS_1252};

use super::summary::Part;
use super::transfer::decoded;

/// The text of a part: transfer encoding and charset undone. Linear, at most three times as long as the body.
pub fn body_text(part: &Part, body: &[u8]) -> String {
    text_of(part, body).into_owned()
}

pub(super) fn text_of<'b>(part: &Part, body: &'b [u8]) -> Cow<'b, str> {
    let charset = part.param("charset").and_then(charset);
    match decoded(part, body) {
        Cow::Borrowed(bytes) => in_charset(charset, bytes),
        Cow::Owned(bytes) => {
            // Text that needs no conversion is not copied again.
            let text = match in_charset(charset, &bytes) {
                Cow::Borrowed(text) if text.len() == bytes.len() => None,
                text => Some(text.into_owned()),
            };
            Cow::Owned(text.unwrap_or_else(|| String::from_utf8(bytes).unwrap_or_default()))
        }
    }
}

fn in_charset<'b>(charset: Option<&'static Encoding>, bytes: &'b [u8]) -> Cow<'b, str> {
    match charset {
        Some(charset) => charset.decode_with_bom_removal(bytes).0,
        None => guess(bytes),
    }
}

/// The decoder of a label; `None` where it says nothing that helps: no such charset, or US-ASCII, which 8-bit text claims
/// to be as often as not. `REPLACEMENT` is the standard's way to refuse an encoding.
pub(super) fn charset(label: &[u8]) -> Option<&'static Encoding> {
    let label = label.trim_ascii();
    if label.eq_ignore_ascii_case(b"us-ascii") || label.eq_ignore_ascii_case(b"ascii") {
        return None;
    }
    Encoding::for_label(label).filter(|found| *found != REPLACEMENT)
}

pub(super) fn decode_charset<'b>(charset: &'static Encoding, bytes: &'b [u8]) -> Cow<'b, str> {
    charset.decode_without_bom_handling(bytes).0
}

/// Text of no known charset: UTF-8 where it is that, else Windows-1252, in which every byte is some character.
pub(super) fn guess(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => decode_charset(WINDOWS_1252, bytes),
    }
}
