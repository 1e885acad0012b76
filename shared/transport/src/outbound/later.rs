//! Jobs that are due later: rows by time, because a queue has no delay. A timer moves what is due into its queue. A row
//! may be moved twice, where the timer died between sending and forgetting; who takes the job finds that it is old.

use crate::codec::{Reader, Writer};
use bytes::Bytes;
use penfold_ports::{Job, JobId, PortError, Query, QueueName, Row, Sk, World, Write, limits, shared};
use penfold_types::{CommitId, Result, TenantId, Timestamp};

const VERSION: u8 = 1;
/// Jobs in one request.
const BATCH: usize = 10;

fn encode(queue: QueueName, job: &Job) -> Bytes {
    let mut out = Writer(Vec::with_capacity(job.body.len() + job.group.len() + 64));
    out.u8(VERSION).bytes(queue.as_str().as_bytes()).id(job.id.as_bytes()).id(job.tenant.as_bytes());
    out.bytes(job.group.as_bytes()).bytes(&job.body);
    Bytes::from(out.0)
}

fn decode(bytes: &Bytes) -> Option<(QueueName, Job)> {
    let mut from = Reader(bytes.clone());
    if from.u8()? != VERSION {
        return None;
    }
    let name = from.text()?;
    let queue = QueueName::ALL.into_iter().find(|queue| queue.as_str() == name)?;
    let (id, tenant) = (JobId::from_bytes(from.id()?), TenantId::from_bytes(from.id()?));
    Some((queue, Job { id, tenant, group: from.text()?, body: from.bytes()? }))
}

/// Puts a job off. Doing it twice is doing it once.
pub async fn postpone(world: &World, at: Timestamp, queue: QueueName, job: &Job) -> Result<(), PortError> {
    world.table.put(due(at, queue, job)).await
}

/// The same as a part of a commit.
pub fn due(at: Timestamp, queue: QueueName, job: &Job) -> Write {
    Write::put(shared::due_entry(at, *job.id.as_bytes()), Row::new().with("j", encode(queue, job)))
}

/// Sends what is due. Gives back how many jobs that were.
pub async fn send_due(world: &World) -> Result<usize> {
    let now = world.env.now();
    let mut sent = 0;
    for shard in 0..shared::DUE_SHARDS {
        let to = Some(shared::due_until(now));
        let mut query = Query { pk: shared::due(shard), from: Sk::from_stored(&[0]), to, limit: limits::WRITES, reverse: false };
        loop {
            let page = world.table.query(&query).await?;
            let last = page.rows.last().map(|(sk, _)| sk.successor());
            sent += page.rows.len();
            send(world, page.rows, shard).await?;
            match last {
                Some(next) if page.more => query.from = next,
                _ => break,
            }
        }
    }
    Ok(sent)
}

async fn send(world: &World, rows: Vec<(Sk, Row)>, shard: u8) -> Result<()> {
    let mut queues: [Vec<Job>; QueueName::ALL.len()] = Default::default();
    let mut forgotten = Vec::with_capacity(rows.len());
    for (sk, row) in rows {
        match row.bytes("j").and_then(decode) {
            Some((queue, job)) => {
                if let Some(jobs) = queues.get_mut(queue as usize) {
                    jobs.push(job);
                }
                forgotten.push(sk);
            }
            None => tracing::error!(row = ?sk, "what is due cannot be read and is left alone"),
        }
    }
    for (queue, jobs) in QueueName::ALL.into_iter().zip(queues) {
        for batch in jobs.chunks(BATCH) {
            world.queue.send(queue, batch.to_vec()).await?;
        }
    }
    if forgotten.is_empty() {
        return Ok(());
    }
    let writes = forgotten.into_iter().map(|sk| Write::delete(penfold_ports::Key::from_stored(shared::due(shard), sk))).collect();
    Ok(world.table.commit(&penfold_ports::Commit { id: CommitId::new(&world.env), writes }).await?)
}
