//! Whom one may write to, and how one looks.

use super::*;
use penfold_directory::{ContactChange, PersonChange};
use penfold_ports::Account;

async fn account(house: &House, address: &str) -> Account {
    let person = house.directory.operator().person(&address.parse().unwrap()).await.unwrap();
    Account { tenant: person.tenant, principal: person.id }
}

async fn found(house: &House, token: &str, q: &str) -> Vec<(String, String)> {
    let answer = house.get(&format!("/v1/me/directory?q={q}"), token).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let text = |one: &Value| one.as_str().unwrap_or_default().to_owned();
    let items = answer.body["items"].as_array().unwrap();
    items.iter().map(|one| (text(&one["kind"]), text(&one["addresses"][0]))).collect()
}

#[tokio::test(start_paused = true)]
async fn the_directory_comes_first_and_then_those_one_wrote_to() {
    let house = house().await;
    let (ann, operator) = (account(&house, "ann@one.test").await, house.directory.operator());
    let contact = |name: &str, address: &str| ContactChange {
        name: Some(name.to_owned()),
        addresses: Some(vec![address.parse().unwrap()]),
        ..ContactChange::default()
    };
    operator.create_contact(ann.tenant, &contact("Bobby Outside", "bobby@far.test")).await.unwrap();
    let to: Vec<_> = ["bobby@far.test", "bobo@far.test", "kim@far.test"].iter().map(|one| (one.parse().unwrap(), String::new())).collect();
    house.directory.note_mailed(ann, &to).await.unwrap();
    let (anns, bobs) = (house.token("ann@one.test").await, house.token("bob@one.test").await);
    let own = |kind: &str, address: &str| (kind.to_owned(), address.to_owned());
    let wanted = [own("person", "bob@one.test"), own("contact", "bobby@far.test"), own("mailed", "bobo@far.test")];
    assert_eq!(found(&house, &anns, "bob").await, wanted);
    assert_eq!(found(&house, &anns, "bob&limit=1").await, wanted[..1]);
    assert_eq!(found(&house, &bobs, "bob").await, wanted[..2], "what somebody wrote is theirs");
    let hidden = PersonChange { hidden: Some(true), ..PersonChange::default() };
    operator.update_person(&"bob@one.test".parse().unwrap(), &hidden).await.unwrap();
    assert_eq!(found(&house, &anns, "bob").await, wanted[1..]);
    assert_eq!(house.get("/v1/me/directory", &anns).await.body["items"].as_array().unwrap().len(), 3, "those one wrote to");
    let long = format!("q={}", "x".repeat(201));
    for (query, pointer) in [(long.as_str(), "q"), ("q=a&limit=0", "limit"), ("q=a&limit=51", "limit")] {
        let answer = house.get(&format!("/v1/me/directory?{query}"), &anns).await;
        assert!(answer.status == 422 && answer.body.to_string().contains(pointer), "{query}: {answer:?}");
    }
    assert_eq!(house.get("/v1/me/directory?q=a", "").await.status, 401);
}

#[tokio::test(start_paused = true)]
async fn one_s_own_photo_is_set_shown_and_taken_away() {
    let house = house().await;
    let token = house.token("ann@one.test").await;
    let put = async |kind: &str, bytes: Vec<u8>| {
        let request = Request::builder().method("PUT").uri("/v1/me/photo").header("authorization", format!("Bearer {token}"));
        let request = request.header("content-type", kind).extension(Peer([192, 0, 2, 1].into())).body(Body::from(bytes));
        house.router.clone().oneshot(request.unwrap()).await.unwrap().status().as_u16()
    };
    let jpeg = [&b"\xff\xd8\xff\xe0"[..], &[7; 600]].concat();
    assert_eq!(house.get("/v1/me/photo", &token).await.status, 404);
    assert_eq!(put("image/jpeg", jpeg.clone()).await, 204);
    let shown = house.get("/v1/me/photo", &token).await;
    assert_eq!(
        (shown.status, shown.headers["content-type"].to_str().unwrap(), shown.headers["x-content-type-options"].to_str().unwrap()),
        (200, "image/jpeg", "nosniff")
    );
    for (kind, bytes, status) in
        [("text/html", jpeg.clone(), 415), ("image/png", b"<svg/>".to_vec(), 422), ("image/png", vec![0; 300_000], 413)]
    {
        assert_eq!(put(kind, bytes).await, status, "{kind}");
    }
    assert_eq!(house.ask("DELETE", "/v1/me/photo", &token, None).await.status, 204);
    assert_eq!(house.get("/v1/me/photo", &token).await.status, 404);
}
