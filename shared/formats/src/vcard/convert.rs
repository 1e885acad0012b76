//! From 3.0 to 4.0 and back (RFC 6350 §A, RFC 2426). Lines that are the same in both stay as they were written.

use crate::lines::{Line, escape};

use super::card::{Card, Version};
use super::draft::Draft;
use super::fields::{Birthday, birthday, media_type};
use super::partial::push_raw;
use super::value::{data_uri, is_base64};

/// The card in this version (CARDDAV:address-data, RFC 6352 §10.4): its own bytes where it has it already.
pub fn convert(card: &Card<'_>, to: Version) -> Vec<u8> {
    if card.version == to || to == Version::V2 {
        return card.bytes.to_vec();
    }
    let mut out = format!("BEGIN:VCARD\r\nVERSION:{}\r\n", to.as_str()).into_bytes();
    let mut seen_name = false;
    for line in &card.lines {
        // 3.0 has one N and one FN; 4.0 may have each in several languages.
        if to == Version::V3 && line.is("FN") && std::mem::replace(&mut seen_name, true) {
            continue;
        }
        let before = Draft::of(line);
        let after = if to == Version::V4 { to_4(line, before.clone()) } else { to_3(before.clone()) };
        match after {
            Some(after) if after == before => push_raw(&mut out, card, line),
            Some(after) => after.write(&mut out),
            None => {}
        }
    }
    complete(card, to, &mut out);
    out.extend_from_slice(b"END:VCARD\r\n");
    out
}

/// What the other version demands and this one did not: FN in 4.0 (RFC 6350 §6.2.1), N in 3.0 (RFC 2426 §3.1.2).
fn complete(card: &Card<'_>, to: Version, out: &mut Vec<u8>) {
    let name = card.formatted_name().unwrap_or_default();
    if !card.has("FN") {
        Draft::new("FN", escape(&name)).write(out);
    }
    if to == Version::V3 && !card.has("N") {
        Draft::new("N", format!("{};;;;", escape(&name))).write(out);
    }
}

const MEDIA: [&str; 4] = ["PHOTO", "LOGO", "SOUND", "KEY"];
const DATES: [&str; 2] = ["BDAY", "ANNIVERSARY"];

fn is_one_of(name: &str, names: &[&str]) -> bool {
    names.iter().any(|one| one.eq_ignore_ascii_case(name))
}

fn to_4(line: &Line<'_>, mut draft: Draft) -> Option<Draft> {
    let name = draft.name.to_ascii_uppercase();
    match name.as_str() {
        // Neither has a meaning in 4.0 (RFC 6350 §A.2).
        "PROFILE" | "NAME" => return None,
        "X-ADDRESSBOOKSERVER-KIND" => draft.name = "KIND".to_owned(),
        "X-ADDRESSBOOKSERVER-MEMBER" => draft.name = "MEMBER".to_owned(),
        "X-ANNIVERSARY" => draft.name = "ANNIVERSARY".to_owned(),
        "EMAIL" => {
            draft.take_type("INTERNET");
        }
        "GEO" => {
            if let Some((latitude, longitude)) = line.value.split_once(';') {
                draft.value = format!("geo:{},{}", latitude.trim(), longitude.trim());
            }
        }
        "TZ" if is_offset(&line.value) => draft = Draft { value: line.value.replace(':', ""), ..draft.with("VALUE", "utc-offset") },
        "REV" => draft.value = basic(&line.value),
        _ => {}
    }
    if is_one_of(&draft.name, &DATES)
        && let Some(day) = birthday(line.value.trim())
    {
        let omitted = draft.param("X-APPLE-OMIT-YEAR").is_some();
        draft.remove("X-APPLE-OMIT-YEAR");
        draft.remove("VALUE");
        draft.value = if omitted { date_4(Birthday { year: None, ..day }) } else { basic(&line.value) };
    }
    if is_one_of(&draft.name, &MEDIA) {
        media_to_4(line, &mut draft);
    }
    draft.remove("CHARSET");
    if draft.take_type("PREF") {
        draft.set("PREF", "1");
    }
    Some(draft)
}

/// RFC 6350 §6.2.4: inline data is a `data:` URI, and what is linked is a URI without saying so.
fn media_to_4(line: &Line<'_>, draft: &mut Draft) {
    let media = media_type(line);
    if is_base64(line) {
        let data: String = line.value.chars().filter(|c| !c.is_whitespace()).collect();
        draft.value = format!("data:{media};base64,{data}");
        for param in ["ENCODING", "BASE64", "TYPE", "VALUE"] {
            draft.remove(param);
        }
    } else if draft.param("VALUE").is_some_and(|kind| kind.eq_ignore_ascii_case("uri") || kind.eq_ignore_ascii_case("url")) {
        draft.remove("VALUE");
        if draft.param("TYPE").is_some() && media != "application/octet-stream" {
            draft.remove("TYPE");
            draft.set("MEDIATYPE", &media);
        }
    }
}

