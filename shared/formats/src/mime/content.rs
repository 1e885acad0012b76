//! The fields that describe a part: Content-Type (RFC 2045 §5), Content-Disposition (RFC 2183), Content-Language
//! (RFC 3282) and their parameters.

use super::bounds::{MAX_PARAMS, MAX_TEXT};
use super::cursor::{Cursor, is_space};
use super::summary::Text;

pub(super) type Params = Vec<(String, Text)>;

/// Type and subtype are longer than this in no registry.
const MAX_NAME: usize = 100;

/// RFC 2045 §5.1: what may be in a token.
fn is_token(byte: u8) -> bool {
    byte > b' '
        && byte != 0x7f
        && !matches!(byte, b'(' | b')' | b'<' | b'>' | b'@' | b',' | b';' | b':' | b'\\' | b'"' | b'/' | b'[' | b']' | b'?' | b'=')
}

/// `type/subtype; parameters`. `None`: malformed, so the part is to be taken as text/plain (RFC 2045 §5.2).
pub(super) fn content_type(value: &[u8]) -> Option<(String, String, Params)> {
    let mut cursor = Cursor::new(value);
    let kind = name(&mut cursor)?;
    cursor.skip_cfws();
    if !cursor.eat(b'/') {
        return None;
    }
    let subtype = name(&mut cursor)?;
    Some((kind, subtype, params(&mut cursor)))
}

/// `None`: there is no disposition in it.
pub(super) fn disposition(value: &[u8]) -> Option<(String, Params)> {
    let mut cursor = Cursor::new(value);
    let kind = name(&mut cursor)?;
    Some((kind, params(&mut cursor)))
}

/// RFC 2045 §6.1: one token, in lower case.
pub(super) fn encoding(value: &[u8]) -> Option<String> {
    name(&mut Cursor::new(value))
}

/// RFC 3282: language tags with commas between.
pub(super) fn languages(value: &[u8]) -> Vec<String> {
    let mut cursor = Cursor::new(value);
    let mut tags = Vec::new();
    while tags.len() < MAX_PARAMS {
        cursor.skip_cfws();
        let tag = cursor.take_while(is_token);
        if !tag.is_empty() && tag.len() <= MAX_NAME {
            tags.push(String::from_utf8_lossy(tag).into_owned());
        }
        cursor.skip_cfws();
        if cursor.peek().is_none() {
            break;
        }
        cursor.bump();
    }
    tags
}

/// A token as a lower-case name; 8-bit bytes are no token of any registry.
fn name(cursor: &mut Cursor<'_>) -> Option<String> {
    cursor.skip_cfws();
    let token = cursor.take_while(is_token);
    if token.is_empty() || token.len() > MAX_NAME || !token.is_ascii() {
        return None;
    }
    String::from_utf8(token.to_ascii_lowercase()).ok()
}

/// `; name=value` over and over. A missing semicolon is forgiven, and what is no parameter is passed over.
fn params(cursor: &mut Cursor<'_>) -> Params {
    let mut found = Vec::new();
    while found.len() < MAX_PARAMS {
        cursor.skip_cfws();
        if cursor.peek().is_none() {
            break;
        }
        if cursor.eat(b';') {
            continue;
        }
        let name = name(cursor);
        cursor.skip_cfws();
        if cursor.eat(b'=') {
            cursor.skip_cfws();
            let value = value(cursor, name.as_deref().unwrap_or_default());
            found.extend(name.map(|name| (name, value)));
        } else if name.is_none() {
            cursor.bump();
        }
    }
    found
}

fn value(cursor: &mut Cursor<'_>, name: &str) -> Text {
    let mut text = Vec::new();
    if cursor.eat(b'"') {
        cursor.quoted(&mut text);
    } else if name.starts_with("name") || name.starts_with("filename") {
        // File names without the quotes that their spaces and parentheses would need are common.
        text.extend_from_slice(cursor.take_while(|byte| !matches!(byte, b';' | b'\r' | b'\n')).trim_ascii_end());
    } else {
        text.extend_from_slice(cursor.take_while(|byte| !is_space(byte) && byte != b';' && byte != b'('));
    }
    text.truncate(MAX_TEXT);
    text.into_boxed_slice()
}
