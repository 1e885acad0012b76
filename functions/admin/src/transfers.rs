//! What imports and exports have in common over HTTP.

use crate::Admin;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_rest::{After, Call, Listed, Paging, Problem, TransferProblem};
use penfold_transfers::{Order, Transfer, Transfers};
use penfold_types::CommitId;
use serde::Serialize;

/// The one of the path, where it is of this kind.
pub(crate) async fn find(
    call: &Call,
    transfers: &Transfers,
    Path((_, id)): Path<(String, String)>,
    import: bool,
) -> Result<Transfer, Problem> {
    let id: CommitId = id.parse().map_err(|_| Problem::not_found())?;
    Ok(transfers.find_of(call.tenant()?, None, id, import).await?)
}

/// Orders one, and says where it is.
pub(crate) async fn order<T: Serialize>(
    admin: &Admin,
    call: &Call,
    order: Order,
    about: &str,
    status: StatusCode,
    shown: impl FnOnce(&Transfer) -> Result<T, Problem>,
) -> Result<Response, Problem> {
    let (tenant, operator) = (call.tenant()?, call.operator()?);
    let place = if order.is_import() { "imports" } else { "exports" };
    let transfer = admin.transfers.order(&operator, tenant, order, about).await?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let location = format!("/v1/tenants/{tenant}/{place}/{}", transfer.id);
    Ok((status, [(header::LOCATION, location)], axum::Json(shown(&transfer)?)).into_response())
}

/// Stops one, and shows it as it is then.
pub(crate) async fn cancel<T: Serialize>(
    admin: &Admin,
    call: &Call,
    path: Path<(String, String)>,
    import: bool,
    shown: impl FnOnce(&Transfer) -> Result<T, Problem>,
) -> Result<Response, Problem> {
    let transfer = find(call, &admin.transfers, path, import).await?;
    let transfer = admin.transfers.cancel(&call.operator()?, &transfer).await?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(axum::Json(shown(&transfer)?).into_response())
}

pub(crate) async fn remove(admin: &Admin, call: &Call, path: Path<(String, String)>, import: bool) -> Result<StatusCode, Problem> {
    let transfer = find(call, &admin.transfers, path, import).await?;
    admin.transfers.remove(&call.operator()?, &transfer).await?;
    Ok(StatusCode::NO_CONTENT)
}

pub(crate) async fn problems(
    admin: &Admin,
    call: &Call,
    path: Path<(String, String)>,
    after: After,
    import: bool,
) -> Result<axum::Json<Listed<TransferProblem>>, Problem> {
    let transfer = find(call, &admin.transfers, path, import).await?;
    let after = Paging::new(None, after.cursor.as_deref())?.after;
    let (found, next) = admin.transfers.wrong(&transfer, after.as_deref()).await?;
    Ok(axum::Json(Listed::page(found.into_iter().map(TransferProblem::from).collect(), next)))
}