fn to_3(mut draft: Draft) -> Option<Draft> {
    let name = draft.name.to_ascii_uppercase();
    match name.as_str() {
        "CLIENTPIDMAP" | "XML" => return None,
        "KIND" if draft.value.trim().eq_ignore_ascii_case("individual") => return None,
        "KIND" => draft.name = "X-ADDRESSBOOKSERVER-KIND".to_owned(),
        "MEMBER" => draft.name = "X-ADDRESSBOOKSERVER-MEMBER".to_owned(),
        "ANNIVERSARY" => draft.name = "X-ANNIVERSARY".to_owned(),
        "TEL" => phone_to_3(&mut draft),
        "GEO" => {
            if let Some(place) = draft.value.trim().strip_prefix("geo:") {
                draft.value = place.split([';', '?']).next().unwrap_or_default().replace(',', ";");
            }
        }
        "TZ" => zone_to_3(&mut draft),
        _ => {}
    }
    if is_one_of(&name, &DATES)
        && let Some(day) = birthday(draft.value.trim())
    {
        draft.remove("VALUE");
        match day.year {
            None => {
                // Apple's way of a date without a year: 3.0 has none, and 1604 is a leap year.
                draft.value = date_3(Birthday { year: Some(1604), ..day });
                draft.set("X-APPLE-OMIT-YEAR", "1604");
            }
            Some(_) if !draft.value.contains(['T', 't']) => draft.value = date_3(day),
            Some(_) => {}
        }
    }
    if is_one_of(&name, &MEDIA) {
        media_to_3(&mut draft);
    }
    if draft.param("PREF") == Some("1") {
        draft.add("TYPE", "pref");
    }
    for param in ["PREF", "ALTID", "PID", "INDEX", "CALSCALE", "MEDIATYPE", "SORT-AS"] {
        draft.remove(param);
    }
    Some(draft)
}

fn media_to_3(draft: &mut Draft) {
    let Some((media, data)) = data_uri(&draft.value).map(|(media, data)| (media.to_owned(), data.to_owned())) else {
        let kind = draft.param("MEDIATYPE").map(kind_of);
        if draft.value.contains("://") {
            draft.set("VALUE", "uri");
        }
        if let Some(kind) = kind {
            draft.set("TYPE", &kind);
        }
        return;
    };
    draft.remove("VALUE");
    draft.set("ENCODING", "b");
    draft.set("TYPE", &kind_of(&media));
    draft.value = data;
}

/// `JPEG` of `image/jpeg`.
fn kind_of(media: &str) -> String {
    media.rsplit('/').next().unwrap_or_default().to_ascii_uppercase()
}

/// 3.0 has telephone numbers as text only.
fn phone_to_3(draft: &mut Draft) {
    if let Some(number) = draft.value.trim().strip_prefix("tel:") {
        let (number, rest) = number.split_once(';').unwrap_or((number, ""));
        let extension = rest.split(';').find_map(|part| part.strip_prefix("ext="));
        draft.value = extension.map_or_else(|| number.to_owned(), |extension| format!("{number} ext. {extension}"));
        draft.remove("VALUE");
    }
}

/// RFC 2426 §3.4.1: an offset with a colon, anything else says that it is text.
fn zone_to_3(draft: &mut Draft) {
    let value = draft.value.trim().to_owned();
    draft.remove("VALUE");
    if is_offset(&value) {
        let (hours, minutes) = value.split_at(3.min(value.len()));
        let minutes = minutes.trim_start_matches(':');
        draft.value = format!("{hours}:{}", if minutes.is_empty() { "00" } else { minutes });
    } else {
        draft.set("VALUE", "text");
    }
}

/// `-05:00`, `-0500`, `-05`.
fn is_offset(text: &str) -> bool {
    let text = text.trim();
    let digits = text.strip_prefix(['+', '-']).map(|rest| rest.replace(':', ""));
    digits.is_some_and(|digits| matches!(digits.len(), 2 | 4) && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// ISO 8601 in its basic form, the only one of 4.0 (RFC 6350 §4.3): without the dashes of the date and the colons of the time.
fn basic(text: &str) -> String {
    let text = text.trim();
    let (date, time) = match text.find(['T', 't']) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let date = if date.starts_with("--") { format!("--{}", date.trim_start_matches('-').replace('-', "")) } else { date.replace('-', "") };
    let time =
        time.split('.').next().unwrap_or_default().replace(':', "") + if time.contains('.') && time.ends_with('Z') { "Z" } else { "" };
    date + &time
}

fn date_4(day: Birthday) -> String {
    match day.year {
        Some(year) => format!("{year:04}{:02}{:02}", day.month, day.day),
        None => format!("--{:02}{:02}", day.month, day.day),
    }
}

fn date_3(day: Birthday) -> String {
    format!("{:04}-{:02}-{:02}", day.year.unwrap_or(1604), day.month, day.day)
}
