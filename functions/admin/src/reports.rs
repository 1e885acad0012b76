//! What others reported of a domain's mail.

use crate::Admin;
use crate::domains::{Named, own};
use axum::extract::{Path, State};
use penfold_reports::{Kept, Kind, Received, time};
use penfold_rest::{Call, Listed, Params, Problem};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::{IntoParams, ToSchema};

/// Lines of one answer, the largest ones.
const LINES: usize = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    /// So many days back, 1 to 100; 7 where it is absent.
    #[param(minimum = 1, maximum = 100)]
    days: Option<i64>,
}

/// Messages in the domain's name that fared alike (RFC 9990).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct DmarcLine {
    source_ip: String,
    header_from: String,
    disposition: String,
    dkim: bool,
    spf: bool,
    messages: u64,
}

/// Sessions of TLS with the domain's hosts that went alike (RFC 8460).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, ToSchema)]
pub(crate) struct TlsLine {
    policy: String,
    /// `success`, or what failed.
    result: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    sessions: u64,
}

async fn each(call: &Call, admin: &Admin, name: &str, about: &About, kind: Kind, take: impl FnMut(Received)) -> Result<(), Problem> {
    let days = about.days.unwrap_or(7);
    if !(1..=100).contains(&days) {
        return Err(Problem::field("days", "1 to 100"));
    }
    let (domain, _) = own(call, admin, name).await?;
    let scope = call.directory().tenant_scope(call.tenant()?);
    let from = time::day(admin.world.env.now()) - days;
    Ok(Received::each(&admin.world, call.directory(), &scope, kind, &domain, from, take).await?)
}

/// Who sends in the domain's name, and how it fared with others; the most messages first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/domains/{domain}/reports/dmarc", tag = "reports", params(About),
    extensions(("x-permission" = json!("report-read"))), responses((status = 200, body = Listed<DmarcLine>)))]
pub(crate) async fn dmarc(
    call: Call,
    State(admin): State<Admin>,
    Path((_, name)): Named,
    Params(about): Params<About>,
) -> Result<axum::Json<Listed<DmarcLine>>, Problem> {
    let mut lines = BTreeMap::<DmarcLine, u64>::new();
    each(&call, &admin, &name, &about, Kind::Dmarc, |received| {
        let Kept::Dmarc(feedback) = &received.kept else { return };
        for record in &feedback.records {
            let line = DmarcLine {
                source_ip: record.source_ip.to_string(),
                header_from: record.identifiers.header_from.clone(),
                disposition: record.evaluated.disposition.clone(),
                dkim: record.evaluated.dkim,
                spf: record.evaluated.spf,
                messages: 0,
            };
            let sum = lines.entry(line).or_default();
            *sum = sum.saturating_add(record.count);
        }
    })
    .await?;
    let mut items: Vec<_> = lines.into_iter().map(|(line, messages)| DmarcLine { messages, ..line }).collect();
    items.sort_by_key(|line| std::cmp::Reverse(line.messages));
    items.truncate(LINES);
    Ok(axum::Json(Listed::whole(items)))
}

/// How TLS to the domain's hosts went for others; failures first.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/domains/{domain}/reports/tls", tag = "reports", params(About),
    extensions(("x-permission" = json!("report-read"))), responses((status = 200, body = Listed<TlsLine>)))]
pub(crate) async fn tls(
    call: Call,
    State(admin): State<Admin>,
    Path((_, name)): Named,
    Params(about): Params<About>,
) -> Result<axum::Json<Listed<TlsLine>>, Problem> {
    let mut lines = BTreeMap::<TlsLine, u64>::new();
    let mut add = |policy: &str, result: &str, host: Option<String>, count: u64| {
        if count > 0 {
            let line = TlsLine { policy: policy.to_owned(), result: result.to_owned(), host, sessions: 0 };
            let sum = lines.entry(line).or_default();
            *sum = sum.saturating_add(count);
        }
    };
    each(&call, &admin, &name, &about, Kind::Tls, |received| {
        let Kept::Tls(report) = &received.kept else { return };
        for policy in &report.policies {
            let (kind, summary) = (&policy.policy.policy_type, &policy.summary);
            let mut others = summary.total_failure_session_count;
            for failure in &policy.failure_details {
                add(kind, &failure.result_type, failure.receiving_mx_hostname.clone(), failure.failed_session_count);
                others = others.saturating_sub(failure.failed_session_count);
            }
            // Failures of which no more is said.
            add(kind, "failure", None, others);
            add(kind, "success", None, summary.total_successful_session_count);
        }
    })
    .await?;
    let mut items: Vec<_> = lines.into_iter().map(|(line, sessions)| TlsLine { sessions, ..line }).collect();
    items.sort_by_key(|line| (line.result == "success", std::cmp::Reverse(line.sessions)));
    items.truncate(LINES);
    Ok(axum::Json(Listed::whole(items)))
}
