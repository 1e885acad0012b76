//! Parcels: mail to other hosts.

use crate::cli::units::show_time;
use crate::control::{Context, Reply};
use clap::Args;
use penfold_directory::TenantInfo;
use penfold_transport::outbound::{Desk, Fate, Parcel, State, parcels};
use penfold_types::{AcceptanceId, Error, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::fmt;
use std::str::FromStr;

/// The acceptance, as in the 250 and in Received, and the part of it: `01J...-0`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Id {
    acceptance: AcceptanceId,
    part: u64,
}

impl FromStr for Id {
    type Err = String;

    fn from_str(text: &str) -> std::result::Result<Self, String> {
        let read = || {
            let (acceptance, part) = text.rsplit_once('-')?;
            Some(Self { acceptance: acceptance.parse().ok()?, part: part.parse().ok()? })
        };
        read().ok_or_else(|| format!("{text} is not the id of mail on its way; see penfold queue list"))
    }
}

impl TryFrom<String> for Id {
    type Error = String;

    fn try_from(text: String) -> std::result::Result<Self, String> {
        text.parse()
    }
}

impl From<Id> for String {
    fn from(id: Id) -> Self {
        id.to_string()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.acceptance, self.part)
    }
}

/// Which mail something is done to.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
#[group(required = true, multiple = false)]
pub struct Chosen {
    /// As penfold queue list shows it
    id: Option<Id>,
    /// Everything that goes to this domain
    #[arg(long)]
    destination: Option<String>,
    /// Everything of this tenant
    #[arg(long)]
    tenant: Option<String>,
    /// Everything
    #[arg(long)]
    all: bool,
}

/// What is done to it.
#[derive(Clone, Copy)]
pub enum Act {
    Retry,
    Hold,
    GiveUp { tell: bool },
}

impl Act {
    fn done(self) -> &'static str {
        match self {
            Self::Retry => "tried now",
            Self::Hold => "held",
            Self::GiveUp { .. } => "dropped",
        }
    }

    async fn on(self, context: &Context, tenant: &TenantInfo, id: Id) -> Result<()> {
        let scope = context.service.directory.tenant_scope(tenant.id);
        let desk = Desk { world: &context.service.world, scope: &scope, acceptance: id.acceptance, part: id.part };
        match self {
            Self::Retry => desk.retry().await,
            Self::Hold => desk.hold().await,
            Self::GiveUp { tell } => desk.give_up(tell).await,
        }
    }
}

impl Chosen {
    pub async fn each(&self, context: &Context, reply: &Reply, act: Act) -> Result<()> {
        let mut count = 0;
        if let Some(id) = self.id {
            let (tenant, _) = find(context, id).await?;
            act.on(context, &tenant, id).await?;
            count = 1;
        } else {
            for tenant in crate::cli::tenants(context, self.tenant.as_deref()).await? {
                count += self.of(context, reply, &tenant, act).await?;
            }
        }
        let done = act.done();
        reply.say(format!("{count} {done}"), json!({ "count": count, "done": done })).await
    }

