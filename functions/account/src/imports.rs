//! Calendars, task lists, notes and address books from a file: ordered, uploaded, taken in object by object.

use crate::Accounts;
use axum::extract::{Path, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use penfold_directory::SignedIn;
use penfold_mailbox::{Folder, Kind, Mailbox};
use penfold_ports::Rights;
use penfold_rest::{After, Body, Call, Listed, Paging, Params, Problem, Progress, TransferProblem, transfers_page, uploaded};
use penfold_transfers::{Existing, Holds, Order, Transfer, Visit};
use penfold_types::{Address, CommitId, FolderId, Kind as Why, PrincipalId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A file that is taken into a folder of one's own, or into one that somebody opened.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OwnImport {
    id: String,
    collection: String,
    /// Whose that is, where it is not one's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<String>,
    existing: ExistingObjects,
    #[serde(flatten)]
    progress: Progress,
    /// How many objects the file has, once that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    total: Option<u64>,
    /// Octets of the file that are worked off.
    octets_done: u64,
}

/// What becomes of an object whose UID the folder has already. One that is the same to the octet is taken in, and nothing changes.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum ExistingObjects {
    /// It is replaced.
    #[default]
    Update,
    /// It stays, and that of the file is a problem.
    Refuse,
}

impl OwnImport {
    fn of(transfer: &Transfer) -> Result<Self, Problem> {
        let Order::ImportObjects { folder, existing, .. } = transfer.order else { return Err(Problem::not_found()) };
        let existing = if existing == Existing::Update { ExistingObjects::Update } else { ExistingObjects::Refuse };
        let (id, collection) = (transfer.id.to_string(), folder.to_string());
        let owner = transfer.order.visit().map(|visit| visit.of.clone());
        Ok(Self { id, collection, owner, existing, progress: transfer.into(), total: transfer.total, octets_done: transfer.read })
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "collection": "01k8dm7cq9eu8ofcjalsubpos2", "existing": "update" }))]
pub(crate) struct NewOwnImport {
    /// One of events, tasks, notes or contacts.
    collection: String,
    /// Whose it is, where it is not one's own: an address.
    owner: Option<String>,
    #[serde(default)]
    existing: ExistingObjects,
}

/// A folder whose content can be a file, and what that is.
pub(crate) struct Chosen {
    pub folder: Folder,
    pub holds: Holds,
    /// Whose it is.
    pub mailbox: PrincipalId,
    /// It is somebody else's.
    pub visit: Option<Visit>,
    pub rights: Rights,
    /// Nothing in it is hidden.
    pub whole: bool,
}

impl Chosen {
    /// What stands in the audit log.
    pub fn about(&self) -> String {
        let of = self.visit.as_ref().map(|visit| format!(" of {}", visit.of)).unwrap_or_default();
        format!("folder {}{of}", self.folder.id)
    }
}

/// A folder of one's own, or of `owner`, an address, in what that opened. What may not be looked up is not there.
pub(crate) async fn collection(call: &Call, accounts: &Accounts, id: &str, owner: Option<&str>) -> Result<Chosen, Problem> {
    let wrong = || Problem::field("/collection", "the id of a calendar, a task list, notes or an address book");
    let id: FolderId = id.parse().map_err(|_| wrong())?;
    let (mailbox, visit) = opened(call, accounts, owner).await?;
    let folder = match mailbox.folder(id).await {
        Err(error) if error.kind() == Why::NotFound => return Err(wrong()),
        folder => folder?,
    };
    let rights = mailbox.rights(&folder);
    let holds = match folder.kind {
        Kind::Events | Kind::Tasks | Kind::Notes => Holds::Calendar,
        Kind::Contacts => Holds::Cards,
        Kind::Mail | Kind::Files | Kind::Attachments => return Err(wrong()),
    };
    if !rights.has(Rights::LOOKUP) {
        return Err(wrong());
    }
    let whole = mailbox.scope().grounds().is_empty();
    Ok(Chosen { folder, holds, mailbox: mailbox.account().principal, visit, rights, whole })
}

