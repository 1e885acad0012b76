use super::*;

#[tokio::test(start_paused = true)]
async fn a_session_opens_is_listed_and_is_signed_out() {
    let house = house().await;
    for (address, password) in [("ann@one.test", "wrong"), ("nobody@one.test", PASSWORD), ("no address", PASSWORD), ("ann@one.test", "")] {
        let answer = house.sign_in(address, password, None).await;
        assert_eq!((answer.status, answer.text("detail")), (401, "the address or the password is wrong"), "{address}");
    }
    house.sleep(Duration::from_secs(700)).await;
    let first = house.sign_in("ann@one.test", PASSWORD, None).await;
    let (first, place) = (first.text("token").to_owned(), first.headers["location"].to_str().unwrap().to_owned());
    let second = house.token("ann@one.test").await;
    let me = house.get("/v1/me", &second).await;
    assert_eq!((me.status, me.text("address"), me.body["roles"][0].as_str()), (200, "ann@one.test", Some("tenant-administrator")));
    let listed = house.get("/v1/sessions", &second).await;
    let from: Vec<_> = listed.body["items"].as_array().unwrap().iter().map(|one| one["from"].as_str()).collect();
    assert_eq!(from, [Some("192.0.2.1"); 2]);
    assert!(!listed.body.to_string().contains(&first[82..]), "a list opens nothing");
    assert_eq!(house.ask("DELETE", &place, &second, None).await.status, 204);
    assert_eq!(house.get("/v1/me", &first).await.status, 401);
    assert_eq!(house.ask("DELETE", &place, &second, None).await.status, 404);
    let bob = house.token("bob@one.test").await;
    assert_eq!(house.get("/v1/sessions", &bob).await.body["items"].as_array().unwrap().len(), 1);
    let anns = house.get("/v1/sessions", &second).await.body["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(house.ask("DELETE", &format!("/v1/sessions/{anns}"), &bob, None).await.status, 404, "somebody else's is not there");
    assert_eq!(house.ask("DELETE", "/v1/sessions/current", &second, None).await.status, 204);
    assert_eq!(house.get("/v1/me", &second).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn a_new_password_needs_the_old_one_and_ends_the_other_sessions() {
    let house = house().await;
    let (here, there) = (house.token("ann@one.test").await, house.token("ann@one.test").await);
    let set =
        async |current: &str, new: &str| house.ask("PUT", "/v1/me/password", &here, Some(json!({ "current": current, "new": new }))).await;
    for (current, new, pointer) in [("wrong", OTHER, "/current"), (PASSWORD, "short", "/new"), (PASSWORD, "Password123", "/new")] {
        let answer = set(current, new).await;
        assert_eq!((answer.status, answer.pointer()), (422, pointer), "{new}");
    }
    assert_eq!(house.get("/v1/me", &there).await.status, 200);
    house.sleep(Duration::from_secs(700)).await;
    assert_eq!(set(PASSWORD, OTHER).await.status, 204);
    assert_eq!((house.get("/v1/me", &here).await.status, house.get("/v1/me", &there).await.status), (200, 401));
    assert_eq!(house.sign_in("ann@one.test", PASSWORD, None).await.status, 401);
    assert_eq!(house.sign_in("ann@one.test", OTHER, None).await.status, 201);
}

#[tokio::test(start_paused = true)]
async fn the_recovery_address_is_changed_by_who_knows_the_password_and_saw_what_was_there() {
    let house = house().await;
    let ann = house.token("ann@one.test").await;
    let tag = house.get("/v1/me", &ann).await.headers["etag"].to_str().unwrap().to_owned();
    let change = async |password: &str, address: &str, tag: &str| {
        let request = Request::patch("/v1/me").header("authorization", format!("Bearer {ann}")).header("if-match", tag);
        house.send(request, Some(json!({ "recovery_address": address, "password": password }))).await
    };
    assert_eq!(change("wrong", "ann@home.test", &tag).await.pointer(), "/password");
    assert_eq!(change(PASSWORD, "nowhere", &tag).await.pointer(), "/recovery_address");
    let changed = change(PASSWORD, "ann@home.test", &tag).await;
    assert_eq!((changed.status, changed.text("recovery_address")), (200, "ann@home.test"));
    assert_eq!(change(PASSWORD, "ann@other.test", &tag).await.status, 412);
    assert_eq!(change(PASSWORD, "ann@other.test", changed.headers["etag"].to_str().unwrap()).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_programs_token_does_what_it_was_made_for_and_changes_no_account() {
    let house = house().await;
    let ann = house.token("ann@one.test").await;
    let made = house.post("/v1/me/tokens", &ann, json!({ "name": "Terraform", "roles": ["read-only"], "days": 2 })).await;
    assert_eq!(made.status, 201);
    let program = made.text("token").to_owned();
    assert_eq!(house.get("/v1/me", &program).await.status, 200);
    for (method, path, body) in [
        ("POST", "/v1/me/tokens", json!({ "name": "more" })),
        ("POST", "/v1/me/app-passwords", json!({ "name": "more" })),
        ("PUT", "/v1/me/password", json!({ "current": PASSWORD, "new": OTHER })),
        ("PATCH", "/v1/me", json!({ "password": PASSWORD })),
        ("POST", "/v1/me/second-factor", json!({ "password": PASSWORD })),
    ] {
        assert_eq!(house.ask(method, path, &program, Some(body)).await.status, 403, "{method} {path}");
    }
    for (body, pointer) in [
        (json!({ "name": "x", "roles": ["read-only", "emperor"] }), "/roles/1"),
        (json!({ "name": "x", "days": 0 }), "/days"),
        (json!({ "name": " " }), "/name"),
        (json!({ "name": "x", "role": "read-only" }), "/role"),
    ] {
        let answer = house.post("/v1/me/tokens", &ann, body).await;
        assert_eq!((answer.status, answer.pointer()), (422, pointer));
    }
    house.sleep(Duration::from_secs(2 * 86_400)).await;
    assert_eq!(house.get("/v1/me", &program).await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn an_app_password_is_shown_once_and_opens_what_it_says() {
    let house = house().await;
    let ann = house.token("ann@one.test").await;
    let made = house.post("/v1/me/app-passwords", &ann, json!({ "name": "Phone", "opens": ["imap"] })).await;
    assert_eq!((made.status, &made.body["opens"]), (201, &json!(["imap"])));
    let (text, place) = (made.text("password").to_owned(), made.headers["location"].to_str().unwrap().to_owned());
    let opens = async |purpose| house.directory.sign_in_for(purpose, "ann@one.test", &text, [192, 0, 2, 1].into()).await.is_ok();
    assert!(opens(penfold_directory::Use::Imap).await && !opens(penfold_directory::Use::Submission).await);
    assert_eq!(house.sign_in("ann@one.test", &text, None).await.status, 401, "it opens no session");
    let listed = house.get("/v1/me/app-passwords", &ann).await;
    assert!(listed.body["items"][0].get("password").is_none() && listed.body["items"][0]["used"].is_string());
    let bob = house.token("bob@one.test").await;
    assert_eq!(house.ask("DELETE", &place, &bob, None).await.status, 404);
    assert_eq!(house.ask("DELETE", &place, &ann, None).await.status, 204);
    assert!(!opens(penfold_directory::Use::Imap).await);
}
