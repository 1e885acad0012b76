//! What a connection that waits takes, and that a slow reader holds up nobody.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod harness;

use harness::World;
use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

#[tokio::test(start_paused = true)]
async fn the_task_of_a_connection_is_small() {
    let world = World::new(1, |_| {}).await;
    let (ours, _theirs) = tokio::io::duplex(64);
    let (_stop, stopped) = tokio::sync::watch::channel(false);
    let task = penfold_imap::connection(world.server.clone(), ours, LOCAL, false, stopped);
    assert!(size_of_val(&task) <= 2048, "{} octets", size_of_val(&task));
}

#[tokio::test(start_paused = true)]
async fn a_slow_reader_holds_up_nobody_and_gets_everything() {
    let world = World::new(2, |_| {}).await;
    let body: String = "0123456789abcdef\r\n".repeat(200_000);
    world.append("ada@a.test", "INBOX", &[], None, format!("Subject: large\r\n\r\n{body}").into_bytes()).await;
    // So little room in between that the answer cannot be on its way as a whole.
    let mut slow = world.connect(LOCAL, 4096);
    slow.login("ada@a.test").await;
    slow.ok("s", "SELECT INBOX").await;
    slow.send(b"f FETCH 1 BODY.PEEK[TEXT]\r\n").await;
    tokio::time::sleep(Duration::from_secs(60)).await;
    let mut other = world.local();
    other.login("ada@a.test").await;
    other.ok("s", "SELECT INBOX").await;
    other.ok("a", "APPEND INBOX {3+}\r\nabc").await;
    let stored = other.ok("t", "STORE 1 +FLAGS (\\Flagged)").await;
    assert_eq!(stored[0], "* 1 FETCH (FLAGS (\\Flagged))");
    let mut octets = 0;
    loop {
        let line = slow.line().await.unwrap();
        if line.starts_with("f ") {
            assert!(line.starts_with("f OK"), "{line}");
            break;
        }
        if line == "0123456789abcdef" {
            octets += 18;
        }
    }
    assert_eq!(octets, body.len());
}

#[tokio::test(start_paused = true)]
async fn idle_looks_again_where_a_wake_was_lost() {
    let world = World::new(3, |_| {}).await;
    let mut client = world.local();
    client.login("ada@a.test").await;
    client.ok("s", "SELECT INBOX").await;
    client.send(b"i IDLE\r\n").await;
    assert!(client.line().await.is_some_and(|line| line.starts_with('+')));
    world.simulated.faults(penfold_simulated::Faults { deaf: 10_000, ..penfold_simulated::Faults::NONE });
    world.append("ada@a.test", "INBOX", &[], None, b"Subject: x\r\n\r\n".to_vec()).await;
    assert!(client.silent().await);
    tokio::time::sleep(Duration::from_secs(601)).await;
    assert_eq!(client.line().await.as_deref(), Some("* 1 EXISTS"));
    // RFC 9051 §5.4: nothing was heard for half an hour.
    assert!(client.line().await.is_some_and(|line| line.starts_with("* BYE")));
}

#[tokio::test(start_paused = true)]
async fn an_idle_connection_costs_one_read_in_ten_minutes() {
    let world = World::new(4, |_| {}).await;
    let mut client = world.local();
    client.login("ada@a.test").await;
    client.ok("s", "SELECT INBOX").await;
    client.send(b"i IDLE\r\n").await;
    assert!(client.line().await.is_some_and(|line| line.starts_with('+')));
    tokio::time::sleep(Duration::from_secs(1)).await;
    let before = world.simulated.calls();
    tokio::time::sleep(Duration::from_secs(1210)).await;
    assert!(world.simulated.calls() - before <= 2, "{}", world.simulated.calls() - before);
}

#[tokio::test(start_paused = true)]
async fn a_person_has_many_connections_and_not_too_many() {
    let world = World::new(5, |options| options.connections_per_person = 50).await;
    let mut clients = Vec::new();
    for _ in 0..50 {
        let mut client = world.local();
        client.login("ada@a.test").await;
        clients.push(client);
    }
    let mut one_more = world.local();
    one_more.line().await;
    let lines = one_more.command("a", "LOGIN ada@a.test secret").await;
    assert!(lines[0].starts_with("a NO [LIMIT]"), "{lines:?}");
    one_more.ok("b", "LOGIN bob@a.test secret").await;
    drop(clients.pop());
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.local().login("ada@a.test").await;
}

#[tokio::test(start_paused = true)]
async fn a_shutdown_says_so() {
    let world = World::new(6, |_| {}).await;
    let mut client = world.local();
    client.login("ada@a.test").await;
    world.stop();
    assert!(client.line().await.is_some_and(|line| line.starts_with("* BYE")));
    assert!(client.line().await.is_none());
}
