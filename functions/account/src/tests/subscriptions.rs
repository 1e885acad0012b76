use super::*;

const PATH: &str = "/v1/me/subscriptions";

fn new(url: &str) -> Value {
    json!({ "url": url, "name": "Holidays", "color": "#2a7fff" })
}

#[tokio::test(start_paused = true)]
async fn a_subscription_is_a_calendar_of_ones_own() {
    let house = house().await;
    let (ann, bob) = (house.token("ann@one.test").await, house.token("bob@one.test").await);
    let made = house.post(PATH, &bob, new("webcal://calendars.test/a.ics")).await;
    assert_eq!((made.status, made.text("url"), made.text("state")), (201, "https://calendars.test/a.ics", "new"), "{made:?}");
    let own = house.get("/v1/me/collections", &bob).await;
    assert!(own.body["items"].as_array().unwrap().iter().any(|one| one["id"] == made.body["id"] && one["name"] == "Holidays"));
    // What comes from elsewhere does not come from files.
    let said = house.post("/v1/me/imports", &bob, json!({ "collection": made.text("id") })).await;
    assert_eq!((said.status, said.pointer()), (422, "/collection"));
    assert_eq!(house.post("/v1/me/exports", &bob, json!({ "collection": made.text("id") })).await.status, 202);
    let path = format!("{PATH}/{}", made.text("id"));
    assert_eq!((house.get(&path, &bob).await.status, house.get(&path, &ann).await.status), (200, 404));
    assert_eq!(house.get(PATH, &ann).await.body["items"], json!([]));
    // Once a minute.
    let refresh = format!("{path}/refresh");
    let asked: Vec<u16> = [house.post(&refresh, &bob, json!({})).await.status, house.post(&refresh, &bob, json!({})).await.status].into();
    assert_eq!(asked, [200, 429]);
    house.world.env.sleep(Duration::from_secs(61)).await;
    assert_eq!(house.post(&refresh, &bob, json!({})).await.status, 200);
    assert_eq!((house.delete(&path, &ann).await.status, house.delete(&path, &bob).await.status), (404, 204));
    assert_eq!(house.get(PATH, &bob).await.body["items"], json!([]));
    let own = house.get("/v1/me/collections", &bob).await;
    assert!(own.body["items"].as_array().unwrap().iter().all(|one| one["id"] != made.body["id"]));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_subscribed_to_says_which_field() {
    let house = house().await;
    let bob = house.token("bob@one.test").await;
    for (wrong, pointer) in [
        (new("ftp://a.test/"), "/url"),
        (new("https://ann:secret@a.test/"), "/url"),
        (json!({ "url": "https://a.test/", "name": "" }), "/name"),
        (json!({ "url": "https://a.test/", "name": "x", "refresh": 899 }), "/refresh"),
        (json!({ "url": "https://a.test/", "name": "x", "color": "red" }), "/color"),
    ] {
        let said = house.post(PATH, &bob, wrong).await;
        assert_eq!((said.status, said.pointer()), (422, pointer));
    }
    for _ in 0..20 {
        assert_eq!(house.post(PATH, &bob, new("https://a.test/")).await.status, 201);
    }
    let said = house.post(PATH, &bob, new("https://a.test/")).await;
    assert_eq!((said.status, said.text("type")), (403, "urn:penfold:limit"));
}
