use super::units::{day, show_time};
use crate::control::{Context, Reply};
use clap::Args;
use penfold_directory::{Directory, Recipient, TenantInfo};
use penfold_transport::trace::{Entry, Hop, Search, find, search};
use penfold_types::{Address, Error, PrincipalId, Result, TenantId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const DAY: i64 = 86_400;

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Trace {
    /// A Message-ID, or the id that the 250 answer named
    #[arg(conflicts_with_all = ["from", "to", "since", "until", "limit"])]
    id: Option<String>,
    /// Only what came from this address or domain
    #[arg(long)]
    from: Option<String>,
    /// Only what was to go to this address or domain
    #[arg(long)]
    to: Option<String>,
    /// What came from then on: 6h, 3d, 2026-01-31 or 2026-01-31T12:00:00Z, within 90 days [default: 2d]
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
    /// What came up to then
    #[arg(long, value_name = "TIME")]
    until: Option<String>,
    /// Messages at most, the newest of each tenant
    #[arg(long, default_value_t = 100)]
    limit: usize,
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
            let entries = match &self.id {
                Some(id) => find(&service.world, &scope, id).await?,
                None => self.fitting(context, reply, &tenant).await?,
            };
            for entry in entries {
                found = true;
                let (text, value) = describe(&service.directory, tenant.id, &entry).await;
                let value = json!({ "at": show_time(entry.at), "tenant": tenant.name, "acceptance": entry.acceptance, "hop": value });
                reply.line([show_time(entry.at), tenant.name.clone(), text], value).await?;
            }
        }
        let what = self.id.as_deref().unwrap_or("such mail");
        if found { Ok(()) } else { Err(Error::not_found(format!("nothing is known of {what}"))) }
    }

    async fn fitting(&self, context: &Context, reply: &Reply, tenant: &TenantInfo) -> Result<Vec<Entry>> {
        let service = &context.service;
        let now = service.world.env.now();
        let principal = match self.to.as_deref().map(str::parse::<Address>) {
            Some(Ok(address)) => match service.directory.resolve_now(&address).await? {
                Recipient::Mailbox(account) if account.tenant == tenant.id => Some(account.principal),
                Recipient::Group(owner, group) if owner == tenant.id => Some(group),
                _ => None,
            },
            _ => None,
        };
        let wanted = Search {
            from: self.from.clone(),
            to: self.to.clone(),
            principal,
            since: self.since.as_deref().map_or(Ok(Timestamp::from_seconds(now.seconds() - 2 * DAY)), |text| instant(text, now))?,
            until: self.until.as_deref().map_or(Ok(now), |text| instant(text, now))?,
            limit: self.limit,
        };
        let found = search(&service.world, &service.directory.tenant_scope(tenant.id), &wanted).await?;
        if found.more {
            reply.note(format!("{} has more of them; these are the newest {}", tenant.name, self.limit)).await?;
        }
        Ok(found.entries)
    }
}

/// `6h` and `3d` ago, a day or a time in UTC.
fn instant(text: &str, now: Timestamp) -> Result<Timestamp> {
    let wrong = || Error::invalid(format!("{text} is no time; write for example 6h, 3d, 2026-01-31 or 2026-01-31T12:00:00Z"));
    for (unit, seconds) in [("m", 60), ("h", 3600), ("d", DAY)] {
        if let Some(number) = text.strip_suffix(unit) {
            let ago = number.parse::<u32>().map_err(|_| wrong())?;
            return Ok(Timestamp::from_seconds(now.seconds() - i64::from(ago) * seconds));
        }
    }
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let clock: Vec<i64> = time.trim_end_matches('Z').split(':').map(|part| part.parse().ok()).collect::<Option<_>>().ok_or_else(wrong)?;
    match clock.as_slice() {
        [hour @ 0..24, minute @ 0..60, second @ 0..61] => {
            Ok(Timestamp::from_seconds(day(date)? * DAY + hour * 3600 + minute * 60 + second))
        }
        _ => Err(wrong()),
    }
}

async fn describe(directory: &Directory, tenant: TenantId, entry: &Entry) -> (String, Value) {
    match &entry.hop {
        Hop::Accepted { message_id, from, peer, bytes } => (
            format!("accepted {message_id} from <{from}> at {peer}, {bytes} bytes, id {}", entry.acceptance),
            json!({ "accepted": { "message_id": message_id, "from": from, "peer": peer, "bytes": bytes } }),
        ),
        Hop::To { to } => (format!("to {}", to.join(", ")), json!({ "to": to })),
        Hop::Judged { results, junk } => {
            let place = if *junk { "; it goes to Junk" } else { "" };
            (format!("found {results}{place}"), json!({ "judged": { "results": results, "junk": junk } }))
        }
        Hop::Turned { from, to, peer, why } => {
            let whom = if to.is_empty() { String::new() } else { format!(" for {to}") };
            (
                format!("turned away from <{from}> at {peer}{whom}: {why}"),
                json!({ "turned": { "from": from, "to": to, "peer": peer, "why": why } }),
            )
        }
        Hop::Queued { jobs } => (format!("queued as {jobs} jobs"), json!({ "queued": { "jobs": jobs } })),
        Hop::Held { until } => (format!("held until {}", show_time(*until)), json!({ "held": { "until": show_time(*until) } })),
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
