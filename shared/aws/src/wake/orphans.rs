//! Queues of edges that are no more. An edge deletes its queue when it ends, but one that crashed cannot. So each edge notes
//! in a row of the cell that it lives, and now and then somebody deletes the queues that no living edge answers for.

use super::names::{EXPIRES, SEEN};
use super::no_such_queue;
use crate::table::DynamoTable;
use crate::wire::{Failure, Repeat, Wire};
use aws_sdk_sqs::Client;
use aws_sdk_sqs::types::QueueAttributeName;
use penfold_ports::{PortError, Row, Table, Units, Write, shared};
use penfold_types::{Env, Timestamp};
use std::sync::Arc;
use std::time::Duration;

/// An edge that has not been heard of for so long is no more; it notes its life every hour.
const SILENT: Duration = Duration::from_secs(24 * 3600);
/// Then the row goes by itself.
const LASTS: Duration = Duration::from_secs(3 * 24 * 3600);
/// Queues that are looked at in one run, and deleted.
const LOOKS: i32 = 1000;
const DELETES: usize = 100;

#[derive(Clone)]
pub(super) struct Orphans {
    pub(super) wire: Arc<Wire>,
    pub(super) client: Client,
    pub(super) table: DynamoTable,
}

fn seconds(at: Timestamp) -> u64 {
    u64::try_from(at.seconds()).unwrap_or(0)
}

/// What says that an edge lives.
pub(super) fn life(env: &Env, edge: &str) -> Write {
    let now = env.now();
    Write::put(shared::edge(edge), Row::new().with(SEEN, seconds(now)).with(EXPIRES, seconds(now.plus(LASTS))))
}

impl Orphans {
    /// Deletes queues whose names begin with `prefix` and go on with the name of an edge that is no more. Gives back how many.
    pub(super) async fn delete(&self, prefix: &str, spent: &mut Units) -> Result<usize, PortError> {
        spent.queue += 1;
        let list = self.client.list_queues().queue_name_prefix(prefix).max_results(LOOKS);
        let found = self.wire.call(Repeat::Safe, || list.clone().send()).await.map_err(Failure::of_read)?;
        let mut deleted = 0;
        for url in found.queue_urls.unwrap_or_default() {
            let Some(edge) = url.rsplit('/').next().and_then(|queue| queue.strip_prefix(prefix)) else { continue };
            if deleted == DELETES {
                break;
            }
            if self.lives(edge, spent).await? || self.is_young(&url, spent).await? {
                continue;
            }
            spent.queue += 1;
            let delete = self.client.delete_queue().queue_url(&url);
            match self.wire.call(Repeat::Safe, || delete.clone().send()).await {
                Ok(_) => deleted += 1,
                Err(failure) if no_such_queue(failure.code()) => {}
                Err(failure) => return Err(failure.of_write()),
            }
            tracing::info!(edge, "the queue of an edge that is no more was deleted");
        }
        Ok(deleted)
    }

    async fn lives(&self, edge: &str, spent: &mut Units) -> Result<bool, PortError> {
        let row = self.table.get(&shared::edge(edge), spent).await?;
        let seen = row.and_then(|row| row.u64(SEEN));
        Ok(seen.is_some_and(|seen| self.is_recent(seen)))
    }

    /// One that is being made may have no row yet, nor one of a version that writes none.
    async fn is_young(&self, url: &str, spent: &mut Units) -> Result<bool, PortError> {
        spent.queue += 1;
        let ask = self.client.get_queue_attributes().queue_url(url).attribute_names(QueueAttributeName::CreatedTimestamp);
        let answer = match self.wire.call(Repeat::Safe, || ask.clone().send()).await {
            Ok(answer) => answer,
            Err(failure) if no_such_queue(failure.code()) => return Ok(true),
            Err(failure) => return Err(failure.of_read()),
        };
        let made = answer.attributes.and_then(|all| all.get(&QueueAttributeName::CreatedTimestamp)?.parse().ok());
        // What does not tell its age is left alone.
        Ok(made.is_none_or(|made| self.is_recent(made)))
    }

    fn is_recent(&self, then: u64) -> bool {
        then.saturating_add(SILENT.as_secs()) > seconds(self.wire.env.now())
    }
}
