//! Photos of people as bytes: for themselves and for who administers.

use crate::{Call, Problem, image, known};
use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use penfold_directory::PHOTO;
use penfold_ports::Account;
use penfold_types::{Error, Kind};

/// The bytes of somebody's photo, or that they are those that the caller has (RFC 9110 §13.1.2).
pub async fn photo(call: &Call, of: Account, headers: &HeaderMap) -> Result<Response, Problem> {
    let Some(info) = call.directory().photo_info(of).await? else { return Err(Problem::not_found()) };
    let (tag, caching) = (format!("\"{}\"", info.tag), "private, no-cache");
    if known(headers, &tag) {
        return Ok(image(StatusCode::NOT_MODIFIED, info.kind.content_type(), &tag, caching, Vec::new()));
    }
    let bytes = call.directory().photo(of).await?.ok_or_else(Problem::not_found)?;
    Ok(image(StatusCode::OK, info.kind.content_type(), &tag, caching, bytes.to_vec()))
}

/// What was sent, where it can be a photo; the bytes themselves are judged when it is set.
pub fn sent_photo(headers: &HeaderMap, body: Bytes) -> Result<Bytes, Problem> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !kind.trim().to_ascii_lowercase().starts_with("image/") {
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Send an image: image/jpeg or image/png."));
    }
    if body.len() > PHOTO {
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, format!("A photo has at most {PHOTO} octets.")));
    }
    Ok(body)
}

/// What stood in its way.
pub fn no_photo(error: Error) -> Problem {
    match error.kind() {
        Kind::Invalid => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, error.text()),
        _ => error.into(),
    }
}
