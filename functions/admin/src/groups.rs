use crate::text;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::{GroupChange as Change, GroupInfo, NewGroup as New, PostPolicy, PrincipalKind};
use penfold_rest::{Body, Call, IfMatch, Listed, Paging, Problem, When, created, tagged};
use penfold_types::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A distribution group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    id: String,
    address: String,
    name: String,
    who_may_post: Posting,
    /// Those who may post where that is by name; only where one group is shown.
    posters: Vec<String>,
    created: When,
    revision: u64,
}

/// Who may write to a group.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Posting {
    Anyone,
    /// Every address of the tenant.
    Inside,
    Members,
    /// Those who are named.
    Named,
}

impl From<PostPolicy> for Posting {
    fn from(policy: PostPolicy) -> Self {
        match policy {
            PostPolicy::Anyone => Self::Anyone,
            PostPolicy::Inside => Self::Inside,
            PostPolicy::Members => Self::Members,
            PostPolicy::Named => Self::Named,
        }
    }
}

impl From<Posting> for PostPolicy {
    fn from(posting: Posting) -> Self {
        match posting {
            Posting::Anyone => Self::Anyone,
            Posting::Inside => Self::Inside,
            Posting::Members => Self::Members,
            Posting::Named => Self::Named,
        }
    }
}

impl From<GroupInfo> for Group {
    fn from(info: GroupInfo) -> Self {
        Self {
            id: info.id.to_string(),
            address: info.address.to_string(),
            name: info.name,
            who_may_post: info.who_may_post.into(),
            posters: info.posters.iter().map(Address::to_string).collect(),
            created: When(info.created),
            revision: info.revision,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "address": "everybody@example.test", "name": "Everybody", "who_may_post": "inside" }))]
pub(crate) struct NewGroup {
    address: String,
    name: String,
    /// `inside` where it is absent.
    who_may_post: Option<Posting>,
}

/// What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "All of us", "who_may_post": "named", "add_posters": ["ann@example.test"] }))]
pub(crate) struct GroupChange {
    name: Option<String>,
    who_may_post: Option<Posting>,
    #[serde(default)]
    add_posters: Vec<String>,
    #[serde(default)]
    remove_posters: Vec<String>,
}

/// Groups, by address.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups", tag = "groups", params(Paging), extensions(("x-permission" = json!("group-read"))),
    responses((status = 200, body = Listed<Group>)))]
pub(crate) async fn list(call: Call, paging: Paging) -> Result<axum::Json<Listed<Group>>, Problem> {
    let tenant = call.tenant()?;
    let page = call.operator()?.groups(tenant, paging.after_text()?, paging.limit).await?;
    let ids: Vec<_> = page.items.iter().map(|group| group.id).collect();
    let within = call.directory().within(call.reach(), tenant, &ids).await?;
    let items = page.items.into_iter().filter(|group| within.contains(&group.id)).map(Group::from).collect();
    Ok(axum::Json(Listed::page(items, page.next)))
}

/// Makes a group without members.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups", tag = "groups", request_body = NewGroup,
    extensions(("x-permission" = json!("group-write"))), responses((status = 201, body = Group)))]
pub(crate) async fn create(call: Call, Body(new): Body<NewGroup>) -> Result<Response, Problem> {
    let address = text::address("/address", &new.address)?;
    call.allow_new(&address)?;
    let (tenant, operator) = (call.tenant()?, call.operator()?);
    operator.address_domain(tenant, address.domain()).await?;
    text::name("/name", &new.name)?;
    let who_may_post = new.who_may_post.map(PostPolicy::from).unwrap_or_default();
    operator.create_group(&New { address: address.clone(), name: new.name, who_may_post }).await?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let group = operator.group(&address).await?;
    Ok(created(&format!("/v1/tenants/{tenant}/groups/{}", group.id), group.revision, Group::from(group)))
}

async fn find(call: &Call) -> Result<GroupInfo, Problem> {
    let address = call.operator()?.address_of(call.tenant()?, call.subject()?, PrincipalKind::Group).await?;
    Ok(call.operator()?.group(&address).await?)
}

/// One group.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}", tag = "groups", extensions(("x-permission" = json!("group-read"))),
    responses((status = 200, body = Group)))]
pub(crate) async fn show(call: Call) -> Result<Response, Problem> {
    let group = find(&call).await?;
    Ok(tagged(group.revision, Group::from(group)))
}

/// Changes a group.
#[utoipa::path(patch, path = "/v1/tenants/{tenant}/groups/{group}", tag = "groups", request_body = GroupChange,
    extensions(("x-permission" = json!("group-write"))), responses((status = 200, body = Group)))]
pub(crate) async fn change(call: Call, wanted: IfMatch, Body(change): Body<GroupChange>) -> Result<Response, Problem> {
    let group = find(&call).await?;
    let expected = wanted.judge(group.revision)?;
    change.name.as_deref().map_or(Ok(()), |name| text::name("/name", name))?;
    let all = |name: &str, given: &[String]| {
        given.iter().enumerate().map(|(at, one)| text::address(&format!("/{name}/{at}"), one)).collect::<Result<Vec<_>, _>>()
    };
    let change = Change {
        name: change.name,
        who_may_post: change.who_may_post.map(PostPolicy::from),
        add_posters: all("add_posters", &change.add_posters)?,
        remove_posters: all("remove_posters", &change.remove_posters)?,
    };
    let changed = call.operator()?.expecting(expected).update_group(&group.address, &change).await;
    let group = changed.map_err(|error| wanted.explain(error))?;
    Ok(tagged(group.revision, Group::from(group)))
}

/// Deletes a group; its members stay.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/groups/{group}", tag = "groups", extensions(("x-permission" = json!("group-write"))),
    responses((status = 204)))]
pub(crate) async fn remove(call: Call, wanted: IfMatch) -> Result<StatusCode, Problem> {
    let group = find(&call).await?;
    let expected = wanted.judge(group.revision)?;
    call.operator()?.expecting(expected).delete_group(&group.address).await.map_err(|error| wanted.explain(error))?;
    Ok(StatusCode::NO_CONTENT)
}
