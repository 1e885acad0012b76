//! A file that a request brings: its bytes, what they are, and what it is called.

use crate::call::Call;
use crate::limits;
use crate::wrong::Wrong;
use crate::xml::{Precondition, href};
use axum::http::{StatusCode, header};
use bytes::Bytes;

/// Octets of a file's name.
const NAME: usize = 200;

pub struct File {
    pub bytes: Bytes,
    /// Type and subtype, as FMTTYPE has them (RFC 5545 §3.2.8).
    pub media: String,
    /// The same with the character set, for who reads it back.
    pub content_type: String,
    pub name: String,
}

impl File {
    pub fn of(call: &Call) -> Result<Self, Wrong> {
        // RFC 9110 §8.4: what would have to be decoded is not kept as if it were the file.
        if call.header("content-encoding").is_some_and(|how| !how.trim().eq_ignore_ascii_case("identity")) {
            return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE.into());
        }
        let bytes = call.bytes(limits::FILE).map_err(|_| Precondition::MAX_ATTACHMENT_SIZE)?;
        let (media, content_type) = media(call.header("content-type").unwrap_or_default());
        // Names are written in UTF-8 as they are, too.
        let disposition = call.headers.get(header::CONTENT_DISPOSITION).map(|value| String::from_utf8_lossy(value.as_bytes()));
        Ok(Self { bytes, media, content_type, name: file_name(disposition.as_deref().unwrap_or_default()) })
    }
}

/// RFC 9110 §5.6.2.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// RFC 6838 §4.2: what a type or a subtype can be called, which is less than any token.
fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte))
}

/// By itself, and with its character set: nothing else that stands there changes how it is read.
fn media(said: &str) -> (String, String) {
    let media = said.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media.len() > 100 || media.split_once('/').is_none_or(|(kind, sub)| !is_name(kind) || !is_name(sub)) {
        return ("application/octet-stream".to_owned(), "application/octet-stream".to_owned());
    }
    let charset = parameters(said).into_iter().find(|(name, _)| name == "charset").map(|(_, value)| value);
    let whole = match charset.filter(|value| value.len() <= 40 && is_token(value)) {
        Some(charset) => format!("{media}; charset={}", charset.to_ascii_lowercase()),
        None => media.clone(),
    };
    (media, whole)
}

/// What stands behind the first semicolon, names in lower case (RFC 9110 §5.6.6). What a client wrote without the quotes that it
/// needs goes up to the next semicolon.
fn parameters(field: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = field.split_once(';').map_or("", |(_, rest)| rest);
    while !rest.is_empty() {
        let end = rest.find(['=', ';']).unwrap_or(rest.len());
        let (name, after) = rest.split_at(end);
        let Some(value) = after.strip_prefix('=').map(str::trim_start) else {
            rest = after.strip_prefix(';').unwrap_or_default();
            continue;
        };
        let (value, behind) = match value.strip_prefix('"') {
            Some(text) => quoted(text),
            None => {
                let (value, behind) = value.split_at(value.find(';').unwrap_or(value.len()));
                (value.trim().to_owned(), behind)
            }
        };
        found.push((name.trim().to_ascii_lowercase(), value));
        rest = behind.split_once(';').map_or("", |(_, rest)| rest);
    }
    found
}

/// The rest of a quoted string (RFC 9110 §5.6.4), and what is behind it. A backslash before anything but itself and a quote is one of
/// a path that nobody quoted.
fn quoted(text: &str) -> (String, &str) {
    let mut out = String::new();
    let mut all = text.char_indices().peekable();
    while let Some((at, c)) = all.next() {
        match c {
            '"' => return (out, text.get(at + 1..).unwrap_or_default()),
            '\\' => out.push(all.next_if(|(_, next)| matches!(next, '"' | '\\')).map_or('\\', |(_, next)| next)),
            c => out.push(c),
        }
    }
    (out, "")
}

/// As RFC 6266 §4.3 says it: in the first place `filename*` (RFC 8187), where it is UTF-8. No path, and nothing that cannot be seen.
fn file_name(disposition: &str) -> String {
    let all = parameters(disposition);
    let find = |wanted: &str| all.iter().find(|(name, _)| name == wanted).map(|(_, value)| value.as_str());
    let name = find("filename*").and_then(extended).or_else(|| find("filename").map(str::to_owned)).unwrap_or_default();
    let mut name: String = name.rsplit(['/', '\\']).next().unwrap_or_default().chars().filter(|c| !c.is_control()).collect();
    while name.len() > NAME {
        name.pop();
    }
    let name = name.trim().trim_matches('.').to_owned();
    if name.is_empty() { "attachment".to_owned() } else { name }
}

/// RFC 8187 §3.2.1: character set, language, text. `None` where it is none, or not in UTF-8.
fn extended(value: &str) -> Option<String> {
    let mut parts = value.splitn(3, '\'');
    let (charset, _, text) = (parts.next()?, parts.next()?, parts.next()?);
    charset.eq_ignore_ascii_case("utf-8").then(|| href::decoded(text)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_called_as_its_sender_says_without_a_path() {
        for (said, name) in [
            ("attachment; filename=agenda.html", "agenda.html"),
            ("attachment; filename=\"a \\\"b\\\".txt\"", "a \"b\".txt"),
            ("attachment; filename=\"a; filename=b.txt\"; x=y", "a; filename=b.txt"),
            ("attachment; x=\"\\\";filename=no.txt\" ; FileName = \"c.txt\"", "c.txt"),
            ("attachment; filename=two words.txt; x=y", "two words.txt"),
            ("attachment; filename=\"open.txt", "open.txt"),
            ("attachment; filename=\"grün.txt\"", "grün.txt"),
            ("attachment; filename=x.txt; filename*=UTF-8''na%C3%AFve.txt", "naïve.txt"),
            ("attachment; filename*=utf-8'en'it's.txt; filename=x.txt", "it's.txt"),
            ("attachment; filename=x.txt; filename*=UTF-8''%FF.txt", "x.txt"),
            ("attachment; filename=x.txt; filename*=ISO-8859-1''na%EFve.txt", "x.txt"),
            ("attachment; filename*=UTF-8''..%2Fa%2Fb.txt", "b.txt"),
            ("attachment; filename=\"../../etc/passwd\"", "passwd"),
            ("attachment; filename=\"C:\\dir\\x.doc\"", "x.doc"),
            ("attachment; filename=\"..\"", "attachment"),
            ("attachment; filename", "attachment"),
            ("attachment;;=;", "attachment"),
            ("inline", "attachment"),
            ("", "attachment"),
        ] {
            assert_eq!(file_name(said), name, "{said}");
        }
        assert_eq!(file_name(&format!("attachment; filename={}", "ä".repeat(300))).len(), NAME);
    }

    #[test]
    fn a_type_keeps_its_character_set_and_nothing_else() {
        for (said, type_, whole) in [
            ("text/HTML; Charset=\"UTF-8\"; x=y", "text/html", "text/html; charset=utf-8"),
            ("text/plain;charset=iso-8859-1", "text/plain", "text/plain; charset=iso-8859-1"),
            ("text/plain; charset=\"a b\"", "text/plain", "text/plain"),
            ("multipart/mixed; boundary=x", "multipart/mixed", "multipart/mixed"),
            ("nothing; charset=utf-8", "application/octet-stream", "application/octet-stream"),
            ("", "application/octet-stream", "application/octet-stream"),
        ] {
            assert_eq!(media(said), (type_.to_owned(), whole.to_owned()), "{said}");
        }
    }
}
