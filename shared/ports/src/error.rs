use penfold_types::Error;

/// How a port can fail. The caller's next step follows from the variant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PortError {
    /// The condition of write `write` did not hold: nothing was written. Read again and decide again.
    #[error("the condition of write {write} did not hold")]
    Condition { write: usize },
    /// Too many requests now; nothing was written. Come back with jitter.
    #[error("throttled")]
    Throttled,
    /// The answer was lost: the request may or may not have been carried out. Find out before trying again.
    #[error("the outcome is not known")]
    Unknown,
    /// The request can never be carried out as it is.
    #[error("outside the limits: {0}")]
    Limit(&'static str),
    /// What was asked for is not there.
    #[error("not there")]
    Missing,
    /// It was destroyed on purpose and never comes back: asking again changes nothing.
    #[error("destroyed for good")]
    Destroyed,
    /// There is no room to write.
    #[error("no space left")]
    Full,
    /// What is stored, or the store itself, is damaged or gone.
    #[error("broken: {0}")]
    Broken(String),
}

impl From<PortError> for Error {
    fn from(error: PortError) -> Self {
        match &error {
            PortError::Condition { .. } => Error::conflict("changed meanwhile").because(error),
            PortError::Throttled | PortError::Unknown => Error::retry("the store is busy").because(error),
            PortError::Full => Error::full().because(error),
            PortError::Limit(_) => Error::limit("too large").because(error),
            PortError::Missing => Error::not_found("not there").because(error),
            PortError::Destroyed => Error::not_found("the key of this data is destroyed").because(error),
            PortError::Broken(_) => Error::broken("the store failed").because(error),
        }
    }
}
