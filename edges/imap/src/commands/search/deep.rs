//! The part of a search that must look at messages: batches on tasks of their own, a few at a time, so that both cores
//! and many requests to a distant store are kept busy, and no more than a few messages are in memory. Each batch takes a place
//! of its own; the search holds none meanwhile, and where others wait it is one batch at a time.

use super::test::{Listed, Test};
use crate::session::Stop;
use penfold_mailbox::{Content, Mailbox, UidSet};
use penfold_ports::Turn;
use penfold_types::{ItemId, Kind, Uid};
use std::sync::Arc;
use tokio::task::JoinSet;

/// Messages of one batch, batches at a time.
const BATCH: usize = 64;
const WIDTH: usize = 6;
/// Messages that are looked at before the processor is left to others.
const STRETCH: usize = 8;

pub async fn search(mailbox: &Mailbox, test: Arc<Test>, open: Vec<Listed>, turn: &mut Turn) -> Result<UidSet, Stop> {
    turn.rest();
    let mut running: JoinSet<Result<Vec<Uid>, Stop>> = JoinSet::new();
    let mut found: Vec<Uid> = Vec::new();
    let mut batches = open.chunks(BATCH);
    loop {
        while running.len() < WIDTH && batches.len() > 0 {
            let mut place = turn.another();
            if running.is_empty() {
                place.take().await;
            } else if !place.take_spare() {
                break;
            }
            let Some(batch) = batches.next() else { break };
            let batch = batch_of(mailbox.clone(), test.clone(), batch.to_vec());
            running.spawn(async move {
                let hits = batch.await;
                drop(place);
                hits
            });
        }
        match running.join_next().await {
            None => break,
            Some(Ok(hits)) => found.extend(hits?),
            Some(Err(error)) => {
                tracing::error!(%error, "a batch of SEARCH ended early");
                return Err(Stop::no("[SERVERBUG] the search failed"));
            }
        }
    }
    turn.take().await;
    Ok(found.into_iter().collect())
}

async fn batch_of(mailbox: Mailbox, test: Arc<Test>, batch: Vec<Listed>) -> Result<Vec<Uid>, Stop> {
    let items: Vec<ItemId> = batch.iter().map(|listed| listed.item).collect();
    let contents = match mailbox.contents(&items).await {
        Ok(contents) => contents,
        Err(error) if error.kind() == Kind::Broken => one_by_one(&mailbox, &items).await?,
        Err(error) => return Err(error.into()),
    };
    let mut hits = Vec::new();
    for (at, (listed, content)) in batch.iter().zip(contents).enumerate() {
        if at % STRETCH == STRETCH - 1 {
            tokio::task::yield_now().await;
        }
        // Expunged meanwhile, or damaged: it is not found, and harms no other.
        let Some(content) = content else { continue };
        if one(&mailbox, &test, listed, &content).await? {
            hits.push(listed.uid);
        }
    }
    Ok(hits)
}

async fn one_by_one(mailbox: &Mailbox, items: &[ItemId]) -> Result<Vec<Option<Arc<Content>>>, Stop> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        match mailbox.contents(std::slice::from_ref(item)).await {
            Ok(mut one) => out.push(one.pop().flatten()),
            Err(error) if error.kind() == Kind::Broken => out.push(None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(out)
}

async fn one(mailbox: &Mailbox, test: &Test, listed: &Listed, content: &Content) -> Result<bool, Stop> {
    if let Some(answer) = test.judge(listed, Some(content), None) {
        return Ok(answer);
    }
    let prefix = content.prefix.len() as u64;
    let end = if test.needs_body() { content.size() } else { prefix + u64::from(content.summary.root.header.end) };
    match mailbox.bytes(content, prefix..end).await {
        Ok(octets) => Ok(test.judge(listed, Some(content), Some(&octets)).unwrap_or(false)),
        Err(error) if error.kind() == Kind::Retry => Err(error.into()),
        Err(error) => {
            tracing::error!(%error, item = %content.item, "a message's octets cannot be read");
            Ok(false)
        }
    }
}
