//! Mail that is not to leave yet (RFC 4865): a row that holds all of it, and a due job that only names the row. Whoever
//! changes the row first decides: the job, which sends it, or somebody who cancels it.

use super::later::due;
use super::submission::Submission;
use super::tidy::{KEPT, OVERDUE};
use crate::Transport;
use crate::codec::{Reader, Writer};
use crate::trace::Hop;
use bytes::Bytes;
use penfold_ports::{Job, JobId, Name, PortError, Query, QueueName, Retrying, Row, Sk, TenantScope, Value, When, World, Write};
use penfold_types::{AcceptanceId, Error, Result, TenantId, Timestamp};

/// The first byte of a job that names a row; a submission's is another.
const NAMES: u8 = 0xf0;
const STATE: Name = Name::new("st");
const AT: Name = Name::new("at");
const WHAT: Name = Name::new("e");
const WAITS: u64 = 0;
/// Parcels of it are being made: it cannot be cancelled any more.
const LEAVES: u64 = 1;
/// Since `AT`. The row stays for as long as a queue may keep a job of it: its blob is old, and perhaps nothing else names it yet.
const LEFT: u64 = 2;
/// A message that waits for its time, or left not long ago.
#[derive(Debug, Clone)]
pub struct Held {
    /// Or when it left.
    pub until: Timestamp,
    pub submission: Submission,
    state: u64,
}

impl Held {
    /// It is still to leave, or leaves just now.
    pub(super) fn is_here(&self) -> bool {
        self.state != LEFT
    }

    fn read(row: &Row) -> Result<Self> {
        let read = || {
            Some(Self {
                until: Timestamp::from_millis(i64::try_from(row.u64(AT)?).ok()?),
                submission: Submission::decode(row.bytes(WHAT)?)?,
                state: row.u64(STATE)?,
            })
        };
        read().ok_or_else(|| Error::broken("a row of held mail cannot be read"))
    }
}

fn job(tenant: TenantId, acceptance: AcceptanceId) -> Job {
    let mut out = Writer(Vec::with_capacity(17));
    out.u8(NAMES).id(acceptance.as_bytes());
    Job { id: JobId::from_bytes(*acceptance.as_bytes()), tenant, group: format!("{tenant}/held"), body: Bytes::from(out.0) }
}

fn named(body: &Bytes) -> Option<AcceptanceId> {
    let mut from = Reader(body.clone());
    if from.u8()? != NAMES {
        return None;
    }
    let acceptance = AcceptanceId::from_bytes(from.id()?);
    from.is_empty().then_some(acceptance)
}

impl Transport {
    /// Keeps it until its time; durable when it returns.
    pub(super) async fn hold(&self, submission: &Submission, until: Timestamp) -> Result<(), PortError> {
        let (tenant, acceptance) = (submission.mail.tenant, submission.mail.acceptance);
        let scope = self.directory().tenant_scope(tenant);
        let row = Row::new().with(STATE, WAITS).with(AT, until.millis().max(0).unsigned_abs()).with(WHAT, Value::B(submission.encode()));
        let writes = vec![Write::put_new(scope.outgoing(Sk::held(acceptance)), row), due(until, QueueName::Send, &job(tenant, acceptance))];
        Retrying(&self.0.world).commit(writes).await?;
        self.tracer().note(tenant, acceptance, Hop::Held { until });
        Ok(())
    }

    /// Does a job of the queue `send`. Doing it twice adds nothing.
    pub async fn dispatch_job(&self, job: &Job) -> Result<()> {
        match named(&job.body) {
            Some(acceptance) => self.release(&self.directory().tenant_scope(job.tenant), acceptance).await,
            None => self.dispatch(&Submission::decode(&job.body).ok_or_else(|| Error::broken("a job cannot be read"))?).await,
        }
    }

    async fn release(&self, scope: &TenantScope, acceptance: AcceptanceId) -> Result<()> {
        let (table, key) = (&self.0.world.table, scope.outgoing(Sk::held(acceptance)));
        let change = |from: u64, set: Vec<(Name, Value)>| Write::Update {
            key: key.clone(),
            set,
            remove: Vec::new(),
            when: When::Equal(vec![(STATE, from.into())]),
        };
        match table.put(change(WAITS, vec![(STATE, LEAVES.into())])).await {
            // Not ours alone: whoever was first may have died, and twice adds nothing.
            Ok(()) | Err(PortError::Condition { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        // Cancelled, or done by an earlier job.
        let Some(row) = table.get(&key).await? else { return Ok(()) };
        let held = Held::read(&row)?;
        if !held.is_here() {
            return Ok(());
        }
        self.dispatch(&held.submission).await?;
        let now = self.0.world.env.now().millis().max(0).unsigned_abs();
        match table.put(change(LEAVES, vec![(STATE, LEFT.into()), (AT, now.into())])).await {
            Ok(()) | Err(PortError::Condition { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// What a tenant's people handed in and is not to leave yet, the oldest first.
pub async fn held(world: &World, scope: &TenantScope) -> Result<Vec<Held>> {
    Ok(kept(world, scope).await?.into_iter().filter(|held| held.state == WAITS).collect())
}

/// The same with what leaves just now, and with what left not long ago.
pub(super) async fn kept(world: &World, scope: &TenantScope) -> Result<Vec<Held>> {
    let prefix = Sk::all_held();
    let rows = world.table.query_all(Query::prefix(scope.outgoing(prefix.clone()).pk().clone(), &prefix)).await?;
    rows.iter().map(|(_, row)| Held::read(row)).collect()
}

/// It never leaves. `NotFound` where it left already, or was never held.
pub async fn cancel(world: &World, scope: &TenantScope, acceptance: AcceptanceId) -> Result<()> {
    let key = scope.outgoing(Sk::held(acceptance));
    let when = When::Equal(vec![(STATE, WAITS.into())]);
    match world.table.put(Write::Delete { key, when }).await {
        Ok(()) => Ok(()),
        Err(PortError::Condition { .. }) => {
            Err(Error::not_found("no such message waits for its time: it was never held, or it left already"))
        }
        Err(error) => Err(error.into()),
    }
}

/// What has lost its job gets another one, and rows that no job can come for any more go.
pub(super) async fn tidy(world: &World, scope: &TenantScope) -> Result<usize> {
    let now = world.env.now();
    let mut done = 0;
    for held in kept(world, scope).await? {
        let (acceptance, since) = (held.submission.mail.acceptance, now.since(held.until));
        if held.is_here() && since >= OVERDUE {
            tracing::warn!(target: "mail", trace = %acceptance, "its time has come and its job has not: it is sent again");
            world.queue.send(QueueName::Send, vec![job(scope.tenant(), acceptance)]).await?;
        } else if !held.is_here() && since >= KEPT {
            world.table.put(Write::delete(scope.outgoing(Sk::held(acceptance)))).await?;
        } else {
            continue;
        }
        done += 1;
    }
    Ok(done)
}
