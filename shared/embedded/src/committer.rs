//! The one writer.

use crate::closing::Closing;
use crate::core::Core;
use crate::disk::Disk;
use crate::health::{Level, is_out_of_space};
use crate::intake::{Answer, Change, Done, Gather, Request, Taken, Work};
use crate::jobs;
use crate::layout::{JobPart, Space, job_key};
use crate::prepared::Prepared;
use crate::recent::Recent;
use crate::staged::Staged;
use penfold_ports::{Chain, Job, PortError, Price, QueueName, Row, Units, judge, repeat_units};
use penfold_types::{TenantId, Timestamp};
use std::borrow::Cow;
use std::collections::HashSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;

/// Client tokens are remembered for this long ([`penfold_ports::Commit::id`]).
const TOKENS: Duration = Duration::from_secs(600);
/// Job ids are remembered for this long ([`penfold_ports::JobId`]).
const JOB_IDS: Duration = Duration::from_secs(300);
/// However slow the disk is.
const LONGEST_GATHER: Duration = Duration::from_millis(2);
const SPACE_CHECK: Duration = Duration::from_secs(1);

pub(crate) struct Committer {
    core: Arc<Core>,
    disk: Disk,
    sync: bool,
    closing: Closing,
    gather: Gather,
    tokens: Recent,
    /// Of each queue, by the name's number.
    job_ids: [Recent; QueueName::ALL.len()],
    next_job: u64,
    checked: Timestamp,
}

/// Answers that wait for the sync.
#[derive(Default)]
struct Answers {
    chains: Vec<(oneshot::Sender<Answer>, Answer)>,
    done: Vec<Done>,
}

/// A job that can be handed out once the round is durable.
struct Sent {
    queue: QueueName,
    number: u64,
    tenant: TenantId,
    group: String,
}

#[derive(Default)]
struct Round {
    staged: Staged,
    answers: Answers,
    sent: Vec<Sent>,
    /// Client tokens of this round's commits; remembered once they are durable.
    tokens: HashSet<[u8; 16]>,
}

impl Committer {
    pub(crate) fn new(core: Arc<Core>, disk: Disk, sync: bool, closing: Closing) -> Self {
        let now = core.env.now();
        let (tokens, job_ids) = (Recent::new(TOKENS, now), QueueName::ALL.map(|_| Recent::new(JOB_IDS, now)));
        Self { core, disk, sync, closing, gather: Gather::default(), tokens, job_ids, next_job: 1, checked: now }
    }

    /// A job that was there at open: its id is known, and numbers go on after it.
    pub(crate) fn know_job(&mut self, queue: QueueName, number: u64, id: [u8; 16]) {
        self.next_job = self.next_job.max(number + 1);
        self.job_ids[queue as usize].insert(id, self.checked);
    }

    /// Runs until the intake is closed and empty.
    pub(crate) fn run(mut self) {
        loop {
            // While space is short nothing may come, so that it is looked at again.
            let patience = (self.core.health.level() != Level::Good).then_some(SPACE_CHECK);
            let Taken { requests, last } = self.core.intake.take(patience, self.gather);
            if self.core.env.now().since(self.checked) >= SPACE_CHECK {
                self.check_space();
            }
            if !requests.is_empty() && catch_unwind(AssertUnwindSafe(|| self.round(requests))).is_err() {
                self.core.health.fail(Level::Broken, "the committer panicked".to_owned());
            }
            if last {
                break;
            }
        }
        self.closing.flush(&self.core);
        self.core.health.close();
        self.core.wake_receivers();
    }

    pub(crate) fn check_space(&mut self) {
        self.checked = self.core.env.now();
        self.core.health.set_space(self.disk.level());
    }

    fn round(&mut self, requests: Vec<Request>) {
        if let Err(error) = self.core.health.may_free() {
            refuse(requests, &error);
            return;
        }
        let mut round = Round::default();
        // The requests' shares of the budget are held until the round is over.
        let mut rooms = Vec::with_capacity(requests.len());
        for Request { work, _room } in requests {
            rooms.push(_room);
            self.stage(work, &mut round);
        }
        let Round { staged, answers, sent, tokens } = round;
        self.closing.journalled += staged.size();
        if !staged.is_empty()
            && let Err(error) = self.make_durable(staged)
        {
            let level = if is_out_of_space(&error) { Level::OutOfSpace } else { Level::Broken };
            self.core.health.fail(level, error.to_string());
            answers.refuse(&self.core.health.may_free().err().unwrap_or(PortError::Unknown));
            return;
        }
        self.gather.answered = answers.len();
        let now = self.core.env.now();
        tokens.into_iter().for_each(|token| self.tokens.insert(token, now));
        self.hand_over(sent, now);
        answers.send();
    }

