use crate::layout::Space;
use crate::prepared::Prepared;
use bytes::Bytes;
use parking_lot::{Condvar, Mutex, MutexGuard};
use penfold_ports::{Chain, Job, PortError, QueueName, Units};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// One key's new value; `None` removes it.
pub(crate) struct Change {
    pub(crate) space: Space,
    pub(crate) key: Bytes,
    pub(crate) value: Option<Bytes>,
}

pub(crate) struct Answer {
    pub(crate) chain: Chain,
    pub(crate) units: Units,
    /// What was asked for, for the caller to free.
    pub(crate) _commits: Vec<Prepared>,
}

pub(crate) type Done = oneshot::Sender<Result<(), PortError>>;

/// What the committer is asked to do.
pub(crate) enum Work {
    /// Commits that build on one another; a write by itself is a chain of one without an id.
    Chain {
        commits: Vec<Prepared>,
        answer: oneshot::Sender<Answer>,
    },
    Send {
        queue: QueueName,
        jobs: Vec<Job>,
        answer: Done,
    },
    /// Unconditional. Without an answer, the next work that has one speaks for this too.
    Set {
        changes: Vec<Change>,
        answer: Option<Done>,
    },
}

pub(crate) struct Request {
    pub(crate) work: Work,
    /// Its share of the memory budget, given back when the round is over.
    pub(crate) _room: Option<OwnedSemaphorePermit>,
}

impl Request {
    fn is_awaited(&self) -> bool {
        !matches!(self.work, Work::Set { answer: None, .. })
    }
}

#[derive(Default)]
struct Line {
    requests: Vec<Request>,
    /// How many of them somebody waits for.
    awaited: usize,
    /// The committer sleeps until there are so many.
    wanted: usize,
    closed: bool,
}

/// What nobody waits for rides with the next request that somebody does wait for, but not longer than this.
const RIDE: Duration = Duration::from_millis(10);

/// What one taking gave.
pub(crate) struct Taken {
    pub(crate) requests: Vec<Request>,
    /// There will be no more.
    pub(crate) last: bool,
}

/// How long it pays to wait for those who were answered last and probably come back at once: a sync costs the same for
/// one as for twenty.
#[derive(Clone, Copy, Default)]
pub(crate) struct Gather {
    pub(crate) answered: usize,
    pub(crate) patience: Duration,
}

/// What waits for the committer, in order.
#[derive(Default)]
pub(crate) struct Intake {
    line: Mutex<Line>,
    arrived: Condvar,
}

impl Intake {
    /// An error where the committer has gone.
    pub(crate) fn push(&self, request: Request) -> Result<(), PortError> {
        let mut line = self.line.lock();
        if line.closed {
            return Err(PortError::Broken("the store is closed".to_owned()));
        }
        let first = line.requests.is_empty();
        let awaited = request.is_awaited();
        line.awaited += usize::from(awaited);
        line.requests.push(request);
        if first || (awaited && (line.awaited == 1 || line.awaited == line.wanted)) {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Everything that waits. Where there is nothing, it waits for some, at most for `idle`.
    pub(crate) fn take(&self, idle: Option<Duration>, gather: Gather) -> Taken {
        let mut line = self.line.lock();
        let wanted = gather.answered + line.awaited;
        self.wait_for_one(&mut line, idle);
        self.wait_for_more(&mut line, wanted, gather.patience);
        line.awaited = 0;
        Taken { requests: std::mem::take(&mut line.requests), last: line.closed }
    }

    fn wait_for_one(&self, line: &mut MutexGuard<'_, Line>, idle: Option<Duration>) {
        while line.awaited == 0 && !line.closed {
            let limit = if line.requests.is_empty() { idle } else { Some(RIDE) };
            match limit {
                None => self.arrived.wait(line),
                Some(limit) => {
                    if self.arrived.wait_for(line, limit).timed_out() {
                        return;
                    }
                }
            }
        }
    }

    fn wait_for_more(&self, line: &mut MutexGuard<'_, Line>, wanted: usize, patience: Duration) {
        line.wanted = wanted;
        while line.awaited > 0 && line.awaited < wanted && !line.closed {
            if self.arrived.wait_for(line, patience).timed_out() {
                break;
            }
        }
        line.wanted = 0;
    }

    /// After this nothing more is taken in.
    pub(crate) fn close(&self) {
        self.line.lock().closed = true;
        self.arrived.notify_all();
    }
}
