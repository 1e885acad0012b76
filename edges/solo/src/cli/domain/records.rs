use super::{Of, domains};
use crate::control::{Context, Reply};
use penfold_domains::{Need, Record, zone_file};
use penfold_types::{Domain, Result};

/// One answer that holds all of them, so that with `--json` it is one list.
pub async fn records(context: &Context, reply: &Reply, of: &Of, domain: &Domain, zone: bool) -> Result<()> {
    let domains = domains(context);
    let records = domains.records(of.find(context, domain).await?, domain).await?;
    let (service, known) = domains.service().await?;
    let remark = (!known).then(|| {
        format!("no server has said yet how it is reached, so {} stands here: penfold serve --host-name NAME says it", service.host)
    });
    let rows = if zone {
        let remark = remark.map(|text| vec![format!("; {text}")]);
        remark.into_iter().chain(zone_file(&records).lines().map(|line| vec![line.to_owned()])).collect()
    } else {
        let remark = remark.map(|text| vec![text]);
        records.iter().map(row).chain(remark).collect()
    };
    reply.item(rows, &records).await
}

fn row(record: &Record) -> Vec<String> {
    let need = match record.need {
        Need::Required => "required",
        Need::Recommended => "recommended",
    };
    let data = &record.data;
    vec![data.kind().to_owned(), record.name.clone(), need.to_owned(), data.to_string()]
}
