use crate::house::{Deed, House, Peers, letter};
use penfold_transport::trace::Hop;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

#[tokio::test(start_paused = true)]
async fn a_greylisting_host_has_it_within_minutes() {
    let house = House::new(20, Peers::of(|_, since| if since.as_secs() < 300 { Deed::Later } else { Deed::Take })).await;
    house.submit(&["f@out.test"], &letter("x")).await.unwrap();
    house.world.env.sleep(Duration::from_secs(600)).await;
    assert_eq!(house.peers.taken().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn after_five_days_it_comes_back() {
    let house = House::new(21, Peers::of(|to, _| if to == "f@out.test" { Deed::Later } else { Deed::Take })).await;
    house.submit(&["f@out.test", "g@out.test"], &letter("x")).await.unwrap();
    house.world.env.sleep(DAY * 5 - Duration::from_secs(60)).await;
    assert_eq!(house.inbox("ann@x.test").await.len(), 1, "that it is late");
    house.world.env.sleep(Duration::from_secs(600)).await;
    let reports = house.inbox("ann@x.test").await;
    let failed = reports.iter().find(|report| report.contains("Action: failed")).expect("a failure");
    assert!(failed.contains("Status: 5.4.7\r\n") && failed.contains("mx.out.test said: 451") && reports.len() == 2, "{failed}");
    let attempts = house.peers.sent().iter().filter(|mail| mail.recipients.iter().any(|r| r.path == "f@out.test")).count();
    assert!((30..45).contains(&attempts), "{attempts} attempts");
    assert_eq!(house.peers.taken(), [("g@out.test".to_owned(), "x".to_owned())], "who had it was not sent it again");
    house.world.env.sleep(DAY * 3).await;
    assert_eq!(house.inbox("ann@x.test").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_said_to_be_one() {
    let peers = Peers::of(|_, since| if since.as_secs() < 60 { Deed::Lost { taken: true } } else { Deed::Take });
    let house = House::new(22, peers).await;
    let id = house.submit(&["f@out.test"], &letter("x")).await.unwrap();
    house.world.env.sleep(Duration::from_secs(600)).await;
    assert_eq!(house.peers.taken().len(), 2, "SMTP cannot know");
    let hops = house.trace(id).await;
    assert!(hops.iter().any(|entry| matches!(&entry.hop, Hop::Delayed { unsure: true, .. })), "{hops:?}");
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_is_dead_keeps_nobody_waiting() {
    let peers = Peers::of(|to, _| if to.contains("@dead") { Deed::Later } else { Deed::Take }).taking(Duration::from_secs(20));
    let house = House::new(23, peers).await;
    for n in 0..20 {
        house.submit(&[&format!("f@dead{n}.test"), "g@live.test"], &letter(&format!("m{n}"))).await.unwrap();
    }
    house.world.env.sleep(Duration::from_secs(400)).await;
    assert_eq!(house.peers.taken().len(), 20);
}
