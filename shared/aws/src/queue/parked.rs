//! Parked groups. SQS hands out the next job of a group as soon as the one before is gone, so a dead letter and all that
//! comes behind it move into rows, in the order in which they were sent:
//!
//! | row | sort key | holds |
//! |---|---|---|
//! | mark | `p#` message group | group, generation, whether it was released, since when |
//! | job | `j#` message group `00` sequence number | the job, how often it failed, under which generation |
//!
//! **Parking.** One commit writes the mark and the dead job's row. Its message stays hidden, and SQS gives nothing of a
//! group that has a hidden message, until every consumer must have read the new mark: no consumer hands out jobs on marks
//! read longer than [`FRESH`] ago. Only then is the message deleted. From then on whoever receives a message of the group
//! moves it behind the others: first the row, on the condition that the mark stands, then the message is deleted.
//!
//! **Releasing.** The mark is set to "released", under a new generation, and a message that names it is sent in the same
//! group. Whatever was sent before that message is in the rows when it is received, and while it is hidden nobody receives
//! what was sent after it: it is the lock. Its receiver hands out the rows, deletes each when its job is done, then the
//! mark, then the message. Killed anywhere in between, the message comes again and the rest is handed out.

use super::buffer::{Held, Lock, Source, Unlocked};
use super::message::{Incoming, encode_go_on, group_id};
use super::{SLACK, Shared};
use aws_sdk_sqs::types::SendMessageBatchRequestEntry;
use bytes::Bytes;
use penfold_ports::{Commit, Dead, Job, JobId, Key, Name, PortError, Query, Queue, Row, Sk, Table, Units, Value, When, Write};
use penfold_types::{CommitId, TenantId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// How old what is known of the marks may be when jobs come in.
const FRESH: Duration = Duration::from_secs(5);
/// Until a parked message may be deleted.
const HEARD: Duration = Duration::from_secs(6);
/// Rows of a released group that are read at once.
const ROWS: usize = 50;
/// What `dead` gives at most.
const DEAD: usize = 1000;
/// A group that was released so long ago and has rows still is shown as dead again: its message was lost.
const FORGOTTEN: Duration = Duration::from_secs(900);
/// Looks at the queue for what is left of groups that were parked here.
const SWEEPS: usize = 100;

const GROUP: Name = Name::new("g");
const GENERATION: Name = Name::new("gen");
const RELEASED: Name = Name::new("r");
const SINCE: Name = Name::new("at");
const ID: Name = Name::new("id");
const TENANT: Name = Name::new("t");
const BODY: Name = Name::new("b");
const FAILURES: Name = Name::new("f");

/// What is known here of parked groups, by message group.
#[derive(Default)]
pub(super) struct Marks {
    known: BTreeSet<String>,
    read: Option<Instant>,
    /// Parked by this process, which has not looked for what is behind them.
    unswept: BTreeSet<String>,
}

#[derive(Clone, Debug)]
struct Mark {
    generation: CommitId,
    released: bool,
    since: Timestamp,
}

fn number(at: Timestamp) -> u64 {
    u64::try_from(at.millis()).unwrap_or(0)
}

fn time(number: u64) -> Timestamp {
    Timestamp::from_millis(i64::try_from(number).unwrap_or(i64::MAX))
}

fn generation(id: CommitId) -> Value {
    Value::from(id.as_bytes())
}

fn read_mark(row: &Row) -> Option<Mark> {
    Some(Mark {
        generation: CommitId::from_slice(row.bytes(GENERATION)?)?,
        released: row.u64(RELEASED)? == 1,
        since: time(row.u64(SINCE)?),
    })
}

fn mark_row(group: &str, id: CommitId, released: bool, now: Timestamp) -> Row {
    Row::new().with(GROUP, group).with(GENERATION, generation(id)).with(RELEASED, released).with(SINCE, number(now))
}

fn job_row(job: &Job, sent: Timestamp, failures: u32) -> Row {
    Row::new()
        .with(ID, job.id.as_bytes())
        .with(TENANT, job.tenant.as_bytes())
        .with(GROUP, job.group.as_str())
        .with(BODY, job.body.clone())
        .with(FAILURES, failures)
        .with(SINCE, number(sent))
}

fn read_job(row: &Row) -> Option<(Job, Timestamp)> {
    let job = Job {
        id: JobId::from_slice(row.bytes(ID)?)?,
        tenant: TenantId::from_slice(row.bytes(TENANT)?)?,
        group: row.str(GROUP)?.to_owned(),
        body: row.bytes(BODY).cloned().unwrap_or_else(Bytes::new),
    };
    Some((job, time(row.u64(SINCE)?)))
}

fn failures(row: &Row) -> u32 {
    row.u64(FAILURES).and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

fn rows_of(group: &str) -> Sk {
    Sk::from_stored(&[b"j#", group.as_bytes(), b"\0"].concat())
}

fn row_of(message: &Incoming) -> Sk {
    Sk::from_stored(&[rows_of(&message.group).as_bytes(), &message.sequence.to_be_bytes()].concat())
}

/// The message group in the sort key of a mark or a job's row.
fn group_of(sk: &Sk) -> Option<&str> {
    let bytes = sk.as_bytes().get(2..)?;
    let bytes = if sk.as_bytes().starts_with(b"j#") { bytes.get(..bytes.len().checked_sub(17)?)? } else { bytes };
    std::str::from_utf8(bytes).ok()
}

impl Shared {
    fn key(&self, sk: Sk) -> Key {
        Key::from_stored(self.pk.clone(), sk)
    }

    fn mark_key(&self, group: &str) -> Key {
        self.key(Sk::text(&format!("p#{group}")))
    }

    fn commit_of(&self, writes: Vec<Write>) -> Commit {
        Commit { id: CommitId::new(&self.wire.env), writes }
    }

    async fn all(&self, mut query: Query, limit: usize, spent: &mut Units) -> Result<Vec<(Sk, Row)>, PortError> {
        let mut rows: Vec<(Sk, Row)> = Vec::new();
        loop {
            query.limit = limit - rows.len();
            let page = self.table.query(&query, spent).await?;
            rows.extend(page.rows);
            match rows.last() {
                Some((last, _)) if page.more && rows.len() < limit => query.from = last.successor(),
                _ => return Ok(rows),
            }
        }
    }

    async fn marks(&self, spent: &mut Units) -> Result<BTreeMap<String, Mark>, PortError> {
        let read = self.now();
        let rows = self.all(Query::prefix(self.pk.clone(), &Sk::text("p#")), usize::MAX, spent).await?;
        let marks: BTreeMap<_, _> = rows.iter().filter_map(|(sk, row)| Some((group_of(sk)?.to_owned(), read_mark(row)?))).collect();
        let mut known = self.marks.lock();
        known.known = marks.keys().cloned().collect();
        known.read = Some(read);
        Ok(marks)
    }

    pub(super) async fn freshen_marks(&self) -> Result<(), PortError> {
        let fresh = self.marks.lock().read.is_some_and(|read| self.now() < read + FRESH);
        if fresh {
            return Ok(());
        }
        let mut spent = Units::default();
        let read = self.marks(&mut spent).await;
        self.aside(spent);
        read.map(drop)
    }

    pub(super) fn is_marked(&self, group: &str) -> bool {
        self.marks.lock().known.contains(group)
    }

    /// Gives a job up and parks its group.
    pub(super) async fn park(self: &Arc<Self>, job: &Job, message: &Incoming, failures: u32, spent: &mut Units) -> Result<(), PortError> {
        tracing::error!(queue = self.name.as_str(), job = %job.id, group = job.group, "a job was given up; its group is parked");
        if self.is_marked(&message.group) && self.move_behind(job, message, failures, spent).await? {
            return Ok(());
        }
        let mark = mark_row(&job.group, CommitId::new(&self.wire.env), false, self.wire.env.now());
        let row = Write::put(self.key(row_of(message)), job_row(job, message.sent, failures));
        self.table.commit(&self.commit_of(vec![Write::put(self.mark_key(&message.group), mark), row]), spent).await?;
        {
            let mut marks = self.marks.lock();
            marks.known.insert(message.group.clone());
            marks.unswept.insert(message.group.clone());
        }
        let handle = message.handle.clone();
        self.hide(vec![handle.clone()], HEARD + SLACK, spent).await?;
        let shared = self.clone();
        self.spawn(async move {
            shared.wire.env.sleep(HEARD).await;
            let mut spent = Units::default();
            if let Err(error) = shared.delete(vec![handle], &mut spent).await {
                tracing::debug!(%error, "a parked job's message will be met again");
            }
            shared.aside(spent);
            shared.bell.notify_waiters();
        });
        Ok(())
    }

    /// Moves a job behind those of its parked group. False where the group is parked no longer.
    pub(super) async fn move_behind(&self, job: &Job, message: &Incoming, failures: u32, spent: &mut Units) -> Result<bool, PortError> {
        let check = Write::Check { key: self.mark_key(&message.group), when: When::Present };
        let row = Write::put_new(self.key(row_of(message)), job_row(job, message.sent, failures));
        match self.table.commit(&self.commit_of(vec![check, row]), spent).await {
            Err(PortError::Condition { write: 0 }) => {
                self.marks.lock().known.remove(&message.group);
                return Ok(false);
            }
            // It was moved before, and the message not yet deleted.
            Ok(()) | Err(PortError::Condition { .. }) => {}
            Err(error) => return Err(error),
        }
        self.delete(vec![message.handle.clone()], spent).await?;
        Ok(true)
    }

    /// The message of a released group came in: its rows are next.
    pub(super) async fn go_on(
        self: &Arc<Self>,
        message: Incoming,
        released: CommitId,
        until: Instant,
        spent: &mut Units,
    ) -> Result<(), PortError> {
        let mark = self.table.get(&self.mark_key(&message.group), spent).await?;
        let ours = mark.as_ref().and_then(read_mark).is_some_and(|mark| mark.released && mark.generation == released);
        if !ours {
            return self.delete(vec![message.handle.clone()], spent).await;
        }
        self.load_rows(message, released, until, spent).await
    }

    async fn load_rows(
        self: &Arc<Self>,
        message: Incoming,
        released: CommitId,
        until: Instant,
        spent: &mut Units,
    ) -> Result<(), PortError> {
        let rows = self.all(Query::prefix(self.pk.clone(), &rows_of(&message.group)), ROWS, spent).await?;
        let mut jobs = Vec::with_capacity(rows.len());
        for (sk, row) in rows {
            match read_job(&row) {
                Some((job, since)) => {
                    let fresh = row.bytes(GENERATION).is_none_or(|bytes| bytes.as_ref() != released.as_bytes());
                    jobs.push((self.key(sk), job, since, if fresh { 0 } else { failures(&row) }));
                }
                None => tracing::error!(row = ?sk, "a parked job cannot be read and is left where it is"),
            }
        }
        if jobs.is_empty() {
            return self.group_is_free(&message, released, spent).await;
        }
        let mut buffer = self.buffer.lock();
        let lock = buffer.lock(message, released, until);
        for (key, job, since, failures) in jobs {
            buffer.add(Held { job, attempt: failures + 1, since, source: Source::Row { key, lock }, until });
        }
        drop(buffer);
        self.bell.notify_waiters();
        Ok(())
    }

    /// All rows are gone: the group is like any other again.
    async fn group_is_free(&self, message: &Incoming, released: CommitId, spent: &mut Units) -> Result<(), PortError> {
        let when = When::Equal(vec![(GENERATION, generation(released))]);
        match self.table.put(Write::Delete { key: self.mark_key(&message.group), when }, spent).await {
            Ok(()) | Err(PortError::Condition { .. }) => {}
            // Whether it went or not, the message will find out when it comes again.
            Err(error) => return Err(error),
        }
        self.marks.lock().known.remove(&message.group);
        self.delete(vec![message.handle.clone()], spent).await
    }

    pub(super) async fn row_is_done(self: &Arc<Self>, key: &Key, lock: u64, spent: &mut Units) -> Result<(), PortError> {
        self.table.put(Write::delete(key.clone()), spent).await?;
        self.unlock(lock, false, spent).await
    }

    pub(super) async fn row_failed(self: &Arc<Self>, key: &Key, lock: u64, held: &Held, spent: &mut Units) -> Result<(), PortError> {
        let Some(Lock { generation: released, message, .. }) = self.buffer.lock().lock_of(lock) else { return Ok(()) };
        let set = vec![(FAILURES, Value::from(held.attempt)), (GENERATION, generation(released))];
        let update = Write::Update { key: key.clone(), set, remove: vec![], when: When::Present };
        let writes = if held.attempt >= <dyn Queue>::ATTEMPTS {
            tracing::error!(queue = self.name.as_str(), job = %held.job.id, group = held.job.group, "a job was given up again");
            let mark = mark_row(&held.job.group, CommitId::new(&self.wire.env), false, self.wire.env.now());
            vec![Write::put(self.mark_key(&message.group), mark), update]
        } else {
            vec![update]
        };
        self.table.commit(&self.commit_of(writes), spent).await?;
        self.unlock(lock, true, spent).await
    }

    async fn unlock(self: &Arc<Self>, lock: u64, failed: bool, spent: &mut Units) -> Result<(), PortError> {
        let unlocked = self.buffer.lock().settle(lock, failed);
        match unlocked {
            None => Ok(()),
            Some(Unlocked::Done(lock)) => self.load_rows(lock.message, lock.generation, lock.until, spent).await,
            // Where the group was parked again, whoever receives the message sees that and forgets it.
            Some(Unlocked::Failed(lock)) => self.hide(vec![lock.message.handle], Duration::ZERO, spent).await.map(drop),
        }
    }

    /// Moves what is left in the queue of groups that were parked here. Others' messages wait here for a worker.
    async fn sweep(self: &Arc<Self>, spent: &mut Units) -> Result<(), PortError> {
        self.settled().await;
        if self.marks.lock().unswept.is_empty() {
            return Ok(());
        }
        let guard = self.polling.clone().lock_owned().await;
        for _ in 0..SWEEPS {
            if !self.poll(Duration::ZERO, Duration::from_secs(60), spent).await? {
                break;
            }
        }
        drop(guard);
        self.marks.lock().unswept.clear();
        self.bell.notify_waiters();
        Ok(())
    }

    pub(super) async fn dead_jobs(self: &Arc<Self>, spent: &mut Units) -> Result<Vec<Dead>, PortError> {
        self.sweep(spent).await?;
        let marks = self.marks(spent).await?;
        let rows = self.all(Query::prefix(self.pk.clone(), &Sk::text("j#")), DEAD, spent).await?;
        let now = self.wire.env.now();
        let is_dead = |sk: &Sk| {
            let mark = group_of(sk).and_then(|group| marks.get(group));
            mark.is_none_or(|mark| !mark.released || now.since(mark.since) > FORGOTTEN)
        };
        let dead = rows.iter().filter(|(sk, _)| is_dead(sk));
        Ok(dead.filter_map(|(_, row)| Some(Dead { job: read_job(row)?.0, attempts: failures(row) })).collect())
    }

    pub(super) async fn release_group(self: &Arc<Self>, group: &str, spent: &mut Units) -> Result<usize, PortError> {
        self.sweep(spent).await?;
        let id = group_id(group);
        let key = self.mark_key(&id);
        let rows = self.all(Query::prefix(self.pk.clone(), &rows_of(&id)), usize::MAX, spent).await?;
        let mark = self.table.get(&key, spent).await?.as_ref().and_then(read_mark);
        let when = match &mark {
            None if rows.is_empty() => return Ok(0),
            None => When::Absent,
            Some(mark) => When::Equal(vec![(GENERATION, generation(mark.generation))]),
        };
        // Released again where it is released already: its message may be lost.
        let released = CommitId::new(&self.wire.env);
        let put = Write::Put { key, row: mark_row(group, released, true, self.wire.env.now()), when };
        self.table.put(put, spent).await?;
        let entry = SendMessageBatchRequestEntry::builder()
            .id("0")
            .message_body(encode_go_on(released))
            .message_group_id(id)
            .message_deduplication_id(released.to_string());
        self.send_batch(vec![entry.build().map_err(|error| PortError::Broken(error.to_string()))?], spent).await?;
        self.bell.notify_waiters();
        Ok(rows.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(group: &str, sequence: u128) -> Incoming {
        Incoming {
            id: "m".into(),
            handle: "h".into(),
            group: group.into(),
            count: 1,
            sequence,
            sent: Timestamp::from_millis(5),
            text: String::new(),
        }
    }

    #[test]
    fn rows_sort_as_they_were_sent_and_name_their_group() {
        let keys = [message("g", 2), message("g", 10), message("g#", 1)].map(|m| row_of(&m));
        assert!(keys.is_sorted());
        assert_eq!(keys.each_ref().map(group_of), [Some("g"), Some("g"), Some("g#")]);
        assert_eq!(group_of(&Sk::text("p#t#a")), Some("t#a"));
    }

    #[test]
    fn jobs_survive_their_rows() {
        let job =
            Job { id: CommitId::from_bytes([7; 16]), tenant: TenantId::from_bytes([1; 16]), group: "g".into(), body: vec![0, 1].into() };
        let row = job_row(&job, Timestamp::from_millis(5), 3);
        assert_eq!(read_job(&row), Some((job, Timestamp::from_millis(5))));
        assert_eq!(failures(&row), 3);
        let mark = mark_row("g", CommitId::from_bytes([2; 16]), true, Timestamp::from_millis(9));
        let read = read_mark(&mark).map(|mark| (mark.generation, mark.released, mark.since));
        assert_eq!(read, Some((CommitId::from_bytes([2; 16]), true, Timestamp::from_millis(9))));
    }
}
