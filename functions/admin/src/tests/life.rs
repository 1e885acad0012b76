use super::*;

async fn status(house: &House, token: &str, to: &str) -> (u16, String) {
    let answer = house.ask("PATCH", &house.own(""), token, Some(json!({ "status": to }))).await;
    let now = house.directory.operator().tenant("One").await.unwrap().status;
    (answer.status, format!("{now:?}").to_lowercase())
}

fn told(status: u16, now: &str) -> (u16, String) {
    (status, now.to_owned())
}

#[tokio::test(start_paused = true)]
async fn an_administrator_closes_and_opens_and_suspended_stays_suspended() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    let operator = house.directory.operator().make_token("root").await.unwrap();
    assert_eq!(status(&house, &boss, "suspended").await, told(403, "active"));
    assert_eq!(status(&house, &boss, "closed").await, told(200, "closed"));
    let shown = house.ask("GET", &house.own(""), &boss, None).await;
    assert!(shown.body["destroyed"].is_string(), "it is told when everything is gone");
    assert_eq!(status(&house, &boss, "active").await, told(200, "active"));
    assert_eq!(status(&house, &operator, "suspended").await, told(200, "suspended"));
    assert_eq!(status(&house, &boss, "active").await.0, 403);
    // Not by way of closing it either.
    status(&house, &boss, "closed").await;
    assert_ne!(status(&house, &boss, "active").await.1, "active");
    assert_eq!(status(&house, &operator, "active").await, told(200, "active"));
    assert_eq!(status(&house, &boss, "trial").await.0, 422);
    assert_eq!(status(&house, &boss, "deleting").await.0, 422);
}

#[tokio::test(start_paused = true)]
async fn while_it_is_suspended_nothing_is_changed_and_everything_read() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    house.directory.operator().set_tenant_status("One", TenantStatus::Suspended).await.unwrap();
    let ann = house.person("ann@one.test", "").await;
    assert_eq!(house.ask("GET", &ann, &boss, None).await.status, 200);
    let refused = house.ask("PATCH", &ann, &boss, Some(json!({ "name": "N" }))).await;
    assert_eq!((refused.status, refused.text("type")), (403, "urn:penfold:suspended"));
    assert_eq!(house.ask("DELETE", &ann, &boss, None).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn only_the_operator_ends_the_grace_and_only_of_a_closed_tenant() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    let operator = house.directory.operator().make_token("root").await.unwrap();
    assert_eq!(house.ask("DELETE", &house.own(""), &operator, None).await.status, 409);
    assert_eq!(status(&house, &boss, "closed").await.0, 200);
    assert_eq!(house.ask("DELETE", &house.own(""), &boss, None).await.status, 403);
    house.directory.operator().age().await.unwrap();
    assert_eq!(house.ask("GET", &house.own(""), &operator, None).await.text("status"), "closed");
    assert_eq!(house.ask("DELETE", &house.own(""), &operator, None).await.status, 202);
    house.directory.operator().age().await.unwrap();
    assert_eq!(house.ask("GET", &house.own(""), &operator, None).await.status, 404);
    assert_eq!(house.ask("GET", &house.own("/people"), &boss, None).await.status, 401, "whoever was of it is nobody");
    assert_eq!(house.ask("GET", "/v1/tenants", &operator, None).await.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn every_change_is_in_the_log_with_who_did_it() {
    let house = house().await;
    let (boss, ann) = (house.token("boss@one.test").await, house.person("ann@one.test", "").await);
    house.ask("PATCH", &ann, &boss, Some(json!({ "name": "N" }))).await;
    house.ask("DELETE", &ann, &boss, None).await;
    let log = house.ask("GET", &house.own("/audit"), &boss, None).await;
    let acts: Vec<_> = log.body["items"].as_array().unwrap().iter().map(|act| (act["actor"].as_str(), act["act"].as_str())).collect();
    assert_eq!(acts[..2], [(Some("boss@one.test"), Some("person.delete")), (Some("boss@one.test"), Some("person.update"))]);
    let proof = house.ask("GET", &house.own("/audit/verify"), &boss, None).await;
    assert_eq!((proof.status, proof.body["whole"].as_bool()), (200, Some(true)), "{proof:?}");
    let row = house
        .rows()
        .into_iter()
        .find(|(key, row)| key.pk().as_str().starts_with("au#") && row.str("act") == Some("person.update"))
        .unwrap();
    house.simulated.world().table.put(penfold_ports::Write::put(row.0, row.1.with("w", "nobody"))).await.unwrap();
    let proof = house.ask("GET", &house.own("/audit/verify"), &boss, None).await;
    assert_eq!(proof.body["whole"].as_bool(), Some(false));
}
