use super::*;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;

async fn ask(house: &House, authorization: Option<&str>) -> Answer {
    let request = Request::get("/v1/whoami");
    let request = if let Some(value) = authorization { request.header("authorization", value) } else { request };
    house.send(request, None).await
}

fn basic(text: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(text))
}

#[tokio::test(start_paused = true)]
async fn a_person_is_told_who_they_are() {
    let house = house().await;
    let answer = ask(&house, Some(&basic(&format!("Ann@one.test:{PASSWORD}")))).await;
    assert_eq!((answer.status, answer.text("address"), answer.text("name")), (200, "ann@one.test", "Ann"));
}

#[tokio::test(start_paused = true)]
async fn everybody_else_hears_the_same() {
    let house = house().await;
    for wrong in [
        None,
        Some("Basic"),
        Some("Basic ?"),
        Some("Bearer x"),
        Some(&*basic("ann@one.test")),
        Some(&*basic("ann@one.test:wrong")),
        Some(&*basic("nobody@one.test:wrong")),
    ] {
        let answer = ask(&house, wrong).await;
        assert_eq!((answer.status, answer.body), (401, Value::Null), "{wrong:?}");
        assert!(answer.headers["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    }
}
