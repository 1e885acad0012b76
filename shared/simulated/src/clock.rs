use crate::rng::Rng;
use parking_lot::Mutex;
use penfold_types::{Source, Timestamp};
use tokio::time::Instant;

/// 2026-01-01T00:00:00Z, when every simulation begins.
const BEGIN: i64 = 1_767_225_600;

/// Virtual time and seeded randomness for an `Env`.
pub(crate) struct Clock {
    begin: Instant,
    rng: Mutex<Rng>,
}

#[allow(clippy::disallowed_methods)]
fn now() -> Instant {
    Instant::now()
}

impl Clock {
    pub(crate) fn start(seed: u64) -> Self {
        // Another stream than the faults', so that a fault more does not change every id.
        Self { begin: now(), rng: Mutex::new(Rng::new(seed ^ 0x656e_7669_726f_6e21)) }
    }
}

impl Source for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_seconds(BEGIN).plus(now().saturating_duration_since(self.begin))
    }

    fn fill(&self, bytes: &mut [u8]) {
        let mut rng = self.rng.lock();
        for chunk in bytes.chunks_mut(8) {
            let word = rng.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}
