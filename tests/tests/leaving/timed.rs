//! What is not to leave yet, or only by a time.

use crate::house::{Deed, House, Peers, address, letter};
use penfold_authentication::Algorithm;
use penfold_directory::{NewPerson, SendRight};
use penfold_domains::Domains;
use penfold_ports::Notify;
use penfold_simulated::Faults;
use penfold_transport::outbound::{DeliverBy, Late, cancel, held, unfinished};
use penfold_transport::trace::Hop;
use penfold_types::Kind;
use penfold_upkeep::Upkeep;
use std::collections::BTreeSet;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

async fn hold(house: &House, to: &str, what: &str, time: Duration) -> penfold_types::AcceptanceId {
    let until = house.world.env.now().plus(time);
    house.submit_with(&[(to, None, None)], &letter(what), |envelope| envelope.hold_until = Some(until)).await.unwrap()
}

#[tokio::test(start_paused = true)]
async fn what_is_held_leaves_in_its_time() {
    let house = House::new(60, Peers::default()).await;
    let out = hold(&house, "f@out.test", "later", HOUR * 24 * 8).await;
    house.trace(out).await;
    hold(&house, "bob@x.test", "inside", HOUR).await;
    house.world.env.sleep(HOUR - Duration::from_secs(5)).await;
    assert_eq!((house.inbox("bob@x.test").await.len(), house.folder("ann@x.test", "Sent").await.len()), (0, 0));
    house.world.env.sleep(Duration::from_secs(120)).await;
    assert_eq!((house.inbox("bob@x.test").await.len(), house.folder("ann@x.test", "Sent").await.len()), (1, 1), "who is here waits too");
    house.world.env.sleep(HOUR * 24 * 8 - HOUR * 2).await;
    assert_eq!(house.peers.taken().len(), 0);
    house.world.env.sleep(HOUR * 3).await;
    assert_eq!(house.peers.taken(), [("f@out.test".to_owned(), "later".to_owned())]);
    let scope = house.directory.tenant_scope(house.ann.account.tenant);
    assert!(held(&house.world, &scope).await.unwrap().is_empty());
    let hops = house.trace(out).await;
    assert!(hops.iter().any(|e| matches!(e.hop, Hop::Held { .. })) && hops.iter().any(|e| matches!(e.hop, Hop::Sent { .. })), "{hops:?}");
}

/// An answer of the store that was lost must not become a refusal: the sender would hand it in again, and both would leave.
#[tokio::test(start_paused = true)]
async fn what_was_refused_never_leaves() {
    let house = House::new(64, Peers::default()).await;
    house.simulated.faults(Faults { lost: 1_000, ..Faults::NONE });
    let mut accepted = BTreeSet::new();
    for number in 0..100 {
        // More slowly than anybody is limited to.
        house.world.env.sleep(Duration::from_secs(3)).await;
        let (what, until) = (format!("m{number}"), (number % 2 == 0).then(|| house.world.env.now().plus(HOUR)));
        let done = house.submit_with(&[("f@out.test", None, None)], &letter(&what), |envelope| envelope.hold_until = until).await;
        if done.is_ok() {
            accepted.insert(what);
        }
    }
    house.simulated.faults(Faults::NONE);
    house.world.env.sleep(HOUR * 24).await;
    let left: BTreeSet<String> = house.peers.taken().into_iter().map(|(_, what)| what).collect();
    assert_eq!(left, accepted);
    assert!(accepted.len() > 80, "{}", accepted.len());
}

