//! What the suites that cross crates share: a world with people in it, messages of real size, a clock for their seconds.
#![allow(clippy::unwrap_used, clippy::expect_used)]

pub mod growth;
pub mod ledger;
pub mod letters;
pub mod office;
pub mod prices;
pub mod rng;
pub mod town;
pub mod wakes;

use penfold_types::Env;
use tokio::time::Instant;

/// Tells how long a suite took, when it is dropped. Made outside a simulation, it counts real time.
pub struct Seconds {
    suite: &'static str,
    since: Instant,
}

impl Seconds {
    pub fn of(suite: &'static str) -> Self {
        Self { suite, since: Env::system().monotonic() }
    }

    pub fn so_far(&self) -> f64 {
        Env::system().monotonic().saturating_duration_since(self.since).as_secs_f64()
    }
}

impl Drop for Seconds {
    fn drop(&mut self) {
        println!("{}: {:.1} s", self.suite, self.so_far());
    }
}

/// Runs one piece of a simulation: one thread, virtual time.
pub fn on_virtual_time<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    runtime.block_on(work)
}
