//! Mail on its way to other hosts.

use crate::Admin;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use penfold_ports::TenantScope;
use penfold_rest::{Call, Listed, Paging, Params, Problem, When};
use penfold_transport::outbound::{Desk, Fate, Parcel, State as Stage, parcels};
use penfold_types::AcceptanceId;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

/// What goes of one message to one destination.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Outgoing {
    id: String,
    /// The sender of the envelope; empty for reports.
    from: String,
    destination: String,
    state: OutgoingState,
    /// Since when, or when the next attempt is due.
    at: When,
    attempts: u32,
    octets: u64,
    accepted: When,
    /// No attempt begins after this.
    expires: When,
    recipients: Vec<OutgoingRecipient>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OutgoingState {
    Waiting,
    Trying,
    Reporting,
    Done,
    Held,
}

#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct OutgoingRecipient {
    to: String,
    state: RecipientState,
    /// What the other host said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecipientState {
    Waiting,
    Sent,
    Failed,
}

impl Outgoing {
    fn of(part: u64, parcel: Parcel) -> Self {
        let state = match parcel.state {
            Stage::Waiting => OutgoingState::Waiting,
            Stage::Trying => OutgoingState::Trying,
            Stage::Reporting => OutgoingState::Reporting,
            Stage::Done => OutgoingState::Done,
            Stage::Held => OutgoingState::Held,
        };
        let recipients = parcel.passages.into_iter().map(|passage| {
            let (state, said) = match passage.fate {
                Fate::Waiting(said) => (RecipientState::Waiting, said),
                Fate::Sent(said) => (RecipientState::Sent, Some(said)),
                Fate::Failed(said) => (RecipientState::Failed, Some(said)),
            };
            OutgoingRecipient { to: passage.to.path, state, text: said.map(|said| said.to_string()) }
        });
        Self {
            id: format!("{}-{part}", parcel.acceptance),
            from: parcel.from,
            destination: parcel.destination,
            state,
            at: When(parcel.at),
            attempts: parcel.attempts,
            octets: parcel.length,
            accepted: When(parcel.accepted),
            expires: When(parcel.expires),
            recipients: recipients.collect(),
        }
    }
}

fn read_id(text: &str) -> Option<(AcceptanceId, u64)> {
    let (acceptance, part) = text.rsplit_once('-')?;
    Some((acceptance.parse().ok()?, part.parse().ok()?))
}

fn scope(call: &Call) -> Result<TenantScope, Problem> {
    Ok(call.directory().tenant_scope(call.tenant()?))
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// Items of a page, 1 to 200; 50 where it is absent. A page may hold fewer, and the next one more.
    limit: Option<usize>,
    /// From the page before.
    cursor: Option<String>,
    /// What goes to this domain.
    destination: Option<String>,
    /// Also what is done.
    #[serde(default)]
    all: bool,
}

/// Mail of the tenant on its way to other hosts, the oldest first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/queue", tag = "queue", params(Which), extensions(("x-permission" = json!("queue-read"))),
    responses((status = 200, body = Listed<Outgoing>)))]
pub(crate) async fn list(
    call: Call,
    State(admin): State<Admin>,
    Params(which): Params<Which>,
) -> Result<axum::Json<Listed<Outgoing>>, Problem> {
    let paging = Paging::new(which.limit, which.cursor.as_deref())?;
    let wrong = || Problem::field("cursor", "this is no cursor of this list; begin without one");
    let after = paging.after_text()?.map(|text| read_id(text).ok_or_else(wrong)).transpose()?;
    let (page, more) = parcels(&admin.world, &scope(&call)?, after).await?;
    let more = more || page.len() > paging.limit;
    let page: Vec<_> = page.into_iter().take(paging.limit).collect();
    let next = page.last().filter(|_| more).map(|(part, parcel)| format!("{}-{part}", parcel.acceptance));
    let wanted = |parcel: &Parcel| {
        let there = which.destination.as_ref().is_none_or(|to| parcel.destination.eq_ignore_ascii_case(to));
        there && (which.all || parcel.state != Stage::Done)
    };
    let items = page.into_iter().filter(|(_, parcel)| wanted(parcel)).map(|(part, parcel)| Outgoing::of(part, parcel)).collect();
    Ok(axum::Json(Listed::page(items, next)))
}

type Named = Path<(String, String)>;

/// One of them.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/queue/{message}", tag = "queue", extensions(("x-permission" = json!("queue-read"))),
    responses((status = 200, body = Outgoing)))]
pub(crate) async fn show(call: Call, State(admin): State<Admin>, Path((_, id)): Named) -> Result<axum::Json<Outgoing>, Problem> {
    let (acceptance, part) = read_id(&id).ok_or_else(Problem::not_found)?;
    let scope = scope(&call)?;
    let desk = Desk { world: &admin.world, scope: &scope, acceptance, part };
    let parcel = desk.read().await?.ok_or_else(Problem::not_found)?;
    Ok(axum::Json(Outgoing::of(part, parcel)))
}

/// What is done to one of them.
enum Act {
    Retry,
    Hold,
    Drop,
}

async fn act(call: &Call, admin: &Admin, id: &str, act: Act) -> Result<StatusCode, Problem> {
    let (acceptance, part) = read_id(id).ok_or_else(Problem::not_found)?;
    let scope = scope(call)?;
    let desk = Desk { world: &admin.world, scope: &scope, acceptance, part };
    let parcel = desk.read().await?.ok_or_else(Problem::not_found)?;
    if call.dry_run {
        return Ok(StatusCode::NO_CONTENT);
    }
    let name = match act {
        Act::Retry => "queue.retry",
        Act::Hold => "queue.hold",
        Act::Drop => "queue.drop",
    };
    call.operator()?.note(scope.tenant(), name, id, &format!("from <{}> to {}", parcel.from, parcel.destination)).await?;
    match act {
        Act::Retry => desk.retry().await?,
        Act::Hold => desk.hold().await?,
        Act::Drop => desk.give_up(true).await?,
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Makes the next attempt now, also where it is held.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/queue/{message}/retry", tag = "queue", extensions(("x-permission" = json!("queue-write"))),
    responses((status = 204)))]
pub(crate) async fn retry(call: Call, State(admin): State<Admin>, Path((_, id)): Named) -> Result<StatusCode, Problem> {
    act(&call, &admin, &id, Act::Retry).await
}

/// Holds it: no attempt is made until somebody asks for one.
#[utoipa::path(post, path = "/v1/tenants/{tenant}/queue/{message}/hold", tag = "queue", extensions(("x-permission" = json!("queue-write"))),
    responses((status = 204)))]
pub(crate) async fn hold(call: Call, State(admin): State<Admin>, Path((_, id)): Named) -> Result<StatusCode, Problem> {
    act(&call, &admin, &id, Act::Hold).await
}

/// Takes it off the queue; the sender is told.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/queue/{message}", tag = "queue", extensions(("x-permission" = json!("queue-write"))),
    responses((status = 204)))]
pub(crate) async fn drop(call: Call, State(admin): State<Admin>, Path((_, id)): Named) -> Result<StatusCode, Problem> {
    act(&call, &admin, &id, Act::Drop).await
}
