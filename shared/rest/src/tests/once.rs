use super::*;

fn make<'a>(house: &House, token: &'a str, key: &'a str, name: &str) -> Ask<'a> {
    get(house.things()).how("POST").by(token).with("idempotency-key", key).saying(json!({ "name": name }))
}

#[tokio::test(start_paused = true)]
async fn what_comes_again_is_not_done_again_and_answered_as_it_was() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    let first = house.ask(make(&house, &ann, "k", "x")).await;
    // By another session of the same person.
    let other = house.token(house.ann).await;
    let again = house.ask(make(&house, &other, "k", "x")).await;
    assert_eq!((first.status, &first.body), (201, &again.body));
    for name in ["location", "etag", "content-type"] {
        assert_eq!(first.header(name), again.header(name));
        assert_ne!(first.header(name), "");
    }
    assert_eq!((again.header("idempotency-replayed"), first.header("idempotency-replayed"), house.done()), ("true", "", 1));
    let told = |row: &penfold_ports::Row| row.encode().windows(17).any(|window| window == b"pft_in_confidence");
    assert!(!house.world.rows().iter().any(|(_, row)| told(row)));

    let changed = house.ask(make(&house, &ann, "k", "y")).await;
    assert_eq!((changed.status, changed.pointer(), house.done()), (422, "Idempotency-Key", 1));
    assert_eq!(house.ask(make(&house, &ann, "k2", "x")).await.body["number"], 2);
    assert_eq!(house.ask(get(house.things()).how("POST").by(&ann).saying(json!({ "name": "x" }))).await.body["number"], 3);
    house.world.env().sleep(Duration::from_secs(86_400)).await;
    assert_eq!(house.ask(make(&house, &ann, "k", "x")).await.body["number"], 4, "a day later it is another one");
}

#[tokio::test(start_paused = true)]
async fn a_key_is_its_owners() {
    let house = house().await;
    house
        .directory
        .operator()
        .set_roles(&"bob@one.test".parse().unwrap(), &[RoleGrant::everywhere(Role::RecipientManagement)])
        .await
        .unwrap();
    let (ann, bob, operator) =
        (house.token(house.ann).await, house.token(house.bob).await, house.directory.operator().make_token("root").await.unwrap());
    for (number, token) in [&ann, &bob, &operator].into_iter().enumerate() {
        assert_eq!(house.ask(make(&house, token, "k", "x")).await.body["number"], number + 1);
        assert_eq!(house.ask(make(&house, token, "k", "x")).await.body["number"], number + 1);
    }
    house.directory.operator().set_roles(&"bob@one.test".parse().unwrap(), &[]).await.unwrap();
    assert_eq!(house.ask(make(&house, &bob, "k", "x")).await.status, 403, "an old answer is not told to who may not ask any more");
}

#[tokio::test(start_paused = true)]
async fn of_two_at_once_one_is_done_and_the_other_comes_again() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    let (first, second) = tokio::join!(house.ask(make(&house, &ann, "k", "x")), house.ask(make(&house, &ann, "k", "x")));
    let mut statuses = [first.status, second.status];
    statuses.sort_unstable();
    assert_eq!((statuses, house.done()), ([201, 409], 1));
    let waits = if first.status == 409 { &first } else { &second };
    assert!(waits.is_problem() && waits.header("retry-after") == "2");
    let later = house.ask(make(&house, &ann, "k", "x")).await;
    assert_eq!((later.status, house.done()), (201, 1));
}

#[tokio::test(start_paused = true)]
async fn what_may_turn_out_otherwise_is_asked_again_and_a_refusal_stays_one() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    for number in 1..3 {
        assert_eq!(house.ask(make(&house, &ann, "k", "busy")).await.status, 503);
        assert_eq!(house.done(), number);
    }
    for _ in 0..2 {
        let answer = house.ask(make(&house, &ann, "k2", "taken")).await;
        assert!(answer.status == 409 && answer.is_problem());
        assert_eq!(house.done(), 3);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_went_away_finds_it_free_again() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    let cut = tokio::time::timeout(Duration::from_millis(500), house.ask(make(&house, &ann, "k", "x"))).await;
    assert!(cut.is_err() && house.done() == 0);
    assert_eq!(house.ask(make(&house, &ann, "k", "x")).await.status, 409);
    house.world.env().sleep(Duration::from_secs(60)).await;
    assert_eq!((house.ask(make(&house, &ann, "k", "x")).await.status, house.done()), (201, 1));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_is_none_is_refused_and_a_rehearsal_keeps_nothing() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    let long = "k".repeat(256);
    for key in ["", &long] {
        let answer = house.ask(make(&house, &ann, key, "x")).await;
        assert_eq!((answer.status, answer.pointer()), (422, "Idempotency-Key"));
    }
    let dry = Ask { path: format!("{}?dry_run=true", house.things()), ..make(&house, &ann, "k", "x") };
    assert_eq!(house.ask(dry).await.body["dry"], true);
    let real = house.ask(make(&house, &ann, "k", "x")).await;
    assert_eq!((real.status, real.body["dry"].as_bool()), (201, Some(false)));
}
