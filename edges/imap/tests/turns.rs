//! One person's flood of commands beside others' few: who waits for whom, and what a place is not held for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod harness;

use harness::{Client, World};
use penfold_ports::Turns;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

const LOCAL: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const NOISE: u32 = 100;
/// Batches of a search through the noisy one's mailbox.
const MAILS: u32 = 200;

async fn selected(world: &World, who: &str) -> Client {
    let mut client = world.local();
    client.login(who).await;
    client.ok("s", "SELECT INBOX").await;
    client
}

/// A hundred connections search without end. Whatever another one asks for, hardly a search ends before it is answered, and
/// without turns far more do.
#[tokio::test(start_paused = true)]
async fn a_flood_of_searches_waits_for_itself() {
    let turns = Turns::new(1);
    let world = World::new(11, |options| {
        options.turns = turns.clone();
        (options.connections_per_person, options.commands_per_minute) = (0, 0);
    })
    .await;
    for n in 0..MAILS {
        world.append("ada@a.test", "INBOX", &[], None, format!("Subject: {n}\r\n\r\nwords\r\n").into_bytes()).await;
    }
    world.append("eve@b.test", "INBOX", &[], None, b"Subject: x\r\n\r\n".to_vec()).await;
    let ended = Arc::new(AtomicU32::new(0));
    for _ in 0..NOISE {
        let (mut client, ended) = (selected(&world, "ada@a.test").await, ended.clone());
        tokio::spawn(async move {
            loop {
                client.ok("t", "SEARCH TEXT absent").await;
                ended.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    while turns.load().waiting < NOISE as usize - 5 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let mut quiet = selected(&world, "eve@b.test").await;
    for command in ["FETCH 1 (FLAGS BODY.PEEK[])", "STORE 1 +FLAGS (\\Seen)", "SEARCH TEXT x", "STATUS INBOX (MESSAGES)", "NOOP"] {
        let before = ended.load(Ordering::Relaxed);
        quiet.ok("q", command).await;
        // A command takes three places at most: for itself, for its batch, and for what is new afterwards.
        let passed = ended.load(Ordering::Relaxed) - before;
        assert!(passed <= 3, "{passed} searches ended before {command}");
    }
    assert!(ended.load(Ordering::Relaxed) > 0 || turns.load().waited > 0, "the flood goes on");
}

/// With one place for all: whoever reads slowly, or idles, holds none.
#[tokio::test(start_paused = true)]
async fn no_place_is_held_for_a_peer() {
    let turns = Turns::new(1);
    let world = World::new(12, |options| options.turns = turns.clone()).await;
    let large = |lines: usize| format!("Subject: large\r\n\r\n{}", "0123456789abcdef\r\n".repeat(lines)).into_bytes();
    world.append("ada@a.test", "INBOX", &[], None, large(200_000)).await;
    for _ in 0..40 {
        world.append("bob@a.test", "INBOX", &[], None, large(5_000)).await;
    }
    let (mut one, mut many, mut list) = (world.connect(LOCAL, 4096), world.connect(LOCAL, 4096), world.connect(LOCAL, 64));
    for (client, who) in [(&mut one, "ada@a.test"), (&mut many, "bob@a.test"), (&mut list, "bob@a.test")] {
        client.login(who).await;
        client.ok("s", "SELECT INBOX").await;
    }
    one.send(b"f FETCH 1 BODY.PEEK[TEXT]\r\n").await;
    many.send(b"f FETCH 1:* BODY.PEEK[]\r\n").await;
    list.send(b"f UID SEARCH ALL\r\n").await;
    let mut idle = selected(&world, "eve@b.test").await;
    idle.send(b"i IDLE\r\n").await;
    assert!(idle.line().await.is_some_and(|line| line.starts_with('+')));
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!((turns.load().working, turns.load().waiting), (0, 0));
    let mut other = selected(&world, "eve@b.test").await;
    other.ok("a", "APPEND INBOX {3+}\r\nabc").await;
    assert_eq!(idle.line().await.as_deref(), Some("* 1 EXISTS"));
    // All of it comes all the same.
    for client in [&mut one, &mut many, &mut list] {
        while !client.line().await.unwrap().starts_with("f OK") {}
    }
}

/// Long work is done a part at a time.
#[tokio::test(start_paused = true)]
async fn a_long_store_lets_others_go_first() {
    let turns = Turns::new(1);
    let world = World::new(13, |options| options.turns = turns.clone()).await;
    let bytes: Vec<Vec<u8>> = (0..2100).map(|n| format!("Subject: {n}\r\n\r\n").into_bytes()).collect();
    world.append_many("ada@a.test", "INBOX", bytes).await;
    let mut long = selected(&world, "ada@a.test").await;
    let mut quiet = selected(&world, "eve@b.test").await;
    long.send(b"l STORE 1:* +FLAGS.SILENT (\\Flagged)\r\n").await;
    while turns.load().working == 0 {
        tokio::task::yield_now().await;
    }
    let before = turns.load().waited;
    quiet.ok("q", "NOOP").await;
    assert!(turns.load().waited > before, "it waited for a part of the long one");
    assert_eq!(turns.load().working + turns.load().waiting, 1, "the long one is not done yet");
    while !long.line().await.unwrap().starts_with("l OK") {}
    assert_eq!(long.ok("n", "SEARCH RETURN (COUNT) FLAGGED").await[0], "* ESEARCH (TAG \"n\") COUNT 2100");
    long.ok("d", "STORE 1:2000 +FLAGS.SILENT (\\Deleted)").await;
    let gone = long.ok("x", "EXPUNGE").await;
    assert_eq!(gone.len(), 2001);
}

#[tokio::test(start_paused = true)]
async fn who_gives_too_many_commands_is_slowed_down_and_nobody_else() {
    let world = World::new(14, |options| options.commands_per_minute = 60).await;
    let (mut ada, mut bob) = (selected(&world, "ada@a.test").await, selected(&world, "bob@a.test").await);
    let begun = tokio::time::Instant::now();
    for n in 0..120 {
        ada.ok(&format!("n{n}"), "NOOP").await;
    }
    let slow = begun.elapsed();
    assert!(slow > Duration::from_secs(55) && slow < Duration::from_secs(70), "{slow:?}");
    let begun = tokio::time::Instant::now();
    bob.ok("n", "NOOP").await;
    assert!(begun.elapsed() < Duration::from_secs(1));
}

#[tokio::test(start_paused = true)]
async fn a_tenant_has_many_connections_and_not_too_many() {
    let world = World::new(15, |options| (options.connections_per_tenant, options.strangers_per_network) = (2, 3)).await;
    let _taken = (selected(&world, "ada@a.test").await, selected(&world, "bob@a.test").await);
    let mut one_more = world.local();
    one_more.line().await;
    let lines = one_more.command("a", "LOGIN bob@a.test secret").await;
    assert!(lines[0].starts_with("a NO [LIMIT]"), "{lines:?}");
    one_more.ok("b", "LOGIN eve@b.test secret").await;
    // From one network: so many on which nobody has signed in.
    let mut near =
        ["192.0.2.1", "2001:db8::1", "2001:db8::2", "2001:db8::3", "2001:db8::4"].map(|peer| world.connect(peer.parse().unwrap(), 4096));
    for client in &mut near[..4] {
        assert!(client.line().await.is_some_and(|line| line.starts_with("* OK")));
    }
    assert!(near[4].line().await.is_some_and(|line| line.starts_with("* BYE [LIMIT]")));
}
