use super::*;

const PASSWORD: &str = "plum cactus orbit";

#[tokio::test(start_paused = true)]
async fn what_was_written_reads_back_the_same() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    let new = json!({ "address": "Kim@sub.test", "name": "Kim Ü", "password": PASSWORD, "quota": 12_345_678 });
    let made = house.ask("POST", &house.own("/people"), &boss, Some(new)).await;
    assert_eq!(made.status, 201, "{made:?}");
    let place = made.headers["location"].to_str().unwrap().to_owned();
    let read = house.ask("GET", &place, &boss, None).await;
    assert_eq!((read.status, &read.body, read.tag()), (200, &made.body, made.tag()));
    assert_eq!((read.text("name"), read.body["quota"].as_u64(), read.text("status")), ("Kim Ü", Some(12_345_678), "active"));
    let profile = json!({ "profile": { "department": "Sales", "title": "Clerk", "manager": house.account("ann@one.test").await.principal.to_string() } });
    let known = house.ask("PATCH", &place, &boss, Some(profile.clone())).await;
    assert_eq!((known.status, &known.body["profile"]), (200, &profile["profile"]));
    let known = house.ask("PATCH", &place, &boss, Some(json!({ "profile": { "title": null, "manager": null } }))).await;
    assert_eq!(known.body["profile"], json!({ "department": "Sales" }));
    let wrong = house.ask("PATCH", &place, &boss, Some(json!({ "profile": { "city": "" } }))).await;
    assert_eq!((wrong.status, wrong.pointer()), (422, "/profile/city"));
    for (query, found) in [("department=sales", 1), ("department=Sale", 0), ("department=Sales&city=Rome", 0)] {
        assert_eq!(house.ask("GET", &house.own(&format!("/people?{query}")), &boss, None).await.addresses().len(), found, "{query}");
    }
    let read = house.ask("GET", &place, &boss, None).await;
    let change = json!({ "name": "Kim", "quota": null, "recovery_address": "kim@home.test", "status": "suspended", "sent_copy": false });
    let changed = house.change("PATCH", &place, &boss, read.tag(), Some(change)).await;
    assert_eq!((changed.status, changed.text("name"), changed.body["quota_is_own"].as_bool()), (200, "Kim", Some(false)));
    let read = house.ask("GET", &place, &boss, None).await;
    assert_eq!((&read.body, read.tag()), (&changed.body, changed.tag()));
    assert_eq!(
        (read.text("recovery_address"), read.text("status"), read.body["sent_copy"].as_bool()),
        ("kim@home.test", "suspended", Some(false))
    );
    let cleared = house.ask("PATCH", &place, &boss, Some(json!({ "recovery_address": null }))).await;
    assert!(cleared.body.get("recovery_address").is_none() && cleared.text("name") == "Kim", "what is absent stays");
    let alias = json!({ "address": "k@one.test" });
    assert_eq!(house.ask("POST", &format!("{place}/aliases"), &boss, Some(alias)).await.status, 201);
    assert_eq!(house.ask("GET", &place, &boss, None).await.body["aliases"], json!(["k@one.test"]));
}

