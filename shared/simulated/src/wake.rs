use crate::call::Shared;
use penfold_ports::{Account, Wake, Watch, Watchers};
use penfold_types::Modseq;
use std::sync::Arc;

/// Wakes as in one process; now and then one gets lost.
pub(crate) struct SimWake {
    shared: Arc<Shared>,
    watchers: Watchers,
}

impl SimWake {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, watchers: Watchers::default() }
    }
}

impl Wake for SimWake {
    fn watch(&self, account: Account) -> Watch {
        self.watchers.watch(account)
    }

    fn wake(&self, account: Account, modseq: Modseq) {
        let lost = {
            let mut state = self.shared.state.lock();
            state.trace.text("wake");
            state.trace.word(modseq.get());
            let faults = state.faults;
            state.rng.chance(faults.deaf)
        };
        if !lost {
            self.watchers.wake(account, modseq);
        }
    }
}
