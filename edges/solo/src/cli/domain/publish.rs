use super::{Of, domains};
use crate::certificates;
use crate::control::{Context, Reply};
use crate::failure::Failure;
use penfold_domains::{Done, Need, Primary, Published};
use penfold_types::{Domain, Error, Result};
use serde_json::json;

/// Fails where a required record is still not as it should be.
pub async fn publish(context: &Context, reply: &Reply, of: &Of, domain: &Domain, replace: bool, setting: Option<&str>) -> Result<()> {
    let (primary, tenant) = (primary(context, setting)?, of.find(context, domain).await?);
    let published = domains(context).publish(tenant, domain, &primary, replace).await?;
    for one in &published {
        let (record, value) = (&one.record, one.record.data.to_string());
        let object = json!({
            "type": record.data.kind(), "name": record.name, "value": value, "for": record.aim, "need": record.need,
            "done": one.done, "found": one.found, "error": one.error,
        });
        reply.item(shown(one, value), object).await?;
    }
    let lacking = |one: &&Published| one.record.need == Need::Required && !matches!(one.done, Done::Kept | Done::Added | Done::Replaced);
    match published.iter().filter(lacking).count() {
        0 => Ok(()),
        count => Err(Error::not_found(format!("{count} of the records that {domain} cannot do without are not as they should be"))),
    }
}

fn shown(one: &Published, value: String) -> Vec<Vec<String>> {
    let line = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
    let mut rows = vec![line([one.done.words(), one.record.data.kind(), &one.record.name])];
    if one.done != Done::Kept {
        rows.extend(one.found.iter().map(|text| line(["", "found", text])));
        rows.push(line(["", "wanted", &value]));
    }
    rows.extend(one.error.iter().map(|text| line(["", "error", text])));
    rows
}

fn primary(context: &Context, setting: Option<&str>) -> Result<Primary> {
    let Some(setting) = setting else {
        let none = || Error::invalid("no name server takes updates; say which: --dns-update KEY-NAME:FILE@SERVER");
        return context.service.primary.clone().ok_or_else(none);
    };
    let setting = setting.parse().map_err(|error: String| Error::invalid(error))?;
    certificates::primary(&setting, &context.service.world.env).map_err(|failure| match failure {
        Failure::Usage(text) | Failure::Other(text) => Error::invalid(text),
    })
}