#[tokio::test(start_paused = true)]
async fn who_did_not_see_the_last_change_changes_nothing() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    let ann = house.person("ann@one.test", "").await;
    let first = house.ask("GET", &ann, &boss, None).await.tag().to_owned();
    let named = |name: &str| Some(json!({ "name": name }));
    assert_eq!(house.change("PATCH", &ann, &boss, &first, named("One")).await.status, 200);
    for (method, body) in [("PATCH", named("Two")), ("DELETE", None)] {
        assert_eq!(house.change(method, &ann, &boss, &first, body).await.status, 412, "{method}");
    }
    let roles = house.person("ann@one.test", "/roles").await;
    assert_eq!(house.change("PUT", &roles, &boss, &first, Some(json!({ "roles": [] }))).await.status, 412);
    let now = house.ask("GET", &ann, &boss, None).await;
    assert_eq!(now.text("name"), "One");
    assert_eq!(house.change("DELETE", &ann, &boss, now.tag(), None).await.status, 204);
    assert_eq!(house.ask("GET", &ann, &boss, None).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_changes_no_row() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    let (ann, tenant) = (house.person("ann@one.test", "").await, house.own(""));
    for (method, path, body) in [
        ("POST", house.own("/people"), Some(json!({ "address": "n@one.test", "name": "N", "password": PASSWORD }))),
        ("PATCH", ann.clone(), Some(json!({ "name": "N" }))),
        ("DELETE", ann.clone(), None),
        ("POST", format!("{ann}/aliases"), Some(json!({ "address": "al@sub.test" }))),
        ("POST", format!("{ann}/app-passwords"), Some(json!({ "name": "Phone" }))),
        ("PUT", format!("{ann}/password"), Some(json!({ "password": PASSWORD }))),
        ("PUT", format!("{ann}/roles"), Some(json!({ "roles": [{ "role": "help-desk" }] }))),
        ("DELETE", format!("{ann}/second-factor"), None),
        ("DELETE", format!("{ann}/sessions"), None),
        ("POST", house.own("/groups"), Some(json!({ "address": "g@one.test", "name": "G" }))),
        ("POST", house.own("/shared-mailboxes"), Some(json!({ "address": "s@one.test", "name": "S" }))),
        ("POST", house.own("/domains"), Some(json!({ "domain": "more.test" }))),
        ("POST", house.own("/domains/one.test/verify"), None),
        ("POST", house.own("/domains/one.test/keys/rotate"), None),
        ("POST", house.own("/rotate-key"), None),
        ("POST", house.own("/imports"), Some(json!({}))),
        ("POST", house.own("/exports"), Some(json!({ "kind": "people" }))),
        ("PATCH", tenant, Some(json!({ "status": "closed" }))),
    ] {
        house.token("ann@one.test").await;
        // What only notes that somebody came by is no change.
        house.ask("GET", &ann, &boss, None).await;
        let before = house.rows();
        let answer = house.ask(method, &format!("{path}?dry_run=true"), &boss, body).await;
        assert!((200..300).contains(&answer.status), "{method} {path}: {answer:?}");
        assert!(house.rows() == before, "{method} {path} changed rows");
        assert!(answer.body.get("password").is_none(), "{method} {path}: what opens nothing is not shown");
    }
    let taken = json!({ "address": "bob@one.test", "name": "N" });
    assert_eq!(house.ask("POST", &house.own("/people?dry_run=true"), &boss, Some(taken)).await.status, 409);
}

#[tokio::test(start_paused = true)]
async fn who_was_deleted_is_listed_and_comes_back() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    let ann = house.person("ann@one.test", "").await;
    assert_eq!(house.ask("DELETE", &ann, &boss, None).await.status, 204);
    let listed = house.ask("GET", &house.own("/deleted"), &boss, None).await;
    assert_eq!(listed.addresses(), ["ann@one.test"]);
    let restore = house.own(&format!("/deleted/{}/restore", listed.body["items"][0]["id"].as_str().unwrap()));
    assert_eq!(house.ask("POST", &restore, &boss, None).await.status, 204);
    assert_eq!(house.ask("GET", &ann, &boss, None).await.text("address"), "ann@one.test");
    assert_eq!(house.ask("POST", &restore, &boss, None).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn fields_that_are_wrong_are_named_and_other_tenants_not_told() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    for (body, status, pointer) in [
        (json!({ "address": "x", "name": "N" }), 422, "/address"),
        (json!({ "address": "x@one.test", "name": "N", "password": "short" }), 422, "/password"),
        (json!({ "address": "x@one.test", "name": "N", "quota": -1 }), 422, "/quota"),
        (json!({ "address": "x@one.test", "name": "N", "nmae": "N" }), 422, "/nmae"),
        (json!({ "address": "x@one.test", "name": "\u{7}" }), 422, "/name"),
    ] {
        let answer = house.ask("POST", &house.own("/people"), &boss, Some(body)).await;
        assert_eq!((answer.status, answer.pointer()), (status, pointer), "{answer:?}");
    }
    let at = async |address: &str| {
        let answer = house.ask("POST", &house.own("/people"), &boss, Some(json!({ "address": address, "name": "N" }))).await;
        (answer.status, answer.body.to_string().replace("two.test", "X").replace("nobody.test", "X"))
    };
    assert_eq!(at("x@two.test").await, at("x@nobody.test").await, "another's domain is as nobody's");
}
