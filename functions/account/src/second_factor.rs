use crate::me::judge;
use axum::http::StatusCode;
use penfold_rest::{Body, Call, Peer, Problem};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The person's password, so that an open session is not enough.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "password": "plum cactus orbit" }))]
pub(crate) struct Confirmation {
    password: String,
}

/// For an app that shows codes (TOTP, RFC 6238: SHA-1, six digits, 30 seconds).
#[derive(Serialize, ToSchema)]
pub(crate) struct NewFactor {
    /// In base32, for typing it in.
    secret: String,
    /// For a QR code.
    uri: String,
}

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "code": "287082" }))]
pub(crate) struct FirstCode {
    code: String,
}

#[derive(Serialize, ToSchema)]
pub(crate) struct RecoveryCodes {
    /// Each opens once, for when the app is lost; they are in this answer and nowhere else.
    recovery_codes: Vec<String>,
}

/// Makes a second factor, which counts once its first code is given.
#[utoipa::path(post, path = "/v1/me/second-factor", tag = "second factor", request_body = Confirmation,
    extensions(("x-permission" = json!("session"))), responses((status = 200, body = NewFactor)))]
pub(crate) async fn begin(
    call: Call,
    peer: Option<axum::Extension<Peer>>,
    Body(given): Body<Confirmation>,
) -> Result<axum::Json<NewFactor>, Problem> {
    judge(&call, peer, "/password", &given.password).await?;
    let (who, _) = call.person()?;
    let made = call.directory().begin_second_factor(who.account).await?;
    Ok(axum::Json(NewFactor { secret: made.secret, uri: made.uri }))
}

/// The first code: from here on signing in asks for one, and clients of mail need app passwords.
#[utoipa::path(post, path = "/v1/me/second-factor/confirm", tag = "second factor", request_body = FirstCode,
    extensions(("x-permission" = json!("session"))), responses((status = 200, body = RecoveryCodes)))]
pub(crate) async fn confirm(call: Call, Body(given): Body<FirstCode>) -> Result<axum::Json<RecoveryCodes>, Problem> {
    let (who, _) = call.person()?;
    let confirmed = call.directory().confirm_second_factor(&call.operator()?, who.account, &given.code).await;
    let recovery_codes = confirmed.map_err(|error| match error.kind() {
        penfold_types::Kind::Invalid => Problem::field("/code", error.text()),
        _ => error.into(),
    })?;
    Ok(axum::Json(RecoveryCodes { recovery_codes }))
}

/// Takes the second factor away.
#[utoipa::path(post, path = "/v1/me/second-factor/remove", tag = "second factor", request_body = Confirmation,
    extensions(("x-permission" = json!("session"))), responses((status = 204)))]
pub(crate) async fn end(call: Call, peer: Option<axum::Extension<Peer>>, Body(given): Body<Confirmation>) -> Result<StatusCode, Problem> {
    judge(&call, peer, "/password", &given.password).await?;
    let (who, _) = call.person()?;
    call.directory().end_second_factor(&call.operator()?, who.account).await?;
    Ok(StatusCode::NO_CONTENT)
}
