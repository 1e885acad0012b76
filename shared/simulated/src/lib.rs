//! The ports in memory, on virtual time, from one seed.
//!
//! Each call first waits a seeded delay on tokio's clock; that is what interleaves the tasks of a simulation, so the same
//! seed gives the same run, and [`Simulated::trace_hash`] proves it. For that the runtime must be single-threaded with its
//! time paused (`#[tokio::test(start_paused = true)]`), and [`Simulated::new`] be called inside it.
//!
//! Faults come by a plan ([`Faults`]) that can be changed while the simulation runs, and a [`Simulated::crash`] takes away
//! what nothing had made durable.

mod blobs;
mod call;
mod clock;
mod faults;
mod pages;
mod queue;
mod rng;
mod secrets;
mod state;
mod table;
mod trace;
mod wake;
mod zone;

pub use faults::Faults;
pub use pages::Pages;
pub use zone::Zone;

use crate::blobs::SimBlobs;
use crate::call::Shared;
use crate::clock::Clock;
use crate::queue::SimQueue;
use crate::secrets::SimSecrets;
use crate::table::SimTable;
use crate::wake::SimWake;
use penfold_ports::{QueueName, World};
use penfold_types::Env;
use std::sync::Arc;

/// One simulated set of ports. Cheap to clone; clones share everything.
#[derive(Clone)]
pub struct Simulated {
    shared: Arc<Shared>,
    world: World,
}

impl Simulated {
    pub fn new(seed: u64, faults: Faults) -> Self {
        let env = Env::from_source(Arc::new(Clock::start(seed)));
        let shared = Arc::new(Shared::new(seed, faults, env.clone()));
        let world = World::new(
            env,
            Arc::new(SimTable(shared.clone())),
            Arc::new(SimBlobs(shared.clone())),
            Arc::new(SimQueue(shared.clone())),
            Arc::new(SimWake::new(shared.clone())),
            Arc::new(SimSecrets(shared.clone())),
        );
        Self { shared, world }
    }

    pub fn env(&self) -> Env {
        self.world.env.clone()
    }

    /// Its meter counts what all its clones cost.
    pub fn world(&self) -> World {
        self.world.clone()
    }

    /// Of every call so far and what it was answered, in order, with its time.
    pub fn trace_hash(&self) -> u64 {
        self.shared.state.lock().trace.value()
    }

    /// Calls so far.
    pub fn calls(&self) -> u64 {
        self.shared.state.lock().calls
    }

    /// From the next call on.
    pub fn faults(&self, faults: Faults) {
        self.shared.state.lock().faults = faults;
    }

    /// What a process that is killed loses: blobs that no commit or send had made durable are gone, jobs that were out are
    /// back. Rows and jobs that were answered for stay. The caller drops its own tasks.
    pub fn crash(&self) {
        self.shared.state.lock().crash();
        for queue in QueueName::ALL {
            self.shared.bell(queue).notify_waiters();
            self.shared.bell(queue).notify_one();
        }
    }

    /// Rows there are now, for a test to show what was stored.
    pub fn rows(&self) -> Vec<(penfold_ports::Key, penfold_ports::Row)> {
        self.shared.state.lock().rows.iter().map(|(key, row)| (key.clone(), row.clone())).collect()
    }
}
