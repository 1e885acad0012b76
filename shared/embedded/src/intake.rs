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

impl Request {
    fn is_awaited(&self) -> bool {
        !matches!(self.work, Work::Set { answer: None, .. })
    }
}

#[derive(Default)]
struct Line {
    requests: Vec<Request>,
    /// Somebody waits for one of them.
    awaited: bool,
    closed: bool,
}

/// What nobody waits for rides with the next request that somebody does wait for, but not longer than this.
const RIDE: Duration = Duration::from_millis(10);

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
        let news = line.requests.is_empty() || (request.is_awaited() && !line.awaited);
        line.awaited |= request.is_awaited();
        line.requests.push(request);
        if news {
            self.arrived.notify_one();
        }
        Ok(())
    }

    /// Everything that waits. Where there is nothing, it waits for some, at most for `patience`. The flag says that this
    /// is the last of it.
    pub(crate) fn take(&self, patience: Option<Duration>) -> (Vec<Request>, bool) {
        let mut line = self.line.lock();
        while !line.awaited && !line.closed {
            let limit = if line.requests.is_empty() { patience } else { Some(RIDE) };
            match limit {
                None => self.arrived.wait(&mut line),
                Some(limit) => {
                    if self.arrived.wait_for(&mut line, limit).timed_out() {
                        break;
                    }
                }
            }
        }
        line.awaited = false;
        (std::mem::take(&mut line.requests), line.closed)
    }

    /// After this nothing more is taken in.
    pub(crate) fn close(&self) {
        self.line.lock().closed = true;
        self.arrived.notify_all();
    }
}
