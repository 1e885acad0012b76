use super::{About, Heard};
use crate::control::{Context, Reply};
use penfold_reports::{Kept, Kind};
use penfold_types::Result;
use serde_json::json;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

/// Sessions that went alike: with which policy, to which host, and what went wrong, where something did.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    policy: String,
    result: Option<String>,
    host: Option<String>,
}

#[derive(Default)]
struct Sum {
    count: u64,
    reporters: BTreeSet<String>,
}

/// Failures first, the most of them before the others.
pub async fn show(context: &Context, reply: &Reply, about: &About) -> Result<()> {
    let (mut lines, mut heard) = (BTreeMap::<Line, Sum>::new(), Heard::default());
    about
        .each(context, Kind::Tls, |received| {
            let Kept::Tls(report) = &received.kept else { return };
            heard.add(&received, &report.organization_name);
            let mut add = |line: Line, count: u64| {
                let sum = lines.entry(line).or_default();
                sum.count = sum.count.saturating_add(count);
                sum.reporters.insert(report.organization_name.clone());
            };
            for policy in &report.policies {
                let kind = &policy.policy.policy_type;
                let told: u64 = policy.failure_details.iter().map(|failure| failure.failed_session_count).fold(0, u64::saturating_add);
                for failure in &policy.failure_details {
                    let (result, host) = (Some(failure.result_type.clone()), failure.receiving_mx_hostname.clone());
                    add(Line { policy: kind.clone(), result, host }, failure.failed_session_count);
                }
                // Failures of which no more is said.
                let others = policy.summary.total_failure_session_count.saturating_sub(told);
                if others > 0 {
                    add(Line { policy: kind.clone(), result: Some("failure".to_owned()), host: None }, others);
                }
                if policy.summary.total_successful_session_count > 0 {
                    add(Line { policy: kind.clone(), result: None, host: None }, policy.summary.total_successful_session_count);
                }
            }
        })
        .await?;
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_by_key(|(line, sum)| (line.result.is_none(), Reverse(sum.count)));
    for (line, sum) in lines {
        let result = line.result.as_deref().unwrap_or("success");
        let cells = [
            result.to_owned(),
            format!("{} sessions", sum.count),
            line.host.clone().unwrap_or_default(),
            line.policy.clone(),
            sum.reporters.iter().cloned().collect::<Vec<_>>().join(", "),
        ];
        let value =
            json!({ "result": result, "count": sum.count, "mx_host": line.host, "policy": line.policy, "reporters": sum.reporters });
        reply.line(cells, value).await?;
    }
    heard.say(reply, about.days).await
}
