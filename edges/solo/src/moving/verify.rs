//! What a store holds of a tenant, read back and added up: rows and blobs as it gives them now.

use super::digest::{BlobSum, RowSum, Sum};
use super::put::{Crew, clear_destroyed};
use super::record::PIECE;
use super::walk::{Pages, Walk};
use super::{IN_FLIGHT, patiently};
use crate::control::Reply;
use penfold_ports::{BlobKey, Key, Pk, Sk, World};
use penfold_types::{Error, Result};
use tokio::sync::mpsc;

/// Of mailboxes, usage, people, organisation and blobs. `done`: what `reply` has heard of so far.
pub async fn read_back(walk: &Walk, done: u64, reply: &Reply) -> Result<Sum> {
    let mut partitions = vec![walk.organisation(), walk.usage(), walk.reports(), walk.transfers(), walk.subscriptions()];
    for principal in walk.principals().await? {
        partitions.push(walk.account(principal));
        partitions.extend(walk.of_principal(principal));
    }
    let (sums, mut found) = mpsc::channel(IN_FLIGHT);
    let mut crew = Crew::new();
    let adding = tokio::spawn(async move {
        let mut total = Sum::default();
        while let Some(sum) = found.recv().await {
            total.add(sum);
        }
        total
    });
    for pk in partitions {
        let (world, sums, head) = (walk.world.clone(), sums.clone(), Key::from_stored(pk.clone(), Sk::head()));
        crew.take(0, async move {
            if head.pk().as_str().starts_with("a#") {
                clear_destroyed(&world, &head).await?;
            }
            sums.send(partition(&world, pk).await?).await.map_err(|_| lost())
        })
        .await?;
    }
    reply.progress(done, None, "mailboxes read back").await?;
    let mut after = None;
    loop {
        let page = walk.blobs_after(after.as_ref()).await?;
        let Some(last) = page.last().cloned() else { break };
        after = Some(last);
        for key in page {
            let (world, sums) = (walk.world.clone(), sums.clone());
            crew.take(PIECE, async move { sums.send(blob(&world, &key).await?).await.map_err(|_| lost()) }).await?;
        }
        reply.progress(done, None, "blobs read back").await?;
    }
    crew.rest().await?;
    drop(sums);
    adding.await.map_err(|error| lost().because(error))
}

fn lost() -> Error {
    Error::broken("the sums were lost")
}

async fn partition(world: &World, pk: Pk) -> Result<Sum> {
    let mut sum = RowSum::default();
    let mut pages = Pages::new(pk);
    while let Some(page) = pages.next(world).await? {
        page.iter().for_each(|(key, row)| sum.update(key, row));
    }
    Ok(sum.finish())
}

async fn blob(world: &World, key: &BlobKey) -> Result<Sum> {
    let (mut sum, mut at) = (BlobSum::new(key), 0);
    loop {
        let to = at + PIECE as u64;
        let bytes = patiently(&world.env, || world.blobs.get_range(key, at..to)).await?;
        sum.update(&bytes);
        at += bytes.len() as u64;
        if at < to {
            return Ok(sum.finish());
        }
    }
}
