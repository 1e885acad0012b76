//! Why something is refused, and the answer that says so.

use crate::xml::{Precondition, Refused, error};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_types::{Error, Kind};
use std::time::Duration;

#[derive(Debug)]
pub enum Wrong {
    /// Nobody signed in, or not rightly.
    SignIn,
    /// In the clear, where others could read the password along.
    Clear,
    Wait(Duration),
    Busy,
    Status(StatusCode),
    Body(Refused),
    Error(Error),
    /// The method is none that can be used here.
    Method,
}

pub const XML: HeaderValue = HeaderValue::from_static("application/xml; charset=utf-8");

impl Wrong {
    pub const MISSING: Self = Self::Status(StatusCode::NOT_FOUND);
    pub const FAILED: Self = Self::Status(StatusCode::PRECONDITION_FAILED);
    pub const CONFLICT: Self = Self::Status(StatusCode::CONFLICT);
    pub const FORBIDDEN: Self = Self::Status(StatusCode::FORBIDDEN);
    pub const BAD: Self = Self::Status(StatusCode::BAD_REQUEST);

    /// The status that stands for it in a multistatus.
    pub fn status(&self) -> StatusCode {
        match self {
            Self::SignIn => StatusCode::UNAUTHORIZED,
            Self::Clear => StatusCode::FORBIDDEN,
            Self::Wait(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Busy => StatusCode::SERVICE_UNAVAILABLE,
            Self::Status(status) => *status,
            Self::Body(refused) => refused.status(),
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::Error(error) => match error.kind() {
                Kind::NotFound => StatusCode::NOT_FOUND,
                Kind::Denied => StatusCode::FORBIDDEN,
                Kind::Invalid => StatusCode::BAD_REQUEST,
                Kind::Conflict if error.is_unmet() => StatusCode::PRECONDITION_FAILED,
                Kind::Conflict => StatusCode::CONFLICT,
                Kind::Limit => StatusCode::INSUFFICIENT_STORAGE,
                Kind::Retry => StatusCode::SERVICE_UNAVAILABLE,
                Kind::Broken => StatusCode::INTERNAL_SERVER_ERROR,
            },
        }
    }
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Refused> for Wrong {
    fn from(refused: Refused) -> Self {
        Self::Body(refused)
    }
}

impl From<Precondition> for Wrong {
    fn from(precondition: Precondition) -> Self {
        Self::Body(Refused::Precondition(precondition))
    }
}

impl From<StatusCode> for Wrong {
    fn from(status: StatusCode) -> Self {
        Self::Status(status)
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        let status = self.status();
        let retry = |wait: u64| [(header::RETRY_AFTER, HeaderValue::from(wait))];
        match self {
            Self::SignIn => {
                let challenge = HeaderValue::from_static("Basic realm=\"Penfold\", charset=\"UTF-8\"");
                (status, [(header::WWW_AUTHENTICATE, challenge)]).into_response()
            }
            Self::Clear => (status, "Use HTTPS: the password would be read along here.").into_response(),
            Self::Wait(wait) => (status, retry(wait.as_secs().max(1))).into_response(),
            Self::Busy => (status, retry(5)).into_response(),
            Self::Status(_) => status.into_response(),
            Self::Method => (status, [(header::ALLOW, crate::offer::ALLOW)]).into_response(),
            Self::Body(refused) => match refused.body() {
                Some(body) => (status, [(header::CONTENT_TYPE, XML)], body).into_response(),
                None => (status, refused.to_string()).into_response(),
            },
            Self::Error(error) => match error.kind() {
                Kind::Retry => {
                    tracing::warn!(%error, "a request has to come again");
                    (status, retry(2)).into_response()
                }
                Kind::Broken => {
                    tracing::error!(%error, "a request failed");
                    status.into_response()
                }
                Kind::Limit => {
                    let body = error::body(&[Precondition::QUOTA_NOT_EXCEEDED.element()]);
                    (status, [(header::CONTENT_TYPE, XML)], body).into_response()
                }
                // Why something is not there is told to nobody.
                Kind::NotFound => status.into_response(),
                _ => (status, error.text().to_owned()).into_response(),
            },
        }
    }
}
