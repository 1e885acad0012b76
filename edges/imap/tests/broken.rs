//! One message whose octets are gone or damaged harms no other.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod harness;

use harness::World;

#[tokio::test(start_paused = true)]
async fn a_message_without_its_octets_is_nil_and_the_rest_goes_on() {
    let world = World::new(1, |_| {}).await;
    for n in 1..=3 {
        let message = format!("Subject: message {n}\r\n\r\nneedle {n}\r\n");
        world.append("ada@a.test", "INBOX", &[], None, message.into_bytes()).await;
    }
    let tenant = world.mailbox("ada@a.test").await.account().tenant;
    let blobs = world.simulated.world().blobs;
    let mut keys = blobs.list(tenant, None).await.unwrap();
    keys.sort();
    blobs.delete(&keys[1]).await.unwrap();

    let mut client = world.local();
    client.login("ada@a.test").await;
    client.ok("s", "SELECT INBOX").await;
    let lines = client.command("f", "FETCH 1:3 BODY.PEEK[TEXT]").await;
    let wanted =
        ["* 1 FETCH (BODY[TEXT] {10}", "needle 1", ")", "* 2 FETCH (BODY[TEXT] NIL)", "* 3 FETCH (BODY[TEXT] {10}", "needle 3", ")"];
    assert_eq!(lines[..7], wanted);
    assert!(lines[7].starts_with("f NO [SERVERBUG]"), "{lines:?}");
    // What the summary knows is there all the same.
    let lines = client.ok("e", "FETCH 2 (RFC822.SIZE ENVELOPE)").await;
    assert!(lines[0].contains("\"message 2\""), "{lines:?}");
    assert_eq!(client.ok("t", "SEARCH TEXT needle").await[0], "* SEARCH 1 3");
    assert_eq!(client.ok("u", "SEARCH SUBJECT message").await[0], "* SEARCH 1 2 3");
}
