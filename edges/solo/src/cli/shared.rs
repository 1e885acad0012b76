use super::group::list_members;
use super::operator;
use super::person::quota;
use super::units::{show_size, show_time, size};
use crate::control::{Context, Reply};
use clap::Subcommand;
use penfold_directory::{NewShared, PersonChange, Quota, SharedInfo};
use penfold_types::{Address, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Shared {
    /// Add a shared mailbox
    Add {
        address: Address,
        /// [default: what stands before the @]
        #[arg(long)]
        name: Option<String>,
        /// Such as 50G
        #[arg(long, value_parser = size)]
        quota: Option<u64>,
    },
    /// List shared mailboxes, of all tenants or of one
    List { tenant: Option<String> },
    /// Show a shared mailbox
    Show { address: Address },
    /// Change a shared mailbox
    Set {
        address: Address,
        #[arg(long)]
        name: Option<String>,
        /// Such as 50G, or default
        #[arg(long, value_parser = quota)]
        quota: Option<Quota>,
    },
    /// Remove a shared mailbox
    Remove { address: Address },
    /// People who open it
    #[command(subcommand)]
    Member(Member),
}

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Member {
    /// Let people open it
    Add {
        shared: Address,
        #[arg(required = true)]
        people: Vec<Address>,
    },
    /// Take that back, at once
    Remove { shared: Address, person: Address },
    /// List who opens it
    List { shared: Address },
}

impl Shared {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        let operator = operator(context);
        match self {
            Self::Add { address, name, quota } => {
                let name = name.unwrap_or_else(|| address.local().to_owned());
                let account = operator.create_shared(&NewShared { address: address.clone(), name, quota }).await?;
                reply.say(format!("added {address}"), json!({ "address": address, "id": account.principal })).await
            }
            Self::List { tenant } => list(context, reply, tenant.as_deref()).await,
            Self::Show { address } => show(reply, operator.shared(&address).await?).await,
            Self::Set { address, name, quota } => {
                show(reply, operator.update_shared(&address, &PersonChange { name, quota, ..PersonChange::default() }).await?).await
            }
            Self::Remove { address } => {
                operator.delete_shared(&address).await?;
                reply.say(format!("removed {address}"), json!({ "removed": address })).await
            }
            Self::Member(Member::Add { shared, people }) => {
                let added = operator.add_shared_members(&shared, &people).await?;
                reply.say(format!("{added} added to {shared}"), json!({ "shared": shared, "added": added })).await
            }
            Self::Member(Member::Remove { shared, person }) => {
                operator.remove_shared_member(&shared, &person).await?;
                reply.say(format!("removed {person} from {shared}"), json!({ "shared": shared, "removed": person })).await
            }
            Self::Member(Member::List { shared }) => {
                operator.shared(&shared).await?;
                list_members(context, reply, &shared).await
            }
        }
    }
}

async fn list(context: &Context, reply: &Reply, tenant: Option<&str>) -> Result<()> {
    for tenant in super::tenants(context, tenant).await? {
        let mut after = None;
        loop {
            let page = operator(context).shared_mailboxes(tenant.id, after.as_deref(), 500).await?;
            for one in page.items {
                reply.line([one.address.to_string(), one.name.clone(), show_size(one.quota)], &one).await?;
            }
            match page.next {
                Some(next) => after = Some(next),
                None => break,
            }
        }
    }
    Ok(())
}

async fn show(reply: &Reply, shared: SharedInfo) -> Result<()> {
    let rows = vec![
        vec!["address".into(), shared.address.to_string()],
        vec!["name".into(), shared.name.clone()],
        vec!["id".into(), shared.id.to_string()],
        vec!["quota".into(), show_size(shared.quota)],
        vec!["created".into(), show_time(shared.created)],
    ];
    reply.item(rows, &shared).await
}
