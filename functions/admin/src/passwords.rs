use axum::http::StatusCode;
use penfold_directory::PrincipalKind;
use penfold_ports::Account;
use penfold_rest::{Body, Call, Problem};
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "password": "plum cactus orbit" }))]
pub(crate) struct NewPassword {
    /// At least 10 characters, and none of those that are tried first.
    password: String,
}

/// Sets a person's password. All their sessions end.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/people/{person}/password", tag = "people", request_body = NewPassword,
    extensions(("x-permission" = json!("password-write"))), responses((status = 204)))]
pub(crate) async fn set(call: Call, Body(new): Body<NewPassword>) -> Result<StatusCode, Problem> {
    let (tenant, id) = (call.tenant()?, call.subject()?);
    let operator = call.operator()?;
    let address = operator.address_of(tenant, id, PrincipalKind::Person).await?;
    let person = operator.person(&address).await?;
    operator.judge_password(&new.password, &address, &person.name).map_err(|error| Problem::field("/password", error.text()))?;
    operator.set_password(&address, &new.password).await?;
    if !call.dry_run {
        call.directory().close_sessions(Account { tenant, principal: id }, None).await?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a person's second factor away, for when the phone and the codes are lost.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/people/{person}/second-factor", tag = "people",
    extensions(("x-permission" = json!("password-write"))), responses((status = 204)))]
pub(crate) async fn end_second_factor(call: Call) -> Result<StatusCode, Problem> {
    let account = Account { tenant: call.tenant()?, principal: call.subject()? };
    let operator = call.operator()?;
    operator.address_of(account.tenant, account.principal, PrincipalKind::Person).await?;
    call.directory().end_second_factor(&operator, account).await?;
    Ok(StatusCode::NO_CONTENT)
}
