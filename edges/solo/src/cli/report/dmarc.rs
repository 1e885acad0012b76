use super::{About, Heard};
use crate::control::{Context, Reply};
use penfold_reports::{Kept, Kind};
use penfold_types::Result;
use serde_json::json;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// Messages that fared alike.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Line {
    source_ip: IpAddr,
    header_from: String,
    disposition: String,
    dkim: bool,
    spf: bool,
}

#[derive(Default)]
struct Sum {
    count: u64,
    reporters: BTreeSet<String>,
    /// Names that DKIM vouched for.
    signers: BTreeSet<String>,
}

fn word(aligned: bool) -> &'static str {
    if aligned { "pass" } else { "fail" }
}

/// The most messages first.
pub async fn show(context: &Context, reply: &Reply, about: &About) -> Result<()> {
    let (mut lines, mut heard) = (BTreeMap::<Line, Sum>::new(), Heard::default());
    about
        .each(context, Kind::Dmarc, |received| {
            let Kept::Dmarc(feedback) = &received.kept else { return };
            let reporter = &feedback.metadata.org_name;
            heard.add(&received, reporter);
            for record in &feedback.records {
                let line = Line {
                    source_ip: record.source_ip,
                    header_from: record.identifiers.header_from.clone(),
                    disposition: record.evaluated.disposition.clone(),
                    dkim: record.evaluated.dkim,
                    spf: record.evaluated.spf,
                };
                let sum = lines.entry(line).or_default();
                sum.count = sum.count.saturating_add(record.count);
                sum.reporters.insert(reporter.clone());
                sum.signers.extend(record.dkim.iter().filter(|dkim| dkim.result == "pass").map(|dkim| dkim.domain.clone()));
            }
        })
        .await?;
    let mut lines: Vec<_> = lines.into_iter().collect();
    lines.sort_by_key(|(_, sum)| Reverse(sum.count));
    for (line, sum) in lines {
        let cells = [
            line.source_ip.to_string(),
            format!("{} messages", sum.count),
            line.header_from.clone(),
            format!("dkim {}", word(line.dkim)),
            format!("spf {}", word(line.spf)),
            line.disposition.clone(),
            sum.reporters.iter().cloned().collect::<Vec<_>>().join(", "),
        ];
        let value = json!({
            "source_ip": line.source_ip, "count": sum.count, "header_from": line.header_from, "dkim_aligned": line.dkim,
            "spf_aligned": line.spf, "disposition": line.disposition, "signed_by": sum.signers, "reporters": sum.reporters,
        });
        reply.line(cells, value).await?;
    }
    heard.say(reply, about.days).await
}
