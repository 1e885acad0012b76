use crate::house::{Deed, House, Peers, letter};
use penfold_ports::{Notify, Return};
use penfold_transport::trace::Hop;

const HOUR: u64 = 3600;

fn refusing() -> Peers {
    Peers::of(|to, _| if to.starts_with("no") { Deed::Never } else { Deed::Take })
}

fn asking(success: bool, failure: bool, delay: bool) -> Option<Notify> {
    Some(Notify { success, failure, delay })
}

#[tokio::test(start_paused = true)]
async fn the_sender_is_told_of_a_failure() {
    let house = House::new(10, refusing()).await;
    let id = house.submit(&["yes@out.test", "no1@out.test", "no2@out.test"], &letter("hello")).await.unwrap();
    house.quiet().await;
    let [report] = house.inbox("ann@x.test").await.try_into().unwrap();
    for expected in [
        "Return-Path: <>\r\nFrom: Mail delivery <postmaster@mx.test>\r\nTo: <ann@x.test>\r\nSubject: Your message could not be delivered\r\n",
        "Auto-Submitted: auto-replied\r\n",
        "Content-Type: multipart/report; report-type=delivery-status;\r\n boundary=\"=_",
        "  <no1@out.test>\r\n    mx.out.test said: 550 5.1.1 nobody here\r\n",
        "Content-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.test\r\nArrival-Date: ",
        "\r\n\r\nFinal-Recipient: rfc822; no1@out.test\r\nAction: failed\r\nStatus: 5.1.1\r\nRemote-MTA: dns; mx.out.test\r\nDiagnostic-Code: smtp; 550 nobody here\r\n\r\nFinal-Recipient: rfc822; no2@out.test\r\n",
        "Content-Type: text/rfc822-headers\r\n\r\nDate: ",
        " +0000\r\nFrom: Ann <ann@x.test>\r\n",
        "Subject: hello\r\n",
    ] {
        assert!(report.contains(expected), "{expected:?} is missing:\n{report}");
    }
    assert!(!report.contains("yes@out.test") && !report.contains("The text of hello"), "{report}");
    let hops: Vec<Hop> = house.trace(id).await.into_iter().map(|entry| entry.hop).collect();
    for wanted in ["Sent { to: \"yes@out.test\"", "Refused { to: \"no1@out.test\"", "Told { of: \"no2@out.test\", what: \"failed\""] {
        assert!(hops.iter().any(|hop| format!("{hop:?}").starts_with(wanted)), "{wanted}: {hops:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_asked_for_nothing_hears_nothing() {
    let house = House::new(11, refusing()).await;
    house.submit_with(&[("no@out.test", Some(Notify::NEVER), None)], &letter("x"), |_| ()).await.unwrap();
    house.quiet().await;
    assert!(house.inbox("ann@x.test").await.is_empty());
    // Nor does a failure say anything of those that went well.
    house.submit_with(&[("yes@out.test", asking(false, true, true), None)], &letter("y"), |_| ()).await.unwrap();
    house.quiet().await;
    assert!(house.inbox("ann@x.test").await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn all_of_it_comes_back_where_that_was_asked() {
    let house = House::new(12, refusing()).await;
    let to = [("no@out.test", asking(false, true, false), Some("rfc822;old+2Bname@out.test"))];
    house
        .submit_with(&to, &letter("x"), |envelope| {
            envelope.ret = Some(Return::Full);
            envelope.id = Some("my+20id".to_owned());
        })
        .await
        .unwrap();
    house.quiet().await;
    let [report] = house.inbox("ann@x.test").await.try_into().unwrap();
    for expected in [
        "Content-Type: message/rfc822\r\n",
        "The text of x.",
        "Original-Envelope-Id: my id\r\n",
        "Original-Recipient: rfc822; old+name@out.test\r\n",
    ] {
        assert!(report.contains(expected), "{expected:?} is missing:\n{report}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_success_is_told_where_the_peer_does_not() {
    let house = House::new(13, refusing()).await;
    house.submit_with(&[("yes@out.test", asking(true, false, false), None)], &letter("x"), |_| ()).await.unwrap();
    house.quiet().await;
    let [report] = house.inbox("ann@x.test").await.try_into().unwrap();
    assert!(report.contains("Action: relayed\r\nStatus: 2.1.1\r\n") && report.contains("Your message was handed over"), "{report}");
}

#[tokio::test(start_paused = true)]
async fn that_it_is_late_is_told_once() {
    let house = House::new(14, Peers::of(|_, since| if since.as_secs() < 30 * HOUR { Deed::Later } else { Deed::Take })).await;
    house.submit(&["f@out.test"], &letter("x")).await.unwrap();
    house.world.env.sleep(std::time::Duration::from_secs(3 * HOUR)).await;
    assert!(house.inbox("ann@x.test").await.is_empty());
    house.world.env.sleep(std::time::Duration::from_secs(40 * HOUR)).await;
    let [report] = house.inbox("ann@x.test").await.try_into().unwrap();
    assert!(report.contains("Action: delayed\r\nStatus: 4.1.1\r\n") && report.contains("Will-Retry-Until: "), "{report}");
    assert_eq!(house.peers.taken().len(), 1, "and then it went well, of which nobody wanted to hear");
}
