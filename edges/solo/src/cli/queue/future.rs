//! Mail that is not to leave before its time (RFC 4865).

use crate::cli::units::show_time;
use crate::control::{Context, Reply};
use penfold_transport::outbound::{cancel, held};
use penfold_types::{AcceptanceId, Error, Kind, Result};
use serde_json::json;

pub async fn list(context: &Context, reply: &Reply, tenant: Option<&str>) -> Result<()> {
    for tenant in crate::cli::tenants(context, tenant).await? {
        let scope = context.service.directory.tenant_scope(tenant.id);
        for one in held(&context.service.world, &scope).await? {
            let (submission, until) = (&one.submission, show_time(one.until));
            let to: Vec<&str> = submission.recipients.iter().map(|to| to.path.as_str()).collect();
            let (id, from) = (submission.mail.acceptance, &submission.from);
            let first = to.first().copied().unwrap_or_default();
            let more = if to.len() > 1 { format!(" and {} more", to.len() - 1) } else { String::new() };
            let cells =
                [id.to_string(), tenant.name.clone(), format!("<{from}>"), format!("<{first}>{more}"), format!("leaves at {until}")];
            reply.line(cells, json!({ "id": id, "tenant": tenant.name, "from": from, "to": to, "until": until })).await?;
        }
    }
    Ok(())
}

pub async fn take_back(context: &Context, reply: &Reply, id: &str) -> Result<()> {
    let acceptance: AcceptanceId = id.parse().map_err(|_| Error::invalid(format!("{id} is no id; see penfold queue future")))?;
    for tenant in crate::cli::tenants(context, None).await? {
        let scope = context.service.directory.tenant_scope(tenant.id);
        match cancel(&context.service.world, &scope, acceptance).await {
            Err(error) if error.kind() == Kind::NotFound => {}
            Err(error) => return Err(error),
            Ok(()) => return reply.say(format!("{id} does not leave"), json!({ "cancelled": id })).await,
        }
    }
    Err(Error::not_found(format!("no mail {id} waits for its time: it was never held, or it left already")))
}
