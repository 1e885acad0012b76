use std::fmt;

use axum::http::StatusCode;
use penfold_formats::xml::Fault;

use super::error::{self, Precondition};

/// Why a body is not acted on. The peer has to send another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// 413.
    TooLarge(&'static str),
    /// No XML, or not this method's (RFC 4918 §8.2): 400.
    Malformed(String),
    /// A body of a kind that the method does not have (RFC 4918 §9.3): 415.
    Unsupported,
    /// XML that says what cannot be meant (RFC 4918 §11.2): 422.
    Unprocessable(&'static str),
    /// What the standard names an element for.
    Precondition(Precondition),
}

impl Refused {
    pub(super) fn malformed(why: &str) -> Self {
        Self::Malformed(why.to_owned())
    }

    pub fn status(&self) -> StatusCode {
        match self {
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Unsupported => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Unprocessable(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::Precondition(precondition) => precondition.status,
        }
    }

    /// The DAV:error of the answer, where there is an element to say (RFC 4918 §16).
    pub fn body(&self) -> Option<Vec<u8>> {
        match self {
            Self::Precondition(precondition) => Some(error::body(&[precondition.element()])),
            _ => None,
        }
    }
}

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::TooLarge { what } => Self::TooLarge(what),
            Fault::Doctype { .. } => Self::Precondition(Precondition::NO_EXTERNAL_ENTITIES),
            Fault::Malformed { .. } => Self::Malformed(fault.to_string()),
        }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge(what) => write!(f, "the body has too many {what}"),
            Self::Malformed(why) => f.write_str(why),
            Self::Unsupported => f.write_str("this method takes no such body"),
            Self::Unprocessable(why) => f.write_str(why),
            Self::Precondition(precondition) => write!(f, "{:?} is not met", precondition.name()),
        }
    }
}

impl std::error::Error for Refused {}
