//! The ports' contract on the local cloud, and at the end of each case: what was counted is what DynamoDB reported, of
//! commits by DynamoDB Local's own rule for them (decision 11).
#![allow(clippy::expect_used)]

use penfold_aws::Ports;
use penfold_aws::testing::{self, OwnQueue};
use penfold_ports::World;
use penfold_types::Env;

struct Keep {
    ports: Ports,
    _queue: OwnQueue,
}

impl Drop for Keep {
    fn drop(&mut self) {
        let compared = self.ports.compared();
        if !std::thread::panicking() {
            assert_eq!((compared.mismatches, compared.commit_mismatches), (0, 0), "{:#?}", compared.texts);
        }
    }
}

async fn fixture() -> (World, Keep) {
    let (ports, queue) = testing::on_virtual_time().await;
    (ports.world(Env::system()), Keep { ports, _queue: queue })
}

penfold_ports::contract_suite!(fixture);
