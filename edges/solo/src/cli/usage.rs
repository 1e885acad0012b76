use super::units::{day, show_day, show_size, show_time};
use crate::control::{Context, Reply};
use clap::{Args, ValueEnum};
use penfold_directory::TenantInfo;
use penfold_metering::usage::{self, Held, Period, Used};
use penfold_types::{Error, PrincipalId, Result, Timestamp, date};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

const DAY: i64 = 86_400;
const HOUR: i64 = 3_600;

#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub struct Usage {
    /// One tenant only
    #[arg(long)]
    tenant: Option<String>,
    /// The first day, in UTC [default: the first of the month]
    #[arg(long, value_name = "YYYY-MM-DD")]
    from: Option<String>,
    /// The day after the last one [default: up to what is counted]
    #[arg(long, value_name = "YYYY-MM-DD")]
    to: Option<String>,
    /// What a line stands for
    #[arg(long, value_enum, default_value_t = By::Tenant)]
    by: By,
    /// Count first what happened since the last count
    #[arg(long)]
    now: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum By {
    Tenant,
    Mailbox,
    Day,
    Hour,
}

/// A line's place among the others: a mailbox, or an hour.
#[derive(PartialEq, Eq, PartialOrd, Ord, Clone, Copy)]
enum Line {
    Whole,
    Of(PrincipalId),
    At(i64),
}

impl By {
    fn line(self, principal: PrincipalId, hour: i64) -> Line {
        match self {
            Self::Tenant => Line::Whole,
            Self::Mailbox => Line::Of(principal),
            Self::Day => Line::At(hour.div_euclid(24) * 24),
            Self::Hour => Line::At(hour),
        }
    }
}

impl Usage {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let service = &context.service;
        if self.now {
            let usage = usage::Usage::new(&service.world, service.directory.clone(), &service.mailboxes);
            let round = usage.round().await?;
            if round.left > 0 {
                reply.note(format!("{} mailboxes are in use just now and are counted next time", round.left)).await?;
            }
        }
        let until = usage::until(&service.world).await?.ok_or_else(|| {
            Error::not_found("nothing is counted yet; the meter does so every three hours, and penfold usage --now at once")
        })?;
        let period = self.period(service.world.env.now(), until)?;
        for tenant in super::tenants(context, self.tenant.as_deref()).await? {
            self.tenant(context, reply, &tenant, period).await?;
        }
        reply.note(format!("counted until {}; whole hours are shown", show_time(until))).await
    }

    fn period(&self, now: Timestamp, until: Timestamp) -> Result<Period> {
        let (year, month, _) = date::civil(now.seconds().div_euclid(DAY));
        let from = match &self.from {
            Some(text) => day(text)?,
            None => date::day(year, month, 1).unwrap_or(0),
        };
        let to = self.to.as_deref().map(day).transpose()?.map_or(until, |day| Timestamp::from_seconds(day * DAY).min(until));
        Ok(Period::between(Timestamp::from_seconds(from * DAY), to))
    }

    async fn tenant(&self, context: &Context, reply: &Reply, tenant: &TenantInfo, period: Period) -> Result<()> {
        let service = &context.service;
        let organisation = service.directory.tenant_scope(tenant.id);
        let held = usage::held(&service.world, &organisation).await?;
        let mut lines: BTreeMap<Line, BTreeMap<PrincipalId, Used>> = BTreeMap::new();
        if self.by == By::Tenant {
            lines.entry(Line::Whole).or_default();
        }
        usage::each_hour(&service.world, &organisation, period, |principal, hour, used| {
            lines.entry(self.by.line(principal, hour)).or_default().entry(principal).or_default().then(&used);
        })
        .await?;
        for (line, mailboxes) in lines {
            let mut used = Used::default();
            mailboxes.values().for_each(|one| used.beside(one));
            let (name, now) = match line {
                Line::Whole => (String::new(), Some(all(&held))),
                Line::Of(principal) => {
                    let address = service.directory.address_of(tenant.id, principal).await;
                    let held = held.get(&principal).copied().unwrap_or_default();
                    (address.map_or_else(|_| principal.to_string(), |address| address.to_string()), Some(held))
                }
                Line::At(hour) if self.by == By::Day => (show_day(Timestamp::from_seconds(hour * HOUR)), None),
                Line::At(hour) => (show_time(Timestamp::from_seconds(hour * HOUR)), None),
            };
            self.say(reply, tenant, &name, &used, now).await?;
        }
        Ok(())
    }

    async fn say(&self, reply: &Reply, tenant: &TenantInfo, name: &str, used: &Used, held: Option<Held>) -> Result<()> {
        let hours = used.seconds as f64 / HOUR as f64;
        let byte_hours = used.byte_seconds / HOUR.unsigned_abs() as u128;
        let mut text = vec![
            tenant.name.clone(),
            name.to_owned(),
            format!("{hours:.1} mailbox hours"),
            format!("delivered {} ({})", used.delivered, show_size(used.delivered_bytes)),
            format!("added {} ({})", used.added, show_size(used.added_bytes)),
            format!("removed {} ({})", used.removed, show_size(used.removed_bytes)),
            format!("{:.3} GiB hours", byte_hours as f64 / f64::from(1 << 30)),
        ];
        if used.adjusted != 0 {
            text.push(format!("differs by {} bytes", used.adjusted));
        }
        if let Some(held) = held {
            text.push(format!("now {} items ({})", held.items, show_size(held.bytes)));
        }
        let mut value = json!({
            "tenant": tenant.name, "mailbox_hours": hours, "byte_hours": u64::try_from(byte_hours).unwrap_or(u64::MAX), "bytes": used.bytes,
            "delivered": used.delivered, "delivered_bytes": used.delivered_bytes, "added": used.added, "added_bytes": used.added_bytes,
            "removed": used.removed, "removed_bytes": used.removed_bytes, "adjusted": used.adjusted,
        });
        match self.by {
            By::Tenant => text.retain(|cell| !cell.is_empty()),
            By::Mailbox => value["mailbox"] = json!(name),
            By::Day | By::Hour => value["at"] = json!(name),
        }
        if let Some(held) = held {
            value["now"] = json!({ "items": held.items, "bytes": held.bytes });
        }
        reply.item(vec![text], value).await
    }
}

fn all(held: &BTreeMap<PrincipalId, Held>) -> Held {
    held.values().fold(Held::default(), |sum, one| Held { items: sum.items + one.items, bytes: sum.bytes + one.bytes })
}
