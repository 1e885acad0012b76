//! Members of groups and of shared mailboxes.

use axum::extract::Path;
use axum::http::StatusCode;
use penfold_directory::{MemberKey, PrincipalKind, Reach};
use penfold_rest::{Added, Body, Call, Listed, Member, NewMembers, Paging, Problem};
use penfold_types::Address;

async fn container(call: &Call, kind: PrincipalKind) -> Result<Address, Problem> {
    Ok(call.operator()?.address_of(call.tenant()?, call.subject()?, kind).await?)
}

/// Whoever is taken in comes into the reach of those whose roles are for this group: so nobody takes in whom they do not reach.
async fn reached(call: &Call, members: &[Address]) -> Result<(), Problem> {
    if *call.reach() == Reach::Everybody {
        return Ok(());
    }
    for member in members {
        match call.operator()?.id_of(call.tenant()?, member).await {
            Ok((id, kind)) => {
                call.allow(id).await?;
                let dynamic = kind == PrincipalKind::Group && call.operator()?.group(member).await?.rules.dynamic;
                if dynamic {
                    let text = format!("The filter of {member} takes in people whom your roles do not reach.");
                    return Err(Problem::new(StatusCode::FORBIDDEN, text));
                }
            }
            Err(error) if error.kind() == penfold_types::Kind::NotFound => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn page(call: &Call, kind: PrincipalKind, paging: &Paging) -> Result<axum::Json<Listed<Member>>, Problem> {
    let wrong = || Problem::field("cursor", "this is no cursor of this list; begin without one");
    let after = paging.after.as_deref().map(|bytes| MemberKey::from_bytes(bytes).ok_or_else(wrong)).transpose()?;
    let address = container(call, kind).await?;
    let (members, next) = call.operator()?.list_members(&address, after.as_ref(), paging.limit).await?;
    let next = next.map(|key| key.as_bytes().to_vec());
    Ok(axum::Json(Listed::page(members.into_iter().map(Member::from).collect(), next)))
}

/// Members of a group, without those of groups in it.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/groups/{group}/members", tag = "groups", params(Paging),
    extensions(("x-permission" = json!("group-read"))), responses((status = 200, body = Listed<Member>)))]
pub(crate) async fn of_group(call: Call, paging: Paging) -> Result<axum::Json<Listed<Member>>, Problem> {
    page(&call, PrincipalKind::Group, &paging).await
}

/// Adds members: people, groups, shared mailboxes, and addresses of others.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/groups/{group}/members", tag = "groups", request_body = NewMembers,
    extensions(("x-permission" = json!("group-write"))), responses((status = 200, body = Added)))]
pub(crate) async fn add_to_group(call: Call, Body(new): Body<NewMembers>) -> Result<axum::Json<Added>, Problem> {
    let members = new.read()?;
    reached(&call, &members).await?;
    let address = container(&call, PrincipalKind::Group).await?;
    let added = call.operator()?.add_members(&address, &members).await?;
    Ok(axum::Json(Added { added }))
}

/// Takes a member out.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/groups/{group}/members/{address}", tag = "groups",
    extensions(("x-permission" = json!("group-write"))), responses((status = 204)))]
pub(crate) async fn remove_from_group(call: Call, Path((_, _, member)): Path<(String, String, String)>) -> Result<StatusCode, Problem> {
    let member: Address = member.parse().map_err(|_| Problem::not_found())?;
    call.operator()?.remove_member(&container(&call, PrincipalKind::Group).await?, &member).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who opens a shared mailbox.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}/members", tag = "mailbox rights", params(Paging),
    extensions(("x-permission" = json!("rights-read"))), responses((status = 200, body = Listed<Member>)))]
pub(crate) async fn of_shared(call: Call, paging: Paging) -> Result<axum::Json<Listed<Member>>, Problem> {
    page(&call, PrincipalKind::Shared, &paging).await
}

/// Lets people open a shared mailbox, and write in its name.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}/members", tag = "mailbox rights", request_body = NewMembers,
    extensions(("x-permission" = json!("rights-write"))), responses((status = 200, body = Added)))]
pub(crate) async fn add_to_shared(call: Call, Body(new): Body<NewMembers>) -> Result<axum::Json<Added>, Problem> {
    let members = new.read()?;
    reached(&call, &members).await?;
    let address = container(&call, PrincipalKind::Shared).await?;
    let added = call.operator()?.add_shared_members(&address, &members).await?;
    Ok(axum::Json(Added { added }))
}

/// Lets somebody open it no longer.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}/members/{address}", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-write"))), responses((status = 204)))]
pub(crate) async fn remove_from_shared(call: Call, Path((_, _, member)): Path<(String, String, String)>) -> Result<StatusCode, Problem> {
    let member: Address = member.parse().map_err(|_| Problem::not_found())?;
    call.operator()?.remove_shared_member(&container(&call, PrincipalKind::Shared).await?, &member).await?;
    Ok(StatusCode::NO_CONTENT)
}
