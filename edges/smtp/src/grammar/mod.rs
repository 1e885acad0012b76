//! The grammar of commands: RFC 5321 §4.1. Written here and not taken from a crate because a lenient parser in front of
//! a mail store is how messages are smuggled: every line is bounded, ends with CRLF, and is read as one thing only.

pub(crate) mod line;
pub(crate) mod parameters;
pub(crate) mod path;
pub(crate) mod times;

/// A verb and what stands behind it.
pub(crate) fn split_verb(line: &str) -> (&str, &str) {
    // RFC 5321 §4.1.1: trailing white space is tolerated.
    let line = line.trim_end_matches([' ', '\t']);
    match line.find(' ') {
        Some(space) => (line.get(..space).unwrap_or_default(), line.get(space..).unwrap_or_default().trim_start_matches(' ')),
        None => (line, ""),
    }
}

/// What follows `prefix`, in any case of letters.
pub(crate) fn strip_word<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| text.get(prefix.len()..).unwrap_or_default())
}
