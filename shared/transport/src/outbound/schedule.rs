//! When to try again.

use penfold_types::{Env, Timestamp};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// For how long attempts are made (RFC 5321 §4.5.4.1: at least four to five days).
pub const LIFETIME: Duration = Duration::from_secs(5 * 24 * 3600);
/// After this the sender is told that it is late.
pub const LATE: Duration = Duration::from_secs(4 * 3600);

/// How long after a failed attempt the next one is due: soon after the first ones, for a greylisting host answers after a few
/// minutes, then every four hours.
fn pause(attempts: u32) -> Duration {
    match attempts {
        0..=1 => MINUTE,
        2 => MINUTE * 5,
        3 => MINUTE * 15,
        4 => MINUTE * 30,
        5 => HOUR,
        6 => HOUR * 2,
        _ => HOUR * 4,
    }
}

/// Up to a tenth later, so that what failed together does not come back together. The last attempt is at the end.
pub(super) fn next(env: &Env, now: Timestamp, attempts: u32, expires: Timestamp) -> Timestamp {
    let pause = pause(attempts);
    let jitter = Duration::from_millis(env.below(u64::try_from(pause.as_millis() / 10).unwrap_or(1)));
    let next = now.plus(pause + jitter);
    if now < expires { next.min(expires) } else { next }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_days_of_attempts() {
        let env = Env::system();
        let begin = Timestamp::from_seconds(1_000_000);
        let expires = begin.plus(LIFETIME);
        let (mut now, mut attempts) = (begin, 0);
        while now < expires {
            attempts += 1;
            let then = next(&env, now, attempts, expires);
            assert!(then > now && then.since(now) <= HOUR * 5);
            now = then;
        }
        assert!(now == expires && (30..45).contains(&attempts), "{attempts} attempts");
    }
}
