//! What a person asks of their own account over HTTP. For now: who am I, by Basic sign-in (RFC 7617).

mod basic;

#[cfg(test)]
mod tests;

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use penfold_directory::{Directory, SignInError};
use serde::Serialize;
use std::net::IpAddr;

/// Whose request it is, put into the request by whoever hosts the router: the load balancer's word, or the socket's.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Peer(pub IpAddr);

impl Peer {
    /// The last of X-Forwarded-For: what the load balancer itself added.
    pub fn forwarded(headers: &HeaderMap) -> Option<Self> {
        let last = headers.get_all("x-forwarded-for").iter().next_back()?.to_str().ok()?;
        last.rsplit(',').next()?.trim().parse().ok().map(Self)
    }
}

pub fn router(directory: Directory) -> Router {
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
    // Without a word for where it comes from, all such requests share one limit.
    let peer = peer.map_or(IpAddr::from([0, 0, 0, 0]), |peer| peer.0.0);
    let Some((user, password)) = basic::read(&headers) else { return challenge() };
    match directory.sign_in(&user, &password, peer).await {
        Ok(who) => Json(Me {
            address: who.address.to_string(),
            name: who.name,
            tenant: who.account.tenant.to_string(),
            principal: who.account.principal.to_string(),
        })
        .into_response(),
        Err(SignInError::Refused) => challenge(),
        Err(SignInError::TooMany(wait)) => {
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, wait.as_secs().max(1).to_string())]).into_response()
        }
        Err(SignInError::Unavailable) => (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response(),
    }
}

fn challenge() -> Response {
    (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, "Basic realm=\"Penfold\", charset=\"UTF-8\"")]).into_response()
}
