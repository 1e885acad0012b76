//! JSON that comes in. A mistake is told with the field that it is in; what is not known is refused (the types say
//! `deny_unknown_fields`), so a misspelt field is never silently ignored.

use crate::{BODY, Problem};
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{StatusCode, header};
use http_body_util::{BodyExt, Limited};
use serde::de::DeserializeOwned;

#[derive(Debug, Clone)]
pub struct Body<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence != "application/json" && essence != "application/merge-patch+json" {
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send application/json."));
        }
        let bytes = Limited::new(request.into_body(), BODY).collect().await.map_err(|_| too_large())?.to_bytes();
        read(&bytes).map(Self)
    }
}

/// Parameters of the query, of which none is unknown.
#[derive(Debug, Clone)]
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::try_from_uri(&parts.uri).map_err(|error| Problem::field("?", error.body_text()))?;
        Ok(Self(value))
    }
}

pub(crate) fn too_large() -> Problem {
    Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("A request has at most {BODY} octets."))
}

/// Always an object: a list of its values in order would be taken as well.
fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let begin = bytes.iter().copied().find(|byte| !byte.is_ascii_whitespace());
    if begin.is_some_and(|byte| b"[\"tfn-0123456789".contains(&byte)) && serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() {
        return Err(Problem::field("", "an object is expected"));
    }
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let pointer = pointer(error.path());
        let inner = error.into_inner();
        if inner.is_data() { Problem::field(pointer, inner.to_string()) } else { no_json(&inner) }
    })?;
    reader.end().map_err(|error| no_json(&error))?;
    Ok(value)
}

fn no_json(error: &serde_json::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("The body is not JSON: {error}."))
}

/// RFC 6901.
fn pointer(path: &serde_path_to_error::Path) -> String {
    use serde_path_to_error::Segment;
    let segment = |segment: &Segment| match segment {
        Segment::Seq { index } => index.to_string(),
        Segment::Map { key } => key.replace('~', "~0").replace('/', "~1"),
        Segment::Enum { variant } => variant.clone(),
        Segment::Unknown => "?".to_owned(),
    };
    path.iter().map(|one| format!("/{}", segment(one))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[allow(dead_code)]
    struct Person {
        name: String,
        #[serde(default)]
        tags: Vec<u8>,
    }

    #[test]
    fn the_field_that_is_wrong_is_named() {
        for (text, status, pointer) in [
            ("{\"name\":\"a\",\"tags\":[1,900]}", 422, "/tags/1"),
            ("{\"name\":7}", 422, "/name"),
            ("{\"name\":\"a\",\"nmae\":1}", 422, "/nmae"),
            ("{}", 422, ""),
            ("[]", 422, ""),
        ] {
            let problem = read::<Person>(text.as_bytes()).unwrap_err();
            assert_eq!((problem.status, problem.errors[0].pointer.as_str()), (status, pointer), "{text}");
        }
        for text in ["", "{", "{\"name\":\"a\"} x", "\u{1}"] {
            assert_eq!(read::<Person>(text.as_bytes()).unwrap_err().status, 400, "{text}");
        }
        let problem = read::<Person>(b"{\"nmae\":\"a\"}").unwrap_err();
        assert!(problem.errors[0].detail.contains("expected `name` or `tags`"), "{problem:?}");
    }
}
