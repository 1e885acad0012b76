//! What is written anew: folded lines, parameter values, and the escapes of TEXT.

use std::borrow::Cow;

/// Appends one content line with its line end, folded at 75 octets between characters (RFC 5545 §3.1).
pub fn push_line(out: &mut Vec<u8>, text: &str) {
    let mut room = 75;
    let mut buffer = [0; 4];
    for char in text.chars().filter(|char| !matches!(char, '\r' | '\n')) {
        let octets = char.encode_utf8(&mut buffer).as_bytes();
        if octets.len() > room {
            out.extend_from_slice(b"\r\n ");
            room = 74;
        }
        room -= octets.len();
        out.extend_from_slice(octets);
    }
    out.extend_from_slice(b"\r\n");
}

/// A parameter's value as it is written: RFC 6868 where it needs it, quotes where it needs them (RFC 5545 §3.2).
pub fn parameter_value(value: &str) -> String {
    let mut out = String::with_capacity(value.len() + 2);
    for char in value.chars() {
        match char {
            '^' => out.push_str("^^"),
            '"' => out.push_str("^'"),
            '\n' => out.push_str("^n"),
            char if char.is_control() && char != '\t' => {}
            char => out.push(char),
        }
    }
    if out.contains([',', ';', ':']) { format!("\"{out}\"") } else { out }
}

/// TEXT as it is written (RFC 5545 §3.3.11, RFC 6350 §3.4).
pub fn escape(text: &str) -> Cow<'_, str> {
    if !text.contains(['\\', ',', ';', '\n', '\r']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for char in text.chars() {
        match char {
            '\n' => out.push_str("\\n"),
            '\r' => {}
            '\\' | ',' | ';' => out.extend(['\\', char]),
            char => out.push(char),
        }
    }
    Cow::Owned(out)
}

/// The text that a TEXT value stands for. A backslash before anything else stands for what follows it.
pub fn unescape(value: &str) -> Cow<'_, str> {
    if !value.contains('\\') {
        return Cow::Borrowed(value);
    }
    let mut out = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            out.push(char);
            continue;
        }
        match chars.next() {
            Some('n' | 'N') => out.push('\n'),
            Some(other) => out.push(other),
            None => out.push('\\'),
        }
    }
    Cow::Owned(out)
}

/// The parts of a value between separators that no backslash precedes; each still as written.
pub fn split(value: &str, separator: char) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    value.split(move |char| {
        let cut = char == separator && !escaped;
        escaped = char == '\\' && !escaped;
        cut
    })
}
