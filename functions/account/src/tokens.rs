use axum::http::HeaderMap;
use axum::response::Response;
use penfold_directory::{NewSession, Role, RoleGrant, SessionKind};
use penfold_rest::{Body, Call, Peer, Problem, When, created};
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

const DAY: Duration = Duration::from_secs(24 * 3600);
const MOST_DAYS: u32 = 3650;

/// A token for a program, such as Terraform.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Terraform", "roles": ["recipient-management"], "days": 90 }))]
pub(crate) struct NewToken {
    name: String,
    /// What it may at most, of what its owner may; absent: all of it.
    #[serde(default)]
    roles: Option<Vec<String>>,
    /// For so many days, 1 to 3650; 365 where it is absent.
    #[serde(default)]
    days: Option<u32>,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Token {
    id: String,
    /// Send it as `Authorization: Bearer`; it is in this answer and nowhere else.
    token: String,
    expires: When,
}

/// Makes a token. It is listed, and taken back, among the sessions.
#[utoipa::path(post, path = "/v1/me/tokens", tag = "me", request_body = NewToken, extensions(("x-permission" = json!("session"))),
    responses((status = 201, body = Token)))]
pub(crate) async fn create(
    call: Call,
    peer: Option<axum::Extension<Peer>>,
    headers: HeaderMap,
    Body(new): Body<NewToken>,
) -> Result<Response, Problem> {
    let (who, session) = call.person()?;
    penfold_directory::check_name(&new.name).map_err(|error| Problem::field("/name", error.text()))?;
    let days = new.days.unwrap_or(365);
    if !(1..=MOST_DAYS).contains(&days) {
        return Err(Problem::field("/days", format!("1 to {MOST_DAYS}")));
    }
    let known = Role::ALL.map(Role::as_str).join(", ");
    let grant = |(at, name): (usize, &String)| {
        let found = Role::ALL.into_iter().find(|role| role.as_str() == name).map(RoleGrant::everywhere);
        found.ok_or_else(|| Problem::field(format!("/roles/{at}"), format!("one of {known}")))
    };
    let asked = new.roles.as_ref().map(|names| names.iter().enumerate().map(grant).collect::<Result<Vec<_>, _>>()).transpose()?;
    // One token does not make another that may more.
    let roles = match (&session.roles, asked) {
        (None, asked) => asked,
        (Some(limit), None) => Some(limit.clone()),
        (Some(limit), Some(asked)) => Some(asked.into_iter().filter(|grant| limit.contains(grant)).collect()),
    };
    let from = peer.map_or(Peer::UNKNOWN, |peer| peer.0).0.to_string();
    let agent = headers.get("user-agent").and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let new = NewSession { kind: SessionKind::Token, name: new.name, roles, lasts: DAY * days, from, agent };
    let (session, token) = call.directory().open_session(who.account, &new).await?;
    let made = Token { id: session.id.to_string(), token, expires: When(session.expires) };
    Ok(created(&format!("/v1/sessions/{}", session.id), 1, made))
}
