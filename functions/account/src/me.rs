use axum::http::StatusCode;
use axum::response::Response;
use penfold_directory::{PersonChange, PersonInfo, RoleGrant};
use penfold_rest::{Body, Call, IfMatch, Peer, Problem, ProfileView, When, tagged};
use penfold_types::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The person who asks.
#[derive(Serialize, ToSchema)]
pub(crate) struct Me {
    id: String,
    tenant: String,
    address: String,
    aliases: Vec<String>,
    name: String,
    /// Octets that the mailbox may hold.
    quota: u64,
    two_factor: bool,
    /// Where a forgotten password is mended.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovery_address: Option<String>,
    profile: ProfileView,
    /// What they administer.
    roles: Vec<String>,
    created: When,
    revision: u64,
}

impl From<PersonInfo> for Me {
    fn from(info: PersonInfo) -> Self {
        Self {
            id: info.id.to_string(),
            tenant: info.tenant.to_string(),
            address: info.address.to_string(),
            aliases: info.aliases.iter().map(Address::to_string).collect(),
            name: info.name,
            quota: info.quota,
            two_factor: info.two_factor,
            recovery_address: info.recovery.map(|address| address.to_string()),
            profile: info.profile.into(),
            roles: info.roles.iter().map(|RoleGrant { role, .. }| role.as_str().to_owned()).collect(),
            created: When(info.created),
            revision: info.revision,
        }
    }
}

/// What is absent stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "recovery_address": "ann.private@elsewhere.test", "password": "plum cactus orbit" }))]
pub(crate) struct MyChange {
    /// An address elsewhere to which a way to a new password is sent.
    recovery_address: Option<String>,
    /// The present one: whoever finds an open session must not take the account over.
    password: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "current": "plum cactus orbit", "new": "walnut river lantern" }))]
pub(crate) struct PasswordChange {
    current: String,
    /// At least 10 characters, and none of those that are tried first.
    new: String,
}

/// Who am I.
#[utoipa::path(get, path = "/v1/me", tag = "me", extensions(("x-permission" = json!("signed-in"))), responses((status = 200, body = Me)))]
pub(crate) async fn show(call: Call) -> Result<Response, Problem> {
    let (who, _) = call.person()?;
    let me = call.operator()?.person(&who.address).await?;
    Ok(tagged(me.revision, Me::from(me)))
}

/// The person's own password is right; else a problem with its field.
pub(crate) async fn judge(call: &Call, peer: Option<axum::Extension<Peer>>, pointer: &str, password: &str) -> Result<(), Problem> {
    let (who, _) = call.person()?;
    let peer = peer.map_or(Peer::UNKNOWN, |peer| peer.0);
    match call.directory().knows_password(who, password, peer.0).await {
        Ok(()) => Ok(()),
        Err(penfold_directory::SignInError::Refused) => Err(Problem::field(pointer, "this is not the password")),
        Err(error) => Err(error.into()),
    }
}

/// Changes what people change themselves.
#[utoipa::path(patch, path = "/v1/me", tag = "me", request_body = MyChange, extensions(("x-permission" = json!("session"))),
    responses((status = 200, body = Me)))]
pub(crate) async fn change(
    call: Call,
    wanted: IfMatch,
    peer: Option<axum::Extension<Peer>>,
    Body(change): Body<MyChange>,
) -> Result<Response, Problem> {
    judge(&call, peer, "/password", &change.password).await?;
    let (who, _) = call.person()?;
    let me = call.operator()?.person(&who.address).await?;
    let expected = wanted.judge(me.revision)?;
    let wrong = |error| Problem::field("/recovery_address", format!("{error}"));
    let recovery = change.recovery_address.as_deref().map(|text| text.parse::<Address>().map_err(wrong)).transpose()?;
    let change = PersonChange { recovery: recovery.map(Some), ..PersonChange::default() };
    let me = call.operator()?.expecting(expected).update_person(&who.address, &change).await.map_err(|error| wanted.explain(error))?;
    Ok(tagged(me.revision, Me::from(me)))
}

/// Sets a new password. All other sessions end.
#[utoipa::path(put, path = "/v1/me/password", tag = "me", request_body = PasswordChange,
    extensions(("x-permission" = json!("session"))), responses((status = 204)))]
pub(crate) async fn set_password(
    call: Call,
    peer: Option<axum::Extension<Peer>>,
    Body(change): Body<PasswordChange>,
) -> Result<StatusCode, Problem> {
    judge(&call, peer, "/current", &change.current).await?;
    let (who, session) = call.person()?;
    let operator = call.operator()?;
    operator.judge_password(&change.new, &who.address, &who.name).map_err(|error| Problem::field("/new", error.text()))?;
    operator.set_password(&who.address, &change.new).await?;
    if !call.dry_run {
        call.directory().close_sessions(who.account, Some(session.id)).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}
