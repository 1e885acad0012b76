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

#[tokio::test(start_paused = true)]
async fn two_who_find_the_same_dead_link_both_make_theirs() {
    let house = house().await;
    let (bob, path) = (house.token("bob@one.test").await, "/v1/me/links");
    let own = calendar(&house, &bob).await;
    let info = house.directory.operator().person(&"bob@one.test".parse().unwrap()).await.unwrap();
    let account = penfold_ports::Account { tenant: info.tenant, principal: info.id };
    let mailbox = house.mailboxes.open(&house.directory.job_scope(account)).await.unwrap();
    for round in 0..20 {
        let (kind, segment) = (penfold_mailbox::Kind::Events, format!("round-{round}"));
        let new = penfold_mailbox::NewCollection { kind, parent: None, name: segment.clone(), segment, properties: Vec::new() };
        let folder = mailbox.create_collection(&new).await.unwrap();
        let link = |collection: &str| json!({ "collection": collection, "name": "x", "shows": "times" });
        assert_eq!(house.post(path, &bob, link(&folder.to_string())).await.status, 201);
        mailbox.delete_collection(folder).await.unwrap();
        let (one, other) = tokio::join!(house.post(path, &bob, link(&own)), house.post(path, &bob, link(&own)));
        assert_eq!((one.status, other.status), (201, 201), "{one:?} {other:?}");
    }
}
