//! The order of one queue, in memory, for adapters that keep jobs themselves: who is next, what is out, what was given
//! up. It knows jobs by the number under which the adapter stored them; numbers grow, and order inside a group is theirs.

use crate::queue::ATTEMPTS;
use crate::{PortError, Receipt};
use penfold_types::{TenantId, Timestamp};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// A job as it is handed out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Handed {
    pub number: u64,
    pub receipt: Receipt,
    pub attempt: u32,
}

/// A job that came back without `done`, and how often that has happened now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failure {
    pub number: u64,
    pub failures: u32,
}

impl Failure {
    /// True where this made the job a dead letter.
    pub fn is_dead(self) -> bool {
        self.failures >= ATTEMPTS
    }
}

#[derive(Clone, Copy)]
struct Waiting {
    since: Timestamp,
    failures: u32,
}

struct Group {
    tenant: TenantId,
    jobs: BTreeMap<u64, Waiting>,
    out: usize,
    parked: bool,
    /// It stands in its tenant's turn.
    queued: bool,
}

impl Group {
    fn ready(&self) -> bool {
        !self.parked && self.out == 0 && !self.jobs.is_empty()
    }
}

struct Out {
    group: Arc<str>,
    number: u64,
    job: Waiting,
    until: Instant,
}

#[derive(Default)]
struct Turn {
    /// Groups that can be handed out, in the order of their turns.
    ready: VecDeque<Arc<str>>,
    waiting: usize,
}

#[derive(Default)]
pub struct Line {
    groups: BTreeMap<Arc<str>, Group>,
    tenants: BTreeMap<TenantId, Turn>,
    /// Tenants that have a ready group, in the order of their turns.
    turns: VecDeque<TenantId>,
    out: BTreeMap<Receipt, Out>,
    due: BTreeSet<(Instant, Receipt)>,
    /// Jobs that wait and are not parked, for the age of the oldest.
    waiting: BTreeMap<u64, Timestamp>,
    receipts: u64,
}

impl Line {
    /// A job that was just sent, or one read back from storage with its failures so far.
    pub fn add(&mut self, number: u64, tenant: TenantId, group: &str, since: Timestamp, failures: u32) {
        let name = match self.groups.get_key_value(group) {
            Some((name, _)) => name.clone(),
            None => Arc::from(group),
        };
        let entry = self.groups.entry(name.clone()).or_insert_with(|| Group {
            tenant,
            jobs: BTreeMap::new(),
            out: 0,
            parked: false,
            queued: false,
        });
        let was_ready = entry.ready();
        entry.jobs.insert(number, Waiting { since, failures });
        if failures >= ATTEMPTS && !entry.parked {
            entry.parked = true;
            self.count_group(&name, false);
            self.waiting.remove(&number);
            if was_ready {
                self.unready(&name);
            }
            return;
        }
        if !entry.parked {
            self.count(&name, number, since);
        }
        if !was_ready {
            self.offer(&name);
        }
    }

    /// The next group's first jobs, at most `max`, hidden until `until`.
    pub fn take(&mut self, max: usize, until: Instant) -> Vec<Handed> {
        let Some(name) = self.next_group() else { return Vec::new() };
        let Some(group) = self.groups.get_mut(&name) else { return Vec::new() };
        group.queued = false;
        let mut handed = Vec::with_capacity(max.min(group.jobs.len()));
        while handed.len() < max {
            let Some((number, job)) = group.jobs.pop_first() else { break };
            group.out += 1;
            self.receipts += 1;
            let receipt = Receipt(self.receipts);
            self.out.insert(receipt, Out { group: name.clone(), number, job, until });
            self.due.insert((until, receipt));
            self.waiting.remove(&number);
            handed.push(Handed { number, receipt, attempt: job.failures + 1 });
        }
        if let Some(turn) = self.tenants.get_mut(&group.tenant) {
            turn.waiting = turn.waiting.saturating_sub(handed.len());
        }
        handed
    }

    /// True where `take` would give something.
    pub fn is_ready(&self) -> bool {
        !self.turns.is_empty()
    }

