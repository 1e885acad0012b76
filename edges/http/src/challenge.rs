//! What an authority fetches to see that a name is ours: HTTP-01 (RFC 8555 §8.3).

use async_trait::async_trait;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use std::sync::Arc;

/// Who knows what is to be shown.
#[async_trait]
pub trait Proofs: Send + Sync + 'static {
    /// The key authorization for a token; an error where that cannot be said now.
    async fn proof(&self, token: &str) -> Result<Option<String>, String>;
}

pub fn challenges(proofs: Arc<dyn Proofs>) -> Router {
    Router::new().route("/.well-known/acme-challenge/{token}", get(show)).with_state(proofs)
}

async fn show(State(proofs): State<Arc<dyn Proofs>>, Path(token): Path<String>) -> Response {
    match proofs.proof(&token).await {
        Ok(Some(text)) => ([(header::CONTENT_TYPE, "application/octet-stream")], text).into_response(),
        Ok(None) => StatusCode::NOT_FOUND.into_response(),
        Err(error) => {
            tracing::warn!(error, "a proof cannot be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}