/// One's own mailbox, or that of an address as far as it is open to oneself. Whoever looks into another's is noted.
pub(crate) async fn opened(call: &Call, accounts: &Accounts, owner: Option<&str>) -> Result<(Mailbox, Option<Visit>), Problem> {
    let (who, _) = call.person()?;
    let Some(owner) = owner else { return Ok((accounts.mailboxes.open(&who.scope).await?, None)) };
    let wrong = || Problem::field("/owner", "the address of a mailbox of which something is open to you");
    let address: Address = owner.parse().map_err(|_| wrong())?;
    if address.key() == who.address.key() {
        return Ok((accounts.mailboxes.open(&who.scope).await?, None));
    }
    let (owner, scope) = match call.directory().find_others(who, &address).await {
        Err(error) if error.kind() == Why::NotFound => return Err(wrong()),
        found => found?,
    };
    if !scope.grounds().is_empty() {
        // Once a day, as whoever looks in over DAV.
        call.directory().note_visit(who, owner).await?;
    }
    let visit = Visit { by: who.account.principal, of: address.to_string() };
    Ok((accounts.mailboxes.open(&scope).await?, Some(visit)))
}

/// One of one's own.
pub(crate) async fn find(accounts: &Accounts, who: &SignedIn, Path(id): Path<String>, import: bool) -> Result<Transfer, Problem> {
    let id: CommitId = id.parse().map_err(|_| Problem::not_found())?;
    let account = who.account;
    Ok(accounts.transfers.find_of(account.tenant, Some(account.principal), id, import).await?)
}

/// What could not be taken, a page at a time.
pub(crate) async fn wrong(accounts: &Accounts, transfer: &Transfer, after: After) -> Result<axum::Json<Listed<TransferProblem>>, Problem> {
    let after = Paging::new(None, after.cursor.as_deref())?.after;
    let (found, next) = accounts.transfers.wrong(transfer, after.as_deref()).await?;
    Ok(axum::Json(Listed::page(found.into_iter().map(TransferProblem::from).collect(), next)))
}

pub(crate) fn media(holds: Holds) -> &'static str {
    match holds {
        Holds::Calendar => "text/calendar",
        Holds::Cards => "text/vcard",
    }
}

/// One's own imports, the newest first.
#[utoipa::path(get, path = "/v1/me/imports", tag = "me", params(Paging), extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<OwnImport>)))]
pub(crate) async fn list(State(accounts): State<Accounts>, call: Call, paging: Paging) -> Result<axum::Json<Listed<OwnImport>>, Problem> {
    let own = call.person()?.0.account;
    let (page, next) = transfers_page(&accounts.transfers, (own.tenant, Some(own.principal)), &paging, true).await?;
    Ok(axum::Json(Listed::page(page.iter().map(OwnImport::of).collect::<Result<_, _>>()?, next)))
}

/// Orders an import into a calendar, a task list, notes or an address book: of one's own, or of somebody else where one may read it and put something in. It begins once its file was
/// uploaded to `content`.
#[utoipa::path(post, path = "/v1/me/imports", tag = "me", request_body = NewOwnImport, extensions(("x-permission" = json!("session"))),
    responses((status = 201, body = OwnImport)))]
