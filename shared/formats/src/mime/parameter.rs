//! RFC 2231: parameter values in pieces, and in other character sets.

use encoding_rs::Encoding;

use super::content::Params;
use super::text::{decode_charset, guess};
use super::word::decode_header;

/// The decoded value of a parameter, `name` in lower case: `name*` and `name*0*` as RFC 2231 has it, else the plain value,
/// in which many generators write RFC 2047 words although §5 of that document forbids it.
pub fn parameter(params: &[(String, Box<[u8]>)], name: &str) -> Option<String> {
    let pieces = pieces(params, name);
    if !pieces.is_empty() {
        return Some(decode(&pieces));
    }
    find(params, name, "").map(decode_header)
}

/// The boundary, which may be in pieces but never in a character set.
pub(super) fn boundary(params: &Params) -> Option<Vec<u8>> {
    let joined = match find(params, "boundary", "") {
        Some(value) => value.to_vec(),
        None => pieces(params, "boundary").iter().flat_map(|(value, _)| value.iter().copied()).collect(),
    };
    // RFC 2046 §5.1.1: it does not end with a space.
    let boundary = joined.trim_ascii_end();
    (1..=super::bounds::MAX_BOUNDARY).contains(&boundary.len()).then(|| boundary.to_vec())
}

fn find<'p>(params: &'p [(String, Box<[u8]>)], name: &str, suffix: &str) -> Option<&'p [u8]> {
    params.iter().find(|(known, _)| known.strip_prefix(name) == Some(suffix)).map(|(_, value)| &**value)
}

/// The values of `name*`, or of `name*0`, `name*1`, ... up to the first that is missing; true: percent-encoded.
fn pieces<'p>(params: &'p [(String, Box<[u8]>)], name: &str) -> Vec<(&'p [u8], bool)> {
    if let Some(value) = find(params, name, "*") {
        return vec![(value, true)];
    }
    let piece = |number: usize| {
        let encoded = find(params, name, &format!("*{number}*")).map(|value| (value, true));
        encoded.or_else(|| find(params, name, &format!("*{number}")).map(|value| (value, false)))
    };
    (0..params.len()).map_while(piece).collect()
}

/// RFC 2231 §4: only the first piece says `charset'language'`, and only if it is an encoded one.
fn decode(pieces: &[(&[u8], bool)]) -> String {
    let mut charset = None;
    let mut bytes = Vec::new();
    for (number, &(value, encoded)) in pieces.iter().enumerate() {
        let mut value = value;
        if number == 0 && encoded {
            let mut fields = value.splitn(3, |byte| *byte == b'\'');
            if let (Some(label), Some(_), Some(rest)) = (fields.next(), fields.next(), fields.next()) {
                charset = Encoding::for_label(label);
                value = rest;
            }
        }
        if encoded { percent(value, &mut bytes) } else { bytes.extend_from_slice(value) }
    }
    match charset {
        Some(charset) => decode_charset(charset, &bytes).into_owned(),
        None => guess(&bytes).into_owned(),
    }
}

fn percent(value: &[u8], into: &mut Vec<u8>) {
    let mut rest = value;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if let (b'%', [high, low, tail @ ..]) = (byte, tail)
            && let (Some(high), Some(low)) = (super::transfer::hex(*high), super::transfer::hex(*low))
        {
            into.push(high << 4 | low);
            rest = tail;
            continue;
        }
        into.push(byte);
    }
}
