//! vCard 2.1, which telephones and Outlook still write into files: read once, as 3.0.

use encoding_rs::Encoding;

use crate::lines::{Line, Lines, escape, split};
use crate::mime::quoted_printable;

use super::card::{Limits, fault};
use super::draft::Draft;
use super::fault::{Fault, What};
use super::value::{is_base64, is_list, is_separated};

/// A card of 2.1 as one of 3.0. Lines that are none are left out, and cards inside of it (AGENT) too.
pub(super) fn upgrade(bytes: &[u8], limits: Limits) -> Result<Vec<u8>, Fault> {
    let mut out = b"BEGIN:VCARD\r\nVERSION:3.0\r\n".to_vec();
    let mut depth = 0_usize;
    let mut formatted = false;
    let mut name = None;
    for line in Lines::new(bytes, limits.bounds(true)) {
        let line = match line.map_err(fault) {
            Ok(line) => line,
            Err(Fault { what: What::Syntax | What::NotUtf8, .. }) => continue,
            Err(other) => return Err(other),
        };
        match line.name.to_ascii_uppercase().as_str() {
            "BEGIN" => depth += 1,
            "END" => depth = depth.saturating_sub(1),
            "VERSION" | "AGENT" => {}
            _ if depth != 1 => {}
            upper => {
                let draft = draft(&line);
                formatted |= upper == "FN";
                if upper == "N" {
                    name = Some(draft.value.clone());
                }
                draft.write(&mut out);
            }
        }
    }
    if let Some(name) = name.filter(|_| !formatted) {
        Draft::new("FN", spoken(&name)).write(&mut out);
    }
    out.extend_from_slice(b"END:VCARD\r\n");
    Ok(out)
}

/// Given name before family name, still escaped.
fn spoken(name: &str) -> String {
    let parts: Vec<&str> = split(name, ';').map(str::trim).collect();
    let order = [3, 1, 2, 0, 4];
    order.iter().filter_map(|at| parts.get(*at).copied()).filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn draft(line: &Line<'_>) -> Draft {
    let mut draft = Draft { params: Vec::new(), ..Draft::of(line) };
    let (mut quoted, mut charset) = (false, None);
    for param in &line.params {
        match param.name.to_ascii_uppercase().as_str() {
            "ENCODING" => quoted |= param.values.iter().any(|value| value.eq_ignore_ascii_case("QUOTED-PRINTABLE")),
            "QUOTED-PRINTABLE" => quoted = true,
            "CHARSET" => charset = param.values.first().and_then(|label| Encoding::for_label(label.as_bytes())),
            "BASE64" | "7BIT" | "8BIT" => {}
            // A type without TYPE= before it.
            name if param.values.is_empty() => draft.add("TYPE", name),
            name => param.values.iter().for_each(|value| draft.add(name, value)),
        }
    }
    if is_base64(line) {
        draft.add("ENCODING", "b");
        draft.value = line.value.chars().filter(|c| !c.is_whitespace()).collect();
        return draft;
    }
    let text = if quoted { decode(&line.value, charset) } else { line.value.clone().into_owned() };
    draft.value = escaped(&line.name, &text);
    draft
}

fn decode(value: &str, charset: Option<&'static Encoding>) -> String {
    let bytes = quoted_printable(value.as_bytes());
    match charset {
        Some(encoding) => encoding.decode_without_bom_handling(&bytes).0.into_owned(),
        // Many say nothing and mean UTF-8.
        None => String::from_utf8(bytes)
            .unwrap_or_else(|error| encoding_rs::WINDOWS_1252.decode_without_bom_handling(error.as_bytes()).0.into_owned()),
    }
}

/// 2.1 escapes semicolons only; 3.0 commas, backslashes and ends of lines too.
fn escaped(name: &str, text: &str) -> String {
    let plain = |part: &str| escape(&part.replace("\\;", ";").replace("\\,", ",").replace("\\\\", "\\")).into_owned();
    if is_separated(name) {
        return split(text, ';').map(plain).collect::<Vec<_>>().join(";");
    }
    if is_list(name) {
        return split(text, ',').map(plain).collect::<Vec<_>>().join(",");
    }
    plain(text)
}
