//! What other suites prove on ports in memory, on the local cloud: `make test-cloud`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../edges/imap/tests/harness/mod.rs"]
mod harness;
#[path = "isolation/walks.rs"]
mod walks;

use harness::World;
use penfold_aws::testing::{Cell, cell, given};
use penfold_simulated::{Faults, Simulated};
use penfold_tests::{Seconds, on_virtual_time};
use penfold_types::Env;

/// The clock and the ids of a simulation, and ports of the cloud. All share one bucket, so ids differ from run to run.
async fn fresh() -> (Simulated, Cell) {
    let simulated = Simulated::new(Env::system().random_u64(), Faults::NONE);
    let cell = cell(&simulated.env()).await.expect("it was asked before");
    (simulated, cell)
}

fn on_a_cell(suite: &'static str, test: impl AsyncFn(penfold_ports::World)) {
    if given().is_none() {
        return;
    }
    let _seconds = Seconds::of(suite);
    on_virtual_time(async {
        let (_simulated, cell) = fresh().await;
        test(cell.world.clone()).await;
    });
}

#[test]
fn imap_dialogs() {
    if given().is_some() {
        harness::player::play_all(concat!(env!("CARGO_MANIFEST_DIR"), "/dialogs/imap"), async || {
            let (simulated, cell) = fresh().await;
            (World::on(simulated, cell.world.clone(), |_| {}).await, cell)
        });
    }
}

#[test]
fn imap_with_another_tenants_names_is_imap_with_made_up_names() {
    on_a_cell("isolation in the cloud, IMAP", walks::imap);
}

#[test]
fn submission_in_another_tenants_name_is_refused_as_in_nobodys() {
    on_a_cell("isolation in the cloud, submission", walks::submission);
}

#[test]
fn signing_in_answers_alike_whether_an_address_exists() {
    on_a_cell("isolation in the cloud, sign-in", walks::sign_in);
}
