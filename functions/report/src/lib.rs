//! Once a day: what was found of other domains' mail, and how TLS to their hosts went, is reported to those who asked for it
//! (RFC 9990, RFC 8460). It is mounted where mail leaves: reports about TLS also go to web servers.
//!
//! | file | what |
//! |---|---|
//! | sender.rs | in whose name reports go out |
//! | one.rs | one report: written, and sent once |
//! | told.rs | how many reports somebody gets about a day |

mod one;
mod sender;
mod told;

use one::Task;
use penfold_ports::World;
use penfold_reports::{Kind, Post, days_facts, forget_facts, time};
use penfold_transport::Transport;
use penfold_types::{Address, Result};
use sender::Sender;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use told::Told;

/// Days end everywhere at once; not all reports have to leave then.
const EVERY: Duration = Duration::from_secs(3600);
/// After the end of a day: by then everybody has written what they counted of it.
const AFTER: i64 = 3600;
/// What could not be reported on one day is on the next ones.
const DAYS: i64 = 3;
/// Reports that are sent at one time, so that hosts which never answer hold few of the others up.
const SIDE_BY_SIDE: usize = 4;

/// Cheap to clone.
#[derive(Clone)]
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
        let sender = self.sender().await?.map(Arc::new);
        let mut left = 0;
        for kind in Kind::ALL {
            for day in today - DAYS..today {
                left += match &sender {
                    Some(sender) => self.day(kind, day, sender).await?,
                    None => self.forget(kind, day).await?,
                };
            }
        }
        Ok(left)
    }

    async fn day(&self, kind: Kind, day: i64, sender: &Arc<Sender>) -> Result<usize> {
        let Some(mut counted) = days_facts(&self.world, kind, day, None).await? else { return Ok(0) };
        let told = Arc::new(Told::load(&self.world, kind, day).await?);
        let (mut left, mut under_way) = (0, JoinSet::new());
        let read = loop {
            if under_way.len() >= SIDE_BY_SIDE {
                left += ended(under_way.join_next().await);
            }
            let domain = counted.domain.clone();
            let (own, task) = (self.clone(), Task { kind, day, counted, sender: sender.clone(), told: told.clone() });
            under_way.spawn(async move { (task.counted.domain.clone(), own.one(&task).await) });
            match days_facts(&self.world, kind, day, Some(&domain)).await {
                Ok(Some(next)) => counted = next,
                Ok(None) => break Ok(()),
                Err(error) => break Err(error),
            }
        };
        while !under_way.is_empty() {
            left += ended(under_way.join_next().await);
        }
        read.map(|()| left)
    }

    /// Where nobody can be told.
    async fn forget(&self, kind: Kind, day: i64) -> Result<usize> {
        while let Some(counted) = days_facts(&self.world, kind, day, None).await? {
            forget_facts(&self.world, kind, day, &counted.domain).await?;
        }
        Ok(0)
    }
}

/// One that cannot be sent does not stop the others.
fn ended(joined: Option<std::result::Result<(String, Result<bool>), JoinError>>) -> usize {
    match joined {
        Some(Ok((_, Ok(left)))) => usize::from(left),
        Some(Ok((domain, Err(error)))) => {
            tracing::warn!(%error, domain, "a report waits for the next round");
            0
        }
        Some(Err(error)) => {
            tracing::error!(%error, "a report was not sent");
            0
        }
        None => 0,
    }
}
