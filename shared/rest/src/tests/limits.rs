use super::*;

async fn statuses(house: &House, token: Option<&str>, times: usize) -> Vec<u16> {
    let mut found = Vec::new();
    for _ in 0..times {
        found.push(house.ask(Ask { token, ..get("/v1/mine") }).await.status);
    }
    found
}

async fn sleep(house: &House, seconds: u64) {
    house.world.env().sleep(Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn who_asks_too_often_is_told_when_to_come_again() {
    let house = limited(|limits| limits.caller = Rate { quota: 4, window: Duration::from_secs(400) }).await;
    let (ann, bob) = (house.token(house.ann).await, house.token(house.bob).await);
    let first = house.ask(get("/v1/mine").by(&ann)).await;
    assert_eq!(first.header("ratelimit-policy"), "\"caller\";q=4;w=400");
    assert_eq!(first.header("ratelimit"), "\"caller\";r=3;t=0");
    assert_eq!(statuses(&house, Some(&ann), 3).await, [200, 200, 200]);
    let refused = house.ask(get("/v1/mine").by(&ann)).await;
    assert!(refused.status == 429 && refused.is_problem());
    let wait: u64 = refused.header("retry-after").parse().unwrap();
    assert!((90..=100).contains(&wait) && refused.header("ratelimit").starts_with("\"caller\";r=0;t="), "{refused:?}");
    // Another session of hers is hers too; somebody else is not.
    let again = house.token(house.ann).await;
    assert_eq!((statuses(&house, Some(&again), 1).await, statuses(&house, Some(&bob), 1).await), (vec![429], vec![200]));
    sleep(&house, wait + 1).await;
    assert_eq!(statuses(&house, Some(&ann), 2).await, [200, 429]);
    sleep(&house, 4_000).await;
    assert_eq!(statuses(&house, Some(&ann), 5).await, [200, 200, 200, 200, 429], "no more than a whole bucket");
}

#[tokio::test(start_paused = true)]
async fn a_tenant_slows_itself_and_nobody_else() {
    let house = limited(|limits| limits.tenant = Rate::per_minute(3)).await;
    let (ann, bob, eve) = (house.token(house.ann).await, house.token(house.bob).await, house.token(house.eve).await);
    assert_eq!(statuses(&house, Some(&ann), 2).await, [200, 200]);
    assert_eq!(statuses(&house, Some(&bob), 2).await, [200, 429]);
    assert_eq!(statuses(&house, Some(&eve), 2).await, [200, 200]);
    let refused = house.ask(get("/v1/mine").by(&ann)).await;
    assert!(refused.header("ratelimit").starts_with("\"tenant\"") && refused.status == 429);
}

#[tokio::test(start_paused = true)]
async fn who_has_not_signed_in_or_guesses_tokens_is_counted_by_network() {
    let house = limited(|limits| limits.network = Rate::per_minute(3)).await;
    let ann = house.token(house.ann).await;
    assert_eq!(house.ask(get("/v1/open")).await.status, 200);
    assert_eq!(statuses(&house, None, 1).await, [401]);
    assert_eq!(statuses(&house, Some("pfs_guess"), 1).await, [401]);
    assert_eq!(house.ask(get("/v1/open")).await.status, 429);
    assert_eq!(statuses(&house, Some("pfs_guess"), 1).await, [429]);
    assert_eq!(statuses(&house, Some(&ann), 5).await, [200; 5], "who has signed in is not held up by neighbours");
    assert_eq!(house.ask(Ask { from: [192, 0, 2, 2], ..get("/v1/open") }).await.status, 200);
    sleep(&house, 20).await;
    assert_eq!(house.ask(get("/v1/open")).await.status, 200);
}

#[test]
fn a_network_is_one_address_or_the_half_of_one() {
    let network = |text: &str| Peer(text.parse().unwrap()).network();
    assert_eq!(network("2001:db8:1:2::7"), network("2001:db8:1:2:ffff::"));
    assert_ne!(network("2001:db8:1:2::7"), network("2001:db8:1:3::7"));
    assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
}
