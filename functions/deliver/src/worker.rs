//! The loop that a process runs around [`Deliver::handle`].

use crate::{Deliver, Outcome};
use penfold_ports::{QueueName, Receipt, Received};
use penfold_types::Kind;
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a batch is ours before others may have it.
const HIDDEN: Duration = Duration::from_secs(60);
/// Jobs in one batch: the most that a queue gives.
const BATCH: usize = 10;
/// Pauses while the store is busy or full: so many, doubling from the first to the longest, a quarter of an hour in all.
/// They are ours, not the queue's, because the queue gives a job up after a few attempts, and an outage must not park
/// every account.
const PAUSES: u32 = 100;
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Before a job that failed goes back.
const GIVE_BACK: Duration = Duration::from_millis(500);

/// Runs `workers` workers until the shutdown. A batch that is being worked on is finished first.
pub async fn run(deliver: Deliver, workers: usize, shutdown: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    for _ in 0..workers.max(1) {
        tasks.spawn(work(deliver.clone(), shutdown.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, "a delivery worker died; another takes its place");
            if !*shutdown.borrow() {
                deliver.world.env.sleep_jittered(GIVE_BACK).await;
                tasks.spawn(work(deliver.clone(), shutdown.clone()));
            }
        }
    }
}

async fn work(deliver: Deliver, mut shutdown: watch::Receiver<bool>) {
    loop {
        let received = tokio::select! {
            biased;
            _ = shutdown.wait_for(|down| *down) => return,
            received = deliver.world.queue.receive(QueueName::Deliver, BATCH, HIDDEN) => received,
        };
        match received {
            Ok(batch) => deliver.carry_out(&batch, &mut shutdown).await,
            Err(error) => {
                tracing::warn!(%error, "no jobs can be received");
                deliver.world.env.sleep_jittered(GIVE_BACK).await;
            }
        }
    }
}

impl Deliver {
    /// For a host whose queue takes back by itself what is not done.
    pub async fn once(&self, batch: &[Received]) {
        let outcomes = self.handle(batch).await;
        let done = outcomes.iter().take_while(|o| o.is_done()).count();
        self.done(batch.split_at(done).0).await;
    }

    async fn carry_out(&self, batch: &[Received], shutdown: &mut watch::Receiver<bool>) {
        let mut rest = batch;
        let mut pause = FIRST_PAUSE;
        for _ in 0..PAUSES {
            let outcomes = self.handle(rest).await;
            let done = outcomes.iter().take_while(|o| o.is_done()).count();
            let (finished, left) = rest.split_at(done);
            self.done(finished).await;
            rest = left;
            let busy = matches!(outcomes.get(done), Some(Outcome::Again(error)) if error.kind() == Kind::Retry);
            if rest.is_empty() || !busy {
                break;
            }
            tokio::select! {
                biased;
                // Not given back, for that would count as a failure: they are free again once their time is over.
                _ = shutdown.wait_for(|down| *down) => return,
                () = self.world.env.sleep_jittered(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
            if self.world.queue.extend(QueueName::Deliver, &receipts(rest), HIDDEN).await.is_err() {
                // They may be somebody else's by now.
                return;
            }
        }
        if !rest.is_empty() {
            self.give_back(rest).await;
        }
    }

    /// Where the answer is lost the job comes again, and changes nothing.
    async fn done(&self, batch: &[Received]) {
        if batch.is_empty() {
            return;
        }
        if let Err(error) = self.world.queue.done(QueueName::Deliver, &receipts(batch)).await {
            tracing::warn!(%error, "jobs that are done will be done again");
        }
    }

    async fn give_back(&self, batch: &[Received]) {
        self.world.env.sleep_jittered(GIVE_BACK).await;
        if let Err(error) = self.world.queue.give_back(QueueName::Deliver, &receipts(batch)).await {
            tracing::warn!(%error, "jobs come back only once their time is over");
        }
    }
}

fn receipts(batch: &[Received]) -> Vec<Receipt> {
    batch.iter().map(|received| received.receipt).collect()
}
