use axum::http::StatusCode;
use penfold_directory::AuditEntry;
use penfold_rest::{Call, Listed, Paging, Params, Problem, When};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// Something that an administrator did, or the opening of somebody else's mailbox.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Act {
    /// Counts the tenant's acts without a gap, from 1.
    number: u64,
    at: When,
    actor: String,
    /// A noun and a verb: `person.create`.
    act: String,
    target: String,
    detail: String,
    /// SHA-256 over the hash before and this entry, in hexadecimal.
    hash: String,
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl From<AuditEntry> for Act {
    fn from(entry: AuditEntry) -> Self {
        let AuditEntry { number, at, actor, act, target, detail, hash } = entry;
        Self { number, at: When(at), actor, act, target, detail, hash: hex(&hash) }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AuditProof {
    /// Every entry is as it was written, and none is missing.
    whole: bool,
    /// The first number at which it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    broken_at: Option<u64>,
    /// How many entries there are.
    number: u64,
    /// The hash of the last one. Who notes it down sees later that nothing before it was changed.
    hash: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// A day in UTC, as 2026-11-26; today where it is absent.
    #[param(example = "2026-11-26")]
    day: Option<String>,
    /// Items of a page, 1 to 200; 50 where it is absent.
    limit: Option<usize>,
    /// From the page before.
    cursor: Option<String>,
}

/// One day's acts, the newest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/audit", tag = "audit", params(Which), extensions(("x-permission" = json!("audit-read"))),
    responses((status = 200, body = Listed<Act>)))]
pub(crate) async fn list(call: Call, Params(which): Params<Which>) -> Result<axum::Json<Listed<Act>>, Problem> {
    let paging = Paging::new(which.limit, which.cursor.as_deref())?;
    let wrong = || Problem::field("cursor", "this is no cursor of this list; begin without one");
    let before = paging.after_text()?.map(|text| text.parse::<u64>().map_err(|_| wrong())).transpose()?;
    let at = match &which.day {
        None => call.directory().now(),
        Some(day) => format!("{day}T00:00:00Z").parse::<When>().map_err(|_| Problem::field("day", "a day is written as 2026-11-26"))?.0,
    };
    let mut page = call.operator()?.audit_page(call.tenant()?, at.seconds().div_euclid(86_400), before, paging.limit + 1).await?;
    let more = page.len() > paging.limit;
    page.truncate(paging.limit);
    let next = page.last().filter(|_| more).map(|entry| entry.number.to_string());
    Ok(axum::Json(Listed::page(page.into_iter().map(Act::from).collect(), next)))
}

/// Follows the chain of the whole log: whether every entry is as it was written.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/audit/verify", tag = "audit", extensions(("x-permission" = json!("audit-read"))),
    responses((status = 200, body = AuditProof)))]
pub(crate) async fn verify(call: Call) -> Result<(StatusCode, axum::Json<AuditProof>), Problem> {
    let proof = call.operator()?.verify_audit(call.tenant()?).await?;
    let broken_at = proof.broken_at;
    let verified = AuditProof { whole: broken_at.is_none(), broken_at, number: proof.head.number, hash: hex(&proof.head.hash) };
    Ok((StatusCode::OK, axum::Json(verified)))
}
