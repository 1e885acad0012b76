//! Groups as people see them: those they are in, could join, or own.

use axum::extract::Path;
use axum::http::StatusCode;
use penfold_directory::{GroupChange, Joined, MemberKey, MyGroup};
use penfold_ports::Account;
use penfold_rest::{Added, Body, Call, JoinAnswer, JoinRequestView, Joining, Listed, Member, NewMembers, Paging, Params, Posting, Problem};
use penfold_types::{Address, PrincipalId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// A group, and what the person has to do with it.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct GroupOfMine {
    id: String,
    address: String,
    name: String,
    description: String,
    who_may_post: Posting,
    join: Joining,
    /// Members may leave by themselves.
    may_leave: bool,
    /// Members are those who fit a filter.
    dynamic: bool,
    /// The person is in it, be it through another group.
    member: bool,
    /// The person is in the group itself.
    direct: bool,
    owner: bool,
    /// The person asked to be in it, and waits for an answer.
    asked: bool,
}

impl From<MyGroup> for GroupOfMine {
    fn from(mine: MyGroup) -> Self {
        let MyGroup { group, member, direct, owner, asked } = mine;
        Self {
            id: group.id.to_string(),
            address: group.address.to_string(),
            name: group.name,
            description: group.rules.description,
            who_may_post: group.who_may_post.into(),
            join: group.rules.join.into(),
            may_leave: group.rules.may_leave,
            dynamic: group.rules.dynamic,
            member,
            direct,
            owner,
            asked,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum GroupsOf {
    /// Those the person is in, also through other groups.
    #[default]
    Member,
    Owner,
    /// Those the person could join, or ask to be in.
    Joinable,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichGroups {
    /// `member` where it is absent.
    #[param(inline)]
    which: Option<GroupsOf>,
    /// Items of a page, 1 to 200; 50 where it is absent. A page may hold fewer, and the next one more.
    limit: Option<usize>,
    /// From the page before.
    cursor: Option<String>,
}

/// What an owner changes; what is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "The crew", "description": "All of us on deck.", "who_may_post": "members" }))]
pub(crate) struct OwnGroupChange {
    name: Option<String>,
    description: Option<String>,
    who_may_post: Option<Posting>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "text": "I work with them." }))]
pub(crate) struct JoinWish {
    /// For who answers, where joining is asked for; at most 500 octets.
    #[serde(default)]
    text: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum JoinState {
    Member,
    /// It waits for an answer.
    Asked,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct JoinOutcome {
    status: JoinState,
}

fn me(call: &Call) -> Result<Account, Problem> {
    Ok(call.person()?.0.account)
}

fn id(text: &str) -> Result<PrincipalId, Problem> {
    text.parse().map_err(|_| Problem::new(StatusCode::NOT_FOUND, "There is no such group."))
}

/// While the tenant is suspended or closed nothing is changed in it.
async fn open(call: &Call) -> Result<Account, Problem> {
    let me = me(call)?;
    if call.directory().tenant_status(me.tenant).await?.is_open() {
        return Ok(me);
    }
    Err(Problem::new(StatusCode::FORBIDDEN, "The tenant is suspended or closed: nothing is changed in it.").of("suspended"))
}

/// The address of a group that the person owns; another one is not there.
async fn owned(call: &Call, me: Account, group: &str) -> Result<(PrincipalId, Address), Problem> {
    let id = id(group)?;
    Ok((id, call.directory().own_group(me, id).await?.address))
}

/// Whoever comes into a group for which roles are given comes into somebody's reach: that is for administrators to say.
async fn lets_owners_add(call: &Call, me: Account, group: PrincipalId) -> Result<(), Problem> {
    if call.directory().is_for_roles(me, group).await? {
        let text = "Roles are given for those in this group: its members are added by administrators.";
        return Err(Problem::new(StatusCode::FORBIDDEN, text));
    }
    Ok(())
}

/// Groups that the person is in, owns, or could join; by address. One that is hidden is there for its owners only.
#[utoipa::path(get, path = "/v1/me/groups", tag = "my groups", params(WhichGroups), extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<GroupOfMine>)))]
pub(crate) async fn list(call: Call, Params(asked): Params<WhichGroups>) -> Result<axum::Json<Listed<GroupOfMine>>, Problem> {
    let (me, paging) = (me(&call)?, Paging::new(asked.limit, asked.cursor.as_deref())?);
    let which = asked.which.unwrap_or_default();
    if which == GroupsOf::Joinable {
        let page = call.directory().joinable_groups(me, paging.after_text()?, paging.limit).await?;
        return Ok(axum::Json(Listed::page(page.items.into_iter().map(GroupOfMine::from).collect(), page.next)));
    }
    let all = call.directory().my_groups(me, which == GroupsOf::Owner).await?;
    Ok(axum::Json(Listed::whole(all.into_iter().map(GroupOfMine::from).collect())))
}

/// One group of the organisation.
#[utoipa::path(get, path = "/v1/me/groups/{group}", tag = "my groups", extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = GroupOfMine)))]
pub(crate) async fn show(call: Call, Path(group): Path<String>) -> Result<axum::Json<GroupOfMine>, Problem> {
    Ok(axum::Json(call.directory().my_group(me(&call)?, id(&group)?).await?.into()))
}

/// Changes a group that the person owns.
#[utoipa::path(patch, path = "/v1/me/groups/{group}", tag = "my groups", request_body = OwnGroupChange,
    extensions(("x-permission" = json!("session"))), responses((status = 200, body = GroupOfMine)))]
pub(crate) async fn change(
    call: Call,
    Path(group): Path<String>,
    Body(change): Body<OwnGroupChange>,
) -> Result<axum::Json<GroupOfMine>, Problem> {
    let me = open(&call).await?;
    let (id, address) = owned(&call, me, &group).await?;
    if let Some(name) = &change.name {
        penfold_directory::check_name(name).map_err(|error| Problem::field("/name", error.text()))?;
    }
    let who_may_post = change.who_may_post.map(Into::into);
    let change = GroupChange { name: change.name, description: change.description, who_may_post, ..GroupChange::default() };
    call.operator()?.update_group(&address, &change).await?;
    Ok(axum::Json(call.directory().my_group(me, id).await?.into()))
}

/// Joins a group, or asks to, as the group wants it. Where roles are given for those in it, it is asked for in any case.
#[utoipa::path(post, path = "/v1/me/groups/{group}/join", tag = "my groups", request_body = JoinWish,
    extensions(("x-permission" = json!("session"))), responses((status = 200, body = JoinOutcome)))]
