use crate::text;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::{Filter, GroupChange as Change, GroupInfo, JoinPolicy, NewGroup as New, PostPolicy, PrincipalKind, Reach};
use penfold_rest::{
    Body, Call, FilterView, IfMatch, JoinAnswer, JoinRequestView, Joining, Listed, Paging, Posting, Problem, When, created, tagged,
};
use penfold_types::{Address, Error, Kind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A distribution group.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Group {
    id: String,
    address: String,
    name: String,
    description: String,
    who_may_post: Posting,
    /// Who becomes a member without being added.
    join: Joining,
    /// Members may leave by themselves; never where it is hidden.
    may_leave: bool,
    /// Only its owners and administrators see that it is there.
    hidden: bool,
    /// Its members are those who fit its filter.
    dynamic: bool,
    /// By what it chooses them; only where one group is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    filter: Option<FilterView>,
    /// Those who may post where that is by name; only where one group is shown.
    posters: Vec<String>,
    /// People who manage it without being administrators; only where one group is shown.
    owners: Vec<String>,
    created: When,
    revision: u64,
}

impl From<GroupInfo> for Group {
    fn from(info: GroupInfo) -> Self {
        Self {
            id: info.id.to_string(),
            address: info.address.to_string(),
            name: info.name,
            who_may_post: info.who_may_post.into(),
            join: info.rules.join.into(),
            may_leave: info.rules.may_leave,
            hidden: info.rules.hidden,
            dynamic: info.rules.dynamic,
            description: info.rules.description,
            filter: info.filter.as_ref().map(FilterView::from),
            owners: info.owners.iter().map(Address::to_string).collect(),
            posters: info.posters.iter().map(Address::to_string).collect(),
            created: When(info.created),
            revision: info.revision,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "address": "everybody@example.test", "name": "Everybody", "who_may_post": "inside", "join": "approval",
    "description": "All of us." }))]
pub(crate) struct NewGroup {
    address: String,
    name: String,
    /// `inside` where it is absent.
    who_may_post: Option<Posting>,
    /// At most 1,000 octets.
    description: Option<String>,
    /// `closed` where it is absent.
    join: Option<Joining>,
    /// True where it is absent and the group is not hidden.
    may_leave: Option<bool>,
    /// False where it is absent.
    hidden: Option<bool>,
    /// People of the organisation, at most 20 at once.
    #[serde(default)]
    owners: Vec<String>,
    /// With one, the group is dynamic and has no members of its own.
    filter: Option<FilterView>,
}

/// What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "All of us", "who_may_post": "named", "add_posters": ["ann@example.test"],
    "add_owners": ["ann@example.test"], "join": "open" }))]
pub(crate) struct GroupChange {
    name: Option<String>,
    who_may_post: Option<Posting>,
    #[serde(default)]
    add_posters: Vec<String>,
    #[serde(default)]
    remove_posters: Vec<String>,
    /// At most 1,000 octets.
    description: Option<String>,
    join: Option<Joining>,
    may_leave: Option<bool>,
    hidden: Option<bool>,
    /// People of the organisation, at most 20 at once and 100 in all.
    #[serde(default)]
    add_owners: Vec<String>,
    #[serde(default)]
    remove_owners: Vec<String>,
    /// Of a group that was made with one.
    filter: Option<FilterView>,
}

fn addresses(name: &str, given: &[String]) -> Result<Vec<Address>, Problem> {
    given.iter().enumerate().map(|(at, one)| text::address(&format!("/{name}/{at}"), one)).collect()
}

/// A filter takes in anybody who fits: so who sets one manages all groups.
fn filter(call: &Call, given: Option<FilterView>) -> Result<Option<Filter>, Problem> {
    let Some(given) = given else { return Ok(None) };
    if *call.reach() != Reach::Everybody {
        return Err(Problem::new(StatusCode::FORBIDDEN, "A filter takes in people whom your roles do not reach."));
    }
    given.read("/filter").map(Some)
}

