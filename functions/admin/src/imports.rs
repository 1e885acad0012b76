//! People from a file: ordered, uploaded, taken in row by row.

use crate::Admin;
use crate::transfers::find;
use axum::extract::{Path, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_rest::{
    After, Body, Call, Listed, Paging, Params, Problem, Progress, TransferProblem, more, of_media, refused, transfers_page, uploaded,
};
use penfold_transfers::{Existing, LOOKED_AT, Layout, Order, Transfer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// People that are taken in from a CSV file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Import {
    id: String,
    existing: ExistingPeople,
    rehearse: bool,
    #[serde(flatten)]
    progress: Progress,
    /// Octets of the file that are worked off.
    octets_done: u64,
}

/// What becomes of a row about somebody who is there.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExistingPeople {
    /// The row is a problem.
    #[default]
    Refuse,
    /// They become what the row says; passwords and people with roles are left alone.
    Update,
}

impl Import {
    fn of(transfer: &Transfer) -> Result<Self, Problem> {
        let Order::ImportPeople { existing, rehearse } = transfer.order else { return Err(Problem::not_found()) };
        let existing = if existing == Existing::Update { ExistingPeople::Update } else { ExistingPeople::Refuse };
        Ok(Self { id: transfer.id.to_string(), existing, rehearse, progress: transfer.into(), octets_done: transfer.read })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "existing": "update", "rehearse": true }))]
pub(crate) struct NewImport {
    #[serde(default)]
    existing: ExistingPeople,
    /// Judge every row, and change nothing.
    #[serde(default)]
    rehearse: bool,
}

/// Imports, the newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/imports", tag = "imports", params(Paging), extensions(("x-permission" = json!("import-read"))),
    responses((status = 200, body = Listed<Import>)))]
pub(crate) async fn list(State(admin): State<Admin>, call: Call, paging: Paging) -> Result<axum::Json<Listed<Import>>, Problem> {
    let (page, next) = transfers_page(&admin.transfers, (call.tenant()?, None), &paging, true).await?;
    let items = page.iter().map(Import::of).collect::<Result<_, _>>()?;
    Ok(axum::Json(Listed::page(items, next)))
}

/// Orders an import of people. It begins once its file was uploaded to `content`.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/imports", tag = "imports", request_body = NewImport,
    extensions(("x-permission" = json!("import-write"))), responses((status = 201, body = Import)))]
pub(crate) async fn order(State(admin): State<Admin>, call: Call, Body(new): Body<NewImport>) -> Result<Response, Problem> {
    let existing = if matches!(new.existing, ExistingPeople::Update) { Existing::Update } else { Existing::Refuse };
    let order = Order::ImportPeople { existing, rehearse: new.rehearse };
    crate::transfers::order(&admin, &call, order, "people", StatusCode::CREATED, Import::of).await
}

/// One import.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/imports/{import}", tag = "imports", extensions(("x-permission" = json!("import-read"))),
    responses((status = 200, body = Import)))]
pub(crate) async fn show(State(admin): State<Admin>, call: Call, path: Path<(String, String)>) -> Result<axum::Json<Import>, Problem> {
    let transfer = find(&call, &admin.transfers, path, true).await?;
    admin.transfers.nudge(&transfer).await?;
    Ok(axum::Json(Import::of(&transfer)?))
}

/// Uploads the file, at most 64 MiB: CSV (RFC 4180) in UTF-8, with commas, semicolons or tabs. Its first line names the columns: `address`, and as wanted `name`,
/// `password`, `quota`, `status`, `aliases` (with spaces in between), `sent_copy`, `recovery_address`, and the attributes of a person but their manager. An empty cell says
/// nothing.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/imports/{import}/content", tag = "imports",
    request_body(content = String, content_type = "text/csv", example = "address,name\r\nnew.person@example.test,New Person\r\n"),
    extensions(("x-permission" = json!("import-write"))), responses((status = 202, body = Import)))]
pub(crate) async fn upload(
    State(admin): State<Admin>,
    call: Call,
    path: Path<(String, String)>,
    request: Request,
) -> Result<Response, Problem> {
    of_media(&request, "text/csv")?;
    let transfer = find(&call, &admin.transfers, path, true).await?;
    if call.dry_run {
        let (mut body, mut begin) = (request.into_body(), Vec::new());
        while let Some(bytes) = more(&mut body).await?
            && begin.len() < LOOKED_AT
        {
            begin.extend_from_slice(&bytes);
        }
        Layout::of(&begin).map_err(refused)?;
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let transfer = uploaded(&admin.transfers, &call, &transfer, "text/csv", request).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(Import::of(&transfer)?)).into_response())
}

/// Rows that could not be taken in, by line.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/imports/{import}/problems", tag = "imports", params(After),
    extensions(("x-permission" = json!("import-read"))), responses((status = 200, body = Listed<TransferProblem>)))]
pub(crate) async fn problems(
    State(admin): State<Admin>,
    call: Call,
    path: Path<(String, String)>,
    Params(after): Params<After>,
) -> Result<axum::Json<Listed<TransferProblem>>, Problem> {
    crate::transfers::problems(&admin, &call, path, after, true).await
}

/// Stops an import; the rows that were taken in stay.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/imports/{import}/cancel", tag = "imports", extensions(("x-permission" = json!("import-write"))),
    responses((status = 200, body = Import)))]
pub(crate) async fn cancel(State(admin): State<Admin>, call: Call, path: Path<(String, String)>) -> Result<Response, Problem> {
    crate::transfers::cancel(&admin, &call, path, true, Import::of).await
}

/// Forgets an import that has ended, with its problems. Who ordered it stays in the audit log.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/imports/{import}", tag = "imports", extensions(("x-permission" = json!("import-write"))),
    responses((status = 204)))]
pub(crate) async fn remove(State(admin): State<Admin>, call: Call, path: Path<(String, String)>) -> Result<StatusCode, Problem> {
    crate::transfers::remove(&admin, &call, path, true).await
}
