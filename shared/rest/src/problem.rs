//! What went wrong, as a document (RFC 9457): what the caller must do stands in the status, which field is meant in `errors`.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_directory::SignInError;
use penfold_types::{Error, Kind};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// A problem (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "type": "about:blank", "title": "Unprocessable Content", "status": 422, "detail": "The request has a field that cannot be taken.",
    "errors": [{ "pointer": "/quota", "detail": "invalid value: integer `-1`, expected u64" }],
}))]
pub struct Problem {
    /// `about:blank`, or what kind of problem it is where a program must tell it from others of the same status.
    #[serde(rename = "type")]
    pub kind: String,
    /// The status in words.
    pub title: String,
    /// The status of HTTP.
    pub status: u16,
    /// What to do about it.
    pub detail: String,
    /// The fields that are wrong, where some are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<Wrong>,
    #[serde(skip)]
    pub retry_after: Option<Duration>,
}

/// One field that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Wrong {
    /// Where in the body it is (RFC 6901), or the name of a parameter.
    pub pointer: String,
    /// What is wrong with it, and what would be taken.
    pub detail: String,
}

impl Problem {
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            kind: "about:blank".to_owned(),
            title: status.canonical_reason().unwrap_or_default().to_owned(),
            status: status.as_u16(),
            detail: detail.into(),
            errors: Vec::new(),
            retry_after: None,
        }
    }

    /// Of a kind that programs tell from others.
    #[must_use]
    pub fn of(self, kind: &str) -> Self {
        Self { kind: format!("urn:penfold:{kind}"), ..self }
    }

    pub fn field(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        let wrong = Wrong { pointer: pointer.into(), detail: detail.into() };
        Self { errors: vec![wrong], ..Self::new(StatusCode::UNPROCESSABLE_ENTITY, "The request has a field that cannot be taken.") }
    }

    pub fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "There is nothing here.")
    }

    /// It is no longer as the caller saw it (RFC 9110 §13.1.1).
    pub fn changed() -> Self {
        Self::new(StatusCode::PRECONDITION_FAILED, "It was changed since; read it again.")
    }

    #[must_use]
    pub fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(wait), ..self }
    }

    pub fn status(&self) -> StatusCode {
        StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (status, wait) = (self.status(), self.retry_after);
        let mut answer = (status, Json(self)).into_response();
        let headers = answer.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(wait) = wait {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"Penfold\""));
        }
        answer
    }
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        let status = match error.kind() {
            Kind::Retry => StatusCode::SERVICE_UNAVAILABLE,
            Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
            Kind::Conflict => StatusCode::CONFLICT,
            Kind::NotFound => StatusCode::NOT_FOUND,
            Kind::Denied | Kind::Limit => StatusCode::FORBIDDEN,
            Kind::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        };
        if error.kind() == Kind::Broken {
            tracing::error!(%error, "a request failed");
        }
        let problem = Self::new(status, error.text());
        match error.kind() {
            Kind::Retry => problem.after(Duration::from_secs(5)),
            Kind::Limit => problem.of("limit"),
            _ => problem,
        }
    }
}

impl From<SignInError> for Problem {
    fn from(error: SignInError) -> Self {
        let text = error.to_string();
        match error {
            SignInError::Refused => Self::new(StatusCode::UNAUTHORIZED, text),
            SignInError::NeedsCode => Self::new(StatusCode::UNAUTHORIZED, text).of("second-factor"),
            SignInError::TooMany(wait) => Self::new(StatusCode::TOO_MANY_REQUESTS, text).after(wait),
            SignInError::Unavailable => Self::new(StatusCode::SERVICE_UNAVAILABLE, text).after(Duration::from_secs(5)),
        }
    }
}
