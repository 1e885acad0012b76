use super::{Of, domains};
use crate::control::{Context, Reply};
use penfold_domains::{Finding, Proof};
use penfold_types::{Domain, Error, Result};
use serde_json::json;

/// Fails where a required record is not as it should be, so that scripts can wait for it.
pub async fn check(context: &Context, reply: &Reply, of: &Of, domain: &Domain) -> Result<()> {
    let report = domains(context).check(of.find(context, domain).await?, domain).await?;
    for one in &report.findings {
        let (wanted, value) = (&one.wanted, one.wanted.data.to_string());
        let object = json!({
            "type": wanted.data.kind(), "name": wanted.name, "for": wanted.aim, "need": wanted.need,
            "wanted": value, "found": one.found, "verdict": one.verdict, "advice": one.advice,
        });
        reply.item(shown(one, value), object).await?;
    }
    for conflict in &report.conflicts {
        reply.line(["conflict".to_owned(), conflict.clone()], json!({ "conflict": conflict })).await?;
    }
    match report.lacking() {
        0 => Ok(()),
        count => Err(Error::not_found(format!("{count} of the records that {domain} cannot do without are not as they should be"))),
    }
}

fn shown(one: &Finding, wanted: String) -> Vec<Vec<String>> {
    let line = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    let mut rows = vec![line([one.verdict.words(), one.wanted.data.kind(), &one.wanted.name])];
    rows.extend(one.found.iter().map(|text| line(["", "found", text])));
    if one.verdict != penfold_domains::Verdict::Ok {
        rows.push(line(["", "wanted", &wanted]));
    }
    rows.extend(one.advice.iter().map(|text| line(["", "advice", text])));
    rows
}

pub async fn prove(context: &Context, reply: &Reply, of: &Of, domain: &Domain, force: bool) -> Result<()> {
    let (domains, tenant) = (domains(context), of.find(context, domain).await?);
    let proof = match force {
        true if domains.vouch(tenant, domain).await? => Proof::Proved,
        true => Proof::Already,
        false => domains.prove(tenant, domain).await?,
    };
    let text = match proof {
        Proof::Already => format!("{domain} was proved before"),
        Proof::Proved => format!("{domain} is proved: it may receive and send"),
        Proof::NotYet { wanted, found } => {
            let found = if found.is_empty() { "there is none".to_owned() } else { format!("found: {}", found.join(" | ")) };
            return Err(Error::not_found(format!("publish the TXT record {} with {} ({found})", wanted.name, wanted.data)));
        }
    };
    reply.say(text, json!({ "domain": domain.as_str(), "proved": true })).await
}
