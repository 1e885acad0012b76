//! The modified UTF-7 in which IMAP servers name folders on disk (RFC 3501 §5.1.3).

use base64::Engine as _;
use base64::alphabet::IMAP_MUTF7;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};

const ENGINE: GeneralPurpose = GeneralPurpose::new(&IMAP_MUTF7, NO_PAD);

/// The name as text; a name that is no modified UTF-7 is taken as it is.
pub fn decode(name: &str) -> String {
    read(name).unwrap_or_else(|| name.to_owned())
}

fn read(name: &str) -> Option<String> {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (code, after) = shifted.split_once('-')?;
        if code.is_empty() {
            out.push('&');
        } else {
            let bytes = ENGINE.decode(code).ok()?;
            let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
            if bytes.len() % 2 != 0 {
                return None;
            }
            out.push_str(&String::from_utf16(&units).ok()?);
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out)
}

/// The name for a disk. Besides what must be encoded, `also` is: characters that mean something in a file's name.
pub fn encode(name: &str, also: &[char]) -> String {
    let mut out = String::with_capacity(name.len());
    let mut units: Vec<u8> = Vec::new();
    let flush = |units: &mut Vec<u8>, out: &mut String| {
        if !units.is_empty() {
            out.push('&');
            out.push_str(&ENGINE.encode(&units));
            out.push('-');
            units.clear();
        }
    };
    for c in name.chars() {
        if (' '..='~').contains(&c) && !also.contains(&c) {
            flush(&mut units, &mut out);
            if c == '&' { out.push_str("&-") } else { out.push(c) }
        } else {
            let mut pair = [0; 2];
            units.extend(c.encode_utf16(&mut pair).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    flush(&mut units, &mut out);
    out
}
