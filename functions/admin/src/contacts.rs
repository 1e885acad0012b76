//! People outside whom the organisation keeps in its directory for everybody.

use crate::text;
use axum::extract::Path;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::{Contact, ContactChange as Change};
use penfold_rest::{Body, Call, IfMatch, Listed, NewProfile, Paging, Problem, ProfileView, When, created, tagged};
use penfold_types::{Address, Kind, PrincipalId};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Somebody outside who stands in the directory.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutsideContact {
    id: String,
    name: String,
    /// The first is the one that is written to.
    addresses: Vec<String>,
    profile: ProfileView,
    created: When,
    revision: u64,
}

impl OutsideContact {
    fn of(id: PrincipalId, contact: Contact) -> Self {
        Self {
            id: id.to_string(),
            name: contact.name,
            addresses: contact.addresses.iter().map(Address::to_string).collect(),
            profile: contact.profile.into(),
            created: When(contact.created),
            revision: contact.revision,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Kim Supplier", "addresses": ["kim@supplier.test"], "profile": { "company": "Supplier Ltd", "phone": "+49 30 1234567" } }))]
pub(crate) struct NewOutsideContact {
    name: String,
    /// 1 to 5, none of them of the organisation.
    addresses: Vec<String>,
    /// Without a manager.
    #[serde(default, deserialize_with = "penfold_rest::object")]
    profile: Option<NewProfile>,
}

/// What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Kim Trader", "profile": { "mobile": "+49 170 1234567", "phone": null } }))]
pub(crate) struct OutsideContactChange {
    name: Option<String>,
    /// All of them: 1 to 5, none of the organisation.
    addresses: Option<Vec<String>>,
    #[serde(default, deserialize_with = "penfold_rest::object")]
    profile: Option<NewProfile>,
}

impl OutsideContactChange {
    fn read(self) -> Result<Change, Problem> {
        self.name.as_deref().map_or(Ok(()), |name| text::name("/name", name))?;
        let address = |(at, one): (usize, &String)| text::address(&format!("/addresses/{at}"), one);
        let addresses = self.addresses.as_ref().map(|all| all.iter().enumerate().map(address).collect::<Result<_, _>>()).transpose()?;
        let profile = self.profile.unwrap_or_default().read("/profile")?;
        if profile.manager.is_some() {
            return Err(Problem::field("/profile/manager", "who is outside has no manager here"));
        }
        Ok(Change { name: self.name, addresses, profile })
    }
}

/// What is still wrong is wrong with the addresses.
fn explain(error: penfold_types::Error) -> Problem {
    match error.kind() {
        Kind::Invalid => Problem::field("/addresses", error.text()),
        _ => error.into(),
    }
}

fn id(text: &str) -> Result<PrincipalId, Problem> {
    text.parse().map_err(|_| Problem::not_found())
}

/// Outside contacts, in no order that says anything.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/contacts", tag = "contacts", params(Paging), extensions(("x-permission" = json!("contact-read"))),
    responses((status = 200, body = Listed<OutsideContact>)))]
pub(crate) async fn list(call: Call, paging: Paging) -> Result<axum::Json<Listed<OutsideContact>>, Problem> {
    let (found, next) = call.operator()?.contacts(call.tenant()?, paging.after.as_deref(), paging.limit).await?;
    Ok(axum::Json(Listed::page(found.into_iter().map(|(id, contact)| OutsideContact::of(id, contact)).collect(), next)))
}

/// Puts somebody outside into the directory.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/contacts", tag = "contacts", request_body = NewOutsideContact,
    extensions(("x-permission" = json!("contact-write"))), responses((status = 201, body = OutsideContact)))]
pub(crate) async fn create(call: Call, Body(new): Body<NewOutsideContact>) -> Result<Response, Problem> {
    let tenant = call.tenant()?;
    let new = OutsideContactChange { name: Some(new.name), addresses: Some(new.addresses), profile: new.profile }.read()?;
    let id = call.operator()?.create_contact(tenant, &new).await.map_err(explain)?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let made = call.directory().contact(tenant, id).await?;
    Ok(created(&format!("/v1/tenants/{tenant}/contacts/{id}"), made.revision, OutsideContact::of(id, made)))
}

/// One outside contact.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/contacts/{contact}", tag = "contacts", extensions(("x-permission" = json!("contact-read"))),
    responses((status = 200, body = OutsideContact)))]
pub(crate) async fn show(call: Call, Path((_, contact)): Path<(String, String)>) -> Result<Response, Problem> {
    let id = id(&contact)?;
    let found = call.directory().contact(call.tenant()?, id).await?;
    Ok(tagged(found.revision, OutsideContact::of(id, found)))
}

/// Changes an outside contact.
#[utoipa::path(patch, path = "/v1/tenants/{tenant}/contacts/{contact}", tag = "contacts", request_body = OutsideContactChange,
    extensions(("x-permission" = json!("contact-write"))), responses((status = 200, body = OutsideContact)))]
pub(crate) async fn change(
    call: Call,
    wanted: IfMatch,
    Path((_, contact)): Path<(String, String)>,
    Body(change): Body<OutsideContactChange>,
) -> Result<Response, Problem> {
    let (tenant, id) = (call.tenant()?, id(&contact)?);
    let expected = wanted.judge(call.directory().contact(tenant, id).await?.revision)?;
    let change = change.read()?;
    let changed = call.operator()?.expecting(expected).update_contact(tenant, id, &change).await;
    let changed = changed.map_err(|error| if error.kind() == Kind::Invalid { explain(error) } else { wanted.explain(error) })?;
    Ok(tagged(changed.revision, OutsideContact::of(id, changed)))
}

/// Takes somebody outside out of the directory.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/contacts/{contact}", tag = "contacts", extensions(("x-permission" = json!("contact-write"))),
    responses((status = 204)))]
pub(crate) async fn remove(call: Call, wanted: IfMatch, Path((_, contact)): Path<(String, String)>) -> Result<StatusCode, Problem> {
    let (tenant, id) = (call.tenant()?, id(&contact)?);
    let expected = wanted.judge(call.directory().contact(tenant, id).await?.revision)?;
    call.operator()?.expecting(expected).delete_contact(tenant, id).await.map_err(|error| wanted.explain(error))?;
    Ok(StatusCode::NO_CONTENT)
}
