use super::units::show_time;
use crate::control::{Context, Reply};
use clap::Args;
use penfold_directory::Directory;
use penfold_transport::trace::{Entry, Hop, find};
use penfold_types::{Error, PrincipalId, Result, TenantId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Trace {
    /// A Message-ID, or the id that the 250 answer named
    id: String,
    /// Look in one tenant only
    #[arg(long)]
    tenant: Option<String>,
}

impl Trace {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let service = &context.service;
        let mut found = false;
        for tenant in super::tenants(context, self.tenant.as_deref()).await? {
            let scope = service.directory.tenant_scope(tenant.id);
            for entry in find(&service.world, &scope, &self.id).await? {
                found = true;
                let (text, value) = describe(&service.directory, tenant.id, &entry).await;
                let value = json!({ "at": show_time(entry.at), "tenant": tenant.name, "acceptance": entry.acceptance, "hop": value });
                reply.line([show_time(entry.at), tenant.name.clone(), text], value).await?;
            }
        }
        if found { Ok(()) } else { Err(Error::not_found(format!("nothing is known of {}", self.id))) }
    }
}

async fn describe(directory: &Directory, tenant: TenantId, entry: &Entry) -> (String, Value) {
    match &entry.hop {
        Hop::Accepted { message_id, from, peer, bytes } => (
            format!("accepted {message_id} from <{from}> at {peer}, {bytes} bytes, id {}", entry.acceptance),
            json!({ "accepted": { "message_id": message_id, "from": from, "peer": peer, "bytes": bytes } }),
        ),
        Hop::Queued { jobs } => (format!("queued as {jobs} jobs"), json!({ "queued": { "jobs": jobs } })),
        Hop::Expanded { group, members } => {
            let name = name(directory, tenant, *group).await;
            (format!("{members} members of {name}"), json!({ "expanded": { "group": name, "members": members } }))
        }
        Hop::Delivered { account, folder, uid, modseq } => {
            let name = name(directory, tenant, *account).await;
            (
                format!("delivered to {name}, uid {uid}, modseq {modseq}"),
                json!({ "delivered": { "to": name, "folder": folder, "uid": uid, "modseq": modseq } }),
            )
        }
        Hop::Repeated { account } => {
            let name = name(directory, tenant, *account).await;
            (format!("was at {name} already"), json!({ "repeated": { "to": name } }))
        }
        Hop::Failed { target, text } => {
            let name = name(directory, tenant, *target).await;
            (format!("failed for {name}: {text}"), json!({ "failed": { "to": name, "text": text } }))
        }
        Hop::Sent { to, text, tls } => {
            let by = if tls.is_empty() { String::new() } else { format!(" over {tls}") };
            (format!("sent to {to}{by}: {text}"), json!({ "sent": { "to": to, "text": text, "tls": tls } }))
        }
        Hop::Refused { to, text } => (format!("refused for {to}: {text}"), json!({ "refused": { "to": to, "text": text } })),
        Hop::Delayed { to, text, unsure } => {
            let may = if *unsure { "; it may have been taken" } else { "" };
            (format!("tried again later for {to}: {text}{may}"), json!({ "delayed": { "to": to, "text": text, "unsure": unsure } }))
        }
        Hop::Unsure { destination } => (
            format!("an attempt at {destination} was interrupted; it may have been taken"),
            json!({ "unsure": { "destination": destination } }),
        ),
        Hop::Filed { text } => (text.clone(), json!({ "filed": { "text": text } })),
        Hop::Told { of, what, report } => {
            (format!("the sender was told of {of}: {what}, by {report}"), json!({ "told": { "of": of, "what": what, "report": report } }))
        }
    }
}

/// The address where it is known, else the id.
async fn name(directory: &Directory, tenant: TenantId, principal: PrincipalId) -> String {
    directory.address_of(tenant, principal).await.map_or_else(|_| principal.to_string(), |address| address.to_string())
}
