use super::*;

async fn calendar(house: &House, token: &str) -> String {
    let all = house.get("/v1/me/collections", token).await;
    let found = all.body["items"].as_array().unwrap().iter().find(|one| one["holds"] == "events").unwrap();
    found["id"].as_str().unwrap().to_owned()
}

#[tokio::test(start_paused = true)]
async fn people_publish_their_own_calendars_and_take_that_back() {
    let house = house().await;
    let (ann, bob) = (house.token("ann@one.test").await, house.token("bob@one.test").await);
    let own = calendar(&house, &bob).await;
    let made = house.post("/v1/me/links", &bob, json!({ "collection": own, "name": "the club", "shows": "titles" })).await;
    assert_eq!((made.status, made.text("shows"), made.text("collection")), (201, "titles", own.as_str()));
    assert!(made.text("url").starts_with("https://mail.one.test/published/pfl_") && made.text("url").ends_with(".ics"), "{made:?}");
    let listed = house.get("/v1/me/links", &bob).await;
    assert_eq!(listed.body["items"][0]["url"], made.body["url"]);
    // Another's calendar, one's own mail, and what never was are no calendars of one's own.
    let others = house.post("/v1/me/links", &ann, json!({ "collection": own, "name": "x", "shows": "times" })).await;
    let never = house.post("/v1/me/links", &ann, json!({ "collection": made.text("id"), "name": "x", "shows": "times" })).await;
    assert_eq!((others.status, others.pointer()), (422, "/collection"));
    assert_eq!(others.body, never.body);
    let path = format!("/v1/me/links/{}", made.text("id"));
    assert_eq!(house.delete(&path, &ann).await.status, 404);
    let text = made.text("url").rsplit('/').next().unwrap().trim_end_matches(".ics").to_owned();
    assert!(house.directory.published(&text).await.unwrap().is_some());
    assert_eq!((house.delete(&path, &bob).await.status, house.delete(&path, &bob).await.status), (204, 404));
    assert!(house.directory.published(&text).await.unwrap().is_none());
}
