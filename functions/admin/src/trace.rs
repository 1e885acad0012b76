//! The way of messages.

use crate::{Admin, text};
use axum::extract::{Path, State};
use penfold_directory::Recipient;
use penfold_ports::Account;
use penfold_rest::{Call, Listed, Params, Problem, When};
use penfold_transport::trace::{self, Entry, Hop};
use penfold_types::{Kind, PrincipalId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::{IntoParams, ToSchema};

const DAY: i64 = 86_400;

/// One step of a message.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TraceStep {
    at: When,
    /// The id that the 250 answer named.
    message: String,
    /// What happened: `accepted`, `to`, `judged`, `turned-away`, `queued`, `held`, `expanded`, `delivered`, `repeated`, `failed`,
    /// `sent`, `refused`, `delayed`, `unsure`, `filed` or `told`.
    event: &'static str,
    /// What is known of it; which fields there are depends on the event.
    #[schema(value_type = Object)]
    detail: Value,
}

/// Which messages.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    /// What came from this address or domain.
    sender: Option<String>,
    /// What was to go to this address or domain.
    recipient: Option<String>,
    /// What came from then on, within 90 days; two days ago where it is absent.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<When>,
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<When>,
    /// Messages at most, 1 to 200, the newest; 50 where it is absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<usize>,
}

async fn step(call: &Call, entry: Entry) -> Result<TraceStep, Problem> {
    let (event, detail) = match entry.hop {
        Hop::Accepted { message_id, from, peer, bytes } => {
            ("accepted", json!({ "message_id": message_id, "from": from, "peer": peer, "octets": bytes }))
        }
        Hop::To { to } => ("to", json!({ "to": to })),
        Hop::Judged { results, junk } => ("judged", json!({ "results": results, "junk": junk })),
        Hop::Turned { from, to, peer, why } => ("turned-away", json!({ "from": from, "to": to, "peer": peer, "why": why })),
        Hop::Queued { jobs } => ("queued", json!({ "jobs": jobs })),
        Hop::Held { until } => ("held", json!({ "until": When(until) })),
        Hop::Expanded { group, members } => ("expanded", json!({ "group": name(call, group).await?, "members": members })),
        Hop::Delivered { account, uid, .. } => ("delivered", json!({ "mailbox": name(call, account).await?, "uid": uid })),
        Hop::Repeated { account } => ("repeated", json!({ "mailbox": name(call, account).await? })),
        Hop::Failed { target, text } => ("failed", json!({ "target": name(call, target).await?, "text": text })),
        Hop::Sent { to, text, tls } => ("sent", json!({ "to": to, "text": text, "tls": tls })),
        Hop::Refused { to, text } => ("refused", json!({ "to": to, "text": text })),
        Hop::Delayed { to, text, unsure } => ("delayed", json!({ "to": to, "text": text, "unsure": unsure })),
        Hop::Unsure { destination } => ("unsure", json!({ "destination": destination })),
        Hop::Filed { text } => ("filed", json!({ "text": text })),
        Hop::Told { of, what, report } => ("told", json!({ "of": of, "what": what, "report": report })),
    };
    Ok(TraceStep { at: When(entry.at), message: entry.acceptance.to_string(), event, detail })
}

/// The address of a mailbox or group, or the id where it is gone.
async fn name(call: &Call, principal: PrincipalId) -> Result<String, Problem> {
    let account = Account { tenant: call.tenant()?, principal };
    match call.directory().address_of(account.tenant, account.principal).await {
        Ok(address) => Ok(address.to_string()),
        Err(error) if error.kind() == Kind::NotFound => Ok(principal.to_string()),
        Err(error) => Err(error.into()),
    }
}

async fn steps(call: &Call, entries: Vec<Entry>) -> Result<axum::Json<Listed<TraceStep>>, Problem> {
    let mut items = Vec::with_capacity(entries.len());
    for entry in entries {
        items.push(step(call, entry).await?);
    }
    Ok(axum::Json(Listed::whole(items)))
}

/// Messages by sender, recipient and time, each with all its steps; the newest ones, the oldest of them first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/trace", tag = "trace", params(Which), extensions(("x-permission" = json!("trace-read"))),
    responses((status = 200, body = Listed<TraceStep>)))]
pub(crate) async fn search(
    call: Call,
    State(admin): State<Admin>,
    Params(which): Params<Which>,
) -> Result<axum::Json<Listed<TraceStep>>, Problem> {
    let limit = which.limit.unwrap_or(50);
    if !(1..=200).contains(&limit) {
        return Err(Problem::field("limit", "1 to 200"));
    }
    for (name, given) in [("sender", &which.sender), ("recipient", &which.recipient)] {
        if let Some(given) = given {
            match given.trim_start_matches('@') {
                domain if !domain.contains('@') => drop(text::domain(name, domain)?),
                address => drop(text::address(name, address)?),
            }
        }
    }
    let (tenant, now) = (call.tenant()?, admin.world.env.now());
    let principal = match which.recipient.as_deref().and_then(|text| text.parse().ok()) {
        None => None,
        Some(address) => match call.directory().resolve_now(&address).await? {
            Recipient::Mailbox(account) if account.tenant == tenant => Some(account.principal),
            Recipient::Group(owner, group) if owner == tenant => Some(group),
            _ => None,
        },
    };
    let wanted = trace::Search {
        from: which.sender,
        to: which.recipient,
        principal,
        since: which.since.map_or_else(|| Timestamp::from_seconds(now.seconds() - 2 * DAY), |when| when.0),
        until: which.until.map_or(now, |when| when.0),
        limit,
    };
    let found = trace::search(&admin.world, &call.directory().tenant_scope(tenant), &wanted).await?;
    steps(&call, found.entries).await
}

/// One message, by its Message-ID or the id that the 250 answer named.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/trace/{message}", tag = "trace", extensions(("x-permission" = json!("trace-read"))),
    responses((status = 200, body = Listed<TraceStep>)))]
pub(crate) async fn follow(
    call: Call,
    State(admin): State<Admin>,
    Path((_, id)): Path<(String, String)>,
) -> Result<axum::Json<Listed<TraceStep>>, Problem> {
    let found = trace::find(&admin.world, &call.directory().tenant_scope(call.tenant()?), &id).await?;
    if found.is_empty() {
        return Err(Problem::not_found());
    }
    steps(&call, found).await
}
