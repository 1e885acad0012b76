//! Who writes in whose name: as them, or on their behalf.

use axum::extract::Path;
use axum::http::StatusCode;
use penfold_directory::{PrincipalKind, SendRight};
use penfold_rest::{Body, Call, Listed, Problem};
use penfold_types::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delegate {
    address: String,
    right: Right,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Right {
    /// The reader sees the other only.
    As,
    /// The reader sees both.
    OnBehalf,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "right": "on-behalf" }))]
pub(crate) struct NewRight {
    right: Right,
}

impl From<SendRight> for Right {
    fn from(right: SendRight) -> Self {
        match right {
            SendRight::As => Self::As,
            SendRight::OnBehalf => Self::OnBehalf,
        }
    }
}

impl From<Right> for SendRight {
    fn from(right: Right) -> Self {
        match right {
            Right::As => Self::As,
            Right::OnBehalf => Self::OnBehalf,
        }
    }
}

async fn list(call: &Call, kind: PrincipalKind) -> Result<axum::Json<Listed<Delegate>>, Problem> {
    let operator = call.operator()?;
    let name = operator.address_of(call.tenant()?, call.subject()?, kind).await?;
    let all = operator.delegates(&name).await?;
    let item = |(address, right): (Address, SendRight)| Delegate { address: address.to_string(), right: right.into() };
    Ok(axum::Json(Listed::whole(all.into_iter().map(item).collect())))
}

async fn set(call: &Call, kind: PrincipalKind, delegate: &str, right: Option<Right>) -> Result<StatusCode, Problem> {
    let operator = call.operator()?;
    let name = operator.address_of(call.tenant()?, call.subject()?, kind).await?;
    let delegate: Address = delegate.parse().map_err(|_| Problem::not_found())?;
    let (_, found) = operator.id_of(call.tenant()?, &delegate).await?;
    if found != PrincipalKind::Person {
        return Err(Problem::new(StatusCode::CONFLICT, format!("{delegate} is no person.")));
    }
    operator.set_send_right(&name, &delegate, right.map(SendRight::from)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who writes in a person's name.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}/delegates", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-read"))), responses((status = 200, body = Listed<Delegate>)))]
pub(crate) async fn of_person(call: Call) -> Result<axum::Json<Listed<Delegate>>, Problem> {
    list(&call, PrincipalKind::Person).await
}

/// Lets somebody write in a person's name.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/people/{person}/delegates/{address}", tag = "mailbox rights", request_body = NewRight,
    extensions(("x-permission" = json!("rights-write"))), responses((status = 204)))]
pub(crate) async fn set_for_person(
    call: Call,
    Path((_, _, delegate)): Path<(String, String, String)>,
    Body(new): Body<NewRight>,
) -> Result<StatusCode, Problem> {
    set(&call, PrincipalKind::Person, &delegate, Some(new.right)).await
}

/// Takes that back.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/people/{person}/delegates/{address}", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-write"))), responses((status = 204)))]
pub(crate) async fn remove_from_person(call: Call, Path((_, _, delegate)): Path<(String, String, String)>) -> Result<StatusCode, Problem> {
    set(&call, PrincipalKind::Person, &delegate, None).await
}

/// Who writes in a shared mailbox's name without opening it.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}/delegates", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-read"))), responses((status = 200, body = Listed<Delegate>)))]
pub(crate) async fn of_shared(call: Call) -> Result<axum::Json<Listed<Delegate>>, Problem> {
    list(&call, PrincipalKind::Shared).await
}

/// Lets somebody write in a shared mailbox's name.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}/delegates/{address}", tag = "mailbox rights",
    request_body = NewRight, extensions(("x-permission" = json!("rights-write"))), responses((status = 204)))]
pub(crate) async fn set_for_shared(
    call: Call,
    Path((_, _, delegate)): Path<(String, String, String)>,
    Body(new): Body<NewRight>,
) -> Result<StatusCode, Problem> {
    set(&call, PrincipalKind::Shared, &delegate, Some(new.right)).await
}

/// Takes that back.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}/delegates/{address}", tag = "mailbox rights",
    extensions(("x-permission" = json!("rights-write"))), responses((status = 204)))]
pub(crate) async fn remove_from_shared(call: Call, Path((_, _, delegate)): Path<(String, String, String)>) -> Result<StatusCode, Problem> {
    set(&call, PrincipalKind::Shared, &delegate, None).await
}
