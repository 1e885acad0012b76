use super::{HELLO, Home};
use penfold_transport::Refusal;
use penfold_transport::trace::Hop;

#[tokio::test(start_paused = true)]
async fn a_message_arrives_byte_for_byte_behind_our_prefix() {
    let home = Home::new(1).await;
    let ann = home.person("ann@x.test").await;
    let id = home.send(&["ann@x.test"], HELLO).await.unwrap();
    home.settle().await;
    let inbox = home.inbox(ann).await;
    assert_eq!(inbox.len(), 1);
    let (prefix, message) = inbox[0].split_at(inbox[0].len() - HELLO.len());
    assert_eq!(message, HELLO);
    let expected = format!(
        "Return-Path: <sender@y.test>\r\nReceived: from y.test ([192.0.2.1])\r\n\tby mx.test with ESMTP id {id}\r\n\tfor <ann@x.test>;\r\n\t"
    );
    assert!(prefix.starts_with(&expected), "{prefix}");
    assert!(prefix.ends_with(" +0000\r\n"), "{prefix}");
}

#[tokio::test(start_paused = true)]
async fn an_incoming_return_path_is_taken_out_and_nothing_else() {
    let home = Home::new(2).await;
    let ann = home.person("ann@x.test").await;
    home.send(
        &["ann@x.test"],
        "Return-Path: <evil@y.test>\r\nSubject: a\r\nReturn-Path:\r\n <more@y.test>\r\nX: b\r\n\r\nReturn-Path: body\r\n",
    )
    .await
    .unwrap();
    home.settle().await;
    let inbox = home.inbox(ann).await;
    assert!(inbox[0].ends_with("+0000\r\nSubject: a\r\nX: b\r\n\r\nReturn-Path: body\r\n"), "{}", inbox[0]);
    assert_eq!(inbox[0].matches("Return-Path: <").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn two_identical_messages_are_two() {
    let home = Home::new(3).await;
    let ann = home.person("ann@x.test").await;
    for _ in 0..2 {
        home.send(&["ann@x.test"], HELLO).await.unwrap();
    }
    home.settle().await;
    assert_eq!(home.inbox(ann).await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_reached_three_ways_gets_one_copy() {
    let home = Home::new(4).await;
    let ann = home.person("ann@x.test").await;
    home.directory.operator().add_alias(&super::address("ann@x.test"), &super::address("a@x.test")).await.unwrap();
    home.group("team@x.test", &["ann@x.test"]).await;
    home.send(&["ann@x.test", "a@x.test", "ann+detail@x.test", "team@x.test"], HELLO).await.unwrap();
    home.settle().await;
    let inbox = home.inbox(ann).await;
    assert_eq!(inbox.len(), 1);
    // With several recipients none is named.
    assert!(!inbox[0].contains("\tfor <"));
}

#[tokio::test(start_paused = true)]
async fn recipients_are_judged_one_by_one() {
    let home = Home::new(5).await;
    home.person("ann@x.test").await;
    assert!(matches!(home.send(&["nobody@x.test"], HELLO).await, Err(Refusal::Unknown)));
    assert!(matches!(home.send(&["friend@elsewhere.test"], HELLO).await, Err(Refusal::Outside)));
    let full = penfold_directory::PersonChange { quota: Some(penfold_directory::Quota::Bytes(10)), ..Default::default() };
    home.directory.operator().update_person(&super::address("ann@x.test"), &full).await.unwrap();
    home.send(&["ann@x.test"], HELLO).await.unwrap();
    home.settle().await;
    assert!(matches!(home.send(&["ann@x.test"], HELLO).await, Err(Refusal::OverQuota)));
}

#[tokio::test(start_paused = true)]
async fn messages_that_go_in_a_circle_are_refused() {
    let home = Home::new(6).await;
    home.person("ann@x.test").await;
    let hops = |n: usize, by: &str| format!("{}\r\nbody\r\n", format!("Received: from a by {by} with SMTP\r\n").repeat(n));
    assert!(home.send(&["ann@x.test"], &hops(100, "other.test")).await.is_ok());
    assert!(matches!(home.send(&["ann@x.test"], &hops(101, "other.test")).await, Err(Refusal::Loop)));
    assert!(matches!(home.send(&["ann@x.test"], &hops(11, "mx.test")).await, Err(Refusal::Loop)));
    let long = format!("X: {}\r\n\r\n", "a".repeat(1024 * 1024));
    assert!(matches!(home.send(&["ann@x.test"], &long).await, Err(Refusal::HeaderTooLarge)));
}

#[tokio::test(start_paused = true)]
async fn the_way_of_a_message_is_known_by_both_its_names() {
    let home = Home::new(7).await;
    let ann = home.person("ann@x.test").await;
    let id = home.send(&["ann@x.test"], HELLO).await.unwrap();
    home.send(&["ann@x.test"], "Message-ID: <2@y.test>\r\n\r\n").await.unwrap();
    home.settle().await;
    let way = home.trace(ann, "<1@y.test>").await;
    assert_eq!(way, home.trace(ann, &id.to_string()).await);
    let [Hop::Accepted { message_id, .. }, Hop::To { to }, Hop::Queued { jobs: 1 }, Hop::Delivered { account, uid: 1, .. }] =
        way.as_slice()
    else {
        panic!("{way:?}");
    };
    assert_eq!((message_id.as_str(), to.as_slice(), *account), ("<1@y.test>", ["ann@x.test".to_owned()].as_slice(), ann.principal));
    assert!(home.trace(ann, "<none@y.test>").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn two_tenants_get_a_message_each_under_its_own_key() {
    let home = Home::new(8).await;
    let operator = home.directory.operator();
    operator.create_tenant("Z").await.unwrap();
    operator.create_domain("Z", &"z.test".parse().unwrap()).await.unwrap();
    let (ann, zoe) = (home.person("ann@x.test").await, home.person("zoe@z.test").await);
    let before = home.world.meter.total("accept").blob_put + home.world.meter.total("other").blob_put;
    let id = home.send(&["ann@x.test", "zoe@z.test"], HELLO).await.unwrap().to_string();
    let after = home.world.meter.total("accept").blob_put + home.world.meter.total("other").blob_put;
    assert_eq!(after - before, 2);
    home.settle().await;
    for account in [ann, zoe] {
        assert_eq!(home.inbox(account).await.len(), 1);
        // Neither sees the other in the way of its message.
        let way = home.trace(account, &id).await;
        assert_eq!(way.len(), 4);
        assert!(matches!(&way[1], Hop::To { to } if to.len() == 1), "{way:?}");
        assert!(matches!(way[3], Hop::Delivered { account: to, .. } if to == account.principal), "{way:?}");
    }
}
