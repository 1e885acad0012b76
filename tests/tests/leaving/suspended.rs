//! A tenant that is suspended sends nothing and loses nothing; what is for it stays with who sent it.

use crate::house::{Deed, House, Peers, letter};
use penfold_directory::TenantStatus;
use penfold_transport::Refusal;
use penfold_types::Kind;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);
const MINUTE: Duration = Duration::from_secs(60);

async fn set(house: &House, status: TenantStatus) {
    house.directory.operator().set_tenant_status("X", status).await.unwrap();
    house.world.env.sleep(MINUTE + Duration::from_secs(1)).await;
}

fn later(answer: &Result<penfold_types::AcceptanceId, Refusal>) -> bool {
    matches!(answer, Err(Refusal::Later(error)) if error.kind() == Kind::Retry)
}

#[tokio::test(start_paused = true)]
async fn what_is_for_a_suspended_tenant_is_deferred_and_for_a_closed_one_refused() {
    let house = House::new(60, Peers::default()).await;
    house.arrive("f@out.test", "bob@x.test", &letter("before")).await.unwrap();
    set(&house, TenantStatus::Suspended).await;
    for to in ["bob@x.test", "team@x.test", "postmaster@x.test"] {
        assert!(later(&house.arrive("f@out.test", to, &letter("while")).await), "{to}");
    }
    // Who is nobody is nobody still.
    assert!(matches!(house.arrive("f@out.test", "nobody@x.test", &letter("n")).await, Err(Refusal::Unknown)));
    set(&house, TenantStatus::Closed).await;
    assert!(matches!(house.arrive("f@out.test", "bob@x.test", &letter("closed")).await, Err(Refusal::Unknown)));
    set(&house, TenantStatus::Active).await;
    house.arrive("f@out.test", "bob@x.test", &letter("after")).await.unwrap();
    house.quiet().await;
    assert_eq!(house.inbox("bob@x.test").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_suspended_tenant_hands_nothing_in() {
    let house = House::new(61, Peers::default()).await;
    set(&house, TenantStatus::Suspended).await;
    for to in ["f@out.test", "bob@x.test"] {
        assert!(later(&house.submit(&[to], &letter("x")).await), "{to}");
    }
    house.quiet().await;
    assert!(house.peers.taken().is_empty() && house.inbox("bob@x.test").await.is_empty());
}

/// Longer than mail is tried at all: its time stands still.
#[tokio::test(start_paused = true)]
async fn what_waited_leaves_when_the_tenant_is_active_again() {
    let peers = Peers::of(|_, since| if since < Duration::from_secs(900) { Deed::Later } else { Deed::Take });
    let house = House::new(62, peers).await;
    house.submit(&["f@out.test"], &letter("x")).await.unwrap();
    house.world.env.sleep(MINUTE).await;
    let tried = house.peers.sent().len();
    assert!(tried > 0);
    house.directory.operator().set_tenant_status("X", TenantStatus::Suspended).await.unwrap();
    house.world.env.sleep(2 * MINUTE).await;
    let tried = house.peers.sent().len().max(tried);
    house.world.env.sleep(8 * DAY).await;
    assert_eq!((house.peers.sent().len(), house.peers.taken().len()), (tried, 0), "nothing is tried meanwhile");
    assert!(house.inbox("ann@x.test").await.is_empty(), "and nothing is said to have failed");
    // A process that dies meanwhile changes nothing of it.
    house.kill().await;
    house.serve();
    set(&house, TenantStatus::Active).await;
    house.world.env.sleep(40 * MINUTE).await;
    assert_eq!(house.peers.taken(), [("f@out.test".to_owned(), "x".to_owned())]);
    house.world.env.sleep(8 * DAY).await;
    assert_eq!(house.peers.taken().len(), 1);
    assert!(house.inbox("ann@x.test").await.iter().all(|report| !report.contains("Action: failed")));
}

/// What a host does not take yet when the tenant is active again has its whole time before it.
#[tokio::test(start_paused = true)]
async fn what_is_tried_again_afterwards_has_not_run_out_of_time() {
    let peers = Peers::of(|_, since| if since < 12 * DAY { Deed::Later } else { Deed::Take });
    let house = House::new(63, peers).await;
    house.submit(&["f@out.test"], &letter("x")).await.unwrap();
    house.world.env.sleep(MINUTE).await;
    set(&house, TenantStatus::Suspended).await;
    house.world.env.sleep(9 * DAY).await;
    set(&house, TenantStatus::Active).await;
    let before = house.peers.sent().len();
    house.world.env.sleep(4 * DAY).await;
    let after = house.peers.sent().len() - before;
    assert_eq!(house.peers.taken().len(), 1);
    assert!(after > 15, "it is tried as often as what was never held up: {after}");
}
