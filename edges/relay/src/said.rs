//! What is said of an attempt: a peer's words made safe to pass on, or ours in their place.

use penfold_ports::Said;

/// Characters of a text at most.
const TEXT: usize = 500;

/// Our own words.
pub(crate) fn ours(code: u16, status: (u8, u16, u16), text: impl Into<String>) -> Said {
    Said { code, status, text: one_line(&text.into()), host: None }
}

/// One line of printable characters.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().take(TEXT).map(|c| if c.is_control() { '?' } else { c }).collect()
}

/// It ends the recipient, not just this attempt.
pub(crate) fn is_final(said: &Said) -> bool {
    said.status.0 == 5
}

/// The connection was closed, reset, or gave an error.
pub(crate) fn lost(what: impl std::fmt::Display) -> Said {
    ours(451, (4, 4, 2), format!("the connection was lost: {what}"))
}

/// A peer that does not keep to the protocol.
pub(crate) fn broken(what: &str) -> Said {
    ours(451, (4, 5, 0), format!("the host does not keep to SMTP: {what}"))
}
