use crate::faults::Faults;
use crate::state::State;
use parking_lot::Mutex;
use penfold_ports::{PortError, QueueName};
use penfold_types::Env;
use std::time::Duration;
use tokio::sync::Notify;

/// What all simulated ports share.
pub(crate) struct Shared {
    pub(crate) state: Mutex<State>,
    pub(crate) env: Env,
    /// Rung when there may be a job to hand out; one for each queue.
    bells: [Notify; QueueName::ALL.len()],
}

/// How a call that changes something goes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Fine,
    /// Carried out, and the answer lost.
    Done,
    /// The request lost.
    Lost,
}

impl Shared {
    pub(crate) fn bell(&self, queue: QueueName) -> &Notify {
        &self.bells[queue as usize]
    }

    pub(crate) fn new(seed: u64, faults: Faults, env: Env) -> Self {
        Self { state: Mutex::new(State::new(seed, faults)), env, bells: Default::default() }
    }

    /// Begins a call: it goes into the trace, waits, and may be throttled.
    pub(crate) async fn call(&self, name: &str, subject: &[u8]) -> Result<(), PortError> {
        let (delay, throttled) = {
            let mut state = self.state.lock();
            let faults = state.faults;
            state.calls += 1;
            state.trace.text(name);
            state.trace.bytes(subject);
            state.trace.word(self.env.now().millis() as u64);
            let slow = state.rng.chance(faults.slow);
            let delay = 1 + state.rng.below(if slow { 20_000 } else { 8 });
            (delay, state.rng.chance(faults.throttled))
        };
        self.env.sleep(Duration::from_millis(delay)).await;
        if throttled { self.answer("throttled", Err(PortError::Throttled)) } else { Ok(()) }
    }

    /// Ends a call: its answer goes into the trace.
    pub(crate) fn answer<T>(&self, what: &str, answer: Result<T, PortError>) -> Result<T, PortError> {
        let mut state = self.state.lock();
        state.trace.text(what);
        if let Err(error) = &answer {
            state.trace.text(&error.to_string());
        }
        answer
    }
}

impl State {
    pub(crate) fn fate(&mut self) -> Fate {
        let faults = self.faults;
        match (self.rng.chance(faults.lost), self.rng.below(2)) {
            (false, _) => Fate::Fine,
            (true, 0) => Fate::Done,
            (true, _) => Fate::Lost,
        }
    }
}
