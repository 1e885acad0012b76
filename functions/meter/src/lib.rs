//! Now and then: what mailboxes used since is counted from their logs, by hour. Rounds may race, die or be left out; nothing
//! is counted twice, and the next one goes on.

use penfold_metering::usage::Usage;
use penfold_types::{Env, Result};
use std::time::Duration;
use tokio::sync::watch;

const EVERY: Duration = Duration::from_secs(3 * 3600);
/// A process that never lives for so long counts all the same.
const FIRST: Duration = Duration::from_secs(60);

pub struct Meter {
    pub env: Env,
    pub usage: Usage,
}

impl Meter {
    /// Runs until the shutdown.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut pause = FIRST;
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.env.sleep_jittered(pause) => pause = EVERY,
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                done = self.round() => {
                    if let Err(error) = done {
                        tracing::warn!(%error, "the meter was interrupted; it goes on next time");
                    }
                }
            }
        }
    }

    /// Once over all mailboxes.
    pub async fn round(&self) -> Result<()> {
        let round = self.usage.round().await?;
        tracing::debug!(moved = round.moved, differing = round.differing, left = round.left, "usage counted");
        Ok(())
    }
}
