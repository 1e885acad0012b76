//! Calendars, task lists, notes and address books as files, which an import takes.

use crate::Accounts;
use crate::imports::{Chosen, collection, find, wrong};
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_directory::SignedIn;
use penfold_ports::Rights;
use penfold_rest::{After, Body, Call, Listed, Paging, Params, Problem, Progress, TransferProblem, When, downloaded, transfers_page};
use penfold_transfers::{Holds, Order, Transfer};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A folder of one's own, or of a shared mailbox, as a file.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnExport {
    id: String,
    collection: String,
    /// Whose that is, where it is not one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    #[serde(flatten)]
    progress: Progress,
    /// How many objects the folder had when it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Until when it can be downloaded.
    #[serde(skip_serializing_if = "Option::is_none")]
    content_until: Option<When>,
}

impl OwnExport {
    fn of(transfer: &Transfer) -> Result<Self, Problem> {
        let Order::ExportObjects { folder, .. } = transfer.order else { return Err(Problem::not_found()) };
        let (id, collection) = (transfer.id.to_string(), folder.to_string());
        let content_until = transfer.content_until().map(When);
        let owner = transfer.order.visit().map(|visit| visit.of.clone());
        Ok(Self { id, collection, owner, progress: transfer.into(), total: transfer.total, content_until })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "collection": "01k8dm7cq9eu8ofcjalsubpos2" }))]
pub(crate) struct NewOwnExport {
    /// One of events, tasks, notes or contacts.
    collection: String,
    /// Whose it is, where it is not one's own: the address of a shared mailbox.
    owner: Option<String>,
}

/// One's own exports, the newest first.
#[utoipa::path(get, path = "/v1/me/exports", tag = "me", params(Paging), extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<OwnExport>)))]
pub(crate) async fn list(State(accounts): State<Accounts>, call: Call, paging: Paging) -> Result<axum::Json<Listed<OwnExport>>, Problem> {
    let own = call.person()?.0.account;
    let (page, next) = transfers_page(&accounts.transfers, (own.tenant, Some(own.principal)), &paging, false).await?;
    Ok(axum::Json(Listed::page(page.iter().map(OwnExport::of).collect::<Result<_, _>>()?, next)))
}

/// Orders an export of a calendar, a task list, notes or an address book: of one's own, or of a shared mailbox. It begins at once.
#[utoipa::path(post, path = "/v1/me/exports", tag = "me", request_body = NewOwnExport, extensions(("x-permission" = json!("session"))),
    responses((status = 202, body = OwnExport)))]
pub(crate) async fn order(State(accounts): State<Accounts>, call: Call, Body(new): Body<NewOwnExport>) -> Result<Response, Problem> {
    let tenant = call.person()?.0.account.tenant;
    let chosen = collection(&call, &accounts, &new.collection, new.owner.as_deref()).await?;
    if !chosen.whole || !chosen.rights.has(Rights::READ) {
        return Err(Problem::field("/collection", "one in which you may see everything: your own, or one of a shared mailbox"));
    }
    let about = chosen.about();
    let Chosen { folder, holds, mailbox, visit, .. } = chosen;
    let order = Order::ExportObjects { mailbox, folder: folder.id, holds, visit };
    let transfer = accounts.transfers.order(&call.operator()?, tenant, order, &about).await?;
    let location = [(header::LOCATION, format!("/v1/me/exports/{}", transfer.id))];
    Ok((StatusCode::ACCEPTED, location, axum::Json(OwnExport::of(&transfer)?)).into_response())
}

/// One export.
#[utoipa::path(get, path = "/v1/me/exports/{export}", tag = "me", extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = OwnExport)))]
pub(crate) async fn show(State(accounts): State<Accounts>, call: Call, path: Path<String>) -> Result<axum::Json<OwnExport>, Problem> {
    let transfer = find(&accounts, call.person()?.0, path, false).await?;
    accounts.transfers.nudge(&transfer).await?;
    Ok(axum::Json(OwnExport::of(&transfer)?))
}

/// What came out of another's mailbox is for whoever may still take it out: refused as an export that is not there.
async fn judge(call: &Call, who: &SignedIn, transfer: &Transfer) -> Result<(), Problem> {
    let Order::ExportObjects { mailbox, visit: Some(_), .. } = transfer.order else { return Ok(()) };
    let scope = call.directory().open_others(who, mailbox).await?;
    if scope.grounds().is_empty() { Ok(()) } else { Err(Problem::not_found()) }
}

/// Downloads it, whole or a range of it (RFC 9110 §14).
#[utoipa::path(get, path = "/v1/me/exports/{export}/content", tag = "me", extensions(("x-permission" = json!("session"))),
    responses((status = 200, content((String = "text/calendar"), (String = "text/vcard"))), (status = 206, content((String = "text/calendar"), (String = "text/vcard")))))]
pub(crate) async fn download(
    State(accounts): State<Accounts>,
    call: Call,
    path: Path<String>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let who = call.person()?.0;
    let transfer = find(&accounts, who, path, false).await?;
    judge(&call, who, &transfer).await?;
    let file = match transfer.order {
        Order::ExportObjects { holds: Holds::Cards, .. } => ("text/vcard; charset=utf-8", "contacts.vcf"),
        _ => ("text/calendar; charset=utf-8", "calendar.ics"),
    };
    downloaded(&accounts.transfers, &call, &transfer, &headers, file).await
}

/// What could not be written down.
#[utoipa::path(get, path = "/v1/me/exports/{export}/problems", tag = "me", params(After), extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<TransferProblem>)))]
pub(crate) async fn problems(
    State(accounts): State<Accounts>,
    call: Call,
    path: Path<String>,
    Params(after): Params<After>,
) -> Result<axum::Json<Listed<TransferProblem>>, Problem> {
    wrong(&accounts, &find(&accounts, call.person()?.0, path, false).await?, after).await
}

/// Stops an export.
#[utoipa::path(post, path = "/v1/me/exports/{export}/cancel", tag = "me", extensions(("x-permission" = json!("session"))),
    responses((status = 200, body = OwnExport)))]
pub(crate) async fn cancel(State(accounts): State<Accounts>, call: Call, path: Path<String>) -> Result<axum::Json<OwnExport>, Problem> {
    let transfer = find(&accounts, call.person()?.0, path, false).await?;
    Ok(axum::Json(OwnExport::of(&accounts.transfers.cancel(&call.operator()?, &transfer).await?)?))
}

/// Forgets an export that has ended, with its file.
#[utoipa::path(delete, path = "/v1/me/exports/{export}", tag = "me", extensions(("x-permission" = json!("session"))), responses((status = 204)))]
pub(crate) async fn remove(State(accounts): State<Accounts>, call: Call, path: Path<String>) -> Result<StatusCode, Problem> {
    let transfer = find(&accounts, call.person()?.0, path, false).await?;
    accounts.transfers.remove(&call.operator()?, &transfer).await?;
    Ok(StatusCode::NO_CONTENT)
}