    async fn of(&self, context: &Context, reply: &Reply, tenant: &TenantInfo, act: Act) -> Result<usize> {
        let (mut count, mut walk) = (0, Walk::default());
        while let Some(page) = walk.page(context, tenant).await? {
            for (id, parcel) in page {
                if parcel.state == State::Done || !goes_to(&parcel, self.destination.as_deref()) {
                    continue;
                }
                match act.on(context, tenant, id).await {
                    Ok(()) => count += 1,
                    Err(error) if matches!(error.kind(), Kind::Conflict | Kind::NotFound) => reply.note(format!("{id}: {error}")).await?,
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(count)
    }
}

/// Through a tenant's parcels, page by page.
#[derive(Default)]
struct Walk {
    after: Option<(AcceptanceId, u64)>,
    ended: bool,
}

impl Walk {
    async fn page(&mut self, context: &Context, tenant: &TenantInfo) -> Result<Option<Vec<(Id, Parcel)>>> {
        if self.ended {
            return Ok(None);
        }
        let scope = context.service.directory.tenant_scope(tenant.id);
        let (page, more) = parcels(&context.service.world, &scope, self.after).await?;
        self.after = page.last().map(|(part, parcel)| (parcel.acceptance, *part));
        self.ended = !more || self.after.is_none();
        Ok(Some(page.into_iter().map(|(part, parcel)| (Id { acceptance: parcel.acceptance, part }, parcel)).collect()))
    }
}

async fn find(context: &Context, id: Id) -> Result<(TenantInfo, Parcel)> {
    for tenant in crate::cli::tenants(context, None).await? {
        let scope = context.service.directory.tenant_scope(tenant.id);
        let desk = Desk { world: &context.service.world, scope: &scope, acceptance: id.acceptance, part: id.part };
        if let Some(parcel) = desk.read().await? {
            return Ok((tenant, parcel));
        }
    }
    Err(Error::not_found(format!("there is no mail {id} on its way; see penfold queue list")))
}

fn goes_to(parcel: &Parcel, wanted: Option<&str>) -> bool {
    wanted.is_none_or(|wanted| parcel.destination.eq_ignore_ascii_case(wanted))
}

pub async fn list(context: &Context, reply: &Reply, tenant: Option<&str>, destination: Option<&str>, all: bool) -> Result<()> {
    for tenant in crate::cli::tenants(context, tenant).await? {
        let mut walk = Walk::default();
        while let Some(page) = walk.page(context, &tenant).await? {
            for (id, parcel) in page {
                if goes_to(&parcel, destination) && (all || parcel.state != State::Done) {
                    reply.line(cells(id, &tenant, &parcel), value(id, &tenant, &parcel)).await?;
                }
            }
        }
    }
    Ok(())
}

fn cells(id: Id, tenant: &TenantInfo, parcel: &Parcel) -> [String; 7] {
    [
        id.to_string(),
        tenant.name.clone(),
        format!("<{}>", parcel.from),
        parcel.destination.clone(),
        format!("{} of {}", parcel.waiting(), parcel.passages.len()),
        state(parcel),
        last(parcel).unwrap_or_default(),
    ]
}

pub async fn show(context: &Context, reply: &Reply, id: Id) -> Result<()> {
    let (tenant, parcel) = find(context, id).await?;
    let row = |name: &str, content: String| vec![name.to_owned(), content];
    let mut rows = vec![
        row("id", id.to_string()),
        row("tenant", tenant.name.clone()),
        row("from", format!("<{}>", parcel.from)),
        row("destination", parcel.destination.clone()),
        row("accepted", show_time(parcel.accepted)),
        row("expires", show_time(parcel.expires)),
        row("state", state(&parcel)),
        row("bytes", parcel.length.to_string()),
    ];
    if parcel.interrupted > 0 {
        rows.push(row("interrupted", format!("{} attempts of which nobody knows the end", parcel.interrupted)));
    }
    for passage in &parcel.passages {
        let (word, text) = fate(&passage.fate);
        rows.push(row("to", format!("<{}> {word}{}", passage.to.path, if text.is_empty() { text } else { format!(": {text}") })));
    }
    reply.item(rows, value(id, &tenant, &parcel)).await
}

fn value(id: Id, tenant: &TenantInfo, parcel: &Parcel) -> Value {
    let recipients: Vec<Value> = parcel
        .passages
        .iter()
        .map(|passage| {
            let (word, text) = fate(&passage.fate);
            json!({ "to": passage.to.path, "state": word, "text": text })
        })
        .collect();
    json!({
        "id": id, "tenant": tenant.name, "from": parcel.from, "destination": parcel.destination, "accepted": show_time(parcel.accepted),
        "expires": show_time(parcel.expires), "state": word(parcel.state), "at": show_time(parcel.at), "attempts": parcel.attempts,
        "interrupted": parcel.interrupted, "bytes": parcel.length, "recipients": recipients,
    })
}

fn word(state: State) -> &'static str {
    match state {
        State::Waiting => "waiting",
        State::Trying => "trying",
        State::Reporting => "reporting",
        State::Done => "done",
        State::Held => "held",
    }
}

fn state(parcel: &Parcel) -> String {
    let at = show_time(parcel.at);
    match parcel.state {
        State::Waiting if parcel.attempts == 0 => "not tried yet".to_owned(),
        State::Waiting => format!("next at {at}, after {} attempts", parcel.attempts),
        other => format!("{} since {at}", word(other)),
    }
}

fn fate(fate: &Fate) -> (&'static str, String) {
    match fate {
        Fate::Waiting(None) => ("waiting", String::new()),
        Fate::Waiting(Some(said)) => ("waiting", said.to_string()),
        Fate::Sent(said) => ("sent", said.to_string()),
        Fate::Failed(said) => ("failed", said.to_string()),
    }
}

/// What was said last about somebody who waits.
fn last(parcel: &Parcel) -> Option<String> {
    parcel.passages.iter().find_map(|passage| match &passage.fate {
        Fate::Waiting(Some(said)) => Some(said.to_string()),
        _ => None,
    })
}
