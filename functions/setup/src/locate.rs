//! Autodiscover version 2: where the service for one protocol is. Only the older Autodiscover is served here yet.

use crate::outlook::PATH;
use crate::wrong::Wrong;
use crate::{Parameters, Setup, address, origin};
use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

const SERVED: &str = "AutodiscoverV1";

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Place {
    protocol: &'static str,
    url: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Failure {
    error_code: &'static str,
    error_message: &'static str,
}

pub(crate) async fn locate(State(setup): State<Setup>, parameters: Parameters) -> Result<Response, Wrong> {
    let missing = |error_message| failed(StatusCode::BAD_REQUEST, "MandatoryParameterMissing", error_message);
    let Some(protocol) = protocol(&parameters) else { return Ok(missing("Give the query parameter 'Protocol'.")) };
    let Ok(Some(address)) = address(parameters, "Email") else { return Ok(missing("Give a mail address in the query parameter 'Email'.")) };
    if !protocol.eq_ignore_ascii_case(SERVED) {
        return Ok(failed(StatusCode::BAD_REQUEST, "InvalidProtocol", "The only protocol that is served here is 'AutodiscoverV1'."));
    }
    match setup.ours(Some(address.domain().clone())).await {
        Ok(_) => (),
        Err(Wrong::Unknown) => return Ok(failed(StatusCode::NOT_FOUND, "UserNotFound", "This domain has no mail here.")),
        Err(other) => return Err(other),
    }
    let origin = origin(&setup.service().await?).ok_or(Wrong::Unknown)?;
    Ok(Json(Place { protocol: SERVED, url: format!("{origin}{PATH}") }).into_response())
}

fn protocol(parameters: &Parameters) -> Option<String> {
    let Query(all) = parameters.as_ref().ok()?;
    all.iter().find(|(key, _)| key.eq_ignore_ascii_case("Protocol")).map(|(_, value)| value.clone()).filter(|value| !value.is_empty())
}

fn failed(status: StatusCode, error_code: &'static str, error_message: &'static str) -> Response {
    (status, Json(Failure { error_code, error_message })).into_response()
}
