//! What this process holds of a queue: jobs received and not yet handed out, and jobs that are out.

use super::SLACK;
use super::message::Incoming;
use bytes::Bytes;
use penfold_ports::{BlobKey, Handed, Job, Key, Line, Receipt, Received};
use penfold_types::{CommitId, TenantId, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;
use tokio::time::Instant;

/// Longer than any job can be out: what is out too long is found here, not in the line.
const FOREVER: Duration = Duration::from_secs(100 * 3600);
/// Messages of which is known how often they came here without being handed out.
const REMEMBERED: usize = 10_000;

/// Where a job came from, and what ends it there.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Message {
        message: Incoming,
        blob: Option<BlobKey>,
    },
    /// A released group's; the message under `lock` keeps others away from the group.
    Row {
        key: Key,
        lock: u64,
    },
}

#[derive(Clone, Debug)]
pub(super) struct Held {
    pub(super) job: Job,
    pub(super) attempt: u32,
    pub(super) since: Timestamp,
    pub(super) source: Source,
    /// When the queue will give it to somebody else.
    pub(super) until: Instant,
}

/// A released group whose rows are being worked on.
#[derive(Clone, Debug)]
pub(super) struct Lock {
    pub(super) message: Incoming,
    pub(super) generation: CommitId,
    /// When SQS will give the message to somebody else.
    pub(super) until: Instant,
    waiting: usize,
    out: usize,
    failed: bool,
}

/// What is to be done with a lock when the last of its jobs is in.
#[derive(Clone, Debug)]
pub(super) enum Unlocked {
    /// All that was loaded is done.
    Done(Lock),
    /// Some failed: the rows are to be read again, by anybody.
    Failed(Lock),
}

#[derive(Default)]
pub(super) struct Buffer {
    line: Line,
    held: BTreeMap<u64, Held>,
    next: u64,
    out: BTreeMap<Receipt, (u64, Instant)>,
    unhanded: BTreeMap<String, u32>,
    locks: BTreeMap<u64, Lock>,
}

impl Buffer {
    pub(super) fn add(&mut self, held: Held) {
        self.next += 1;
        if let Source::Row { lock, .. } = held.source
            && let Some(lock) = self.locks.get_mut(&lock)
        {
            lock.waiting += 1;
        }
        self.line.add(self.next, held.job.tenant, &held.job.group, held.since, 0);
        self.held.insert(self.next, held);
    }

    pub(super) fn lock(&mut self, message: Incoming, generation: CommitId, until: Instant) -> u64 {
        self.next += 1;
        self.locks.insert(self.next, Lock { message, generation, until, waiting: 0, out: 0, failed: false });
        self.next
    }

    pub(super) fn lock_of(&self, lock: u64) -> Option<Lock> {
        self.locks.get(&lock).cloned()
    }

    /// Which attempt a message's next handing out is: not all that were received here were handed out.
    pub(super) fn attempt(&self, message: &Incoming) -> u32 {
        message.count.saturating_sub(self.unhanded.get(&message.id).copied().unwrap_or(0)).max(1)
    }

    /// The next group's first jobs, and the messages whose rows are among them, which are to be kept for as long.
    pub(super) fn take(&mut self, max: usize, now: Instant, hidden: Duration) -> (Vec<Received>, BTreeSet<String>) {
        let mut received = Vec::new();
        let mut locks = BTreeSet::new();
        for Handed { number, receipt, .. } in self.line.take(max, now + FOREVER) {
            let Some(held) = self.held.get(&number) else { continue };
            self.out.insert(receipt, (number, now + hidden));
            match &held.source {
                Source::Message { message, .. } => {
                    self.unhanded.remove(&message.id);
                }
                Source::Row { lock, .. } => {
                    if let Some(lock) = self.locks.get_mut(lock) {
                        lock.waiting = lock.waiting.saturating_sub(1);
                        lock.out += 1;
                        lock.until = now + hidden + SLACK;
                        locks.insert(lock.message.handle.clone());
                    }
                }
            }
            received.push(Received { job: held.job.clone(), receipt, attempt: held.attempt });
        }
        (received, locks)
    }

    pub(super) fn is_ready(&self) -> bool {
        self.line.is_ready()
    }