#[tokio::test(start_paused = true)]
async fn what_is_held_is_tried_for_five_days_from_its_time() {
    let house = House::new(61, Peers::of(|_, _| Deed::Later)).await;
    hold(&house, "f@out.test", "later", HOUR * 24 * 10).await;
    house.world.env.sleep(HOUR * 24 * 14).await;
    assert!(!house.inbox("ann@x.test").await.iter().any(|report| report.contains("Action: failed")));
    house.world.env.sleep(HOUR * 25).await;
    assert!(house.inbox("ann@x.test").await.iter().any(|report| report.contains("Action: failed")));
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_back_never_leaves() {
    let house = House::new(62, Peers::default()).await;
    let id = hold(&house, "f@out.test", "secret", HOUR).await;
    let scope = house.directory.tenant_scope(house.ann.account.tenant);
    assert_eq!(held(&house.world, &scope).await.unwrap().len(), 1);
    cancel(&house.world, &scope, id).await.unwrap();
    assert_eq!(cancel(&house.world, &scope, id).await.unwrap_err().kind(), Kind::NotFound, "once");
    house.world.env.sleep(HOUR * 3).await;
    assert_eq!((house.peers.taken().len(), house.folder("ann@x.test", "Sent").await.len()), (0, 0));
    let gone = hold(&house, "f@out.test", "gone", HOUR).await;
    house.world.env.sleep(HOUR * 3).await;
    assert_eq!(cancel(&house.world, &scope, gone).await.unwrap_err().kind(), Kind::NotFound, "too late");
    assert_eq!(house.peers.taken().len(), 1);
}

/// Everything dies again and again around the time at which it leaves.
#[tokio::test(start_paused = true)]
async fn what_is_held_leaves_once_whoever_dies() {
    for seed in 0..20 {
        let house = House::new(6300 + seed, Peers::default()).await;
        let all: Vec<_> = (0..5).map(|n| (format!("f{n}@out{n}.test"), None, None)).collect();
        let to: Vec<(&str, Option<Notify>, Option<&str>)> = all.iter().map(|(to, notify, orcpt)| (to.as_str(), *notify, *orcpt)).collect();
        let until = house.world.env.now().plus(HOUR);
        house.submit_with(&to, &letter("later"), |envelope| envelope.hold_until = Some(until)).await.unwrap();
        house.world.env.sleep(HOUR - Duration::from_millis(500)).await;
        for _ in 0..40 {
            house.world.env.sleep(Duration::from_millis(house.world.env.below(400))).await;
            house.kill().await;
            house.serve();
        }
        house.world.env.sleep(HOUR * 3).await;
        let taken: std::collections::BTreeSet<_> = house.peers.taken().into_iter().map(|(to, _)| to).collect();
        assert_eq!(taken.len(), 5, "seed {seed}");
        assert_eq!(house.folder("ann@x.test", "Sent").await.len(), 1, "seed {seed}");
    }
}

async fn by(house: &House, seconds: u64, late: Late, notify: Option<Notify>) {
    let at = house.world.env.now().plus(Duration::from_secs(seconds));
    house
        .submit_with(&[("f@out.test", notify, None)], &letter("x"), |envelope| {
            envelope.deliver_by = Some(DeliverBy { at, late, trace: false });
        })
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_is_too_late_comes_back() {
    let house = House::new(64, Peers::of(|_, since| if since < HOUR * 2 { Deed::Later } else { Deed::Take })).await;
    by(&house, 3600, Late::Return, None).await;
    house.world.env.sleep(HOUR + Duration::from_secs(60)).await;
    let [report] = house.inbox("ann@x.test").await.try_into().unwrap();
    assert!(report.contains("Action: failed") && report.contains("Status: 5.4.7"), "{report}");
    assert!(house.peers.sent().iter().all(|mail| mail.deliver_by.is_some_and(|by| by.returns && (0..=3600).contains(&by.seconds))));
    house.world.env.sleep(HOUR * 4).await;
    assert_eq!(house.peers.taken().len(), 0, "and it is not delivered after that");
}

#[tokio::test(start_paused = true)]
async fn of_what_is_late_the_sender_hears_and_it_goes_on() {
    let house = House::new(65, Peers::of(|_, since| if since < HOUR * 2 { Deed::Later } else { Deed::Take })).await;
    by(&house, 600, Late::Notify, None).await;
    house.world.env.sleep(Duration::from_secs(660)).await;
    let [report] = house.inbox("ann@x.test").await.try_into().unwrap();
    assert!(report.contains("Action: delayed"), "{report}");
    house.world.env.sleep(HOUR * 6).await;
    assert_eq!(house.peers.taken().len(), 1);
    let reports = house.inbox("ann@x.test").await;
    assert!(reports.len() == 2 && reports[1].contains("Action: relayed"), "to a host that keeps to no time: {reports:?}");
    by(&house, 600, Late::Notify, Some(Notify::NEVER)).await;
    house.world.env.sleep(HOUR).await;
    assert_eq!(house.inbox("ann@x.test").await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn her_copy_alone_tells_who_else_got_it() {
    let house = House::new(66, Peers::default()).await;
    let message = format!("Bcc: Bob <bob@x.test>,\r\n f@out.test\r\n{}", letter("blind"));
    house.submit(&["bob@x.test", "f@out.test"], &message).await.unwrap();
    house.submit(&["bob@x.test"], &message.replace("blind@", "second@")).await.unwrap();
    house.quiet().await;
    let copies = house.folder("ann@x.test", "Sent").await;
    assert_eq!(copies.len(), 2);
    for copy in copies {
        assert!(copy.starts_with("Bcc: Bob <bob@x.test>,\r\n f@out.test\r\nDate: ") && copy.contains("\r\nFrom: Ann"), "{copy}");
    }
    assert!(house.inbox("bob@x.test").await.iter().all(|text| !text.contains("Bcc")));
    assert!(!house.peers.texts()[0].contains("Bcc"));
}

#[tokio::test(start_paused = true)]
async fn who_wants_no_copy_gets_none() {
    let mut house = House::new(67, Peers::default()).await;
    let change = penfold_directory::PersonChange { sent_copy: Some(false), ..Default::default() };
    house.directory.operator().update_person(&address("ann@x.test"), &change).await.unwrap();
    house.ann = house.directory.sign_in("ann@x.test", "secret", [192, 0, 2, 9].into()).await.unwrap();
    house.submit(&["bob@x.test", "f@out.test"], &letter("x")).await.unwrap();
    house.quiet().await;
    assert_eq!(house.folder("ann@x.test", "Sent").await.len(), 0);
}

#[tokio::test(start_paused = true)]
async fn in_whose_name_somebody_writes_is_said_or_not() {
    let house = House::new(68, Peers::default()).await;
    let operator = house.directory.operator();
    let bobs = |subject: &str| letter(subject).replace("Ann <ann@", "Bob <bob@");
    assert!(house.submit(&["f@out.test"], &bobs("no")).await.is_err());
    operator.set_send_right(&address("bob@x.test"), &address("ann@x.test"), Some(SendRight::OnBehalf)).await.unwrap();
    house.submit(&["f@out.test"], &bobs("behalf")).await.unwrap();
    let forged = format!("Sender: cid@x.test\r\n{}", bobs("forged"));
    assert!(house.submit(&["f@out.test"], &forged).await.is_err(), "Sender is somebody else");
    operator.set_send_right(&address("bob@x.test"), &address("ann@x.test"), Some(SendRight::As)).await.unwrap();
    house.submit(&["f@out.test"], &bobs("as")).await.unwrap();
    operator.set_send_right(&address("bob@x.test"), &address("ann@x.test"), None).await.unwrap();
    assert!(house.submit(&["f@out.test"], &bobs("no more")).await.is_err());
    house.quiet().await;
    let texts = house.peers.texts();
    let [behalf, own] = texts.as_slice() else { panic!("{texts:?}") };
    assert!(behalf.contains("\r\nSender: ann@x.test\r\n") && behalf.contains("From: Bob") && !own.contains("Sender:"), "{texts:?}");
}

#[tokio::test(start_paused = true)]
async fn the_bytes_of_what_waits_are_not_swept_wherever_they_lie() {
    let house = House::new(69, Peers::default()).await;
    let operator = house.directory.operator();
    operator.create_tenant("Other").await.unwrap();
    operator.create_domain("Other", &"other.test".parse().unwrap()).await.unwrap();
    let dora = NewPerson { address: address("dora@other.test"), name: "Dora".to_owned(), password: None, quota: None };
    operator.create_person(&dora).await.unwrap();
    // Longer than a sweep leaves alone what nothing names.
    hold(&house, "dora@other.test", "far", HOUR * 24 * 17).await;
    hold(&house, "f@out.test", "out", HOUR * 24 * 17).await;
    house.world.env.sleep(HOUR * 24 * 16).await;
    let domains = Domains::with_algorithms(&house.world, house.directory.clone(), &[Algorithm::Ed25519Sha256]);
    let upkeep = Upkeep {
        world: house.world.clone(),
        directory: house.directory.clone(),
        domains,
        mailboxes: house.mailboxes.clone(),
        retention_days: 30,
    };
    upkeep.round(true).await.unwrap();
    house.world.env.sleep(HOUR * 24 + HOUR).await;
    upkeep.round(true).await.unwrap();
    assert!(house.inbox("dora@other.test").await[0].contains("The text of far."));
    assert!(house.peers.texts()[0].contains("The text of out.") && house.peers.taken().len() == 1);
    let scope = house.directory.tenant_scope(house.ann.account.tenant);
    assert!(unfinished(&house.world, &scope).await.unwrap().is_empty(), "what left waits no more");
}
