//! The loop of a process that takes jobs of one queue.

use penfold_ports::{QueueName, Receipt, Received, World};
use penfold_types::{Error, Kind};
use std::time::Duration;
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How long a batch is ours before others may have it; what takes longer is held on to.
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

/// What became of a job.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// Its work is durable: the queue may forget it.
    Done,
    /// It is to be handed out again, and so are those behind it.
    Again(Error),
}

impl Outcome {
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done)
    }
}

/// Whoever does the jobs of a queue.
pub trait Worker: Clone + Send + Sync + 'static {
    const QUEUE: QueueName;

    fn world(&self) -> &World;

    /// Does a batch of one group, in order. An outcome for each job; behind one that failed none is done.
    fn handle(&self, batch: &[Received]) -> impl Future<Output = Vec<Outcome>> + Send;
}

/// Does jobs one after the other, up to the first that fails.
pub async fn in_order<F: Future<Output = penfold_types::Result<()>>>(
    batch: &[Received],
    mut work: impl FnMut(Received) -> F,
) -> Vec<Outcome> {
    let mut outcomes = Vec::with_capacity(batch.len());
    for received in batch {
        match work(received.clone()).await {
            Ok(()) => outcomes.push(Outcome::Done),
            Err(error) => {
                outcomes.resize_with(batch.len(), || Outcome::Again(error.clone()));
                break;
            }
        }
    }
    outcomes
}

/// Runs `workers` workers until the shutdown. A batch that is being worked on is finished first.
pub async fn run<W: Worker>(worker: W, workers: usize, shutdown: watch::Receiver<bool>) {
    let mut tasks = JoinSet::new();
    for _ in 0..workers.max(1) {
        tasks.spawn(work(worker.clone(), shutdown.clone()));
    }
    while let Some(ended) = tasks.join_next().await {
        if let Err(error) = ended {
            tracing::error!(%error, queue = W::QUEUE.as_str(), "a worker died; another takes its place");
            if !*shutdown.borrow() {
                worker.world().env.sleep_jittered(GIVE_BACK).await;
                tasks.spawn(work(worker.clone(), shutdown.clone()));
            }
        }
    }
}

/// For a host whose queue takes back by itself what is not done.
pub async fn once<W: Worker>(worker: &W, batch: &[Received]) {
    let outcomes = worker.handle(batch).await;
    let finished = outcomes.iter().take_while(|o| o.is_done()).count();
    done(worker, batch.split_at(finished).0).await;
}

async fn work<W: Worker>(worker: W, mut shutdown: watch::Receiver<bool>) {
    loop {
        let received = tokio::select! {
            biased;
            _ = shutdown.wait_for(|down| *down) => return,
            received = worker.world().queue.receive(W::QUEUE, BATCH, HIDDEN) => received,
        };
        match received {
            Ok(batch) => carry_out(&worker, &batch, &mut shutdown).await,
            Err(error) => {
                tracing::warn!(%error, queue = W::QUEUE.as_str(), "no jobs can be received");
                worker.world().env.sleep_jittered(GIVE_BACK).await;
            }
        }
    }
}

async fn carry_out<W: Worker>(worker: &W, batch: &[Received], shutdown: &mut watch::Receiver<bool>) {
    let world = worker.world();
    let mut rest = batch;
    let mut pause = FIRST_PAUSE;
    for _ in 0..PAUSES {
        let outcomes = held(worker, rest).await;
        let finished = outcomes.iter().take_while(|o| o.is_done()).count();
        let (finished, left) = rest.split_at(finished);
        let busy = matches!(outcomes.get(finished.len()), Some(Outcome::Again(error)) if error.kind() == Kind::Retry);
        done(worker, finished).await;
        rest = left;
        if rest.is_empty() || !busy {
            break;
        }
        tokio::select! {
            biased;
            // Not given back, for that would count as a failure: they are free again once their time is over.
            _ = shutdown.wait_for(|down| *down) => return,
            () = world.env.sleep_jittered(pause) => {}
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
        if world.queue.extend(W::QUEUE, &receipts(rest), HIDDEN).await.is_err() {
            // They may be somebody else's by now.
            return;
        }
    }
    if !rest.is_empty() {
        give_back(worker, rest).await;
    }
}

/// Holds on to a batch while it is worked on.
async fn held<W: Worker>(worker: &W, batch: &[Received]) -> Vec<Outcome> {
    let mut work = std::pin::pin!(worker.handle(batch));
    loop {
        tokio::select! {
            biased;
            outcomes = &mut work => return outcomes,
            () = worker.world().env.sleep(HIDDEN / 2) => {}
        }
        if let Err(error) = worker.world().queue.extend(W::QUEUE, &receipts(batch), HIDDEN).await {
            tracing::debug!(%error, queue = W::QUEUE.as_str(), "jobs may be handed out to others as well");
        }
    }
}

/// Where the answer is lost the job comes again, and changes nothing.
async fn done<W: Worker>(worker: &W, batch: &[Received]) {
    if batch.is_empty() {
        return;
    }
    if let Err(error) = worker.world().queue.done(W::QUEUE, &receipts(batch)).await {
        tracing::warn!(%error, queue = W::QUEUE.as_str(), "jobs that are done will be done again");
    }
}

async fn give_back<W: Worker>(worker: &W, batch: &[Received]) {
    worker.world().env.sleep_jittered(GIVE_BACK).await;
    if let Err(error) = worker.world().queue.give_back(W::QUEUE, &receipts(batch)).await {
        tracing::warn!(%error, queue = W::QUEUE.as_str(), "jobs come back only once their time is over");
    }
}

fn receipts(batch: &[Received]) -> Vec<Receipt> {
    batch.iter().map(|received| received.receipt).collect()
}
