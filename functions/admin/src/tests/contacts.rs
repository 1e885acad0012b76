use super::*;

#[tokio::test(start_paused = true)]
async fn contacts_are_made_changed_and_taken_away_by_whoever_saw_the_last_change() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    let new = json!({ "name": "Kim", "addresses": ["kim@far.test"], "profile": { "company": "Far Ltd", "phone": "+49 30 1" } });
    let made = house.ask("POST", &house.own("/contacts"), &boss, Some(new)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let place = made.headers["location"].to_str().unwrap().to_owned();
    let change = json!({ "addresses": ["kim@far.test", "k@far.test"], "profile": { "phone": null } });
    let changed = house.change("PATCH", &place, &boss, made.tag(), Some(change.clone())).await;
    assert_eq!((changed.status, &changed.body["profile"]), (200, &json!({ "company": "Far Ltd" })), "{changed:?}");
    assert_eq!(house.change("PATCH", &place, &boss, made.tag(), Some(change)).await.status, 412);
    let listed = house.ask("GET", &house.own("/contacts?limit=1"), &boss, None).await;
    assert_eq!(listed.body["items"], json!([changed.body]));
    for (body, pointer) in [
        (json!({ "addresses": [] }), "/addresses"),
        (json!({ "addresses": ["ann@one.test"] }), "/addresses"),
        (json!({ "addresses": ["x"] }), "/addresses/0"),
        (json!({ "name": "" }), "/name"),
        (json!({ "profile": { "manager": "0".repeat(26) } }), "/profile/manager"),
    ] {
        let answer = house.ask("PATCH", &place, &boss, Some(body.clone())).await;
        assert_eq!((answer.status, answer.pointer()), (422, pointer), "{body}");
    }
    assert_eq!(house.change("DELETE", &place, &boss, changed.tag(), None).await.status, 204);
    assert_eq!(house.ask("GET", &place, &boss, None).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn people_are_hidden_and_shown_again() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    let ann = house.person("ann@one.test", "").await;
    let hidden = house.ask("PATCH", &ann, &boss, Some(json!({ "hidden": true }))).await;
    assert_eq!((hidden.status, hidden.body["hidden"].as_bool()), (200, Some(true)));
    let renamed = house.ask("PATCH", &ann, &boss, Some(json!({ "name": "A" }))).await;
    assert_eq!(renamed.body["hidden"].as_bool(), Some(true), "what is absent stays");
    let shown = house.ask("PATCH", &ann, &boss, Some(json!({ "hidden": false }))).await;
    assert_eq!(shown.body["hidden"].as_bool(), Some(false));
    let new = json!({ "address": "info@one.test", "name": "Info" });
    let made = house.ask("POST", &house.own("/shared-mailboxes"), &boss, Some(new)).await;
    let place = made.headers["location"].to_str().unwrap().to_owned();
    let hidden = house.ask("PATCH", &place, &boss, Some(json!({ "hidden": true }))).await;
    assert_eq!((hidden.status, hidden.body["hidden"].as_bool()), (200, Some(true)));
}
