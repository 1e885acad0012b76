//! What was put off and is due now goes into its queue.

use penfold_ports::World;
use penfold_transport::outbound::send_due;
use penfold_types::Result;
use std::time::Duration;
use tokio::sync::watch;

const EVERY: Duration = Duration::from_secs(5);

pub struct Timer {
    world: World,
}

impl Timer {
    pub fn new(world: &World) -> Self {
        Self { world: world.named("timer") }
    }

    /// Runs until the shutdown.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.world.env.sleep_jittered(EVERY) => {}
            }
            if let Err(error) = self.round().await {
                tracing::warn!(%error, "what is due waits a little longer");
            }
        }
    }

    /// Gives back how many jobs were due.
    pub async fn round(&self) -> Result<usize> {
        send_due(&self.world).await
    }
}
