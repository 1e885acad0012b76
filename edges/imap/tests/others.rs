//! What is under `Other Users/`: how it is found, whose turn it is meanwhile, and that whoever goes there is noted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

use harness::{Client, World};
use penfold_ports::{Row, Turns, Write};

const BODY: &[u8] = b"Subject: x\r\n\r\nx\r\n";

async fn signed_in(world: &World, who: &str) -> Client {
    let mut client = world.local();
    client.login(who).await;
    client
}

async fn opened(world: &World, owner: &str, to: &str) {
    world.append(owner, "K", &[], None, BODY.to_vec()).await;
    world.grant(owner, "K", to, "lr").await;
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_is_found_by_its_address_and_by_no_other_name() {
    let world = World::new(1, |_| {}).await;
    for owner in ["c/d@a.test", "c_e@a.test", "shut@a.test"] {
        world.person(owner).await;
    }
    world.shared("team@a.test", &["bob@a.test"]).await;
    for owner in ["ada@a.test", "c/d@a.test", "c_e@a.test"] {
        opened(&world, owner, "bob@a.test").await;
    }
    opened(&world, "shut@a.test", "ada@a.test").await;
    world.directory.operator().add_alias(&"ada@a.test".parse().unwrap(), &"alias@a.test".parse().unwrap()).await.unwrap();
    let mut bob = signed_in(&world, "bob@a.test").await;
    for name in ["ada@a.test/K", "ADA@A.test/K", "c_d@a.test/K", "c_e@a.test/K", "team@a.test/INBOX"] {
        bob.ok("s", &format!("SELECT \"Other Users/{name}\"")).await;
    }
    // Whether somebody is there who opened nothing is not told, nor whether they are here or elsewhere.
    for whose in ["alias@a.test", "shut@a.test", "nobody@a.test", "no_body@a.test", "eve@b.test", "bob@a.test", "x", "ada@a.test+x"] {
        let lines = bob.command("n", &format!("SELECT \"Other Users/{whose}/K\"")).await;
        assert_eq!(lines.last().unwrap(), "n NO [NONEXISTENT] no such mailbox", "{whose}");
    }
    let listed = bob.ok("l", "LIST \"\" \"Other Users/c*\"").await;
    assert_eq!(listed.iter().filter(|line| line.starts_with("* LIST")).count(), 4, "{listed:?}");
    // As it is being deleted it is gone.
    world.directory.operator().delete_shared(&"team@a.test".parse().unwrap()).await.unwrap();
    let lines = bob.command("d", "SELECT \"Other Users/team@a.test/INBOX\"").await;
    assert_eq!(lines.last().unwrap(), "d NO [NONEXISTENT] no such mailbox");
}

#[tokio::test(start_paused = true)]
async fn a_list_of_many_others_lets_others_go_first() {
    let turns = Turns::new(1);
    let world = World::new(2, |options| options.turns = turns.clone()).await;
    for n in 0..30 {
        let owner = format!("p{n}@a.test");
        world.person(&owner).await;
        opened(&world, &owner, "anyone").await;
    }
    let (mut long, mut quiet) = (signed_in(&world, "bob@a.test").await, signed_in(&world, "eve@b.test").await);
    long.send(b"l LIST \"\" *\r\n").await;
    while turns.load().working == 0 {
        tokio::task::yield_now().await;
    }
    let before = turns.load().waited;
    quiet.ok("q", "NOOP").await;
    assert!(turns.load().waited > before, "it waited for a part of the long one");
    assert_eq!(turns.load().working + turns.load().waiting, 1, "the long one is not done yet");
    let mut others = 0;
    loop {
        let line = long.line().await.unwrap();
        if line.starts_with("l OK") {
            break;
        }
        others += usize::from(line.starts_with("* LIST") && line.ends_with("/K\""));
    }
    assert_eq!(others, 30);
}

/// Very much is noted at the time: the log's next row is taken each time that it is tried.
#[tokio::test(start_paused = true)]
async fn a_visit_that_cannot_be_noted_now_is_noted_later() {
    let world = World::new(3, |_| {}).await;
    opened(&world, "ada@a.test", "bob@a.test").await;
    let tenant = world.mailbox("ada@a.test").await.account().tenant;
    let (operator, table) = (world.directory.operator(), world.simulated.world().table);
    let day = world.simulated.env().now().seconds() / 86_400;
    let acts = async || operator.audit_log(tenant, day, 100).await.unwrap();
    let visits = async || acts().await.iter().filter(|act| act.act == "mailbox.open" && act.actor == "bob@a.test").count();
    let next = world.directory.tenant_scope(tenant).audit(day, acts().await[0].number + 1);
    table.put(Write::put_new(next.clone(), Row::new().with("other", 1u64))).await.unwrap();
    let mut bob = signed_in(&world, "bob@a.test").await;
    bob.ok("s", "SELECT \"Other Users/ada@a.test/K\"").await;
    bob.ok("f", "FETCH 1 BODY[]").await;
    assert_eq!(visits().await, 0);
    table.put(Write::delete(next)).await.unwrap();
    bob.ok("n", "NOOP").await;
    assert_eq!(visits().await, 1);
    bob.ok("m", "NOOP").await;
    bob.ok("t", "SELECT \"Other Users/ada@a.test/K\"").await;
    assert_eq!(visits().await, 1);
}