pub(crate) async fn join(call: Call, Path(group): Path<String>, Body(wish): Body<JoinWish>) -> Result<axum::Json<JoinOutcome>, Problem> {
    let me = open(&call).await?;
    let joined = call.operator()?.join(me, id(&group)?, &wish.text).await.map_err(|error| match error.kind() {
        penfold_types::Kind::Invalid => Problem::field("/text", error.text()),
        _ => error.into(),
    })?;
    let status = match joined {
        Joined::Member => JoinState::Member,
        Joined::Asked => JoinState::Asked,
    };
    Ok(axum::Json(JoinOutcome { status }))
}

/// Leaves a group, or takes back that one asked to be in it.
#[utoipa::path(post, path = "/v1/me/groups/{group}/leave", tag = "my groups", extensions(("x-permission" = json!("session"))),
    responses((status = 204)))]
pub(crate) async fn leave(call: Call, Path(group): Path<String>) -> Result<StatusCode, Problem> {
    let me = open(&call).await?;
    call.operator()?.leave(me, id(&group)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Members of a group, for those who are in it or own it.
#[utoipa::path(get, path = "/v1/me/groups/{group}/members", tag = "my groups", params(Paging),
    extensions(("x-permission" = json!("signed-in"))), responses((status = 200, body = Listed<Member>)))]
pub(crate) async fn members(call: Call, Path(group): Path<String>, paging: Paging) -> Result<axum::Json<Listed<Member>>, Problem> {
    let found = call.directory().my_group(me(&call)?, id(&group)?).await?;
    if !found.member && !found.owner {
        return Err(Problem::new(StatusCode::NOT_FOUND, "There is no such group that you are in."));
    }
    let wrong = || Problem::field("cursor", "this is no cursor of this list; begin without one");
    let after = paging.after.as_deref().map(|bytes| MemberKey::from_bytes(bytes).ok_or_else(wrong)).transpose()?;
    let (members, next) = call.operator()?.list_members(&found.group.address, after.as_ref(), paging.limit).await?;
    let next = next.map(|key| key.as_bytes().to_vec());
    Ok(axum::Json(Listed::page(members.into_iter().map(Member::from).collect(), next)))
}

/// Adds members to a group that the person owns; groups only where the person owns them too. Where roles are given for those in
/// the group, only administrators do that.
#[utoipa::path(post, path = "/v1/me/groups/{group}/members", tag = "my groups", request_body = NewMembers,
    extensions(("x-permission" = json!("session"))), responses((status = 200, body = Added)))]
pub(crate) async fn add_members(call: Call, Path(group): Path<String>, Body(new): Body<NewMembers>) -> Result<axum::Json<Added>, Problem> {
    let (me, members) = (open(&call).await?, new.read()?);
    let (id, address) = owned(&call, me, &group).await?;
    lets_owners_add(&call, me, id).await?;
    call.directory().allow_owned(me, &members).await?;
    Ok(axum::Json(Added { added: call.operator()?.add_members(&address, &members).await? }))
}

/// Takes a member out of a group that the person owns.
#[utoipa::path(delete, path = "/v1/me/groups/{group}/members/{address}", tag = "my groups",
    extensions(("x-permission" = json!("session"))), responses((status = 204)))]
pub(crate) async fn remove_member(call: Call, Path((group, member)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    let me = open(&call).await?;
    let (_, address) = owned(&call, me, &group).await?;
    let member: Address = member.parse().map_err(|_| Problem::not_found())?;
    call.operator()?.remove_member(&address, &member).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who asks to be in a group that the person owns.
#[utoipa::path(get, path = "/v1/me/groups/{group}/requests", tag = "my groups", extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<JoinRequestView>)))]
pub(crate) async fn requests(call: Call, Path(group): Path<String>) -> Result<axum::Json<Listed<JoinRequestView>>, Problem> {
    let (_, address) = owned(&call, me(&call)?, &group).await?;
    let all = call.operator()?.join_requests(&address).await?;
    Ok(axum::Json(Listed::whole(all.into_iter().map(JoinRequestView::from).collect())))
}

/// Says yes or no to somebody who asks; where roles are given for those in the group, an administrator says yes.
#[utoipa::path(post, path = "/v1/me/groups/{group}/requests/{address}", tag = "my groups", request_body = JoinAnswer,
    extensions(("x-permission" = json!("session"))), responses((status = 204)))]
pub(crate) async fn answer(
    call: Call,
    Path((group, asker)): Path<(String, String)>,
    Body(answer): Body<JoinAnswer>,
) -> Result<StatusCode, Problem> {
    let me = open(&call).await?;
    let (id, address) = owned(&call, me, &group).await?;
    let asker: Address = asker.parse().map_err(|_| Problem::not_found())?;
    if answer.accept {
        lets_owners_add(&call, me, id).await?;
    }
    call.operator()?.answer(&address, &asker, answer.accept).await?;
    Ok(StatusCode::NO_CONTENT)
}
