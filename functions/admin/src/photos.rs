//! Photos of people, as administrators set them.

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use penfold_directory::PrincipalKind;
use penfold_ports::Account;
use penfold_rest::{Call, Problem, no_photo, photo, sent_photo};
use penfold_types::Address;

async fn find(call: &Call) -> Result<Address, Problem> {
    Ok(call.operator()?.address_of(call.tenant()?, call.subject()?, PrincipalKind::Person).await?)
}

/// A person's photo.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/people/{person}/photo", tag = "people", extensions(("x-permission" = json!("person-read"))),
    responses((status = 200, content(("image/jpeg"), ("image/png")))))]
pub(crate) async fn show(call: Call, headers: HeaderMap) -> Result<Response, Problem> {
    find(&call).await?;
    photo(&call, Account { tenant: call.tenant()?, principal: call.subject()? }, &headers).await
}

/// Sets a person's photo: a JPEG or PNG of at most 204,800 octets, whatever it is called.
#[utoipa::path(put, path = "/v1/tenants/{tenant}/people/{person}/photo", tag = "people",
    request_body(content(("image/jpeg"), ("image/png"))), extensions(("x-permission" = json!("person-write"))), responses((status = 204)))]
pub(crate) async fn set(call: Call, headers: HeaderMap, body: Bytes) -> Result<StatusCode, Problem> {
    let (address, bytes) = (find(&call).await?, sent_photo(&headers, body)?);
    call.operator()?.set_photo(&address, Some(bytes)).await.map_err(no_photo)?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a person's photo away.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/people/{person}/photo", tag = "people",
    extensions(("x-permission" = json!("person-write"))), responses((status = 204)))]
pub(crate) async fn remove(call: Call) -> Result<StatusCode, Problem> {
    let address = find(&call).await?;
    call.operator()?.set_photo(&address, None).await?;
    Ok(StatusCode::NO_CONTENT)
}
