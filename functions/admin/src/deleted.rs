use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::{Deleted as Info, Permission, PrincipalKind, Reach};
use penfold_rest::{Call, Listed, Problem, When};
use serde::Serialize;
use utoipa::ToSchema;

/// A person or shared mailbox that was deleted and can be restored.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Deleted {
    id: String,
    kind: DeletedKind,
    address: String,
    name: String,
    deleted: When,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum DeletedKind {
    Person,
    SharedMailbox,
}

impl From<Info> for Deleted {
    fn from(info: Info) -> Self {
        let kind = if info.kind == PrincipalKind::Person { DeletedKind::Person } else { DeletedKind::SharedMailbox };
        Self { id: info.id.to_string(), kind, address: info.address.to_string(), name: info.name, deleted: When(info.deleted) }
    }
}

/// Who was deleted and not destroyed yet, the oldest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/deleted", tag = "deleted", extensions(("x-permission" = json!("person-read"))),
    responses((status = 200, body = Listed<Deleted>)))]
pub(crate) async fn list(call: Call) -> Result<axum::Json<Listed<Deleted>>, Problem> {
    everybody(&call)?;
    let all = call.operator()?.deleted(call.tenant()?).await?;
    Ok(axum::Json(Listed::whole(all.into_iter().map(Deleted::from).collect())))
}

/// Brings somebody back: under the same id, with the mailbox as it was. Passwords and roles are given anew.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/deleted/{deleted}/restore", tag = "deleted",
    extensions(("x-permission" = json!("person-write"))), responses((status = 204)))]
pub(crate) async fn restore(call: Call, Path((_, id)): Path<(String, String)>) -> Result<Response, Problem> {
    everybody(&call)?;
    call.operator()?.restore(call.tenant()?, id.parse().map_err(|_| Problem::not_found())?).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// A role for a part of the tenant does not reach those who are in no part of it any more.
fn everybody(call: &Call) -> Result<(), Problem> {
    match call.reach() {
        Reach::Everybody => Ok(()),
        Reach::Only(_) => {
            Err(Problem::new(StatusCode::FORBIDDEN, format!("This needs {:?} for the whole tenant.", Permission::PersonWrite)))
        }
    }
}