    /// When the first job that is out has been so for too long.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.out.values().map(|(_, until)| *until).min()
    }

    /// Jobs that were out for too long.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<Held> {
        let late: Vec<_> = self.out.iter().filter(|(_, (_, until))| *until <= now).map(|(receipt, _)| *receipt).collect();
        self.bring_in(&late)
    }

    /// Takes jobs back whose receipts still hold. They are no longer here, but a row's lock still counts it as out until
    /// [`Buffer::settle`].
    pub(super) fn bring_in(&mut self, receipts: &[Receipt]) -> Vec<Held> {
        let mut held = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            if let Some((number, _)) = self.out.remove(receipt) {
                self.line.done(&[*receipt]);
                held.extend(self.held.remove(&number));
            }
        }
        held
    }

    /// A row's job that was out is done or has failed, durably. Gives the lock where it was the last.
    pub(super) fn settle(&mut self, lock: u64, failed: bool) -> Option<Unlocked> {
        let entry = self.locks.get_mut(&lock)?;
        entry.out = entry.out.saturating_sub(1);
        entry.failed |= failed;
        if entry.out > 0 || (entry.waiting > 0 && !entry.failed) {
            return None;
        }
        let lock = self.locks.remove(&lock)?;
        Some(if lock.failed { Unlocked::Failed(lock) } else { Unlocked::Done(lock) })
    }

    /// Gives up what waits of a group, because a job before it failed or because it would come too late. Messages are to be
    /// given back to the queue; that they were received shall not count. Rows stay where they are.
    pub(super) fn drop_waiting(&mut self, group: &str) -> Vec<Incoming> {
        let mut messages = Vec::new();
        let mut dropped = BTreeSet::new();
        for number in self.line.drop_waiting(group) {
            let Some(held) = self.held.remove(&number) else { continue };
            match held.source {
                Source::Message { message, .. } => {
                    self.was_unhanded(&message.id);
                    messages.push(message);
                }
                Source::Row { lock: number, .. } => {
                    if let Some(lock) = self.locks.get_mut(&number) {
                        lock.waiting = 0;
                        lock.failed = true;
                        dropped.extend((lock.out == 0).then_some(number));
                    }
                }
            }
        }
        messages.extend(dropped.iter().filter_map(|number| self.locks.remove(number)).map(|lock| lock.message));
        messages
    }

    pub(super) fn was_unhanded(&mut self, message: &str) {
        if self.unhanded.len() >= REMEMBERED {
            self.unhanded.pop_first();
        }
        *self.unhanded.entry(message.to_owned()).or_default() += 1;
    }

    /// Groups of which a waiting message would come back to the queue before a worker had `hidden` for it.
    pub(super) fn late_groups(&self, now: Instant, hidden: Duration) -> BTreeSet<String> {
        let out: BTreeSet<u64> = self.out.values().map(|(number, _)| *number).collect();
        let late = |(number, held): &(&u64, &Held)| {
            let until = match &held.source {
                Source::Message { .. } => held.until,
                Source::Row { lock, .. } => self.locks.get(lock).map_or(now, |lock| lock.until),
            };
            until < now + hidden && !out.contains(*number)
        };
        self.held.iter().filter(late).map(|(_, held)| held.job.group.clone()).collect()
    }

    /// The groups of everything that waits here.
    pub(super) fn groups(&self) -> BTreeSet<String> {
        self.held.values().map(|held| held.job.group.clone()).collect()
    }

    pub(super) fn tenants(&self) -> BTreeSet<TenantId> {
        self.held.values().map(|held| held.job.tenant).collect()
    }

    /// The messages behind receipts, each once, where all of these hold.
    pub(super) fn extend(&mut self, receipts: &[Receipt], until: Instant) -> Option<BTreeSet<String>> {
        if receipts.iter().any(|receipt| !self.out.contains_key(receipt)) {
            return None;
        }
        let mut handles = BTreeSet::new();
        for receipt in receipts {
            let Some((number, due)) = self.out.get_mut(receipt) else { continue };
            *due = until;
            match self.held.get(number).map(|held| &held.source) {
                Some(Source::Message { message, .. }) => handles.insert(message.handle.clone()),
                Some(Source::Row { lock, .. }) => self.locks.get_mut(lock).is_some_and(|lock| {
                    lock.until = until + SLACK;
                    handles.insert(lock.message.handle.clone())
                }),
                None => false,
            };
        }
        Some(handles)
    }
}

impl Held {
    pub(super) fn with_body(mut self, body: Bytes) -> Self {
        self.job.body = body;
        self
    }
}
