use crate::text;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::{GRACE, TenantInfo, TenantStatus};
use penfold_rest::{Body, Call, IfMatch, Listed, Paging, Problem, When, created, tagged};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An organisation.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Tenant {
    id: String,
    name: String,
    status: TenantStage,
    /// When the trial ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    trial_ends: Option<When>,
    /// When everything in it is destroyed, where it is closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    destroyed: Option<When>,
    /// The pool of addresses that its mail leaves from, where it is not everybody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pool: Option<String>,
    created: When,
    revision: u64,
}

/// How far a tenant is in its life.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum TenantStage {
    Trial,
    Active,
    /// What is there is read, nothing is changed or sent, and mail waits at its senders.
    Suspended,
    /// Only administrators sign in; after 30 days everything is destroyed.
    Closed,
    Deleting,
}

impl From<TenantStatus> for TenantStage {
    fn from(status: TenantStatus) -> Self {
        match status {
            TenantStatus::Trial => Self::Trial,
            TenantStatus::Active => Self::Active,
            TenantStatus::Suspended => Self::Suspended,
            TenantStatus::Closed => Self::Closed,
            TenantStatus::Deleting => Self::Deleting,
        }
    }
}

impl From<TenantInfo> for Tenant {
    fn from(info: TenantInfo) -> Self {
        Self {
            id: info.id.to_string(),
            name: info.name,
            status: info.status.into(),
            trial_ends: info.trial_ends.map(When),
            destroyed: info.closed.map(|closed| When(closed.plus(GRACE))),
            pool: info.pool,
            created: When(info.created),
            revision: info.revision,
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Example Ltd" }))]
pub(crate) struct NewTenant {
    name: String,
}

/// What is absent stays.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({ "name": "Example Limited" }))]
pub(crate) struct TenantChange {
    name: Option<String>,
    status: Option<NewStatus>,
    /// The operator's to set; null for everybody's.
    #[serde(default, deserialize_with = "text::nullable")]
    #[schema(value_type = Option<String>)]
    pool: Option<Option<String>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum NewStatus {
    Active,
    Suspended,
    Closed,
}

/// Tenants: for the operator all, for everybody else their own.
#[utoipa::path(get, path = "/v1/tenants", tag = "tenants", params(Paging), extensions(("x-permission" = json!("signed-in"))),
    responses((status = 200, body = Listed<Tenant>)))]
pub(crate) async fn list(call: Call, paging: Paging) -> Result<Response, Problem> {
    let operator = call.operator()?;
    if let Some(own) = call.caller()?.tenant() {
        let tenant = operator.tenant(&own.to_string()).await?;
        return Ok(axum::Json(Listed::whole(vec![Tenant::from(tenant)])).into_response());
    }
    let page = operator.tenants(paging.after_text()?, paging.limit).await?;
    Ok(axum::Json(Listed::page(page.items.into_iter().map(Tenant::from).collect(), page.next)).into_response())
}

/// Makes a tenant that is active at once.
#[utoipa::path(post, path = "/v1/tenants", tag = "tenants", request_body = NewTenant, extensions(("x-permission" = json!("operator"))),
    responses((status = 201, body = Tenant)))]
pub(crate) async fn create(call: Call, Body(new): Body<NewTenant>) -> Result<Response, Problem> {
    let tenant = call.operator()?.create_tenant(&new.name).await?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Ok(created(&format!("/v1/tenants/{}", tenant.id), tenant.revision, Tenant::from(tenant)))
}

/// One tenant.
#[utoipa::path(get, path = "/v1/tenants/{tenant}", tag = "tenants", extensions(("x-permission" = json!("tenant-read"))),
    responses((status = 200, body = Tenant)))]
pub(crate) async fn show(call: Call) -> Result<Response, Problem> {
    let tenant = call.operator()?.tenant(&call.tenant()?.to_string()).await?;
    Ok(tagged(tenant.revision, Tenant::from(tenant)))
}

/// Changes a tenant. It is closed and opened again by its own administrators; suspended, and put into a pool, by the operator.
#[utoipa::path(patch, path = "/v1/tenants/{tenant}", tag = "tenants", request_body = TenantChange,
    extensions(("x-permission" = json!("tenant-write"))), responses((status = 200, body = Tenant)))]
pub(crate) async fn change(call: Call, wanted: IfMatch, Body(change): Body<TenantChange>) -> Result<Response, Problem> {
    let id = call.tenant()?.to_string();
    let mut tenant = call.operator()?.tenant(&id).await?;
    let expected = wanted.judge(tenant.revision)?;
    let operators = |what: &str| Problem::new(StatusCode::FORBIDDEN, format!("{what} is the operator's to change."));
    // What is refused is refused before anything is done.
    if !call.caller()?.is_operator() {
        if change.pool.is_some() {
            return Err(operators("The pool"));
        }
        if change.status.is_some_and(|stage| is_operators(&tenant, stage)) {
            return Err(operators("This status"));
        }
    }
    let mut operator = call.operator()?.expecting(expected);
    if let Some(stage) = change.status {
        let status = match stage {
            NewStatus::Active => TenantStatus::Active,
            NewStatus::Suspended => TenantStatus::Suspended,
            NewStatus::Closed => TenantStatus::Closed,
        };
        tenant = operator.set_tenant_status(&id, status).await.map_err(|error| wanted.explain(error))?;
        operator = call.operator()?;
    }
    if let Some(name) = &change.name {
        tenant = operator.rename_tenant(&id, name).await.map_err(|error| wanted.explain(error))?;
    }
    if let Some(pool) = &change.pool {
        call.operator()?.set_tenant_pool(&id, pool.as_deref()).await?;
        tenant = call.operator()?.tenant(&id).await?;
    }
    Ok(tagged(tenant.revision, Tenant::from(tenant)))
}

/// Who is suspended or on trial does not make themselves active, by closing and opening again neither.
fn is_operators(tenant: &TenantInfo, stage: NewStatus) -> bool {
    stage == NewStatus::Suspended || tenant.status == TenantStatus::Suspended || (tenant.trial_ends.is_some() && stage == NewStatus::Active)
}

/// Ends the grace of a closed tenant: with the next upkeep, within hours, everybody in it, its domains and its keys are destroyed.
/// Nothing of it can be read again.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}", tag = "tenants", extensions(("x-permission" = json!("operator"))),
    responses((status = 202)))]
pub(crate) async fn remove(call: Call, axum::extract::Path(tenant): axum::extract::Path<String>) -> Result<StatusCode, Problem> {
    let found = call.operator()?.tenant(&tenant).await?;
    if found.id.to_string() != tenant {
        return Err(Problem::not_found());
    }
    if found.status != TenantStatus::Closed {
        return Err(Problem::new(StatusCode::CONFLICT, "Close the tenant first."));
    }
    if !call.dry_run {
        call.operator()?.end_grace(&tenant).await?;
    }
    Ok(StatusCode::ACCEPTED)
}

/// The version of the key that is used from now on.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct KeyVersion {
    version: u32,
}

/// Seals what comes from now on with a new data key; what is there stays readable, and is not written again.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/rotate-key", tag = "tenants", extensions(("x-permission" = json!("tenant-write"))),
    responses((status = 200, body = KeyVersion)))]
pub(crate) async fn rotate_key(call: Call) -> Result<Response, Problem> {
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let version = call.operator()?.rotate_data_key(&call.tenant()?.to_string()).await?;
    Ok(axum::Json(KeyVersion { version }).into_response())
}
