//! The ports' contract, on disk.
#![allow(clippy::unwrap_used)]

use penfold_embedded::{Options, open};
use penfold_ports::World;
use penfold_types::Env;
use tempfile::TempDir;

async fn fixture() -> (World, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let env = Env::system();
    let ports = open(env.clone(), dir.path(), Options::default()).unwrap();
    (ports.world(env), dir)
}

penfold_ports::contract_suite!(fixture);