pub(crate) async fn order(State(accounts): State<Accounts>, call: Call, Body(new): Body<NewOwnImport>) -> Result<Response, Problem> {
    let tenant = call.person()?.0.account.tenant;
    let chosen = collection(&call, &accounts, &new.collection, new.owner.as_deref()).await?;
    if chosen.folder.fed {
        return Err(Problem::field("/collection", "one that is not filled by a subscription"));
    }
    if !chosen.rights.has(Rights::READ.and(Rights::INSERT)) {
        return Err(Problem::field("/collection", "one that you may read, and put something into"));
    }
    let existing = if matches!(new.existing, ExistingObjects::Update) { Existing::Update } else { Existing::Refuse };
    let about = chosen.about();
    let Chosen { folder, holds, mailbox, visit, .. } = chosen;
    let order = Order::ImportObjects { mailbox, folder: folder.id, holds, existing, visit };
    let transfer = accounts.transfers.order(&call.operator()?, tenant, order, &about).await?;
    let location = [(header::LOCATION, format!("/v1/me/imports/{}", transfer.id))];
    Ok((StatusCode::CREATED, location, axum::Json(OwnImport::of(&transfer)?)).into_response())
}

/// One import.
#[utoipa::path(get, path = "/v1/me/imports/{import}", tag = "me", extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = OwnImport)))]
pub(crate) async fn show(State(accounts): State<Accounts>, call: Call, path: Path<String>) -> Result<axum::Json<OwnImport>, Problem> {
    let transfer = find(&accounts, call.person()?.0, path, true).await?;
    accounts.transfers.nudge(&transfer).await?;
    Ok(axum::Json(OwnImport::of(&transfer)?))
}

/// Uploads the file, at most 64 MiB: iCalendar (RFC 5545) for events, tasks and notes, vCards (RFC 6350, and 2.1) for contacts. What the folder does not hold, and what is
/// wrong, is left out and told as a problem; components without UID get one.
#[utoipa::path(put, path = "/v1/me/imports/{import}/content", tag = "me",
    request_body(content((String = "text/calendar"), (String = "text/vcard"))), extensions(("x-permission" = json!("session"))),
    responses((status = 202, body = OwnImport)))]
pub(crate) async fn upload(
    State(accounts): State<Accounts>,
    call: Call,
    path: Path<String>,
    request: Request,
) -> Result<Response, Problem> {
    let transfer = find(&accounts, call.person()?.0, path, true).await?;
    let Order::ImportObjects { holds, .. } = transfer.order else { return Err(Problem::not_found()) };
    let transfer = uploaded(&accounts.transfers, &call, &transfer, media(holds), request).await?;
    Ok((StatusCode::ACCEPTED, axum::Json(OwnImport::of(&transfer)?)).into_response())
}

/// What could not be taken in, with the lines of the file.
#[utoipa::path(get, path = "/v1/me/imports/{import}/problems", tag = "me", params(After), extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<TransferProblem>)))]
pub(crate) async fn problems(
    State(accounts): State<Accounts>,
    call: Call,
    path: Path<String>,
    Params(after): Params<After>,
) -> Result<axum::Json<Listed<TransferProblem>>, Problem> {
    wrong(&accounts, &find(&accounts, call.person()?.0, path, true).await?, after).await
}

/// Stops an import; what was taken in stays.
#[utoipa::path(post, path = "/v1/me/imports/{import}/cancel", tag = "me", extensions(("x-permission" = json!("session"))),
    responses((status = 200, body = OwnImport)))]
pub(crate) async fn cancel(State(accounts): State<Accounts>, call: Call, path: Path<String>) -> Result<axum::Json<OwnImport>, Problem> {
    let transfer = find(&accounts, call.person()?.0, path, true).await?;
    Ok(axum::Json(OwnImport::of(&accounts.transfers.cancel(&call.operator()?, &transfer).await?)?))
}

/// Forgets an import that has ended, with its problems.
#[utoipa::path(delete, path = "/v1/me/imports/{import}", tag = "me", extensions(("x-permission" = json!("session"))), responses((status = 204)))]
pub(crate) async fn remove(State(accounts): State<Accounts>, call: Call, path: Path<String>) -> Result<StatusCode, Problem> {
    let transfer = find(&accounts, call.person()?.0, path, true).await?;
    accounts.transfers.remove(&call.operator()?, &transfer).await?;
    Ok(StatusCode::NO_CONTENT)
}
