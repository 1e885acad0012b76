use super::*;

#[tokio::test(start_paused = true)]
async fn what_does_not_say_whom_it_is_for_is_for_nobody() {
    let house = house().await;
    let operator = house.directory.operator().make_token("root").await.unwrap();
    for path in ["/v1/bare", "/v1/odd"] {
        for ask in [get(path), get(path).by(&operator), get(path).how("HEAD").by(&operator)] {
            let answer = house.ask(ask).await;
            assert_eq!(answer.status, 404, "{path}");
            assert!(!answer.body.to_string().contains("nobody is asked"));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn each_operation_is_for_those_it_says() {
    let house = house().await;
    let (ann, bob) = (house.token(house.ann).await, house.token(house.bob).await);
    let (program, operator) =
        (house.token_of(house.ann, SessionKind::Token).await, house.directory.operator().make_token("root").await.unwrap());
    let people = format!("/v1/tenants/{}/people", house.ann.tenant);
    // Nobody, a wrong token, bob, ann, a program of ann's, the operator.
    for (path, statuses) in [
        ("/v1/open", [200, 200, 200, 200, 200, 200]),
        ("/v1/mine", [401, 401, 200, 200, 200, 200]),
        ("/v1/own", [401, 401, 200, 200, 403, 403]),
        ("/v1/operators", [401, 401, 403, 403, 403, 200]),
        (&people, [401, 401, 403, 200, 200, 200]),
    ] {
        let asks = [None, Some("pfs_0"), Some(&*bob), Some(&*ann), Some(&*program), Some(&*operator)];
        for (token, status) in asks.into_iter().zip(statuses) {
            let ask = Ask { token, ..get(path) };
            let answer = house.ask(ask).await;
            assert_eq!(answer.status, status, "{path} {token:?} {:?}", answer.body);
            assert!(status == 200 || answer.is_problem(), "{path} {:?}", answer.body);
            assert_eq!(answer.headers.contains_key("www-authenticate"), status == 401);
            assert_eq!(answer.header("cache-control"), "no-store");
            let head = house.ask(Ask { token, ..get(path).how("HEAD") }).await;
            assert_eq!((head.status, head.body), (status, Value::String(String::new())), "{path} is asked for alike without its body");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_tenant_and_its_people_are_not_there() {
    let house = house().await;
    let (ann, eve) = (house.token(house.ann).await, house.token(house.eve).await);
    let nobody = PrincipalId::new(&house.world.env());
    let one = |person: PrincipalId| format!("/v1/tenants/{}/people/{person}", house.ann.tenant);
    assert_eq!(house.ask(get(one(house.bob.principal)).by(&ann)).await.body, house.bob.principal.to_string());
    let absent = house.ask(get(one(nobody)).by(&ann)).await;
    for (path, token) in [(one(house.eve.principal), &ann), (one(house.bob.principal), &eve), (one(nobody), &eve)] {
        for method in ["GET", "PATCH"] {
            let answer = house.ask(get(path.clone()).how(method).by(token)).await;
            assert!(answer.status == 404 && answer.is_problem(), "{method} {path}: {answer:?}");
        }
    }
    let other = house.ask(get(one(house.eve.principal)).by(&ann)).await;
    assert_eq!(other.body, absent.body, "as somebody who is nowhere");
    for path in
        [format!("/v1/tenants/x/people/{nobody}"), format!("/v1/tenants/{}/people/x", house.ann.tenant), "/v1/tenants/%00/people".into()]
    {
        assert_eq!(house.ask(get(path).by(&ann)).await.status, 404);
    }
}

#[tokio::test(start_paused = true)]
async fn of_a_suspended_tenant_all_is_read_and_only_the_operator_changes() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    let operator = house.directory.operator().make_token("root").await.unwrap();
    let bob = format!("/v1/tenants/{}/people/{}", house.ann.tenant, house.bob.principal);
    for status in [TenantStatus::Suspended, TenantStatus::Closed] {
        house.directory.operator().set_tenant_status("One", status).await.unwrap();
        assert_eq!(house.ask(get(&*bob).by(&ann)).await.status, 200);
        let refused = house.ask(get(&*bob).how("PATCH").by(&ann)).await;
        assert_eq!((refused.status, refused.body["type"].as_str()), (403, Some("urn:penfold:suspended")));
        let refused = house.ask(get(house.things()).how("POST").by(&ann).saying(json!({ "name": "x" }))).await;
        assert_eq!((refused.status, house.done()), (403, 0));
        assert_eq!(house.ask(get(&*bob).how("PATCH").by(&operator)).await.status, 200);
    }
    house.directory.operator().set_tenant_status("One", TenantStatus::Active).await.unwrap();
    assert_eq!(house.ask(get(&*bob).how("PATCH").by(&ann)).await.status, 200);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_done_here_is_told_as_a_problem() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    for token in [None, Some(&*ann)] {
        for (method, path) in [("DELETE", "/v1/open"), ("PUT", "/v1/mine"), ("POST", "/v1/open"), ("OPTIONS", "/v1/open")] {
            let answer = house.ask(Ask { token, ..get(path).how(method) }).await;
            assert!(answer.status == 405 && answer.is_problem(), "{method} {path}: {answer:?}");
            assert_eq!(answer.header("allow"), "GET,HEAD", "{method} {path}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_scheme_is_read_in_any_case_and_others_are_none() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    for (value, status) in [
        (format!("bearer {ann}"), 200),
        (format!("BEARER   {ann} "), 200),
        (format!("Basic {ann}"), 401),
        (ann.clone(), 401),
        ("Bearer ".into(), 401),
    ] {
        assert_eq!(house.ask(get("/v1/mine").with("authorization", &value)).await.status, status, "{value}");
    }
}
