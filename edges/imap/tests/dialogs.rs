//! tests/dialogs/imap/*.txt on ports in memory; tests/tests/cloud.rs plays the same on the cloud's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

use harness::World;

#[test]
fn dialogs() {
    harness::player::play_all(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/dialogs/imap"), async || (World::new(1, |_| {}).await, ()));
}
