use super::*;

#[tokio::test(start_paused = true)]
async fn what_leads_here_gets_one_and_nothing_else_is_asked_for() {
    let house = house().await;
    house.zone.alias("mta-sts.one.test", "elsewhere.test");
    let round = house.round().await;
    assert_eq!((round.ordered, round.failed, round.elsewhere), (2, 0, 2), "autodiscover is not there, mta-sts leads elsewhere");
    let orders = house.fake.orders();
    assert_eq!(orders.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), [HOST, "autoconfig.one.test"]);
    assert_eq!(orders[1].account.as_deref(), Some(&b"our account"[..]), "the account is made once");
    let shown = house.shown("autoconfig.one.test").await.unwrap();
    assert!(shown.chain.contains("BEGIN CERTIFICATE") && shown.key.0 == orders[1].key);
    assert_eq!(house.round().await, Round { elsewhere: 2, ..Round::default() }, "once is enough");
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_is_only_claimed_gets_none() {
    let house = house().await;
    house.directory.operator().claim_domain("One", &"two.test".parse().unwrap()).await.unwrap();
    house.zone.alias("autoconfig.two.test", HOST);
    house.round().await;
    assert!(house.fake.orders().iter().all(|one| !one.name.ends_with("two.test")));
}

#[tokio::test(start_paused = true)]
async fn renewed_at_two_thirds_of_its_life() {
    let house = house().await;
    house.round().await;
    let first = house.shown(HOST).await.unwrap();
    house.fake.orders();
    house.sleep(59 * DAY).await;
    assert_eq!(house.round().await.ordered, 0);
    house.sleep(DAY + HOUR).await;
    assert_eq!(house.round().await.ordered, 2);
    let second = house.shown(HOST).await.unwrap();
    assert!(first.chain != second.chain && first.key != second.key, "with a key of its own");
    assert_eq!(house.entry(HOST).await.state(house.world.env.now()), State::Good);
}

