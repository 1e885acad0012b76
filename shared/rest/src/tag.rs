//! ETag and If-Match: who changes what they read before does not undo what somebody else did meanwhile.

use crate::Problem;
use axum::Json;
use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// The tag of a revision.
pub fn tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// A resource with its tag.
pub fn tagged(revision: u64, body: impl Serialize) -> Response {
    let mut answer = Json(body).into_response();
    if let Ok(value) = HeaderValue::from_str(&tag(revision)) {
        answer.headers_mut().insert(header::ETAG, value);
    }
    answer
}

/// A resource that was made, and where it is.
pub fn created(place: &str, revision: u64, body: impl Serialize) -> Response {
    let mut answer = tagged(revision, body);
    *answer.status_mut() = StatusCode::CREATED;
    if let Ok(value) = HeaderValue::from_str(place) {
        answer.headers_mut().insert(header::LOCATION, value);
    }
    answer
}

/// What the caller wants to find (RFC 9110 §13.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IfMatch(Option<Vec<u64>>);

impl IfMatch {
    fn read(headers: &HeaderMap) -> Result<Self, Problem> {
        let mut wanted = Vec::new();
        for value in headers.get_all(header::IF_MATCH) {
            let text = value.to_str().map_err(|_| Problem::changed())?;
            for one in text.split(',').map(str::trim) {
                match one {
                    "*" => return Ok(Self(None)),
                    // A tag that was never ours, or a weak one, matches nothing.
                    one => {
                        wanted.extend(one.strip_prefix('"').and_then(|one| one.strip_suffix('"')).and_then(|one| one.parse::<u64>().ok()))
                    }
                }
            }
        }
        Ok(Self(headers.contains_key(header::IF_MATCH).then_some(wanted)))
    }

    /// The revision that a change must find, where the caller named one and it is this; else refuses.
    pub fn judge(&self, revision: u64) -> Result<Option<u64>, Problem> {
        match &self.0 {
            None => Ok(None),
            Some(wanted) if wanted.contains(&revision) => Ok(Some(revision)),
            Some(_) => Err(Problem::changed()),
        }
    }

    /// A conflict is another's faster change where the caller asked for that.
    pub fn explain(&self, error: penfold_types::Error) -> Problem {
        if self.0.is_some() && error.kind() == penfold_types::Kind::Conflict { Problem::changed() } else { error.into() }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for IfMatch {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Self::read(&parts.headers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_finds_what_its_caller_saw() {
        let judge = |text: Option<&str>, revision| {
            let mut headers = HeaderMap::new();
            if let Some(text) = text {
                headers.insert(header::IF_MATCH, text.parse().unwrap());
            }
            IfMatch::read(&headers).unwrap().judge(revision).map_err(|problem| problem.status)
        };
        assert_eq!(judge(None, 3), Ok(None));
        assert_eq!(judge(Some("*"), 3), Ok(None));
        assert_eq!(judge(Some("\"3\""), 3), Ok(Some(3)));
        assert_eq!(judge(Some("\"1\", \"3\""), 3), Ok(Some(3)));
        for other in ["\"2\"", "W/\"3\"", "3", "\"\"", "\"x\""] {
            assert_eq!(judge(Some(other), 3), Err(412), "{other}");
        }
    }
}
