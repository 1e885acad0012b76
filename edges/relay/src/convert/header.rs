//! The header of a part whose body is encoded anew.

use penfold_formats::mime::header_fields;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Encoding {
    SevenBit,
    EightBit,
    QuotedPrintable,
    Base64,
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Self::SevenBit => "7bit",
            Self::EightBit => "8bit",
            Self::QuotedPrintable => "quoted-printable",
            Self::Base64 => "base64",
        }
    }
}

/// The header with Content-Transfer-Encoding set (RFC 2045 §6.1), and its empty line. `top`: MIME-Version is there too,
/// and a body that had no type has one that claims nothing (RFC 1428 §3).
pub(super) fn rewrite(header: &[u8], encoding: Encoding, top: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(header.len() + 100);
    let (mut length, mut has_version, mut has_type) = (0, false, false);
    for (name, whole, _) in header_fields(header) {
        length += whole.len();
        has_version |= name.eq_ignore_ascii_case(b"MIME-Version");
        has_type |= name.eq_ignore_ascii_case(b"Content-Type");
        if !name.eq_ignore_ascii_case(b"Content-Transfer-Encoding") {
            out.extend_from_slice(whole);
        }
    }
    if !out.is_empty() && !out.ends_with(b"\n") {
        out.extend_from_slice(b"\r\n");
    }
    if top && !has_version {
        out.extend_from_slice(b"MIME-Version: 1.0\r\n");
    }
    if top && !has_type {
        out.extend_from_slice(b"Content-Type: text/plain; charset=unknown-8bit\r\n");
    }
    out.extend_from_slice(format!("Content-Transfer-Encoding: {}\r\n", encoding.name()).as_bytes());
    let end = header.get(length..).unwrap_or_default();
    out.extend_from_slice(if end.is_empty() { b"\r\n" } else { end });
    out
}