/// The one that is there stays until it is over, and longer.
#[tokio::test(start_paused = true)]
async fn a_failing_authority_is_asked_less_and_less_and_takes_nothing_away() {
    let house = house().await;
    house.round().await;
    let first = house.shown(HOST).await;
    house.sleep(61 * DAY).await;
    house.fake.be(Mood::Refuses);
    house.fake.orders();
    let mut times = Vec::new();
    for _ in 0..12 * 24 * 3 {
        house.round().await;
        let asked = house.fake.orders().into_iter().filter(|one| one.name == HOST).count();
        times.extend(std::iter::repeat_n(house.world.env.now(), asked));
        house.sleep(Duration::from_secs(300)).await;
    }
    let waits: Vec<u64> = times.windows(2).map(|pair| pair[1].since(pair[0]).as_secs() / 60).collect();
    assert!(waits.windows(2).all(|pair| pair[1] > pair[0]) && (5..=12).contains(&waits[0]) && waits[waits.len() - 1] > 600, "{waits:?}");
    assert!(times.iter().filter(|at| at.since(times[0]) < HOUR).count() <= 4, "{waits:?}");
    assert_eq!(house.shown(HOST).await, first);
    let entry = house.entry(HOST).await;
    assert_eq!((entry.state(house.world.env.now()), entry.error.as_deref()), (State::Failing, Some("it does not lead to you")));
    house.sleep(30 * DAY).await;
    assert_eq!(house.entry(HOST).await.state(house.world.env.now()), State::Expired);
    assert_eq!(house.shown(HOST).await, first, "an old one is better than none");
    house.fake.be(Mood::Good);
    house.round().await;
    let entry = house.entry(HOST).await;
    assert_eq!((entry.state(house.world.env.now()), entry.failures, entry.error), (State::Good, 0, None));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_used_is_not_kept() {
    let house = house().await;
    house.round().await;
    let first = house.shown(HOST).await;
    for (mood, said) in
        [(Mood::Garbage, "cannot be read"), (Mood::OtherKey, "another key"), (Mood::OtherName, "another name"), (Mood::Expired, "expired")]
    {
        house.fake.be(mood);
        house.certificates.wish(HOST).await.unwrap();
        assert_eq!(house.round().await.failed, 1, "{mood:?}");
        assert_eq!(house.shown(HOST).await, first, "{mood:?}");
        let error = house.entry(HOST).await.error.unwrap();
        assert!(error.contains(said), "{mood:?}: {error}");
        assert!(house.entry(HOST).await.order.is_none(), "such an order gives nothing better the next time");
    }
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_wants_fewer_requests_gets_them() {
    let house = house().await;
    house.fake.be(Mood::Busy);
    house.round().await;
    let next = house.entry(HOST).await.next.unwrap();
    assert!(next.since(house.world.env.now()) >= HOUR - Duration::from_secs(60));
}

#[tokio::test(start_paused = true)]
async fn an_account_that_is_gone_is_made_again() {
    let house = house().await;
    house.round().await;
    house.fake.be(Mood::Forgetful);
    house.certificates.wish(HOST).await.unwrap();
    assert_eq!(house.round().await.failed, 1);
    house.sleep(HOUR).await;
    house.fake.orders();
    assert_eq!(house.round().await.ordered, 1);
    assert_eq!(house.fake.orders()[0].account, None);
}

/// As after a kill in the middle: nothing but the rows is left.
#[tokio::test(start_paused = true)]
async fn an_interrupted_order_is_taken_up_again() {
    let house = house().await;
    house.fake.be(Mood::Silent);
    let dead = tokio::time::timeout(Duration::from_secs(60), house.certifier().round()).await;
    assert!(dead.is_err(), "it was cut off");
    let before = house.fake.orders().remove(0);
    assert_eq!((before.name.as_str(), before.order), (HOST, None));
    assert_eq!(house.certificates.http_proof("token_1").await.unwrap(), None, "TLS-ALPN is shown otherwise");
    house.fake.be(Mood::Good);
    assert!(house.round().await.busy, "whoever died still has the lease");
    house.certificates.break_lease().await.unwrap();
    house.round().await;
    let after = house.fake.orders().remove(0);
    assert_eq!((after.order.as_deref(), after.key == before.key), (Some("https://authority.test/order/1"), true));
    assert_eq!(house.shown(HOST).await.unwrap().key.0, before.key);
}

#[tokio::test(start_paused = true)]
async fn an_authority_that_never_answers_holds_nobody_up() {
    let house = house().await;
    house.fake.be(Mood::Silent);
    let round = house.round().await;
    assert_eq!((round.ordered, round.failed), (0, 2));
    assert!(house.entry(HOST).await.error.unwrap().contains("too long"));
}

/// Such as one at an address that the authority has given up: it is not taken up for ever.
#[tokio::test(start_paused = true)]
async fn an_order_that_always_fails_is_given_up_for_a_new_one() {
    let house = house().await;
    house.fake.be(Mood::Silent);
    house.round().await;
    assert!(house.entry(HOST).await.order.is_some());
    house.fake.be(Mood::Stuck);
    for _ in 0..8 {
        house.sleep(HOUR).await;
        house.round().await;
    }
    assert!(house.shown(HOST).await.is_some());
}

/// Somebody's many names, for which an authority gives nothing, do not take every place of every round.
#[tokio::test(start_paused = true)]
async fn names_that_always_fail_keep_nobody_out() {
    let house = house().await;
    for n in 0..120 {
        let domain = format!("a{n}.test");
        house.directory.operator().create_domain("One", &domain.parse().unwrap()).await.unwrap();
        house.zone.alias(&format!("autoconfig.{domain}"), HOST);
    }
    house.fake.be(Mood::Refuses);
    for _ in 0..3 {
        house.round().await;
        house.sleep(HOUR).await;
    }
    house.directory.operator().create_domain("One", &"z.test".parse().unwrap()).await.unwrap();
    house.zone.alias("autoconfig.z.test", HOST);
    house.fake.be(Mood::Good);
    house.sleep(DAY).await;
    house.round().await;
    assert!(house.shown("autoconfig.z.test").await.is_some(), "it never failed, so it comes first");
}

/// Two edges, and no order twice.
#[tokio::test(start_paused = true)]
async fn one_orders_at_a_time() {
    let house = house().await;
    let (one, other) = (house.certifier(), house.certifier());
    let (one, other) = tokio::join!(one.round(), other.round());
    let (one, other) = (one.unwrap(), other.unwrap());
    assert!(one.busy != other.busy && one.ordered + other.ordered == 2, "{one:?} {other:?}");
    assert_eq!(house.fake.orders().len(), 2);
    assert!(!house.round().await.busy, "it was given back");
    house.fake.be(Mood::Silent);
    house.certificates.wish(HOST).await.unwrap();
    let dead = tokio::time::timeout(Duration::from_secs(60), house.certifier().round()).await;
    assert!(dead.is_err() && house.round().await.busy, "whoever died still has it");
    house.fake.be(Mood::Good);
    house.sleep(Duration::from_secs(270)).await;
    assert_eq!(house.round().await.ordered, 1, "for five minutes");
}

/// Another way to prove it comes first after a failure.
#[tokio::test(start_paused = true)]
async fn methods_take_turns() {
    let house = house().await;
    house.fake.be(Mood::Refuses);
    house.round().await;
    house.sleep(HOUR).await;
    house.round().await;
    let firsts: Vec<_> = house.fake.orders().into_iter().filter(|one| one.name == HOST).map(|one| one.first).collect();
    assert_eq!(firsts, [Method::TlsAlpn, Method::Http]);
}

#[tokio::test(start_paused = true)]
async fn what_the_operator_has_a_certificate_for_is_left_alone() {
    let house = house().await;
    let mut certifier = house.certifier();
    certifier.options.covered = Arc::new(|name| name == HOST);
    certifier.round().await.unwrap();
    assert_eq!(house.fake.orders().iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["autoconfig.one.test"]);
}

/// A throttled store that loses answers, and still one order a name.
#[tokio::test(start_paused = true)]
async fn a_bad_store_costs_time_and_no_orders() {
    let house = house().await;
    let bad = with(Faults::STORMY).await;
    for house in [house, bad] {
        house.round().await;
        assert_eq!(house.fake.orders().len(), 2);
        assert!(house.shown(HOST).await.is_some());
    }
}
