use crate::text;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::{PrincipalKind, Use};
use penfold_rest::{AppPasswordView, Body, Call, Listed, NewAppPassword, Problem, created};
use penfold_types::Address;

async fn owner(call: &Call) -> Result<Address, Problem> {
    Ok(call.operator()?.address_of(call.tenant()?, call.subject()?, PrincipalKind::Person).await?)
}

/// App passwords of a person, without their text.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}/app-passwords", tag = "app passwords",
    extensions(("x-permission" = json!("app-password-read"))), responses((status = 200, body = Listed<AppPasswordView>)))]
pub(crate) async fn list(call: Call) -> Result<axum::Json<Listed<AppPasswordView>>, Problem> {
    let all = call.operator()?.app_passwords(&owner(&call).await?).await?;
    Ok(axum::Json(Listed::whole(all.into_iter().map(|one| AppPasswordView::of(one, None)).collect())))
}

/// Makes an app password. Its text is in this answer and nowhere else.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/people/{person}/app-passwords", tag = "app passwords", request_body = NewAppPassword,
    extensions(("x-permission" = json!("app-password-write"))), responses((status = 201, body = AppPasswordView)))]
pub(crate) async fn create(call: Call, Body(new): Body<NewAppPassword>) -> Result<Response, Problem> {
    let address = owner(&call).await?;
    text::name("/name", &new.name)?;
    let opens: Vec<Use> = new.opens.into_iter().map(Use::from).collect();
    let (made, text) = call.operator()?.create_app_password(&address, &new.name, &opens).await?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let place = format!("/v1/tenants/{}/people/{}/app-passwords/{}", call.tenant()?, call.subject()?, made.id);
    Ok(created(&place, 1, AppPasswordView::of(made, Some(text))))
}

/// Takes an app password back: it opens nothing any more.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/people/{person}/app-passwords/{app_password}", tag = "app passwords",
    extensions(("x-permission" = json!("app-password-write"))), responses((status = 204)))]
pub(crate) async fn remove(call: Call, Path((_, _, id)): Path<(String, String, String)>) -> Result<StatusCode, Problem> {
    let (operator, address) = (call.operator()?, owner(&call).await?);
    if !operator.app_passwords(&address).await?.iter().any(|one| one.id == id) {
        return Err(Problem::not_found());
    }
    operator.remove_app_password(&address, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
