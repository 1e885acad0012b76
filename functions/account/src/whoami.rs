use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use penfold_directory::{Directory, SignInError};
use penfold_rest::{Peer, basic};
use serde::Serialize;

pub(crate) fn router(directory: Directory) -> Router {
    Router::new().route("/v1/whoami", get(whoami)).with_state(directory)
}

#[derive(Serialize)]
struct Me {
    address: String,
    name: String,
    tenant: String,
    principal: String,
}

async fn whoami(State(directory): State<Directory>, peer: Option<axum::Extension<Peer>>, headers: HeaderMap) -> Response {
    let peer = peer.map_or(Peer::UNKNOWN, |peer| peer.0);
    let Some((user, password)) = basic(&headers) else { return challenge() };
    match directory.sign_in(&user, &password, peer.0).await {
        Ok(who) => Json(Me {
            address: who.address.to_string(),
            name: who.name,
            tenant: who.account.tenant.to_string(),
            principal: who.account.principal.to_string(),
        })
        .into_response(),
        Err(SignInError::Refused | SignInError::NeedsCode) => challenge(),
        Err(SignInError::TooMany(wait)) => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, wait.as_secs().max(1).to_string())]).into_response()
        }
        Err(SignInError::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response(),
    }
}

fn challenge() -> Response {
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"Penfold\", charset=\"UTF-8\"")]).into_response()
}
