use crate::text;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::{NewShared as New, PersonChange as Change, PrincipalKind, Quota, SharedInfo};
use penfold_rest::{Body, Call, IfMatch, Listed, NewProfile, Paging, Problem, ProfileView, When, created, tagged};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A mailbox of a team: its members open it with their own sign-in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SharedMailbox {
    id: String,
    address: String,
    name: String,
    /// Octets that it may hold.
    quota: u64,
    /// In no search and no address book of the organisation.
    hidden: bool,
    profile: ProfileView,
    created: When,
    revision: u64,
}

impl From<SharedInfo> for SharedMailbox {
    fn from(info: SharedInfo) -> Self {
        Self {
            id: info.id.to_string(),
            address: info.address.to_string(),
            name: info.name,
            quota: info.quota,
            hidden: info.hidden,
            profile: info.profile.into(),
            created: When(info.created),
            revision: info.revision,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "address": "info@example.test", "name": "Information" }))]
pub(crate) struct NewSharedMailbox {
    address: String,
    name: String,
    /// Octets.
    quota: Option<u64>,
    profile: Option<NewProfile>,
}

/// What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Questions" }))]
pub(crate) struct SharedMailboxChange {
    name: Option<String>,
    /// Octets; null for the default.
    #[serde(default, deserialize_with = "text::nullable")]
    #[schema(value_type = Option<u64>)]
    quota: Option<Option<u64>>,
    /// In no search and no address book of the organisation.
    hidden: Option<bool>,
    profile: Option<NewProfile>,
}

/// Shared mailboxes, by address.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/shared-mailboxes", tag = "shared mailboxes", params(Paging),
    extensions(("x-permission" = json!("shared-read"))), responses((status = 200, body = Listed<SharedMailbox>)))]
pub(crate) async fn list(call: Call, paging: Paging) -> Result<axum::Json<Listed<SharedMailbox>>, Problem> {
    let tenant = call.tenant()?;
    let page = call.operator()?.shared_mailboxes(tenant, paging.after_text()?, paging.limit).await?;
    let ids: Vec<_> = page.items.iter().map(|shared| shared.id).collect();
    let within = call.directory().within(call.reach(), tenant, &ids).await?;
    let items = page.items.into_iter().filter(|shared| within.contains(&shared.id)).map(SharedMailbox::from).collect();
    Ok(axum::Json(Listed::page(items, page.next)))
}

/// Makes a shared mailbox that nobody opens yet.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/shared-mailboxes", tag = "shared mailboxes", request_body = NewSharedMailbox,
    extensions(("x-permission" = json!("shared-write"))), responses((status = 201, body = SharedMailbox)))]
pub(crate) async fn create(call: Call, Body(new): Body<NewSharedMailbox>) -> Result<Response, Problem> {
    let address = text::address("/address", &new.address)?;
    call.allow_new(&address)?;
    let (tenant, operator) = (call.tenant()?, call.operator()?);
    operator.address_domain(tenant, address.domain()).await?;
    text::name("/name", &new.name)?;
    let profile = new.profile.unwrap_or_default().read("/profile")?;
    call.directory().allow_new_profile(call.caller()?, tenant, PrincipalKind::Shared, &address, &profile).await?;
    operator.create_shared_with(&New { address: address.clone(), name: new.name, quota: new.quota }, &profile).await?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let shared = operator.shared(&address).await?;
    Ok(created(&format!("/v1/tenants/{tenant}/shared-mailboxes/{}", shared.id), shared.revision, SharedMailbox::from(shared)))
}

async fn find(call: &Call) -> Result<SharedInfo, Problem> {
    let address = call.operator()?.address_of(call.tenant()?, call.subject()?, PrincipalKind::Shared).await?;
    Ok(call.operator()?.shared(&address).await?)
}

/// One shared mailbox.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}", tag = "shared mailboxes",
    extensions(("x-permission" = json!("shared-read"))), responses((status = 200, body = SharedMailbox)))]
pub(crate) async fn show(call: Call) -> Result<Response, Problem> {
    let shared = find(&call).await?;
    Ok(tagged(shared.revision, SharedMailbox::from(shared)))
}

/// Changes a shared mailbox.
#[utoipa::path(patch, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}", tag = "shared mailboxes",
    request_body = SharedMailboxChange, extensions(("x-permission" = json!("shared-write"))), responses((status = 200, body = SharedMailbox)))]
pub(crate) async fn change(call: Call, wanted: IfMatch, Body(change): Body<SharedMailboxChange>) -> Result<Response, Problem> {
    let shared = find(&call).await?;
    let expected = wanted.judge(shared.revision)?;
    change.name.as_deref().map_or(Ok(()), |name| text::name("/name", name))?;
    let quota = change.quota.map(|quota| quota.map_or(Quota::Default, Quota::Bytes));
    let profile = change.profile.unwrap_or_default().read("/profile")?;
    call.directory().allow_profile(call.caller()?, call.tenant()?, shared.id, &profile).await?;
    let change = Change { name: change.name, quota, hidden: change.hidden, profile, ..Change::default() };
    let changed = call.operator()?.expecting(expected).update_shared(&shared.address, &change).await;
    let shared = changed.map_err(|error| wanted.explain(error))?;
    Ok(tagged(shared.revision, SharedMailbox::from(shared)))
}

/// Deletes a shared mailbox: the addresses are free at once; what is in it is kept for 30 days and can be restored.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/shared-mailboxes/{mailbox}", tag = "shared mailboxes",
    extensions(("x-permission" = json!("shared-write"))), responses((status = 204)))]
pub(crate) async fn remove(call: Call, wanted: IfMatch) -> Result<StatusCode, Problem> {
    let shared = find(&call).await?;
    let expected = wanted.judge(shared.revision)?;
    call.operator()?.expecting(expected).delete_shared(&shared.address).await.map_err(|error| wanted.explain(error))?;
    Ok(StatusCode::NO_CONTENT)
}
