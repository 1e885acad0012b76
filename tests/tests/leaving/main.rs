//! Mail on its way out, over the simulated ports and a relay whose peers do as they are told: what was handed in leaves once
//! or comes back once, and its sender hears what they asked to hear.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod house;
mod reports;
mod retries;
mod storm;
mod suspended;
mod timed;
mod traced;

use house::{House, Peers, letter};
use penfold_ports::{Body, Notify, Return};

#[tokio::test(start_paused = true)]
async fn a_message_is_split_by_destination() {
    let house = House::new(1, Peers::default()).await;
    let all = ["bob@x.test", "f@out.test", "g@OUT.test", "h@other.test", "team@x.test"];
    house.submit(&all, &letter("hello")).await.unwrap();
    house.quiet().await;
    let mut taken = house.peers.taken();
    taken.sort();
    assert_eq!(
        taken,
        [("h@other.test", "hello"), ("f@out.test", "hello"), ("g@OUT.test", "hello")]
            .map(|(to, what)| (to.to_owned(), what.to_owned()))
            .into_iter()
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    let sent = house.peers.sent();
    assert_eq!(sent.len(), 2, "one for each destination");
    for (mail, text) in sent.iter().zip(house.peers.texts()) {
        assert!(text.starts_with("Received: by mx.test (Penfold) with ESMTPSA id "), "{text}");
        assert!(!text.contains("Return-Path") && !text.contains("192.0.2.9"), "where she sent it from is her own business: {text}");
        assert_eq!((mail.from.as_str(), mail.body), ("ann@x.test", Body::SevenBit));
    }
    assert_eq!((house.inbox("bob@x.test").await.len(), house.inbox("cid@x.test").await.len()), (1, 1), "and who is here has it");
}

#[tokio::test(start_paused = true)]
async fn what_the_envelope_said_goes_along() {
    let house = House::new(2, Peers::default()).await;
    let never = Notify::NEVER;
    house
        .submit_with(&[("f@out.test", Some(never), Some("rfc822;f+40old.test"))], &letter("x"), |envelope| {
            envelope.ret = Some(Return::Full);
            envelope.id = Some("id+2B1".to_owned());
            envelope.body = Body::EightBit;
        })
        .await
        .unwrap();
    house.quiet().await;
    let [mail] = house.peers.sent().try_into().unwrap();
    assert_eq!((mail.ret, mail.envelope_id.as_deref(), mail.body), (Some(Return::Full), Some("id+2B1"), Body::EightBit));
    assert_eq!((mail.recipients[0].notify, mail.recipients[0].original.as_deref()), (Some(never), Some("rfc822;f+40old.test")));
}

#[tokio::test(start_paused = true)]
async fn a_thousand_recipients_of_one_destination_go_by_the_hundred() {
    let house = House::new(3, Peers::default()).await;
    let all: Vec<String> = (0..1000).map(|n| format!("r{n}@out.test")).collect();
    house.submit(&all.iter().map(String::as_str).collect::<Vec<_>>(), &letter("x")).await.unwrap();
    house.quiet().await;
    let sent = house.peers.sent();
    assert_eq!((sent.len(), sent.iter().all(|mail| mail.recipients.len() == 100)), (10, true));
    assert_eq!(house.peers.taken().len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn only_who_signed_in_sends_elsewhere() {
    let house = House::new(4, Peers::default()).await;
    let ann = "ann@x.test".parse().unwrap();
    let outside = "f@out.test".parse().unwrap();
    let refused = house.transport.recipient(None, Some(&ann), &outside).await;
    assert!(matches!(refused, Err(penfold_transport::Refusal::Outside)), "{refused:?}");
    assert!(house.transport.recipient(Some(&house.ann), Some(&ann), &outside).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn nobody_else_gets_our_signature_by_way_of_a_group() {
    let house = House::new(4, Peers::default()).await;
    house.directory.operator().add_members(&house::address("team@x.test"), &[house::address("friend@out.test")]).await.unwrap();
    house.submit(&["team@x.test"], &letter("ours")).await.unwrap();
    // It says that Ann wrote it.
    house.arrive("stranger@y.test", "team@x.test", &letter("forged")).await.unwrap();
    house.quiet().await;
    let signed = |subject: &str| {
        let one = house.peers.texts().into_iter().find(|text| text.contains(&format!("Subject: {subject}\r\n"))).expect("it left");
        one.contains("\r\nDKIM-Signature: v=1; ")
    };
    assert!(signed("ours") && !signed("forged"));
}
