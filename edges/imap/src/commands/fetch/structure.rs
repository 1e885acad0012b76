//! BODY and BODYSTRUCTURE (RFC 9051 §7.5.2). The depth of parts is bounded where they are parsed.

use super::envelope;
use crate::grammar::write::{nstring, number, string};
use penfold_formats::mime::{Part, Text};

pub fn write(out: &mut Vec<u8>, part: &Part, extended: bool, utf8: bool) {
    out.push(b'(');
    if part.is_multipart() {
        part.children.iter().for_each(|child| write(out, child, extended, utf8));
        out.push(b' ');
        string(out, part.subtype.as_bytes(), utf8);
        if extended {
            out.push(b' ');
            parameters(out, &part.params, utf8);
            disposition_to_location(out, part, utf8);
        }
    } else {
        single(out, part, extended, utf8);
    }
    out.push(b')');
}

fn single(out: &mut Vec<u8>, part: &Part, extended: bool, utf8: bool) {
    string(out, part.kind.as_bytes(), utf8);
    out.push(b' ');
    string(out, part.subtype.as_bytes(), utf8);
    out.push(b' ');
    parameters(out, &part.params, utf8);
    for field in [&part.id, &part.description] {
        out.push(b' ');
        nstring(out, field.as_deref(), utf8);
    }
    out.push(b' ');
    string(out, part.encoding.as_bytes(), utf8);
    out.push(b' ');
    number(out, part.body.end.saturating_sub(part.body.start).into());
    if let (Some(inner), Some(root)) = (&part.message, part.children.first()) {
        out.push(b' ');
        envelope::write(out, inner, utf8);
        out.push(b' ');
        write(out, root, extended, utf8);
        out.push(b' ');
        number(out, part.lines.into());
    } else if part.is_text() {
        out.push(b' ');
        number(out, part.lines.into());
    }
    if extended {
        out.push(b' ');
        nstring(out, part.md5.as_deref(), utf8);
        disposition_to_location(out, part, utf8);
    }
}

fn disposition_to_location(out: &mut Vec<u8>, part: &Part, utf8: bool) {
    out.push(b' ');
    match &part.disposition {
        Some((kind, params)) => {
            out.push(b'(');
            string(out, kind.as_bytes(), utf8);
            out.push(b' ');
            parameters(out, params, utf8);
            out.push(b')');
        }
        None => out.extend_from_slice(b"NIL"),
    }
    out.push(b' ');
    match part.language.as_slice() {
        [] => out.extend_from_slice(b"NIL"),
        [one] => string(out, one.as_bytes(), utf8),
        many => {
            out.push(b'(');
            for (at, language) in many.iter().enumerate() {
                if at > 0 {
                    out.push(b' ');
                }
                string(out, language.as_bytes(), utf8);
            }
            out.push(b')');
        }
    }
    out.push(b' ');
    nstring(out, part.location.as_deref(), utf8);
}

fn parameters(out: &mut Vec<u8>, params: &[(String, Text)], utf8: bool) {
    if params.is_empty() {
        out.extend_from_slice(b"NIL");
        return;
    }
    out.push(b'(');
    for (at, (name, value)) in params.iter().enumerate() {
        if at > 0 {
            out.push(b' ');
        }
        string(out, name.as_bytes(), utf8);
        out.push(b' ');
        string(out, value, utf8);
    }
    out.push(b')');
}
