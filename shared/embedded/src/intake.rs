use crate::layout::Space;
use bytes::Bytes;
use parking_lot::{Condvar, Mutex};
use penfold_ports::{Chain, Commit, Job, PortError, QueueName, Units, Write};
use std::time::Duration;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// One key's new value; `None` removes it.
pub(crate) struct Change {
    pub(crate) space: Space,
    pub(crate) key: Bytes,
    pub(crate) value: Option<Bytes>,
}

pub(crate) type Done = oneshot::Sender<Result<(), PortError>>;

/// What the committer is asked to do.
pub(crate) enum Work {
    Chain {
        commits: Vec<Commit>,
        answer: oneshot::Sender<(Chain, Units)>,
    },
    Put {
        write: Write,
        answer: oneshot::Sender<(Result<(), PortError>, Units)>,
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

#[derive(Default)]
struct Line {
    requests: Vec<Request>,
    closed: bool,
}

/// What waits for the committer, in order.
#[derive(Default)]
pub(crate) struct Intake {
    line: Mutex<Line>,
    arrived: Condvar,
}

impl Intake {
    /// Gives the request back, unanswered, where the committer has gone.
    pub(crate) fn push(&self, request: Request) -> Result<(), PortError> {
        let mut line = self.line.lock();
        if line.closed {
            return Err(PortError::Broken("the store is closed".to_owned()));
        }
        line.requests.push(request);
        if line.requests.len() == 1 {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Everything that waits; waits for some where there is nothing, at most `patience`. The flag says that this is the
    /// last of it.
    pub(crate) fn take(&self, patience: Option<Duration>) -> (Vec<Request>, bool) {
        let mut line = self.line.lock();
        while line.requests.is_empty() && !line.closed {
            match patience {
                None => self.arrived.wait(&mut line),
                Some(patience) => {
                    if self.arrived.wait_for(&mut line, patience).timed_out() {
                        break;
                    }
                }
            }
        }
        (std::mem::take(&mut line.requests), line.closed)
    }

    /// After this nothing more is taken in.
    pub(crate) fn close(&self) {
        self.line.lock().closed = true;
        self.arrived.notify_all();
    }
}
