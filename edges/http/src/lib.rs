//! HTTP: health and metrics now; the routers of the protocols that speak HTTP are mounted here later.

mod challenge;
mod client;
mod lent;
mod listen;

pub use challenge::{Proofs, challenges};
pub use listen::serve;

use async_trait::async_trait;
use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use std::sync::Arc;

/// What the routes ask the process.
#[async_trait]
pub trait Process: Send + Sync + 'static {
    /// An error says why no request should be sent here.
    async fn health(&self) -> Result<(), String>;
    /// Prometheus text, format 0.0.4.
    async fn metrics(&self) -> String;
}

pub fn router(process: Arc<dyn Process>) -> Router {
    Router::new().route("/healthz", get(healthz)).route("/metrics", get(metrics)).with_state(process)
}

async fn healthz(State(process): State<Arc<dyn Process>>) -> impl IntoResponse {
    match process.health().await {
        Ok(()) => (StatusCode::OK, "ok\n".to_owned()),
        Err(reason) => (StatusCode::SERVICE_UNAVAILABLE, format!("{reason}\n")),
    }
}

async fn metrics(State(process): State<Arc<dyn Process>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], process.metrics().await)
}
