//! What upkeep does for mail on its way out: rows that are no longer needed go, and what has lost its job gets another one.

use super::carry::Leave;
use super::held::{self, Held, kept};
use super::manage::Desk;
use super::parcel::{Parcel, State, parcels};
use penfold_ports::{QueueName, Sk, TenantScope, World, Write};
use penfold_types::{AcceptanceId, Kind, Result};
use std::collections::BTreeSet;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// A queue may bring a job again for so long (Amazon SQS: 14 days), and the row is what tells that it is an old one.
pub(super) const KEPT: Duration = Duration::from_secs(15 * DAY.as_secs());
/// What is held goes back to its sender then: its blob is not kept for ever.
const HELD: Duration = Duration::from_secs(12 * DAY.as_secs());
/// A job that should have come so long ago is lost, as after a restore.
pub(super) const OVERDUE: Duration = Duration::from_secs(6 * 3600);

/// Over all parcels of a tenant. Gives back how many it did something about.
pub async fn tidy(world: &World, scope: &TenantScope) -> Result<usize> {
    let (mut after, mut done) = (None, held::tidy(world, scope).await?);
    loop {
        let (page, more) = parcels(world, scope, after).await?;
        after = page.last().map(|(part, parcel)| (parcel.acceptance, *part));
        for (part, parcel) in page {
            done += usize::from(one(world, scope, part, &parcel).await?);
        }
        if !more || after.is_none() {
            return Ok(done);
        }
    }
}

/// The messages whose blobs are needed however old they are, of this tenant's people: a blob may lie with whoever gets it.
pub async fn named(world: &World, scope: &TenantScope) -> Result<BTreeSet<AcceptanceId>> {
    // In this order: what leaves in between has its parcels first.
    let mut names: BTreeSet<_> = kept(world, scope).await?.iter().map(|held| held.submission.mail.acceptance).collect();
    names.extend(on_their_way(world, scope).await?);
    Ok(names)
}

/// The messages that are still to leave.
pub async fn unfinished(world: &World, scope: &TenantScope) -> Result<BTreeSet<AcceptanceId>> {
    let here = kept(world, scope).await?.into_iter().filter(Held::is_here);
    let mut all: BTreeSet<_> = here.map(|held| held.submission.mail.acceptance).collect();
    all.extend(on_their_way(world, scope).await?);
    Ok(all)
}

async fn on_their_way(world: &World, scope: &TenantScope) -> Result<BTreeSet<AcceptanceId>> {
    let (mut names, mut after) = (BTreeSet::new(), None);
    loop {
        let (page, more) = parcels(world, scope, after).await?;
        after = page.last().map(|(part, parcel)| (parcel.acceptance, *part));
        names.extend(page.iter().filter(|(_, parcel)| parcel.state != State::Done).map(|(_, parcel)| parcel.acceptance));
        if !more || after.is_none() {
            return Ok(names);
        }
    }
}

/// Of a tenant that is no more.
pub async fn forget(world: &World, scope: &TenantScope) -> Result<()> {
    for held in kept(world, scope).await? {
        world.table.put(Write::delete(scope.outgoing(Sk::held(held.submission.mail.acceptance)))).await?;
    }
    loop {
        let (page, more) = parcels(world, scope, None).await?;
        for (part, parcel) in &page {
            world.table.put(Write::delete(scope.outgoing(Sk::outgoing(parcel.acceptance, *part)))).await?;
        }
        if !more {
            return Ok(());
        }
    }
}

async fn one(world: &World, scope: &TenantScope, part: u64, parcel: &Parcel) -> Result<bool> {
    let since = world.env.now().since(parcel.at);
    let desk = Desk { world, scope, acceptance: parcel.acceptance, part };
    match parcel.state {
        State::Done if since >= KEPT => {
            let key = scope.outgoing(Sk::outgoing(parcel.acceptance, part));
            world.table.put(Write::delete(key)).await?;
        }
        State::Held if world.env.now().since(parcel.accepted) >= HELD => match desk.give_up(true).await {
            // Somebody is at it.
            Err(error) if error.kind() == Kind::Conflict => return Ok(false),
            answer => answer?,
        },
        State::Waiting | State::Trying | State::Reporting if since >= OVERDUE => {
            let attempts = if parcel.state == State::Trying { parcel.job } else { parcel.attempts };
            let leave = Leave { acceptance: parcel.acceptance, part, attempts };
            tracing::warn!(target: "mail", trace = %parcel.acceptance, destination = %parcel.destination, "its job is overdue and is sent again");
            world.queue.send(QueueName::Relay, vec![leave.job(scope.tenant(), &parcel.destination)]).await?;
        }
        _ => return Ok(false),
    }
    Ok(true)
}
