use crate::control::{Context, Reply};
use clap::Subcommand;
use penfold_ports::QueueName;
use penfold_types::{Error, Result};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeMap;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Queue {
    /// List jobs that were given up, and those that wait behind them
    List,
    /// Let the jobs of one group go on, or all
    Release {
        #[arg(required_unless_present = "all")]
        group: Option<String>,
        #[arg(long, conflicts_with = "group")]
        all: bool,
    },
}

impl Queue {
    pub async fn carry_out(self, context: &Context, reply: &Reply) -> Result<()> {
        match self {
            Self::List => list(context, reply).await,
            Self::Release { group: Some(group), .. } => {
                let released = release(context, &group).await?;
                if released == 0 {
                    return Err(Error::not_found(format!("no jobs of a group {group} wait; see penfold queue list")));
                }
                reply.say(format!("{released} jobs go on"), json!({ "group": group, "released": released })).await
            }
            Self::Release { group: None, .. } => {
                let mut released = 0;
                loop {
                    let mut groups: Vec<_> =
                        context.service.world.queue.dead(QueueName::Deliver).await?.into_iter().map(|dead| dead.job.group).collect();
                    groups.sort_unstable();
                    groups.dedup();
                    let mut now = 0;
                    for group in &groups {
                        now += release(context, group).await?;
                    }
                    released += now;
                    // What fails again at once is not taken up a second time.
                    if now == 0 || groups.len() < 1000 {
                        break;
                    }
                }
                reply.say(format!("{released} jobs go on"), json!({ "released": released })).await
            }
        }
    }
}

async fn release(context: &Context, group: &str) -> Result<usize> {
    Ok(context.service.world.queue.release(QueueName::Deliver, group).await?)
}

async fn list(context: &Context, reply: &Reply) -> Result<()> {
    let dead = context.service.world.queue.dead(QueueName::Deliver).await?;
    let mut names = BTreeMap::new();
    for tenant in super::tenants(context, None).await? {
        names.insert(tenant.id, tenant.name);
    }
    for one in dead {
        let tenant = names.get(&one.job.tenant).cloned().unwrap_or_else(|| one.job.tenant.to_string());
        let value = json!({
            "queue": QueueName::Deliver.as_str(), "id": one.job.id, "tenant": tenant, "group": one.job.group,
            "attempts": one.attempts, "bytes": one.job.body.len(),
        });
        reply.line([one.job.group, tenant, format!("{} attempts", one.attempts), one.job.id.to_string()], value).await?;
    }
    Ok(())
}
