//! Asking the trace: by id, sender, recipient and time.

use super::{DAY, Entry, Hop, KEPT_DAYS, TEXT, day};
use crate::codec::Reader;
use penfold_ports::{Query, Sk, TenantScope, World};
use penfold_types::{AcceptanceId, Error, PrincipalId, Result, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// For how long after its acceptance a message is followed, or after the time that it was held until.
const AHEAD_DAYS: i64 = 6;
/// Entries of one answer.
const ENTRIES: usize = 10_000;
/// Messages that are weighed for one answer.
const WEIGHED: usize = 200_000;
/// An edge with a slow clock may have written a little before.
const SKEW: i64 = 60_000;

/// What is looked for; all of it must fit.
#[derive(Debug, Clone)]
pub struct Search {
    /// An address, or a domain.
    pub from: Option<String>,
    pub to: Option<String>,
    /// Whose mailbox or group `to` is, where it is one: who got it through a group was not written to.
    pub principal: Option<PrincipalId>,
    /// When it came.
    pub since: Timestamp,
    pub until: Timestamp,
    /// Messages at most, the newest.
    pub limit: usize,
}

#[derive(Debug, Clone, Default)]
pub struct Found {
    /// By message, the oldest first, each in order of time.
    pub entries: Vec<Entry>,
    /// There are more than were asked for.
    pub more: bool,
}

/// `a@x.test` fits itself, `x.test` and `@x.test` fit every address of the domain.
fn fits(wanted: &str, address: &str) -> bool {
    let (wanted, address) = (wanted.to_lowercase(), address.to_lowercase());
    match wanted.strip_prefix('@').unwrap_or(&wanted) {
        domain if !domain.contains('@') => address.rsplit_once('@').is_some_and(|(_, own)| own == domain),
        whole => whole == address,
    }
}

impl Search {
    fn fits_sender(&self, hop: &Hop) -> bool {
        let Some(wanted) = &self.from else { return false };
        match hop {
            Hop::Accepted { from, .. } | Hop::Turned { from, .. } => fits(wanted, from),
            _ => false,
        }
    }

    fn fits_recipient(&self, hop: &Hop) -> bool {
        let Some(wanted) = &self.to else { return false };
        match hop {
            Hop::To { to } => to.iter().any(|to| fits(wanted, to)),
            Hop::Turned { to, .. } | Hop::Sent { to, .. } | Hop::Refused { to, .. } | Hop::Delayed { to, .. } => fits(wanted, to),
            Hop::Delivered { account, .. } | Hop::Repeated { account } => self.principal == Some(*account),
            Hop::Failed { target, .. } => self.principal == Some(*target),
            Hop::Expanded { group, .. } => self.principal == Some(*group),
            _ => false,
        }
    }
}

/// The messages that fit, with all that is known of each.
pub async fn search(world: &World, scope: &TenantScope, wanted: &Search) -> Result<Found> {
    let now = world.env.now();
    let oldest = Timestamp::from_seconds(now.seconds() - KEPT_DAYS * DAY);
    let (since, until) = (wanted.since.max(oldest), wanted.until.min(now));
    let mut weighed: BTreeMap<AcceptanceId, (bool, bool)> = BTreeMap::new();
    // A day later than asked for: who gets it through a group is known only then.
    for day in day(since)..=day(until).saturating_add(1).min(day(now)) {
        each(world, scope, day, since.millis() - SKEW, |entry| {
            if entry.acceptance.time() >= since && entry.acceptance.time() <= until {
                let came = matches!(entry.hop, Hop::Accepted { .. } | Hop::Turned { .. });
                let (sender, recipient) = (wanted.fits_sender(&entry.hop), wanted.fits_recipient(&entry.hop));
                if sender || recipient || (came && wanted.from.is_none() && wanted.to.is_none()) {
                    let known = weighed.entry(entry.acceptance).or_default();
                    *known = (known.0 || sender, known.1 || recipient);
                }
            }
            weighed.len() < WEIGHED
        })
        .await?;
    }
    let all = |(_, (sender, recipient)): &(_, (bool, bool))| (*sender || wanted.from.is_none()) && (*recipient || wanted.to.is_none());
    let cut = weighed.len() >= WEIGHED;
    let mut fitting: BTreeSet<AcceptanceId> = weighed.into_iter().filter(all).map(|(acceptance, _)| acceptance).collect();
    let more = fitting.len() > wanted.limit || cut;
    while fitting.len() > wanted.limit {
        fitting.pop_first();
    }
    let mut entries = follow(world, scope, &fitting).await?;
    entries.sort_by_key(|entry| (entry.acceptance, entry.at));
    Ok(Found { entries, more })
}

/// What is known of a message, by its acceptance id (as in Received and in the 250) or its Message-ID, in order of time.
pub async fn find(world: &World, scope: &TenantScope, wanted: &str) -> Result<Vec<Entry>> {
    let wanted = wanted.trim();
    if let Ok(acceptance) = wanted.parse::<AcceptanceId>() {
        return follow(world, scope, &BTreeSet::from([acceptance])).await;
    }
    let bare = wanted.trim_start_matches('<').trim_end_matches('>');
    if bare.is_empty() {
        return Err(Error::invalid("give a Message-ID, or the id that the 250 answer named"));
    }
    let today = day(world.env.now());
    for back in 0..=KEPT_DAYS {
        let mut found = BTreeSet::new();
        each(world, scope, today - back, 0, |entry| {
            if matches!(&entry.hop, Hop::Accepted { message_id, .. } if is_id(message_id, bare)) {
                found.insert(entry.acceptance);
            }
            found.len() < ENTRIES
        })
        .await?;
        if !found.is_empty() {
            return follow(world, scope, &found).await;
        }
    }
    Ok(Vec::new())
}

fn is_id(message_id: &str, bare: &str) -> bool {
    let known = message_id.trim().trim_start_matches('<').trim_end_matches('>');
    known == bare || (known.len() >= TEXT - 2 && bare.starts_with(known))
}

async fn follow(world: &World, scope: &TenantScope, acceptances: &BTreeSet<AcceptanceId>) -> Result<Vec<Entry>> {
    let mut out: Vec<Entry> = Vec::new();
    let Some(first) = acceptances.first().map(AcceptanceId::time) else { return Ok(out) };
    let last = acceptances.last().map_or(first, AcceptanceId::time);
    let today = day(world.env.now());
    let (mut at, mut end) = (day(first), day(last) + AHEAD_DAYS);
    while at <= end.min(today) {
        each(world, scope, at, first.millis() - SKEW, |entry| {
            if acceptances.contains(&entry.acceptance) {
                if let Hop::Held { until } = &entry.hop {
                    end = end.max(day(until.plus(Duration::from_secs(60))) + AHEAD_DAYS);
                }
                out.push(entry);
            }
            out.len() < ENTRIES
        })
        .await?;
        at += 1;
    }
    out.sort_by_key(|entry| (entry.at, entry.acceptance));
    Ok(out)
}

/// Reads a day's entries in the order they were written, until `keep_on` says no.
async fn each(world: &World, scope: &TenantScope, day: i64, from: i64, mut keep_on: impl FnMut(Entry) -> bool) -> Result<()> {
    let start = Sk::from_stored(&from.max(0).to_be_bytes());
    let pk = scope.trace(day, start.clone()).pk().clone();
    let mut query = Query { pk, from: start, to: None, limit: 1000, reverse: false };
    loop {
        let page = world.table.query(&query).await?;
        for (_, row) in &page.rows {
            let mut reader = Reader(row.bytes("e").cloned().unwrap_or_default());
            while let Some(entry) = Entry::decode(&mut reader) {
                if !keep_on(entry) {
                    return Ok(());
                }
            }
        }
        match page.rows.last() {
            Some((last, _)) if page.more => query.from = last.successor(),
            _ => return Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::fits;

    #[test]
    fn addresses_and_domains() {
        for (wanted, address, fit) in [
            ("a@x.test", "A@X.test", true),
            ("a@x.test", "b@x.test", false),
            ("x.test", "a@x.test", true),
            ("@X.test", "a@x.test", true),
            ("x.test", "a@y.x.test", false),
            ("a@x.test", "", false),
        ] {
            assert_eq!(fits(wanted, address), fit, "{wanted} {address}");
        }
    }
}
