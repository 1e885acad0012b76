use super::*;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use penfold_directory::{Cheap, NewPerson, Options};
use penfold_simulated::{Faults, Simulated};
use std::sync::Arc;
use tower::ServiceExt;

async fn router_with_ann() -> Router {
    let world = Simulated::new(3, Faults::NONE).world();
    let directory = Directory::with_options(world, Options { hasher: Arc::new(Cheap), ..Options::default() });
    let operator = directory.operator();
    operator.create_tenant("One").await.unwrap();
    operator.create_domain("One", &"one.test".parse().unwrap()).await.unwrap();
    let new =
        NewPerson { address: "ann@one.test".parse().unwrap(), name: "Ann".to_owned(), password: Some("secret".to_owned()), quota: None };
    operator.create_person(&new).await.unwrap();
    router(directory)
}

async fn ask(router: &Router, authorization: Option<&str>) -> (StatusCode, Option<String>, serde_json::Value) {
    let mut request = Request::get("/v1/whoami").extension(Peer(IpAddr::from([192, 0, 2, 1])));
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let answer = router.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (status, challenge) = (answer.status(), answer.headers().get("www-authenticate").map(|v| v.to_str().unwrap().to_owned()));
    let body = to_bytes(answer.into_body(), 10_000).await.unwrap();
    (status, challenge, serde_json::from_slice(&body).unwrap_or_default())
}

fn basic(text: &str) -> String {
    format!("Basic {}", BASE64_STANDARD.encode(text))
}

#[tokio::test(start_paused = true)]
async fn a_person_is_told_who_they_are() {
    let router = router_with_ann().await;
    let (status, _, body) = ask(&router, Some(&basic("Ann@one.test:secret"))).await;
    assert_eq!((status, body["address"].as_str(), body["name"].as_str()), (StatusCode::OK, Some("ann@one.test"), Some("Ann")));
}

#[tokio::test(start_paused = true)]
async fn everybody_else_hears_the_same() {
    let router = router_with_ann().await;
    for wrong in
        [None, Some("Basic"), Some("Basic ?"), Some("Bearer x"), Some(&*basic("ann@one.test")), Some(&*basic("ann@one.test:wrong"))]
    {
        let (status, challenge, body) = ask(&router, wrong).await;
        assert_eq!((status, body), (StatusCode::UNAUTHORIZED, serde_json::Value::Null), "{wrong:?}");
        assert!(challenge.is_some_and(|c| c.starts_with("Basic ")));
    }
    assert_eq!(ask(&router, Some(&basic("nobody@one.test:wrong"))).await.0, StatusCode::UNAUTHORIZED);
}

#[test]
fn only_the_load_balancer_s_own_word_counts() {
    let mut headers = HeaderMap::new();
    assert_eq!(Peer::forwarded(&headers), None);
    headers.append("x-forwarded-for", "203.0.113.9, 198.51.100.7".parse().unwrap());
    assert_eq!(Peer::forwarded(&headers), Some(Peer(IpAddr::from([198, 51, 100, 7]))));
    headers.append("x-forwarded-for", "2001:db8::7".parse().unwrap());
    assert_eq!(Peer::forwarded(&headers), "2001:db8::7".parse().ok().map(Peer));
    headers.append("x-forwarded-for", "somebody".parse().unwrap());
    assert_eq!(Peer::forwarded(&headers), None);
}
