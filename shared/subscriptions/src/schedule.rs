//! When a calendar is fetched again.

use crate::subscription::Subscription;
use penfold_types::Timestamp;
use std::time::Duration;

const MINUTE: u64 = 60;
const DAY: u64 = 24 * 60 * MINUTE;

/// Seconds between fetches.
pub const SHORTEST: u64 = 15 * MINUTE;
pub const USUAL: u64 = 4 * 60 * MINUTE;
pub const LONGEST: u64 = 7 * DAY;
/// No failure is waited for longer.
const PATIENCE: u64 = DAY;
/// For how long a server may say that there is nothing for us, until it is believed.
const BELIEVED: Duration = Duration::from_secs(14 * DAY);

/// What was asked for, or what the file says (RFC 7986 §5.7) where that is longer.
fn interval(one: &Subscription) -> u64 {
    one.refresh.max(one.published).clamp(SHORTEST, LONGEST)
}

/// A tenth of it earlier or later, so that what began together does not stay so. `chance`: any number.
fn spread(seconds: u64, chance: u64) -> Duration {
    let tenth = seconds / 10;
    Duration::from_secs(seconds - tenth + chance % (2 * tenth + 1))
}

pub(crate) fn after_success(one: &Subscription, chance: u64) -> Duration {
    spread(interval(one), chance)
}

/// `asked`: for how long the server wants to be left alone. Counts the failure that has just been.
pub(crate) fn after_failure(one: &Subscription, asked: Option<Duration>, chance: u64) -> Duration {
    let doubled = SHORTEST.saturating_mul(1 << one.failures.saturating_sub(1).min(10)).min(PATIENCE);
    spread(doubled, chance).max(asked.unwrap_or_default()).min(Duration::from_secs(PATIENCE))
}

/// Whether it is given up until somebody asks again.
pub(crate) fn is_over(one: &Subscription, now: Timestamp) -> bool {
    one.gone.is_some_and(|since| now.since(since) >= BELIEVED)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one() -> Subscription {
        Subscription::for_tests()
    }

    #[test]
    fn the_longer_interval_counts_and_no_two_stay_together() {
        let after = |refresh, published, chance| after_success(&Subscription { refresh, published, ..one() }, chance).as_secs();
        assert_eq!((after(USUAL, 0, 0), after(USUAL, 0, 1440), after(USUAL, 0, 2880)), (12_960, 14_400, 15_840));
        assert_eq!(after(USUAL, DAY, 8640), DAY);
        assert_eq!(after(DAY, USUAL, 8640), DAY);
        assert_eq!(after(1, 1, 90), SHORTEST);
        assert_eq!(after(u64::MAX, 0, LONGEST / 10), LONGEST);
    }

    #[test]
    fn failures_back_off_up_to_a_day_and_servers_may_ask_for_as_long() {
        let after = |failures, asked| after_failure(&Subscription { failures, ..one() }, asked, 0).as_secs();
        assert_eq!((after(1, None), after(2, None), after(3, None)), (810, 1620, 3240));
        assert!(after(200, None) <= DAY && after(200, None) > DAY / 2);
        assert_eq!(after(1, Some(Duration::from_secs(7200))), 7200);
        assert_eq!(after(1, Some(Duration::from_secs(u64::MAX))), DAY);
    }

    #[test]
    fn two_weeks_of_nothing_are_enough() {
        let now = Timestamp::from_seconds(100_000_000);
        let gone =
            |days: u64| is_over(&Subscription { gone: Some(Timestamp::from_seconds(100_000_000 - (days * DAY) as i64)), ..one() }, now);
        assert!(!gone(13) && gone(14) && !is_over(&one(), now));
    }
}
