//! What a tenant has, as files: people, or all that is in a mailbox.

use crate::Admin;
use crate::transfers::find;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use penfold_directory::Permission;
use penfold_rest::{After, Body, Call, Listed, Paging, Params, Problem, Progress, TransferProblem, When, downloaded, transfers_page};
use penfold_transfers::{Order, Transfer};
use penfold_types::PrincipalId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A file of what is there.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Export {
    id: String,
    kind: ExportKind,
    /// Whose mail.
    #[serde(skip_serializing_if = "Option::is_none")]
    mailbox: Option<String>,
    #[serde(flatten)]
    progress: Progress,
    /// How many messages there were at the last look.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Until when it can be downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_until: Option<When>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExportKind {
    /// All people, as a CSV file that an import takes.
    People,
    /// All of one mailbox, as a tar archive: its messages as a Maildir, and calendars, tasks, notes, contacts and files beside them.
    Mailbox,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "kind": "people" }))]
pub(crate) struct NewExport {
    kind: ExportKind,
    /// The id of the person or shared mailbox, where the kind is `mailbox`.
    mailbox: Option<String>,
}

impl Export {
    fn of(transfer: &Transfer) -> Result<Self, Problem> {
        let (kind, mailbox) = match transfer.order {
            Order::ExportPeople => (ExportKind::People, None),
            Order::ExportMailbox { mailbox } => (ExportKind::Mailbox, Some(mailbox.to_string())),
            _ => return Err(Problem::not_found()),
        };
        let (id, content_until) = (transfer.id.to_string(), transfer.content_until().map(When));
        Ok(Self { id, kind, mailbox, progress: transfer.into(), total: transfer.total, content_until })
    }
}

/// Exports, the newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/exports", tag = "exports", params(Paging), extensions(("x-permission" = json!("export-read"))),
    responses((status = 200, body = Listed<Export>)))]
pub(crate) async fn list(State(admin): State<Admin>, call: Call, paging: Paging) -> Result<axum::Json<Listed<Export>>, Problem> {
    let (page, next) = transfers_page(&admin.transfers, (call.tenant()?, None), &paging, false).await?;
    let items = page.iter().map(Export::of).collect::<Result<_, _>>()?;
    Ok(axum::Json(Listed::page(items, next)))
}

/// Orders an export. It begins at once; a mailbox needs the right to what is in it, and stands in the audit log.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/exports", tag = "exports", request_body = NewExport,
    extensions(("x-permission" = json!("export-write"))), responses((status = 202, body = Export)))]
pub(crate) async fn order(State(admin): State<Admin>, call: Call, Body(new): Body<NewExport>) -> Result<Response, Problem> {
    let (order, about) = match (new.kind, &new.mailbox) {
        (ExportKind::People, None) => (Order::ExportPeople, "people".to_owned()),
        (ExportKind::People, Some(_)) => return Err(Problem::field("/mailbox", "an export of people has none")),
        (ExportKind::Mailbox, None) => return Err(Problem::field("/mailbox", "the id of a person or shared mailbox")),
        (ExportKind::Mailbox, Some(id)) => {
            call.also(Permission::ContentWrite)?;
            let unknown = || Problem::field("/mailbox", "there is no such person or shared mailbox");
            let mailbox: PrincipalId = id.parse().map_err(|_| unknown())?;
            let address = call.operator()?.mailbox_address(call.tenant()?, mailbox).await.map_err(|_| unknown())?;
            (Order::ExportMailbox { mailbox }, format!("mailbox {address}"))
        }
    };
    crate::transfers::order(&admin, &call, order, &about, StatusCode::ACCEPTED, Export::of).await
}

/// One export.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/exports/{export}", tag = "exports", extensions(("x-permission" = json!("export-read"))),
    responses((status = 200, body = Export)))]
pub(crate) async fn show(State(admin): State<Admin>, call: Call, path: Path<(String, String)>) -> Result<axum::Json<Export>, Problem> {
    let transfer = find(&call, &admin.transfers, path, false).await?;
    admin.transfers.nudge(&transfer).await?;
    Ok(axum::Json(Export::of(&transfer)?))
}

/// Downloads it, whole or a range of it (RFC 9110 §14). Each download stands in the audit log.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/exports/{export}/content", tag = "exports", extensions(("x-permission" = json!("export-write"))),
    responses((status = 200, content((String = "text/csv"), (Vec<u8> = "application/x-tar"))), (status = 206, content((String = "text/csv"), (Vec<u8> = "application/x-tar")))))]
pub(crate) async fn download(
    State(admin): State<Admin>,
    call: Call,
    path: Path<(String, String)>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let transfer = find(&call, &admin.transfers, path, false).await?;
    let mailbox = matches!(transfer.order, Order::ExportMailbox { .. });
    if mailbox {
        call.also(Permission::ContentWrite)?;
    }
    let file = if mailbox { ("application/x-tar", "mailbox.tar") } else { ("text/csv; charset=utf-8", "people.csv") };
    downloaded(&admin.transfers, &call, &transfer, &headers, file).await
}

/// Messages that could not be taken out.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/exports/{export}/problems", tag = "exports", params(After),
    extensions(("x-permission" = json!("export-read"))), responses((status = 200, body = Listed<TransferProblem>)))]
pub(crate) async fn problems(
    State(admin): State<Admin>,
    call: Call,
    path: Path<(String, String)>,
    Params(after): Params<After>,
) -> Result<axum::Json<Listed<TransferProblem>>, Problem> {
    crate::transfers::problems(&admin, &call, path, after, false).await
}

/// Stops an export.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/exports/{export}/cancel", tag = "exports", extensions(("x-permission" = json!("export-write"))),
    responses((status = 200, body = Export)))]
pub(crate) async fn cancel(State(admin): State<Admin>, call: Call, path: Path<(String, String)>) -> Result<Response, Problem> {
    crate::transfers::cancel(&admin, &call, path, false, Export::of).await
}

/// Forgets an export that has ended, with its file. Who ordered and downloaded it stays in the audit log.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/exports/{export}", tag = "exports", extensions(("x-permission" = json!("export-write"))),
    responses((status = 204)))]
pub(crate) async fn remove(State(admin): State<Admin>, call: Call, path: Path<(String, String)>) -> Result<StatusCode, Problem> {
    crate::transfers::remove(&admin, &call, path, false).await
}
