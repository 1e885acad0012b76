use super::*;
use penfold_directory::PersonChange;

async fn begin(house: &House, address: &str) -> Answer {
    house.post("/v1/password-resets", "", json!({ "address": address })).await
}

async fn finish(house: &House, token: &str, password: &str) -> Answer {
    house.post("/v1/password-resets/finish", "", json!({ "token": token, "password": password })).await
}

async fn with_recovery() -> House {
    let house = house().await;
    let change = PersonChange { recovery: Some(Some("ann@home.test".parse().unwrap())), ..Default::default() };
    house.directory.operator().update_person(&"ann@one.test".parse().unwrap(), &change).await.unwrap();
    house
}

fn token(letter: &str) -> String {
    letter.split_whitespace().find(|word| word.starts_with("pfr_")).unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn a_forgotten_password_is_mended_by_the_letter_and_once() {
    let house = with_recovery().await;
    let (session, program) =
        (house.token("ann@one.test").await, house.post("/v1/me/tokens", &house.token("ann@one.test").await, json!({ "name": "p" })).await);
    assert_eq!(begin(&house, "Ann@one.test").await.status, 202);
    let letter = house.letter().await.unwrap();
    assert!(letter.contains("\r\nTo: ann@home.test\r\n") && letter.contains("\r\nAuto-Submitted: auto-generated\r\n"), "{letter}");
    let token = token(&letter);
    assert_eq!(house.get("/v1/me", &token).await.status, 401, "it opens nothing else");
    assert_eq!(finish(&house, &token, "short").await.pointer(), "/password");
    assert_eq!(finish(&house, &token, OTHER).await.status, 204, "a weak choice did not use it up");
    assert_eq!(finish(&house, &token, PASSWORD).await.status, 401);
    assert_eq!(house.get("/v1/me", &session).await.status, 401);
    assert_eq!(house.get("/v1/me", program.text("token")).await.status, 200, "programs go on");
    assert_eq!(house.sign_in("ann@one.test", PASSWORD, None).await.status, 401);
    assert_eq!(house.sign_in("ann@one.test", OTHER, None).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn nobody_learns_who_is_there_and_no_mailbox_is_filled() {
    let house = with_recovery().await;
    let mut answers = Vec::new();
    for address in ["bob@one.test", "nobody@one.test", "x@elsewhere.test", "ann@one.test"] {
        let before = house.world.env.now();
        let answer = begin(&house, address).await;
        answers.push((answer.status, answer.body.to_string(), house.world.env.now().since(before).as_secs()));
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "{answers:?}");
    assert!(house.letter().await.is_some());
    for _ in 0..5 {
        begin(&house, "ann@one.test").await;
    }
    assert_eq!(house.letter().await, None, "one at a time");
    house.sleep(Duration::from_secs(3600)).await;
    begin(&house, "ann@one.test").await;
    let late = token(&house.letter().await.unwrap());
    house.sleep(Duration::from_secs(3600)).await;
    assert_eq!(finish(&house, &late, OTHER).await.status, 401);
}
