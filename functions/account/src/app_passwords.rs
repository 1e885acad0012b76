use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::Response;
use penfold_directory::Use;
use penfold_rest::{AppPasswordView, Body, Call, Listed, NewAppPassword, Problem, created};

/// The person's app passwords, without their text.
#[utoipa::path(get, path = "/v1/me/app-passwords", tag = "me", extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<AppPasswordView>)))]
pub(crate) async fn list(call: Call) -> Result<axum::Json<Listed<AppPasswordView>>, Problem> {
    let (who, _) = call.person()?;
    let all = call.operator()?.app_passwords(&who.address).await?;
    Ok(axum::Json(Listed::whole(all.into_iter().map(|one| AppPasswordView::of(one, None)).collect())))
}

/// Makes one. Its text is in this answer and nowhere else.
#[utoipa::path(post, path = "/v1/me/app-passwords", tag = "me", request_body = NewAppPassword,
    extensions(("x-permission" = json!("session"))), responses((status = 201, body = AppPasswordView)))]
pub(crate) async fn create(call: Call, Body(new): Body<NewAppPassword>) -> Result<Response, Problem> {
    let (who, _) = call.person()?;
    penfold_directory::check_name(&new.name).map_err(|error| Problem::field("/name", error.text()))?;
    let opens: Vec<Use> = new.opens.into_iter().map(Use::from).collect();
    let (made, text) = call.operator()?.create_app_password(&who.address, &new.name, &opens).await?;
    let place = format!("/v1/me/app-passwords/{}", made.id);
    Ok(created(&place, 1, AppPasswordView::of(made, Some(text))))
}

/// Takes one back.
#[utoipa::path(delete, path = "/v1/me/app-passwords/{app_password}", tag = "me", extensions(("x-permission" = json!("session"))),
    responses((status = 204)))]
pub(crate) async fn remove(call: Call, Path(id): Path<String>) -> Result<StatusCode, Problem> {
    let (who, _) = call.person()?;
    let operator = call.operator()?;
    if !operator.app_passwords(&who.address).await?.iter().any(|one| one.id == id) {
        return Err(Problem::not_found());
    }
    operator.remove_app_password(&who.address, &id).await?;
    Ok(StatusCode::NO_CONTENT)
}