    fn make_durable(&mut self, staged: Staged) -> fjall::Result<()> {
        staged.write(&self.core)?;
        let mode = if self.sync { fjall::PersistMode::SyncData } else { fjall::PersistMode::Buffer };
        let start = self.core.env.monotonic();
        self.core.db().persist(mode)?;
        self.gather.patience = (start.elapsed() / 2).min(LONGEST_GATHER);
        self.core.publish();
        Ok(())
    }

    fn stage(&mut self, work: Work, round: &mut Round) {
        match work {
            Work::Chain { commits, answer } => {
                let (chain, units) = self.stage_chain(&commits, round);
                round.answers.chains.push((answer, Answer { chain, units, _commits: commits }));
            }
            Work::Send { queue, jobs, answer } => {
                self.stage_jobs(queue, jobs, round);
                round.answers.done.push(answer);
            }
            Work::Set { changes, answer } => {
                changes.into_iter().for_each(|change| round.staged.set(change));
                round.answers.done.extend(answer);
            }
        }
    }

    fn stage_chain(&self, commits: &[Prepared], round: &mut Round) -> (Chain, Units) {
        let mut units = Units::default();
        for (done, commit) in commits.iter().enumerate() {
            if let Err(error) = self.stage_commit(commit, round, &mut units) {
                return (Chain { done, error: Some(error) }, units);
            }
        }
        (Chain { done: commits.len(), error: None }, units)
    }

    fn stage_commit(&self, commit: &Prepared, round: &mut Round, units: &mut Units) -> Result<(), PortError> {
        let token = commit.id.map(|id| *id.as_bytes());
        if token.is_some_and(|token| self.tokens.contains(&token) || round.tokens.contains(&token)) {
            units.read += repeat_units(&commit.writes);
            return Ok(());
        }
        let price = if token.is_some() { Price::Transaction } else { Price::Single };
        let rows = judge(&commit.writes, commit.rows_before(&round.staged, &self.core), price, units)?;
        // A row that was put is encoded already.
        let updated = |row: Option<Cow<'_, Row>>| if let Some(Cow::Owned(row)) = row { Some(row) } else { None };
        let rows: Vec<_> = rows.into_iter().map(|(_, row)| updated(row)).collect();
        commit.stage(rows.into_iter(), &mut round.staged);
        round.tokens.extend(token);
        Ok(())
    }

    fn stage_jobs(&mut self, queue: QueueName, jobs: Vec<Job>, round: &mut Round) {
        let now = self.core.env.now();
        for job in jobs {
            let known = &mut self.job_ids[queue as usize];
            if known.contains(job.id.as_bytes()) {
                continue;
            }
            known.insert(*job.id.as_bytes(), now);
            let number = self.next_job;
            self.next_job += 1;
            let value = Some(jobs::encode(&job, now));
            round.staged.set(Change { space: Space::Jobs, key: job_key(queue, JobPart::Job, number), value });
            round.sent.push(Sent { queue, number, tenant: job.tenant, group: job.group });
        }
    }

    fn hand_over(&self, sent: Vec<Sent>, now: Timestamp) {
        for Sent { queue, number, tenant, group } in sent {
            let queued = self.core.queued(queue);
            queued.line.lock().add(number, tenant, &group, now, 0);
            queued.bell.notify_one();
        }
    }
}

impl Answers {
    fn len(&self) -> usize {
        self.chains.len() + self.done.len()
    }

    /// Whoever no longer waits for an answer does not get one.
    fn send(self) {
        for (to, answer) in self.chains {
            let _ = to.send(answer);
        }
        for to in self.done {
            let _ = to.send(Ok(()));
        }
    }

    fn refuse(self, error: &PortError) {
        for (to, answer) in self.chains {
            let _ = to.send(Answer { chain: Chain { done: 0, error: Some(error.clone()) }, ..answer });
        }
        for to in self.done {
            let _ = to.send(Err(error.clone()));
        }
    }
}

fn refuse(requests: Vec<Request>, error: &PortError) {
    for Request { work, .. } in requests {
        match work {
            Work::Chain { commits, answer } => {
                let chain = Chain { done: 0, error: Some(error.clone()) };
                let _ = answer.send(Answer { chain, units: Units::default(), _commits: commits });
            }
            Work::Send { answer, .. } => drop(answer.send(Err(error.clone()))),
            Work::Set { answer, .. } => {
                if let Some(answer) = answer {
                    let _ = answer.send(Err(error.clone()));
                }
            }
        }
    }
}
