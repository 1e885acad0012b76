use crate::lines::{Line, push_line};

use super::card::Card;
use super::draft::Draft;

/// A property that is asked for (RFC 6352 §10.4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Selected {
    /// Without regard to case.
    pub name: String,
    /// Only those of the group.
    pub group: Option<String>,
    /// The name and its parameters without the value.
    pub novalue: bool,
}

/// The card with these properties only, their lines as they were written. VERSION is always there, so that it can be read.
pub fn select(card: &Card<'_>, wanted: &[Selected]) -> Vec<u8> {
    let mut out = begin(card);
    for line in &card.lines {
        match wanted.iter().find(|one| fits(line, one)) {
            Some(one) if one.novalue => Draft { value: String::new(), ..Draft::of(line) }.write(&mut out),
            Some(_) => push_raw(&mut out, card, line),
            None => {}
        }
    }
    out.extend_from_slice(b"END:VCARD\r\n");
    out
}

/// The card with this UID, for one that came without. All other lines stay as they were.
pub fn with_uid(card: &Card<'_>, uid: &str) -> Vec<u8> {
    let mut out = begin(card);
    push_line(&mut out, &format!("UID:{}", crate::lines::escape(uid)));
    for line in card.lines.iter().filter(|line| !line.is("UID")) {
        push_raw(&mut out, card, line);
    }
    out.extend_from_slice(b"END:VCARD\r\n");
    out
}

fn begin(card: &Card<'_>) -> Vec<u8> {
    format!("BEGIN:VCARD\r\nVERSION:{}\r\n", card.version.as_str()).into_bytes()
}

pub(super) fn push_raw(out: &mut Vec<u8>, card: &Card<'_>, line: &Line<'_>) {
    out.extend_from_slice(card.bytes.get(line.range.clone()).unwrap_or_default());
    if out.last() != Some(&b'\n') {
        out.extend_from_slice(b"\r\n");
    }
}

fn fits(line: &Line<'_>, wanted: &Selected) -> bool {
    let in_group = |group: &String| line.group.as_ref().is_some_and(|one| one.eq_ignore_ascii_case(group));
    line.is(&wanted.name) && wanted.group.as_ref().is_none_or(in_group)
}
