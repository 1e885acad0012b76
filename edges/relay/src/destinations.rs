//! What this process remembers of destinations: how many connections go there now, and whether it can be reached.

use crate::config::Config;
use crate::said::ours;
use parking_lot::Mutex;
use penfold_ports::Said;
use penfold_types::Env;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

/// Destinations that are remembered at most.
const DESTINATIONS: usize = 10_000;

struct Destination {
    places: Arc<Semaphore>,
    failures: u32,
    /// Left alone until then; the words are those of the last failure.
    shunned: Option<(Instant, Said)>,
}

pub(crate) struct Destinations {
    env: Env,
    concurrency: usize,
    first: Duration,
    limit: Duration,
    wait: Duration,
    known: Mutex<BTreeMap<String, Destination>>,
}

impl Destinations {
    pub fn new(env: Env, config: &Config) -> Self {
        Self {
            env,
            concurrency: config.concurrency.max(1),
            first: config.back_off,
            limit: config.back_off_limit,
            wait: config.timeouts.place,
            known: Mutex::new(BTreeMap::new()),
        }
    }

    /// A place among the destination's connections, once there is one; or why there is none.
    pub async fn enter(&self, name: &str) -> Result<OwnedSemaphorePermit, Said> {
        let places = {
            let mut known = self.known.lock();
            self.make_room(&mut known);
            let destination = known.entry(name.to_owned()).or_insert_with(|| Destination {
                places: Arc::new(Semaphore::new(self.concurrency)),
                failures: 0,
                shunned: None,
            });
            if let Some((until, said)) = &destination.shunned
                && self.env.monotonic() < *until
            {
                return Err(said.clone());
            }
            destination.places.clone()
        };
        let busy = || ours(451, (4, 4, 5), format!("all connections to {name} are in use"));
        tokio::select! {
            biased;
            place = places.acquire_owned() => place.map_err(|_| busy()),
            () = self.env.sleep(self.wait) => Err(busy()),
        }
    }

    pub fn reached(&self, name: &str) {
        if let Some(destination) = self.known.lock().get_mut(name) {
            (destination.failures, destination.shunned) = (0, None);
        }
    }

    pub fn failed(&self, name: &str, said: &Said) {
        if let Some(destination) = self.known.lock().get_mut(name) {
            let now = self.env.monotonic();
            // Attempts that began together fail together, and count once.
            if destination.shunned.as_ref().is_some_and(|(until, _)| now < *until) {
                return;
            }
            let span = self.first.saturating_mul(1 << destination.failures.min(16)).min(self.limit);
            let jitter = self.env.below(u64::try_from(span.as_millis() / 4).unwrap_or(0).max(1));
            destination.failures += 1;
            destination.shunned = Some((now + span - Duration::from_millis(jitter), said.clone()));
        }
    }

    fn make_room(&self, known: &mut BTreeMap<String, Destination>) {
        if known.len() < DESTINATIONS {
            return;
        }
        let now = self.env.monotonic();
        let in_use = |destination: &Destination| destination.places.available_permits() < self.concurrency;
        known.retain(|_, one| in_use(one) || one.shunned.as_ref().is_some_and(|(until, _)| now < *until));
        if known.len() >= DESTINATIONS {
            known.pop_first();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use penfold_simulated::{Faults, Simulated};

    #[tokio::test(start_paused = true)]
    async fn places_are_few_and_failures_double_the_pause() {
        let env = Simulated::new(1, Faults::NONE).env();
        let destinations = Destinations::new(env.clone(), &Config { concurrency: 2, ..Config::default() });
        let held = (destinations.enter("x").await.unwrap(), destinations.enter("x").await.unwrap());
        assert_eq!(destinations.enter("x").await.unwrap_err().status, (4, 4, 5));
        drop(destinations.enter("y").await.unwrap());
        drop(held);
        drop(destinations.enter("x").await.unwrap());

        let no = ours(451, (4, 4, 1), "no");
        for minutes in [1, 2, 4, 8, 16, 32, 60, 60] {
            destinations.failed("x", &no);
            destinations.failed("x", &no);
            env.sleep(Duration::from_secs(minutes * 45 - 1)).await;
            assert_eq!(destinations.enter("x").await.unwrap_err(), no);
            env.sleep(Duration::from_secs(minutes * 15 + 1)).await;
            drop(destinations.enter("x").await.unwrap());
        }
        destinations.reached("x");
        destinations.failed("x", &no);
        env.sleep(Duration::from_secs(60)).await;
        drop(destinations.enter("x").await.unwrap());
    }
}
