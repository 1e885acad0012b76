//! Certificates that an authority gave, and those that are wanted.

use super::units::{show_day, show_time};
use crate::control::{Context, Reply};
use clap::Subcommand;
use penfold_certificates::{Certificates, Entry, State};
use penfold_types::{Error, Result, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certificate {
    /// The names that want a certificate, and how far each is
    List,
    /// Order a new one now, whatever happened before
    Renew { name: String },
}

impl Certificate {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let certificates = Certificates::new(&context.service.world, context.service.directory.clone());
        match self {
            Self::List => list(&certificates, context.service.world.env.now(), reply).await,
            Self::Renew { name } => renew(&certificates, &name.to_ascii_lowercase(), reply).await,
        }
    }
}

async fn list(certificates: &Certificates, now: Timestamp, reply: &Reply) -> Result<()> {
    let (names, mut entries) = (certificates.names().await?, certificates.list().await?);
    for entry in &entries {
        let until = entry.until.map(show_day).unwrap_or_default();
        let next = match (entry.next, entry.renew) {
            (Some(next), _) => format!("tried again {}", show_time(next)),
            (None, Some(renew)) if renew > now => format!("renewed {}", show_day(renew)),
            _ => "next".to_owned(),
        };
        let state = entry.state(now);
        let error = entry.error.clone().unwrap_or_default();
        reply.line([state.word().to_owned(), entry.name.clone(), until, next, error], value(entry, state)).await?;
    }
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    for name in names.into_iter().filter(|name| entries.binary_search_by(|entry| entry.name.cmp(name)).is_err()) {
        let empty = ["", ""].map(str::to_owned);
        let [until, next] = empty;
        let why = "nothing is ordered until it leads here in DNS".to_owned();
        let line = [State::Waiting.word().to_owned(), name.clone(), until, next, why];
        reply.line(line, json!({ "name": name, "state": State::Waiting })).await?;
    }
    Ok(())
}

fn value(entry: &Entry, state: State) -> serde_json::Value {
    json!({
        "name": entry.name, "state": state, "authority": entry.authority, "from": entry.from, "until": entry.until,
        "renew": entry.renew, "next": entry.next, "failures": entry.failures, "error": entry.error,
    })
}

async fn renew(certificates: &Certificates, name: &str, reply: &Reply) -> Result<()> {
    if !certificates.names().await?.iter().any(|own| own == name) {
        return Err(Error::not_found(format!("{name} is none of the names that are served; see penfold certificate list")));
    }
    certificates.wish(name).await?;
    reply.say(format!("{name} is ordered next; see penfold certificate list"), json!({ "name": name })).await
}
