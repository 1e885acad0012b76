use crate::Accounts;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use penfold_directory::{NewSession, SessionKind};
use penfold_rest::{Body, Call, Listed, Peer, Problem, SessionView, When, created};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// For how long a session lasts, however much it is used.
const LASTS: Duration = Duration::from_secs(90 * 24 * 3600);

/// Who signs in.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "address": "ann@example.test", "password": "plum cactus orbit" }))]
pub(crate) struct Credentials {
    address: String,
    /// What the person types; an app password opens no session.
    password: String,
    /// Of the second factor, or a recovery code, where there is one.
    #[serde(default)]
    code: Option<String>,
    /// What the session is called in the list.
    #[serde(default)]
    name: Option<String>,
}

/// A new session.
#[derive(Serialize, ToSchema)]
pub(crate) struct Opened {
    id: String,
    /// Send it as `Authorization: Bearer`; it is in this answer and nowhere else.
    token: String,
    expires: When,
    tenant: String,
    person: String,
}

/// Signs in. A wrong address and a wrong password are answered alike; where only the code is missing, the problem's type is
/// `urn:penfold:second-factor`.
#[utoipa::path(post, path = "/v1/sessions", tag = "sessions", request_body = Credentials, extensions(("x-permission" = json!("public"))),
    responses((status = 201, body = Opened)))]
pub(crate) async fn open(
    call: Call,
    State(_): State<Accounts>,
    peer: Option<axum::Extension<Peer>>,
    headers: HeaderMap,
    Body(given): Body<Credentials>,
) -> Result<Response, Problem> {
    let peer = peer.map_or(Peer::UNKNOWN, |peer| peer.0);
    let who = call.directory().sign_in_typed(&given.address, &given.password, given.code.as_deref(), peer.0).await?;
    let agent = headers.get(header::USER_AGENT).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let name = given.name.unwrap_or_default();
    let new = NewSession { kind: SessionKind::Session, name, roles: None, lasts: LASTS, from: peer.0.to_string(), agent };
    let (session, token) = call.directory().open_session(who.account, &new).await?;
    let (tenant, person) = (who.account.tenant.to_string(), who.account.principal.to_string());
    let opened = Opened { id: session.id.to_string(), token, expires: When(session.expires), tenant, person };
    Ok(created(&format!("/v1/sessions/{}", session.id), 1, opened))
}

/// Where the person is signed in, and the tokens of their programs; the newest first.
#[utoipa::path(get, path = "/v1/sessions", tag = "sessions", extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<SessionView>)))]
pub(crate) async fn list(call: Call) -> Result<axum::Json<Listed<SessionView>>, Problem> {
    let (who, _) = call.person()?;
    let all = call.directory().sessions(who.account).await?;
    Ok(axum::Json(Listed::whole(all.into_iter().map(SessionView::from).collect())))
}

/// Signs out; `current` is the session of this very token.
#[utoipa::path(delete, path = "/v1/sessions/{session}", tag = "sessions", extensions(("x-permission" = json!("session"))),
    responses((status = 204)))]
pub(crate) async fn close(call: Call, Path(session): Path<String>) -> Result<StatusCode, Problem> {
    let (who, current) = call.person()?;
    let id = if session == "current" { current.id } else { session.parse().map_err(|_| Problem::not_found())? };
    if !call.dry_run {
        call.directory().close_session(who.account, id).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
