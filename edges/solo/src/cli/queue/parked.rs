//! Jobs that were given up, by the queue that they are in.

use crate::control::{Context, Reply};
use penfold_ports::QueueName;
use penfold_types::{Error, Result};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

/// Groups that one look shows.
const PAGE: usize = 1000;

pub async fn release(context: &Context, reply: &Reply, group: Option<String>) -> Result<()> {
    let mut released = 0;
    match group {
        Some(group) => {
            for queue in QueueName::ALL {
                released += context.service.world.queue.release(queue, &group).await?;
            }
            if released == 0 {
                return Err(Error::not_found(format!("no jobs of a group {group} wait; see penfold queue parked")));
            }
        }
        None => {
            for queue in QueueName::ALL {
                released += all(context, queue).await?;
            }
        }
    }
    reply.say(format!("{released} jobs go on"), json!({ "released": released })).await
}

async fn all(context: &Context, queue: QueueName) -> Result<usize> {
    let (port, mut released) = (&context.service.world.queue, 0);
    loop {
        let groups: BTreeSet<String> = port.dead(queue).await?.into_iter().map(|dead| dead.job.group).collect();
        let mut now = 0;
        for group in &groups {
            now += port.release(queue, group).await?;
        }
        released += now;
        // What fails again at once is not taken up a second time.
        if now == 0 || groups.len() < PAGE {
            return Ok(released);
        }
    }
}

pub async fn list(context: &Context, reply: &Reply) -> Result<()> {
    let mut names = BTreeMap::new();
    for tenant in crate::cli::tenants(context, None).await? {
        names.insert(tenant.id, tenant.name);
    }
    for queue in QueueName::ALL {
        for one in context.service.world.queue.dead(queue).await? {
            let tenant = names.get(&one.job.tenant).cloned().unwrap_or_else(|| one.job.tenant.to_string());
            let value = json!({
                "queue": queue.as_str(), "id": one.job.id, "tenant": tenant, "group": one.job.group,
                "attempts": one.attempts, "bytes": one.job.body.len(),
            });
            let cells = [queue.as_str().to_owned(), one.job.group, tenant, format!("{} attempts", one.attempts), one.job.id.to_string()];
            reply.line(cells, value).await?;
        }
    }
    Ok(())
}
