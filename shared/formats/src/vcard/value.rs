//! Values of lines: text without escapes, parts, types, and inline pictures.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::lines::{Line, split, unescape};

const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent).with_decode_allow_trailing_bits(true),
);

/// Properties whose values have parts between semicolons (RFC 6350 §6.2.2, §6.3.1, §6.6.4, §6.2.7).
const SEPARATED: [&str; 5] = ["N", "ADR", "ORG", "GENDER", "CLIENTPIDMAP"];
/// Properties that are lists (RFC 6350 §6.2.3, §6.7.1).
const LISTS: [&str; 2] = ["NICKNAME", "CATEGORIES"];

pub(super) fn is_separated(name: &str) -> bool {
    SEPARATED.iter().any(|known| known.eq_ignore_ascii_case(name))
}

pub(super) fn is_list(name: &str) -> bool {
    LISTS.iter().any(|known| known.eq_ignore_ascii_case(name))
}

/// The whole value without escapes.
pub(super) fn plain(line: &Line<'_>) -> String {
    unescape(line.value.trim()).into_owned()
}

/// The parts between semicolons, without escapes. A part that is a list keeps its commas.
pub(super) fn parts(line: &Line<'_>) -> Vec<String> {
    split(&line.value, ';').map(|part| unescape(part.trim()).into_owned()).collect()
}

/// The values of TYPE and the parameters without a value of 2.1, in lower case. Some write `TYPE="home,work"`.
pub(super) fn types(line: &Line<'_>) -> Vec<String> {
    let mut types = Vec::new();
    for param in &line.params {
        if param.name.eq_ignore_ascii_case("TYPE") {
            types.extend(param.values.iter().flat_map(|value| value.split(',')).map(|value| value.trim().to_ascii_lowercase()));
        } else if param.values.is_empty() {
            types.push(param.name.to_ascii_lowercase());
        }
    }
    types.retain(|kind| !kind.is_empty());
    types
}

/// Whether the value is base64 (RFC 2426 §2.4.1: `b`; older ones write `BASE64`).
pub(super) fn is_base64(line: &Line<'_>) -> bool {
    let encoding = line.param_value("ENCODING").map(str::to_ascii_lowercase);
    matches!(encoding.as_deref(), Some("b" | "base64"))
        || line.params.iter().any(|param| param.values.is_empty() && param.name.eq_ignore_ascii_case("BASE64"))
}

/// `None` where it is no base64.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    LENIENT.decode(text).ok()
}

pub(super) fn to_base64(bytes: &[u8]) -> String {
    base64::engine::general_purpose::STANDARD.encode(bytes)
}

/// `data:image/jpeg;base64,...` as media type and base64 (RFC 2397).
pub(super) fn data_uri(value: &str) -> Option<(&str, &str)> {
    let rest = value.trim();
    let rest = rest.get(..5).filter(|scheme| scheme.eq_ignore_ascii_case("data:")).and_then(|_| rest.get(5..))?;
    let (head, data) = rest.split_once(',')?;
    let media = head.strip_suffix(";base64").or_else(|| head.strip_suffix(";BASE64"))?;
    Some((media.split(';').next().unwrap_or_default(), data))
}
