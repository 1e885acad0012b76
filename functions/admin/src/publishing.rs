//! What people may publish, and what they did publish.

use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::{Publishing, Shows};
use penfold_ports::Account;
use penfold_rest::{Body, Call, IfMatch, LinkView, Listed, Problem, ShowsView, tagged};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What links show at most, those that are there as well.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "most": "titles" }))]
#[schema(as = Publishing)]
pub(crate) struct PublishingView {
    /// `null`: nothing, links open nothing.
    #[serde(deserialize_with = "Option::deserialize")]
    most: Option<ShowsView>,
}

fn view(publishing: Publishing) -> Response {
    tagged(publishing.revision, PublishingView { most: publishing.most.map(ShowsView::from) })
}

/// What people may publish at most; everything where nobody said otherwise.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/publishing", tag = "publishing", extensions(("x-permission" = json!("tenant-read"))),
    responses((status = 200, body = PublishingView)))]
pub(crate) async fn show(call: Call) -> Result<Response, Problem> {
    Ok(view(call.directory().publishing(call.tenant()?).await?))
}

/// Says what people may publish at most.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/publishing", tag = "publishing", request_body = PublishingView,
    extensions(("x-permission" = json!("tenant-write"))), responses((status = 200, body = PublishingView)))]
pub(crate) async fn set(call: Call, wanted: IfMatch, Body(new): Body<PublishingView>) -> Result<Response, Problem> {
    let tenant = call.tenant()?;
    let expected = wanted.judge(call.directory().publishing(tenant).await?.revision)?;
    let operator = call.operator()?.expecting(expected);
    let set = operator.set_publishing(tenant, new.most.map(Shows::from)).await.map_err(|error| wanted.explain(error))?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(view(set))
}

/// The links of a person, the oldest first, without what would open them.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}/links", tag = "publishing",
    extensions(("x-permission" = json!("rights-read"))), responses((status = 200, body = Listed<LinkView>)))]
pub(crate) async fn links(call: Call) -> Result<axum::Json<Listed<LinkView>>, Problem> {
    let all = call.directory().links(Account { tenant: call.tenant()?, principal: call.subject()? }).await?;
    Ok(axum::Json(Listed::whole(all.into_iter().map(LinkView::of).collect())))
}

/// Takes a link of a person back: from then on it opens nothing.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/people/{person}/links/{link}", tag = "publishing",
    extensions(("x-permission" = json!("rights-write"))), responses((status = 204)))]
pub(crate) async fn remove(call: Call, Path((_, _, link)): Path<(String, String, String)>) -> Result<StatusCode, Problem> {
    let id = link.parse().map_err(|_| Problem::not_found())?;
    call.operator()?.remove_link(call.tenant()?, call.subject()?, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
