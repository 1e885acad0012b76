//! The REST API of all functions that have one, and one description of all of it.

use crate::control::Service;
use axum::Router;
use axum::http::StatusCode;
use axum::http::header::ALLOW;
use axum::response::IntoResponse;
use axum::routing::{any, get};
use penfold_account::Accounts;
use penfold_admin::Admin;
use penfold_rest::{Api, Limits, Problem, described};
use penfold_transport::Transport;
use std::sync::Arc;

async fn only_read() -> impl IntoResponse {
    ([(ALLOW, "GET, HEAD")], Problem::new(StatusCode::METHOD_NOT_ALLOWED, "This is only read."))
}

/// With `/v1/openapi.json`.
pub fn router(service: &Service, transport: &Transport) -> Router {
    let api = Api { directory: service.directory.clone(), limits: Limits::new(service.world.env.clone()) };
    let (account, mut document) = penfold_account::router(Accounts::new(api.clone(), &service.world, &service.mailboxes, transport));
    let (admin, more) = penfold_admin::router(Admin::new(api, &service.world, &service.mailboxes));
    document.merge(more);
    let text: Arc<str> = described(document).into();
    let show = move || {
        let text = text.clone();
        async move { ([("content-type", "application/json")], text.to_string()) }
    };
    // What is not there is told as everything else is.
    let rest = any(|| async { Problem::not_found() });
    account.merge(admin).route("/v1/openapi.json", get(show).fallback(only_read)).route("/v1/", rest.clone()).route("/v1/{*rest}", rest)
}
