//! Links by which one's calendars are read without signing in (`/published/`).

use crate::Accounts;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use penfold_directory::{Link, NewLink as New, SignedIn};
use penfold_mailbox::Kind;
use penfold_rest::{Body, Call, LinkView, Listed, Problem, ShowsView, created};
use penfold_types::{FolderId, Kind as Why};
use serde::Deserialize;
use utoipa::ToSchema;

#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "collection": "01k8dm7cq9eu8ofcjalsubpos2", "name": "for the club", "shows": "titles" }))]
pub(crate) struct NewLink {
    /// One of one's own that holds events, tasks or notes.
    collection: String,
    /// For whom it is; 1 to 200 octets.
    name: String,
    shows: ShowsView,
}

/// One's own, the oldest first, with their URLs.
#[utoipa::path(get, path = "/v1/me/links", tag = "me", extensions(("x-permission" = json!("session"))),
    responses((status = 200, body = Listed<LinkView>)))]
pub(crate) async fn list(State(accounts): State<Accounts>, call: Call) -> Result<axum::Json<Listed<LinkView>>, Problem> {
    let (who, _) = call.person()?;
    let service = call.directory().service().await?;
    let (open, _) = by_what_they_open(&accounts, &call, who).await?;
    Ok(axum::Json(Listed::whole(open.into_iter().map(|link| LinkView::with_url(link, service.as_ref())).collect())))
}

/// Those whose folder is there, and those whose folder was deleted.
async fn by_what_they_open(accounts: &Accounts, call: &Call, who: &SignedIn) -> Result<(Vec<Link>, Vec<Link>), Problem> {
    let all = call.directory().links(who.account).await?;
    if all.is_empty() {
        return Ok((all, Vec::new()));
    }
    let folders = accounts.mailboxes.open(&who.scope).await?.folders().await?;
    Ok(all.into_iter().partition(|link| folders.get(link.folder).is_some()))
}

/// Makes a link to a calendar: 50 at most. What it shows is never more than the organisation lets its people publish.
#[utoipa::path(post, path = "/v1/me/links", tag = "me", request_body = NewLink, extensions(("x-permission" = json!("session"))),
    responses((status = 201, body = LinkView)))]
pub(crate) async fn create(State(accounts): State<Accounts>, call: Call, Body(new): Body<NewLink>) -> Result<Response, Problem> {
    let (who, _) = call.person()?;
    penfold_directory::check_name(&new.name).map_err(|error| Problem::field("/name", error.text()))?;
    let wrong = || Problem::field("/collection", "the id of a calendar, a task list or notes of one's own");
    let folder: FolderId = new.collection.parse().map_err(|_| wrong())?;
    let found = match accounts.mailboxes.open(&who.scope).await?.folder(folder).await {
        Err(error) if error.kind() == Why::NotFound => return Err(wrong()),
        found => found?,
    };
    if !matches!(found.kind, Kind::Events | Kind::Tasks | Kind::Notes) {
        return Err(wrong());
    }
    // What opens nothing any more does not count.
    for gone in by_what_they_open(&accounts, &call, who).await?.1 {
        match call.operator()?.remove_link(who.account.tenant, who.account.principal, gone.id).await {
            // Another request was faster.
            Err(error) if error.kind() == Why::NotFound => {}
            removed => removed?,
        }
    }
    let new = New { folder, name: new.name, shows: new.shows.into() };
    let link = call.operator()?.make_link(who.account, &new).await?;
    let place = format!("/v1/me/links/{}", link.id);
    Ok(created(&place, 1, LinkView::with_url(link, call.directory().service().await?.as_ref())))
}

/// Takes a link back: from then on it opens nothing.
#[utoipa::path(delete, path = "/v1/me/links/{link}", tag = "me", extensions(("x-permission" = json!("session"))),
    responses((status = 204)))]
pub(crate) async fn remove(call: Call, Path(link): Path<String>) -> Result<StatusCode, Problem> {
    let (who, _) = call.person()?;
    let id = link.parse().map_err(|_| Problem::not_found())?;
    call.operator()?.remove_link(who.account.tenant, who.account.principal, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