/// Owners put people into the group and write to it: whose roles are for a part makes no owner whom they do not reach. Those are told
/// like addresses of nobody.
async fn owners(call: &Call, name: &str, given: &[String]) -> Result<Vec<Address>, Problem> {
    let owners = addresses(name, given)?;
    if *call.reach() == Reach::Everybody {
        return Ok(owners);
    }
    let tenant = call.tenant()?;
    for owner in &owners {
        let none = || Problem::from(Error::invalid(format!("{owner} is not a person of this organisation; owners are")));
        let (id, _) = call.operator()?.id_of(tenant, owner).await.map_err(|error| match error.kind() {
            Kind::NotFound => none(),
            _ => error.into(),
        })?;
        if call.directory().within(call.reach(), tenant, &[id]).await?.is_empty() {
            return Err(none());
        }
    }
    Ok(owners)
}

fn described(error: &penfold_types::Error) -> bool {
    error.kind() == penfold_types::Kind::Invalid && error.text().starts_with("a description")
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

/// Makes a group without members; or, with a filter, one whose members are those who fit it.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups", tag = "groups", request_body = NewGroup,
    extensions(("x-permission" = json!("group-write"))), responses((status = 201, body = Group)))]
pub(crate) async fn create(call: Call, Body(new): Body<NewGroup>) -> Result<Response, Problem> {
    let address = text::address("/address", &new.address)?;
    call.allow_new(&address)?;
    let (tenant, operator) = (call.tenant()?, call.operator()?);
    operator.address_domain(tenant, address.domain()).await?;
    text::name("/name", &new.name)?;
    let who_may_post = new.who_may_post.map(PostPolicy::from).unwrap_or_default();
    let more = Change {
        description: new.description,
        join: new.join.map(Into::into),
        may_leave: new.may_leave,
        hidden: new.hidden,
        add_owners: owners(&call, "owners", &new.owners).await?,
        filter: filter(&call, new.filter)?,
        ..Change::default()
    };
    let made = operator.create_group_with(&New { address: address.clone(), name: new.name, who_may_post }, &more).await;
    made.map_err(|error| if described(&error) { Problem::field("/description", error.text()) } else { error.into() })?;
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
    let join = change.join.map(JoinPolicy::from);
    // What was opened to those in it would be open to whoever likes, the caller among them.
    if join == Some(JoinPolicy::Open) && group.rules.join != JoinPolicy::Open && *call.reach() != Reach::Everybody {
        return Err(Problem::new(StatusCode::FORBIDDEN, "Your roles do not reach everybody who could join then."));
    }
    let change = Change {
        name: change.name,
        who_may_post: change.who_may_post.map(PostPolicy::from),
        add_posters: addresses("add_posters", &change.add_posters)?,
        remove_posters: addresses("remove_posters", &change.remove_posters)?,
        description: change.description,
        join,
        may_leave: change.may_leave,
        hidden: change.hidden,
        add_owners: owners(&call, "add_owners", &change.add_owners).await?,
        remove_owners: addresses("remove_owners", &change.remove_owners)?,
        filter: filter(&call, change.filter)?,
    };
    let changed = call.operator()?.expecting(expected).update_group(&group.address, &change).await;
    let group =
        changed.map_err(|error| if described(&error) { Problem::field("/description", error.text()) } else { wanted.explain(error) })?;
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

/// Who asks to be in a group.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/requests", tag = "groups", extensions(("x-permission" = json!("group-read"))),
    responses((status = 200, body = Listed<JoinRequestView>)))]
pub(crate) async fn requests(call: Call) -> Result<axum::Json<Listed<JoinRequestView>>, Problem> {
    let group = find(&call).await?;
    let all = call.operator()?.join_requests(&group.address).await?;
    Ok(axum::Json(Listed::whole(all.into_iter().map(JoinRequestView::from).collect())))
}

/// Says yes or no to somebody who asks.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/requests/{address}", tag = "groups", request_body = JoinAnswer,
    extensions(("x-permission" = json!("group-write"))), responses((status = 204)))]
pub(crate) async fn answer(
    call: Call,
    Path((_, _, asker)): Path<(String, String, String)>,
    Body(answer): Body<JoinAnswer>,
) -> Result<StatusCode, Problem> {
    let group = find(&call).await?;
    let asker: Address = asker.parse().map_err(|_| Problem::not_found())?;
    // Whoever is let in comes into the reach of roles for this group.
    if answer.accept && *call.reach() != Reach::Everybody {
        let (id, _) = call.operator()?.id_of(call.tenant()?, &asker).await?;
        call.allow(id).await?;
    }
    call.operator()?.answer(&group.address, &asker, answer.accept).await?;
    Ok(StatusCode::NO_CONTENT)
}
