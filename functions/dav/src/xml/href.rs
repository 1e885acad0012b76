//! Paths in DAV:href: percent-encoded on the wire, names inside.

use std::fmt::Write;

#[cfg(test)]
mod tests;

/// A path as it goes into DAV:href (RFC 3986 §3.3). `/` stays; a segment that holds one goes through [`segment`].
pub fn encode(path: &str) -> String {
    escape(path, b"-._~@:=+,/")
}

/// One segment of a path.
pub fn segment(name: &str) -> String {
    escape(name, b"-._~@:=+,")
}

fn escape(text: &str, plain: &[u8]) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || plain.contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing into a string does not fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// The segments of what a client sent in DAV:href or Destination: a path or a whole URL (RFC 4918 §8.3), decoded. The host
/// is left out: see [`authority`]. Empty segments are left out; `.` and `..`, controls, what is no
/// UTF-8 and a wrong percent are no path. A slash that was encoded stays within its segment.
pub fn segments(href: &str) -> Option<Vec<String>> {
    let href = href.trim();
    let path = match href.split_once("://") {
        Some((scheme, rest)) if !scheme.contains('/') => rest.split_once('/').map_or("", |(_, path)| path),
        _ => href.strip_prefix('/')?,
    };
    let path = path.split(['?', '#']).next().unwrap_or_default();
    path.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect()
}

/// The host and port of a whole URL; `None` for a path. Destination may name another server, which is 502 (RFC 4918 §9.8.5).
pub fn authority(href: &str) -> Option<&str> {
    let (scheme, rest) = href.trim().split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next().filter(|_| !scheme.contains('/'))?;
    Some(authority.rsplit('@').next().unwrap_or(authority))
}

/// One segment, or one value of a query.
pub fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            byte => byte,
        });
    }
    let name = String::from_utf8(bytes).ok()?;
    let is_name = name != "." && name != ".." && !name.chars().any(char::is_control);
    is_name.then_some(name)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}
