//! What imports and exports have in common over HTTP.

use crate::Admin;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_rest::{Call, Listed, Paging, Problem, When};
use penfold_transfers::{Order, State, Transfer, Transfers, Wrong};
use penfold_types::{CommitId, TenantId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TransferState {
    /// Its content is still to come.
    Uploading,
    /// It will begin.
    Waiting,
    Running,
    Done,
    /// It could not be carried on; what was done stays.
    Failed,
    /// Somebody stopped it; what was done stays.
    Cancelled,
}

impl From<State> for TransferState {
    fn from(state: State) -> Self {
        match state {
            State::Uploading => Self::Uploading,
            State::Waiting => Self::Waiting,
            State::Running => Self::Running,
            State::Done => Self::Done,
            State::Failed => Self::Failed,
            State::Cancelled => Self::Cancelled,
        }
    }
}

/// What was wrong with one row, or one message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TransferProblem {
    /// The line of the file, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    column: Option<String>,
    /// What is wrong, and what would be taken.
    detail: String,
}

impl From<Wrong> for TransferProblem {
    fn from(wrong: Wrong) -> Self {
        Self { line: Some(wrong.line).filter(|line| *line > 0), column: wrong.column, detail: wrong.detail }
    }
}

/// How far it came.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Progress {
    state: TransferState,
    created_by: String,
    created: When,
    #[serde(skip_serializing_if = "Option::is_none")]
    began: Option<When>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ended: Option<When>,
    /// Why it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// Octets of its content so far.
    octets: u64,
    /// What was done: people, or messages.
    done: u64,
    /// What could not be done.
    failed: u64,
}

impl From<&Transfer> for Progress {
    fn from(transfer: &Transfer) -> Self {
        Self {
            state: transfer.state.into(),
            created_by: transfer.by.clone(),
            created: When(transfer.created),
            began: transfer.began.map(When),
            ended: transfer.ended.map(When),
            reason: transfer.why.clone(),
            octets: transfer.octets,
            done: transfer.done,
            failed: transfer.failed,
        }
    }
}

/// A page of what was wrong. It holds what one step found, so pages differ in length.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct After {
    /// From the page before.
    pub cursor: Option<String>,
}

/// The one of the path, where it is of this kind.
pub(crate) async fn find(
    call: &Call,
    transfers: &Transfers,
    Path((_, id)): Path<(String, String)>,
    import: bool,
) -> Result<Transfer, Problem> {
    let id: CommitId = id.parse().map_err(|_| Problem::not_found())?;
    let found = transfers.find(call.tenant()?, id).await?;
    if found.order.is_import() == import { Ok(found) } else { Err(Problem::not_found()) }
}

/// Those of one kind, the newest first, and where the next page begins.
pub(crate) async fn page(
    transfers: &Transfers,
    tenant: TenantId,
    paging: &Paging,
    imports: bool,
) -> Result<(Vec<Transfer>, Option<String>), Problem> {
    let wrong = || Problem::field("cursor", "this is no cursor of this list; begin without one");
    let before: Option<CommitId> = paging.after_text()?.map(|text| text.parse().map_err(|_| wrong())).transpose()?;
    let mut all = transfers.all(tenant).await?;
    all.retain(|one| one.order.is_import() == imports && before.is_none_or(|before| one.id < before));
    all.reverse();
    let more = all.len() > paging.limit;
    all.truncate(paging.limit);
    let next = all.last().filter(|_| more).map(|one| one.id.to_string());
    Ok((all, next))
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
