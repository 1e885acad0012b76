//! Why there is no answer, in one sentence. None of them depends on who exists.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_types::Error;

#[derive(Debug)]
pub(crate) enum Wrong {
    /// The domain is not ours.
    Unknown,
    Bad(&'static str),
    TooLarge,
    /// No server has said yet where the service is reached.
    NotYet,
    Later(Error),
}

impl From<Error> for Wrong {
    fn from(error: Error) -> Self {
        Self::Later(error)
    }
}

impl IntoResponse for Wrong {
    fn into_response(self) -> Response {
        let (status, text) = match self {
            Self::Unknown => (StatusCode::NOT_FOUND, "This domain has no mail here."),
            Self::Bad(text) => (StatusCode::BAD_REQUEST, text),
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, "A request has at most 16 KB."),
            Self::NotYet => (StatusCode::SERVICE_UNAVAILABLE, "The service is starting; try again soon."),
            Self::Later(error) => {
                tracing::warn!(%error, "set-up of a client put off");
                (StatusCode::SERVICE_UNAVAILABLE, "Try again soon.")
            }
        };
        let mut response = (status, format!("{text}\n")).into_response();
        if status == StatusCode::SERVICE_UNAVAILABLE {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from_static("5"));
        }
        response
    }
}
