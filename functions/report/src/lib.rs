//! Once a day: what was found of other domains' mail, and how TLS to their hosts went, is reported to those who asked for it
//! (RFC 9990, RFC 8460). It is mounted where mail leaves: reports about TLS also go to web servers.
//!
//! | file | what |
//! |---|---|
//! | sender.rs | in whose name reports go out |
//! | one.rs | one report: written, and sent once |

mod one;
mod sender;

use one::Task;
use penfold_ports::World;
use penfold_reports::{Kind, Post, days_facts, forget_facts, time};
use penfold_transport::Transport;
use penfold_types::{Address, Result};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;

/// Days end everywhere at once; not all reports have to leave then.
const EVERY: Duration = Duration::from_secs(3600);
/// After the end of a day: by then everybody has written what they counted of it.
const AFTER: i64 = 3600;
/// What could not be reported on one day is on the next ones.
const DAYS: i64 = 3;

pub struct Reporter {
    pub world: World,
    pub transport: Transport,
    pub post: Arc<dyn Post>,
    /// Name of the host that reports, as in greetings.
    pub host: String,
    /// In whose name; without one the postmaster of the domain that the host is in.
    pub from: Option<Address>,
}

impl Reporter {
    /// Runs until the shutdown.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                () = self.world.env.sleep_jittered(EVERY) => {}
            }
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => return,
                done = self.round() => {
                    if let Err(error) = done {
                        tracing::warn!(%error, "some reports to other domains wait for the next round");
                    }
                }
            }
        }
    }

    /// All that is to be reported now. Gives back how many reports left.
    pub async fn round(&self) -> Result<usize> {
        let today = time::day(penfold_types::Timestamp::from_seconds(self.world.env.now().seconds() - AFTER));
        let sender = self.sender().await?;
        let mut left = 0;
        for kind in Kind::ALL {
            for day in today - DAYS..today {
                let mut after: Option<String> = None;
                while let Some(counted) = days_facts(&self.world, kind, day, after.as_deref()).await? {
                    let domain = counted.domain.clone();
                    match &sender {
                        Some(sender) => match self.one(&Task { kind, day, counted, sender }).await {
                            Ok(now) => left += usize::from(now),
                            // One that cannot be sent does not stop the others.
                            Err(error) => tracing::warn!(%error, domain, "a report waits for the next round"),
                        },
                        None => forget_facts(&self.world, kind, day, &domain).await?,
                    }
                    after = Some(domain);
                }
            }
        }
        Ok(left)
    }
}
