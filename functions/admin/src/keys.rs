//! The keys that a domain signs its mail with (DKIM).

use crate::Admin;
use crate::domains::{Named, own};
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use penfold_directory::KeyState;
use penfold_domains::{PublicKey, Rotation};
use penfold_rest::{Call, Listed, Problem, When};
use serde::Serialize;
use utoipa::ToSchema;

/// The public side of a key.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DkimKey {
    selector: String,
    state: Stage,
    /// Since when it is in this state.
    since: When,
    /// The text of its TXT record.
    record: String,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
#[schema(as = KeyState)]
pub(crate) enum Stage {
    /// To be published; does not sign yet.
    Next,
    Active,
    /// Signs no more; what it signed is still on its way.
    Retired,
}

impl From<PublicKey> for DkimKey {
    fn from(key: PublicKey) -> Self {
        let state = match key.state {
            KeyState::Next => Stage::Next,
            KeyState::Active => Stage::Active,
            KeyState::Retired => Stage::Retired,
        };
        Self { selector: key.selector, state, since: When(key.at), record: key.record }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Rotated {
    step: RotationStep,
    keys: Vec<DkimKey>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RotationStep {
    /// New keys are there; publish their records.
    Made,
    /// Their records are not seen yet.
    Waiting,
    /// They sign from now on.
    Activated,
}

/// Keys of a domain.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/domains/{domain}/keys", tag = "dkim keys",
    extensions(("x-permission" = json!("domain-read"))), responses((status = 200, body = Listed<DkimKey>)))]
pub(crate) async fn list(call: Call, State(admin): State<Admin>, Path((_, name)): Named) -> Result<axum::Json<Listed<DkimKey>>, Problem> {
    let (domain, domains) = own(&call, &admin, &name).await?;
    let keys = domains.public_keys(call.tenant()?, &domain).await?;
    Ok(axum::Json(Listed::whole(keys.into_iter().map(DkimKey::from).collect())))
}

/// Makes the next pair of keys; once their records are seen, lets them sign. Ask again until they do.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/domains/{domain}/keys/rotate", tag = "dkim keys",
    extensions(("x-permission" = json!("domain-write"))), responses((status = 200, body = Rotated)))]
pub(crate) async fn rotate(call: Call, State(admin): State<Admin>, Path((_, name)): Named) -> Result<Response, Problem> {
    let (domain, domains) = own(&call, &admin, &name).await?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let (step, keys) = match domains.rotate(call.tenant()?, &domain, false).await? {
        Rotation::Made(keys) => (RotationStep::Made, keys),
        Rotation::Waiting(keys) => (RotationStep::Waiting, keys),
        Rotation::Activated(keys) => (RotationStep::Activated, keys),
    };
    Ok(axum::Json(Rotated { step, keys: keys.into_iter().map(DkimKey::from).collect() }).into_response())
}
