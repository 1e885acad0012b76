//! One error for what crosses a crate's edge. Its kind says what the caller must do; its text is safe to show to the
//! person whose request it was; the cause goes to the log only.

use std::fmt;

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What the caller must do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Try again later: the store is throttled, out of reach or overloaded.
    Retry,
    /// Mend the request.
    Invalid,
    /// Somebody else was first: read again, then decide again.
    Conflict,
    /// It is not there (or this caller may not know that it is).
    NotFound,
    /// The caller may not.
    Denied,
    /// A quota or a limit is reached.
    Limit,
    /// A fault in us or in what is stored: tell the operator.
    Broken,
}

#[derive(Debug, Clone)]
pub struct Error {
    kind: Kind,
    text: String,
    cause: Option<String>,
    full: bool,
    unmet: bool,
}

impl Error {
    pub fn new(kind: Kind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), cause: None, full: false, unmet: false }
    }

    pub fn retry(text: impl Into<String>) -> Self {
        Self::new(Kind::Retry, text)
    }

    /// The store has no room: come back later, and tell the operator.
    pub fn full() -> Self {
        Self { full: true, ..Self::retry("no space left") }
    }

    pub fn is_full(&self) -> bool {
        self.full
    }

    pub fn invalid(text: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, text)
    }

    pub fn conflict(text: impl Into<String>) -> Self {
        Self::new(Kind::Conflict, text)
    }

    /// What the caller made a condition is not so.
    pub fn unmet(text: impl Into<String>) -> Self {
        Self { unmet: true, ..Self::conflict(text) }
    }

    pub fn is_unmet(&self) -> bool {
        self.unmet
    }

    pub fn not_found(text: impl Into<String>) -> Self {
        Self::new(Kind::NotFound, text)
    }

    pub fn denied(text: impl Into<String>) -> Self {
        Self::new(Kind::Denied, text)
    }

    pub fn limit(text: impl Into<String>) -> Self {
        Self::new(Kind::Limit, text)
    }

    pub fn broken(text: impl Into<String>) -> Self {
        Self::new(Kind::Broken, text)
    }

    /// Adds what only the log may see.
    #[must_use]
    pub fn because(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// What may be shown to the one who asked.
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        match &self.cause {
            Some(cause) => write!(f, ": {cause}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
