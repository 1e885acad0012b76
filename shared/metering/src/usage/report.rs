//! Reading usage back: every hour of every mailbox, those in which nothing happened too.

use super::counter::number;
use super::day::{Day, HOUR, Hour};
use super::rollup::{KEPT_DAYS, marks};
use penfold_ports::{Query, Row, Sk, TenantScope, World, shared};
use penfold_types::{Error, PrincipalId, Result, Timestamp};
use std::collections::BTreeMap;

/// Whole hours since 1970-01-01T00:00Z: from the first one up to the last one, which is not included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Period {
    pub from: i64,
    pub to: i64,
}

impl Period {
    /// The hours that lie between two moments in whole.
    pub fn between(from: Timestamp, to: Timestamp) -> Self {
        let (from, to) = (from.seconds(), to.seconds());
        let from = from.div_euclid(HOUR) + i64::from(from.rem_euclid(HOUR) > 0);
        Self { from, to: to.div_euclid(HOUR).max(from) }
    }
}

/// What a mailbox used, to be added up over hours and mailboxes.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Used {
    pub delivered: u64,
    pub delivered_bytes: u64,
    pub added: u64,
    pub added_bytes: u64,
    pub removed: u64,
    pub removed_bytes: u64,
    pub adjusted: i64,
    /// For how long a mailbox was there.
    pub seconds: u64,
    pub byte_seconds: u128,
    /// Bytes at the end.
    pub bytes: u64,
}

impl Used {
    fn of(hour: &Hour, was: u64, seconds: u64) -> Self {
        let byte_seconds = i128::from(was) * i128::from(HOUR) + i128::from(hour.lift);
        Self {
            delivered: hour.delivered.into(),
            delivered_bytes: hour.delivered_bytes,
            added: hour.added.into(),
            added_bytes: hour.added_bytes,
            removed: hour.removed.into(),
            removed_bytes: hour.removed_bytes,
            adjusted: hour.adjusted,
            seconds,
            byte_seconds: u128::try_from(byte_seconds).unwrap_or(0),
            bytes: was.saturating_add_signed(hour.grown()),
        }
    }

    fn sums(&mut self, other: &Self) {
        self.delivered += other.delivered;
        self.delivered_bytes = self.delivered_bytes.saturating_add(other.delivered_bytes);
        self.added += other.added;
        self.added_bytes = self.added_bytes.saturating_add(other.added_bytes);
        self.removed += other.removed;
        self.removed_bytes = self.removed_bytes.saturating_add(other.removed_bytes);
        self.adjusted = self.adjusted.saturating_add(other.adjusted);
        self.seconds += other.seconds;
        self.byte_seconds += other.byte_seconds;
    }

    /// With the hour that follows, of the same mailbox.
    pub fn then(&mut self, next: &Self) {
        self.sums(next);
        self.bytes = next.bytes;
    }

    /// With the same time of another mailbox.
    pub fn beside(&mut self, other: &Self) {
        self.sums(other);
        self.bytes = self.bytes.saturating_add(other.bytes);
    }
}

/// What a mailbox holds, by all that was counted.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Held {
    pub items: u64,
    pub bytes: u64,
}

/// Of every mailbox that is there.
pub async fn held(world: &World, organisation: &TenantScope) -> Result<BTreeMap<PrincipalId, Held>> {
    let open = marks(world, organisation).await?.into_iter().filter(|(_, mark)| mark.closed.is_none());
    Ok(open.map(|(principal, mark)| (principal, Held { items: mark.items, bytes: mark.bytes })).collect())
}

/// Up to when everything is counted, in this cell.
pub async fn until(world: &World) -> Result<Option<Timestamp>> {
    let row = world.table.get(&shared::metered()).await?;
    Ok(row.and_then(|row| row.u64("t")).and_then(|millis| i64::try_from(millis).ok()).map(Timestamp::from_millis))
}

/// `each` hears of every hour of a tenant's mailboxes within a period, mailbox after mailbox, but of those in which there was
/// nothing at all. Usage is kept for 400 days, and what is before them is left out.
pub async fn each_hour(
    world: &World,
    organisation: &TenantScope,
    period: Period,
    mut each: impl FnMut(PrincipalId, i64, Used),
) -> Result<()> {
    let kept = i64::from(number(world.env.now().seconds()).saturating_sub(KEPT_DAYS)) * 24;
    let period = Period { from: period.from.max(kept), ..period };
    for (principal, mark) in marks(world, organisation).await? {
        let days = days(world, organisation, principal, period).await?;
        // A mailbox is as its next day with something in it begins, and after the last one as its mark says.
        let mut bytes = days.values().next().map_or(mark.bytes, |day| day.was);
        // From midnight on, for a day says how it began.
        for at in period.from.div_euclid(24) * 24..period.to {
            let day = u32::try_from(at.div_euclid(24)).ok().and_then(|day| days.get(&day));
            let hour = day.and_then(|day| day.hours.get(&(at.rem_euclid(24) as u8))).copied().unwrap_or_default();
            let used = Used::of(&hour, bytes, mark.seconds_within(at * HOUR, HOUR));
            bytes = used.bytes;
            if at >= period.from && used != Used::default() {
                each(principal, at, used);
            }
        }
    }
    Ok(())
}

/// The days of a period in which something happened, and the one after them.
async fn days(world: &World, organisation: &TenantScope, principal: PrincipalId, period: Period) -> Result<BTreeMap<u32, Day>> {
    let first = u32::try_from(period.from.div_euclid(24)).unwrap_or(0);
    let prefix = Sk::days(principal);
    let all = Query::prefix(organisation.usage(prefix.clone()).pk().clone(), &prefix);
    let limit = usize::try_from((period.to - period.from) / 24).unwrap_or(0) + 3;
    let rows = world.table.query_all(Query { from: Sk::day(principal, first), limit, ..all }).await?;
    let read = |(sk, row): &(Sk, Row)| {
        let day = sk.as_bytes().strip_prefix(prefix.as_bytes())?.try_into().ok().map(u32::from_be_bytes)?;
        Some((day, Day::from_row(row)?))
    };
    rows.iter().map(|row| read(row).ok_or_else(|| Error::broken("a day's usage cannot be read"))).collect()
}
