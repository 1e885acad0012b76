//! When a name's turn is. Pure.

use penfold_types::Timestamp;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
/// The first wait after a failure. Four of them fit into an hour, in which authorities allow five.
const FIRST: Duration = Duration::from_secs(5 * 60);
/// Where the authority wants fewer requests.
const BUSY: Duration = Duration::from_secs(3600);

/// What is known of a name's certificate.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Due {
    /// When it is to be renewed; `None` where there is none.
    pub renew: Option<Timestamp>,
    /// It is of the authority that is configured now.
    pub same_authority: bool,
    /// Not before this, after a failure.
    pub next: Option<Timestamp>,
}

pub fn due(known: Due, now: Timestamp) -> bool {
    known.next.is_none_or(|next| next <= now) && (!known.same_authority || known.renew.is_none_or(|renew| renew <= now))
}

/// At two thirds of the lifetime, so that an authority that is away for weeks takes nothing from us.
pub fn renewal(from: Timestamp, until: Timestamp) -> Timestamp {
    from.plus(until.since(from) * 2 / 3)
}

/// How long to wait after so many failures in a row.
pub fn backoff(failures: u64, busy: bool) -> Duration {
    let doubled = FIRST * 2u32.saturating_pow(u32::try_from(failures.saturating_sub(1)).unwrap_or(u32::MAX).min(16));
    doubled.max(if busy { BUSY } else { Duration::ZERO }).min(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_thirds_of_a_life() {
        let from = Timestamp::from_seconds(1_000_000);
        assert_eq!(renewal(from, from.plus(DAY * 90)), from.plus(DAY * 60));
        assert_eq!(renewal(from, from), from);
    }

    #[test]
    fn failures_wait_from_minutes_to_a_day() {
        let minutes = |failures, busy| backoff(failures, busy).as_secs() / 60;
        assert_eq!([1, 2, 3, 4].map(|failures| minutes(failures, false)), [5, 10, 20, 40]);
        assert_eq!((minutes(1, true), minutes(9, false), minutes(u64::MAX, true)), (60, 1280, 1440));
    }

    #[test]
    fn whose_turn_it_is() {
        let now = Timestamp::from_seconds(1000);
        let good = Due { renew: Some(now.plus(DAY)), same_authority: true, next: None };
        assert!(!due(good, now) && due(good, now.plus(DAY)));
        assert!(due(Due { same_authority: false, ..good }, now), "the authority is another one");
        assert!(due(Due { renew: None, ..good }, now), "there is none");
        let failed = Due { renew: None, next: Some(now.plus(FIRST)), ..good };
        assert!(!due(failed, now) && due(failed, now.plus(FIRST)));
    }
}