    /// Gives the turn to another group, as far away as `by` says: what "no order between groups" allows.
    pub fn skip(&mut self, by: usize) {
        if !self.turns.is_empty() {
            let by = by % self.turns.len();
            self.turns.rotate_left(by);
        }
        for turn in self.tenants.values_mut() {
            if !turn.ready.is_empty() {
                let by = by % turn.ready.len();
                turn.ready.rotate_left(by);
            }
        }
    }

    /// When the first job that is out will come back by itself.
    pub fn next_due(&self) -> Option<Instant> {
        self.due.first().map(|(until, _)| *until)
    }

    /// Takes back what was out for too long.
    pub fn expire(&mut self, now: Instant) -> Vec<Failure> {
        let mut failures = Vec::new();
        while let Some((until, receipt)) = self.due.first().copied()
            && until <= now
        {
            failures.extend(self.fail(receipt));
        }
        failures
    }

    /// All of them or, where one ran out, `Missing`.
    pub fn extend(&mut self, receipts: &[Receipt], until: Instant) -> Result<(), PortError> {
        if receipts.iter().any(|receipt| !self.out.contains_key(receipt)) {
            return Err(PortError::Missing);
        }
        for receipt in receipts {
            if let Some(out) = self.out.get_mut(receipt) {
                self.due.remove(&(out.until, *receipt));
                out.until = until;
                self.due.insert((until, *receipt));
            }
        }
        Ok(())
    }

    /// Forgets jobs; gives the numbers of those whose receipts still held.
    pub fn done(&mut self, receipts: &[Receipt]) -> Vec<u64> {
        let mut numbers = Vec::with_capacity(receipts.len());
        for receipt in receipts {
            if let Some(out) = self.bring_in(*receipt) {
                numbers.push(out.number);
                self.settle(&out.group);
            }
        }
        numbers
    }

    /// Forgets a group's jobs that are not out, and that it was parked; for adapters that hold only a part of a queue.
    pub fn drop_waiting(&mut self, group: &str) -> Vec<u64> {
        let Some((name, entry)) =
            self.groups.get_key_value(group).map(|(n, _)| n.clone()).and_then(|n| self.groups.get_mut(&n).map(|g| (n, g)))
        else {
            return Vec::new();
        };
        let numbers: Vec<u64> = std::mem::take(&mut entry.jobs).into_keys().collect();
        entry.parked = false;
        let tenant = entry.tenant;
        for number in &numbers {
            if self.waiting.remove(number).is_some()
                && let Some(turn) = self.tenants.get_mut(&tenant)
            {
                turn.waiting = turn.waiting.saturating_sub(1);
            }
        }
        self.unready(&name);
        self.settle(&name);
        numbers
    }

    pub fn give_back(&mut self, receipts: &[Receipt]) -> Vec<Failure> {
        receipts.iter().filter_map(|receipt| self.fail(*receipt)).collect()
    }

    /// Everything that is out comes back without having failed: what a crash does.
    pub fn recall(&mut self) {
        let receipts: Vec<_> = self.out.keys().copied().collect();
        self.recall_these(&receipts);
    }

    /// [`Line::recall`] for some.
    pub fn recall_these(&mut self, receipts: &[Receipt]) {
        for receipt in receipts {
            if let Some(out) = self.bring_in(*receipt) {
                self.put_back(&out.group, out.number, out.job);
            }
        }
    }

    /// Jobs of parked groups in order, with how often they failed.
    pub fn dead(&self, limit: usize) -> Vec<Failure> {
        let parked = self.groups.values().filter(|group| group.parked);
        parked
            .flat_map(|group| group.jobs.iter().map(|(number, job)| Failure { number: *number, failures: job.failures }))
            .take(limit)
            .collect()
    }

    /// Lets a parked group go on. Gives how many jobs were parked, and the numbers of those that had failed.
    pub fn release(&mut self, group: &str) -> (usize, Vec<u64>) {
        let Some((name, entry)) =
            self.groups.get_key_value(group).map(|(n, _)| n.clone()).and_then(|n| self.groups.get_mut(&n).map(|g| (n, g)))
        else {
            return (0, Vec::new());
        };
        if !entry.parked {
            return (0, Vec::new());
        }
        entry.parked = false;
        let failed = entry.jobs.iter().filter(|(_, job)| job.failures > 0).map(|(number, _)| *number).collect();
        entry.jobs.values_mut().for_each(|job| job.failures = 0);
        let jobs = entry.jobs.len();
        self.count_group(&name, true);
        self.settle(&name);
        (jobs, failed)
    }

