//! Mailbox names on the wire: modified UTF-7 for IMAP4rev1 (RFC 3501 §5.1.3), UTF-8 once IMAP4rev2 or UTF8=ACCEPT is
//! enabled (RFC 9051 §5.1, RFC 9755 §3).

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Base64 with `,` in the place of `/`, without padding; RFC 3501 lets bits that are left over be 0 only.
const UTF7: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::IMAP_MUTF7,
    GeneralPurposeConfig::new().with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// Longest name that is looked at, in octets.
const LIMIT: usize = 8 << 10;

/// The name that a client means. `None` where it is none.
pub fn decode(bytes: &[u8], utf8: bool) -> Option<String> {
    if bytes.len() > LIMIT || bytes.iter().any(|b| matches!(b, 0..=0x1f | 0x7f)) {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    if utf8 {
        return Some(text.to_owned());
    }
    if !text.is_ascii() {
        // Clients that know only UTF-8 send it without asking: the meaning is clear.
        return Some(text.to_owned());
    }
    decode_utf7(text)
}

fn decode_utf7(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, shifted)) = rest.split_once('&') {
        out.push_str(plain);
        let (inner, after) = shifted.split_once('-')?;
        rest = after;
        if inner.is_empty() {
            out.push('&');
            continue;
        }
        let bytes = UTF7.decode(inner).ok()?;
        let (units, []) = bytes.as_chunks::<2>() else { return None };
        for unit in char::decode_utf16(units.iter().map(|pair| u16::from_be_bytes(*pair))) {
            let c = unit.ok().filter(|c| !c.is_control())?;
            out.push(c);
        }
    }
    out.push_str(rest);
    Some(out)
}

/// The form for the wire, not yet quoted.
pub fn encode(name: &str, utf8: bool) -> String {
    if utf8 || name.bytes().all(|b| (0x20..0x7f).contains(&b) && b != b'&') {
        return name.to_owned();
    }
    let mut out = String::with_capacity(name.len() * 2);
    let mut shifted: Vec<u8> = Vec::new();
    let mut units = [0; 2];
    for c in name.chars() {
        if (' '..='~').contains(&c) {
            unshift(&mut out, &mut shifted);
            out.push(c);
            if c == '&' {
                out.push('-');
            }
        } else {
            shifted.extend(c.encode_utf16(&mut units).iter().flat_map(|unit| unit.to_be_bytes()));
        }
    }
    unshift(&mut out, &mut shifted);
    out
}

fn unshift(out: &mut String, shifted: &mut Vec<u8>) {
    if !shifted.is_empty() {
        out.push('&');
        UTF7.encode_string(&shifted, out);
        out.push('-');
        shifted.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_go_both_ways() {
        // RFC 3501 §5.1.3: the example, and the rule for `&`.
        for (name, wire) in [
            ("~peter/mail/台北/日本語", "~peter/mail/&U,BTFw-/&ZeVnLIqe-"),
            ("Entwürfe & mehr", "Entw&APw-rfe &- mehr"),
            ("😀", "&2D3eAA-"),
            ("INBOX", "INBOX"),
        ] {
            assert_eq!(encode(name, false), wire);
            assert_eq!(decode(wire.as_bytes(), false).as_deref(), Some(name));
            assert_eq!(decode(name.as_bytes(), true).as_deref(), Some(name));
            assert_eq!(encode(name, true), name);
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for bad in [&b"&"[..], b"&U", b"&U-", b"&2D0-", b"a\x00b", b"\xff", b"&AAo-"] {
            assert_eq!(decode(bad, false), None, "{bad:?}");
        }
        assert_eq!(decode(b"&U", true).as_deref(), Some("&U"));
    }
}
