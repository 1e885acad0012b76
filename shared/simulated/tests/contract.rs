//! The ports' contract, in memory.

use penfold_ports::World;
use penfold_simulated::{Faults, Simulated};

async fn fixture() -> (World, Simulated) {
    let simulated = Simulated::new(1, Faults::NONE);
    (simulated.world(), simulated)
}

penfold_ports::contract_suite!(fixture);