    pub fn oldest(&self, now: Timestamp) -> Duration {
        self.waiting.first_key_value().map_or(Duration::ZERO, |(_, since)| now.since(*since))
    }

    pub fn backlog(&self, tenant: TenantId) -> usize {
        self.tenants.get(&tenant).map_or(0, |turn| turn.waiting)
    }

    fn next_group(&mut self) -> Option<Arc<str>> {
        let tenant = self.turns.pop_front()?;
        let turn = self.tenants.get_mut(&tenant)?;
        let group = turn.ready.pop_front();
        if !turn.ready.is_empty() {
            self.turns.push_back(tenant);
        }
        group
    }

    fn bring_in(&mut self, receipt: Receipt) -> Option<Out> {
        let out = self.out.remove(&receipt)?;
        self.due.remove(&(out.until, receipt));
        if let Some(group) = self.groups.get_mut(&out.group) {
            group.out = group.out.saturating_sub(1);
        }
        Some(out)
    }

    fn fail(&mut self, receipt: Receipt) -> Option<Failure> {
        let out = self.bring_in(receipt)?;
        let job = Waiting { failures: out.job.failures + 1, ..out.job };
        self.put_back(&out.group, out.number, job);
        Some(Failure { number: out.number, failures: job.failures })
    }

    fn put_back(&mut self, name: &Arc<str>, number: u64, job: Waiting) {
        let Some(group) = self.groups.get_mut(name) else { return };
        group.jobs.insert(number, job);
        if job.failures >= ATTEMPTS && !group.parked {
            group.parked = true;
            self.count_group(name, false);
            self.waiting.remove(&number);
        } else if !group.parked {
            self.count(name, number, job.since);
        }
        self.settle(name);
    }

    /// Counts one more waiting job.
    fn count(&mut self, name: &Arc<str>, number: u64, since: Timestamp) {
        self.waiting.insert(number, since);
        if let Some(group) = self.groups.get(name) {
            self.tenants.entry(group.tenant).or_default().waiting += 1;
        }
    }

    /// Counts a group's jobs in, or out where it is being parked (they are counted but for the one that just failed).
    fn count_group(&mut self, name: &Arc<str>, waits: bool) {
        let Some(group) = self.groups.get(name) else { return };
        let turn = self.tenants.entry(group.tenant).or_default();
        for (number, job) in &group.jobs {
            if waits {
                self.waiting.insert(*number, job.since);
                turn.waiting += 1;
            } else if self.waiting.remove(number).is_some() {
                turn.waiting = turn.waiting.saturating_sub(1);
            }
        }
    }

    /// After something of a group came in: it is ready, or waits, or is empty and forgotten.
    fn settle(&mut self, name: &Arc<str>) {
        let Some(group) = self.groups.get(name) else { return };
        if group.jobs.is_empty() && group.out == 0 {
            let tenant = group.tenant;
            self.groups.remove(name);
            if self.tenants.get(&tenant).is_some_and(|turn| turn.ready.is_empty() && turn.waiting == 0) {
                self.tenants.remove(&tenant);
            }
        } else {
            self.offer(name);
        }
    }

    /// Puts a group at the end of its tenant's turn where it is ready and is not there yet.
    fn offer(&mut self, name: &Arc<str>) {
        let Some(group) = self.groups.get_mut(name).filter(|group| group.ready() && !group.queued) else { return };
        group.queued = true;
        let turn = self.tenants.entry(group.tenant).or_default();
        if turn.ready.is_empty() {
            self.turns.push_back(group.tenant);
        }
        turn.ready.push_back(name.clone());
    }

    fn unready(&mut self, name: &Arc<str>) {
        let Some(group) = self.groups.get_mut(name) else { return };
        group.queued = false;
        let tenant = group.tenant;
        if let Some(turn) = self.tenants.get_mut(&tenant) {
            turn.ready.retain(|other| other != name);
            if turn.ready.is_empty() {
                self.turns.retain(|other| *other != tenant);
            }
        }
    }
}

#[cfg(test)]
mod tests;
