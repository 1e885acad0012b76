use super::*;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;

#[tokio::test(start_paused = true)]
async fn the_field_that_is_wrong_is_pointed_at() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    for (body, status, pointer) in [
        (r#"{"name":"x","parts":[{"size":1},{"size":900}]}"#, 422, "/parts/1/size"),
        (r#"{"name":"x","parts":[{"sise":1}]}"#, 422, "/parts/0/sise"),
        (r#"{"name":"x","a/b~c":1}"#, 422, "/a~1b~0c"),
        (r#"{"name":null}"#, 422, "/name"),
        (r#"{"parts":[]}"#, 422, ""),
        ("[", 400, "none"),
        ("", 400, "none"),
    ] {
        let answer = house.ask(get(house.things()).how("POST").by(&ann).saying(body)).await;
        assert!(answer.is_problem(), "{body}: {answer:?}");
        assert_eq!((answer.status, answer.pointer()), (status, pointer), "{body}");
    }
    let plain = Ask { body: Some("{}".into()), ..get(house.things()).how("POST").by(&ann).with("content-type", "text/plain") };
    assert_eq!(house.ask(plain).await.status, 415);
    let big = format!("{{\"name\":\"{}\"}}", "x".repeat(BODY));
    assert_eq!(house.ask(get(house.things()).how("POST").by(&ann).saying(&big)).await.status, 413);
    let keyed = get(house.things()).how("POST").by(&ann).with("idempotency-key", "k").saying(&big);
    assert_eq!(house.ask(keyed).await.status, 413);
    assert_eq!(house.done(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_parameter_that_is_wrong_or_unknown_is_refused() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    let people = format!("/v1/tenants/{}/people", house.ann.tenant);
    for path in [
        "/v1/mine?size=900".to_owned(),
        "/v1/mine?sise=1".to_owned(),
        format!("{people}?limit=0"),
        format!("{people}?limit=201"),
        format!("{people}?limit=x"),
        format!("{people}?cursor=%21"),
        format!("{people}?cursor={}", BASE64_URL_SAFE_NO_PAD.encode([0xff, 0xfe])),
        format!("{people}?cursor={}", "A".repeat(1_000)),
        format!("{people}?other=1"),
        format!("{people}?dry_run=maybe"),
    ] {
        let answer = house.ask(get(&*path).by(&ann)).await;
        assert!(answer.status == 422 && answer.is_problem(), "{path}: {answer:?}");
        assert_ne!(answer.pointer(), "none", "{path}");
    }
    for (path, pointer) in [("limit=0", "limit"), ("cursor=%21", "cursor"), ("dry_run=maybe", "dry_run")] {
        assert_eq!(house.ask(get(format!("{people}?{path}")).by(&ann)).await.pointer(), pointer);
    }
    let page = house.ask(get(format!("{people}?limit=200&cursor={}", BASE64_URL_SAFE_NO_PAD.encode("name#é"))).by(&ann)).await;
    assert_eq!((page.body["limit"].as_u64(), page.body["after"].as_str()), (Some(200), Some("name#é")));
    assert_eq!(house.ask(get(people).by(&ann)).await.body["limit"], 50);
}

#[test]
fn the_cursor_of_a_page_leads_on_from_it() {
    let page = Listed::page(vec![1, 2], Some("name#p#one.test#ü"));
    let next = Paging::new(None, page.next.as_deref()).unwrap();
    assert_eq!(next.after_text().unwrap(), Some("name#p#one.test#ü"));
    let last = serde_json::to_value(Listed::page(vec![1], None::<&str>)).unwrap();
    assert_eq!(last, json!({ "items": [1] }));
}

#[tokio::test(start_paused = true)]
async fn a_change_names_what_it_saw() {
    let house = house().await;
    let ann = house.token(house.ann).await;
    let bob = format!("/v1/tenants/{}/people/{}", house.ann.tenant, house.bob.principal);
    for (tag, status) in [("\"3\"", 200), ("*", 200), ("\"2\", \"3\"", 200), ("\"2\"", 412), ("W/\"3\"", 412), ("3", 412), ("", 412)] {
        let answer = house.ask(get(&*bob).how("PATCH").by(&ann).with("if-match", tag)).await;
        assert_eq!(answer.status, status, "{tag}");
        assert!(status == 200 || answer.is_problem());
    }
    assert_eq!(house.ask(get(bob).how("PATCH").by(&ann)).await.status, 200);
}
