//! How often somebody may do something. A minute's worth may come at once; then it is as many a minute, evenly.

use parking_lot::Mutex;
use penfold_types::Env;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Keys that are remembered. Beyond, those who have all of their minute again are forgotten first, then all.
const KEYS: usize = 50_000;
const WINDOW: Duration = Duration::from_secs(60);
/// So far ahead somebody takes at most, and so nobody waits for longer than a minute: those who take one and do not wait for it, as
/// when they drop the connection and come again, do not slow themselves down for hours.
const AHEAD: Duration = Duration::from_secs(120);

/// Of this process alone: with several, a limit is at most so many times as high. Cheap to clone.
#[derive(Clone)]
pub struct Rates<K> {
    env: Env,
    /// What one takes of the minute.
    step: Duration,
    /// When each has all of their minute again.
    whole: Arc<Mutex<BTreeMap<K, Instant>>>,
}

impl<K: Ord + Copy> Rates<K> {
    /// 0: as often as is asked for.
    pub fn per_minute(env: Env, count: u32) -> Self {
        let step = if count == 0 { Duration::ZERO } else { WINDOW / count };
        Self { env, step, whole: Arc::default() }
    }

    /// Takes one, and says how long to wait before it is used. Whoever takes more waits longer, at most a minute.
    pub fn pace(&self, key: K) -> Duration {
        self.take(key, Duration::MAX).unwrap_or_default()
    }

    /// Takes one if there is one now; else says when there will be.
    pub fn try_take(&self, key: K) -> Result<(), Duration> {
        self.take(key, Duration::ZERO).map(|_| ())
    }

    /// Whether there is one now. Takes nothing.
    pub fn has(&self, key: K) -> bool {
        let now = self.env.monotonic();
        self.whole.lock().get(&key).is_none_or(|at| (*at).max(now) + self.step <= now + WINDOW)
    }

    fn take(&self, key: K, patience: Duration) -> Result<Duration, Duration> {
        if self.step.is_zero() {
            return Ok(Duration::ZERO);
        }
        let now = self.env.monotonic();
        let mut whole = self.whole.lock();
        if whole.len() >= KEYS && !whole.contains_key(&key) {
            whole.retain(|_, at| *at > now);
            if whole.len() >= KEYS {
                whole.clear();
            }
        }
        let at = whole.entry(key).or_insert(now);
        let after = ((*at).max(now) + self.step).min(now + AHEAD);
        let wait = (after - now).saturating_sub(WINDOW);
        if wait > patience {
            return Err(wait);
        }
        *at = after;
        Ok(wait)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_minute_at_once_and_then_evenly() {
        let env = Env::system();
        let rates = Rates::per_minute(env.clone(), 60);
        for _ in 0..60 {
            rates.try_take(1).unwrap();
        }
        assert_eq!(rates.try_take(1), Err(Duration::from_secs(1)));
        rates.try_take(2).unwrap();
        env.sleep(Duration::from_secs(2)).await;
        assert!(rates.try_take(1).is_ok() && rates.try_take(1).is_ok() && rates.try_take(1).is_err());
        // Those who are slowed down stand one behind the other.
        assert_eq!([rates.pace(1), rates.pace(1)], [Duration::from_secs(1), Duration::from_secs(2)]);
        env.sleep(Duration::from_secs(1000)).await;
        assert_eq!(rates.pace(1), Duration::ZERO);
        assert_eq!(Rates::per_minute(env, 0).pace(1), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn looking_takes_nothing() {
        let rates = Rates::per_minute(Env::system(), 2);
        assert!((0..10).all(|_| rates.has(1)));
        rates.try_take(1).unwrap();
        assert!(rates.has(1));
        rates.try_take(1).unwrap();
        assert!(!rates.has(1) && rates.has(2));
        assert!(Rates::per_minute(Env::system(), 0).has(1));
    }

    /// A client took thousands and did not wait for one of them: its person waits for a minute, not for hours.
    #[tokio::test(start_paused = true)]
    async fn nobody_owes_more_than_a_minute() {
        let env = Env::system();
        let rates = Rates::per_minute(env.clone(), 60);
        for _ in 0..100_000 {
            assert!(rates.pace(1) <= WINDOW);
        }
        env.sleep(AHEAD).await;
        assert_eq!(rates.pace(1), Duration::ZERO);
    }

    #[tokio::test(start_paused = true)]
    async fn the_table_is_bounded() {
        let rates = Rates::per_minute(Env::system(), 60);
        for key in 0..KEYS * 2 + 10 {
            rates.pace(key);
        }
        assert!(rates.whole.lock().len() <= KEYS);
    }
}
