//! How a command ends. The text that a client gets is generic; causes go to the log.

use super::output::Gone;
use crate::grammar::Bad;
use penfold_types::{Error, Kind};
use std::borrow::Cow;

/// What stands after `OK`.
pub type Done = Cow<'static, str>;

#[derive(Debug)]
pub enum Stop {
    /// What stands after `NO`.
    No(Cow<'static, str>),
    /// What stands after `BAD`.
    Bad(Cow<'static, str>),
    /// The peer is gone, or cannot be answered any more.
    Gone,
}

pub type Outcome = Result<Done, Stop>;

impl Stop {
    pub const fn no(text: &'static str) -> Self {
        Self::No(Cow::Borrowed(text))
    }

    pub const fn bad(text: &'static str) -> Self {
        Self::Bad(Cow::Borrowed(text))
    }
}

impl From<Gone> for Stop {
    fn from(_: Gone) -> Self {
        Self::Gone
    }
}

impl From<Bad> for Stop {
    fn from(bad: Bad) -> Self {
        match bad {
            Bad::Syntax(text) => Self::bad(text),
            Bad::Charset => Self::no("[BADCHARSET (US-ASCII UTF-8)] unknown charset"),
        }
    }
}

/// Response codes of RFC 5530 and RFC 9051 §7.1.
impl From<Error> for Stop {
    fn from(error: Error) -> Self {
        let code = match error.kind() {
            Kind::Retry => "UNAVAILABLE",
            Kind::Invalid => "CANNOT",
            Kind::Conflict => "INUSE",
            Kind::NotFound => "NONEXISTENT",
            Kind::Denied => "NOPERM",
            Kind::Limit => "LIMIT",
            Kind::Broken => "SERVERBUG",
        };
        if matches!(error.kind(), Kind::Broken | Kind::Retry) {
            tracing::warn!(%error, "a command failed");
        }
        Self::No(format!("[{code}] {}", line(error.text())).into())
    }
}

/// One line of ASCII, whatever the text was.
fn line(text: &str) -> String {
    text.chars().map(|c| if c == ' ' || c.is_ascii_graphic() { c } else { '?' }).take(300).collect()
}

/// The same with the code of a quota where a limit was reached (RFC 9208 §5.1).
pub fn over_quota(error: Error) -> Stop {
    if error.kind() == Kind::Limit { Stop::No(format!("[OVERQUOTA] {}", line(error.text())).into()) } else { error.into() }
}

/// The same for a mailbox that is named as a target (RFC 9051 §7.1, TRYCREATE).
pub fn target(error: Error) -> Stop {
    match error.kind() {
        Kind::NotFound => Stop::no("[TRYCREATE] no such mailbox"),
        _ => over_quota(error),
    }
}
