use super::*;

fn company(domain: &str) -> Value {
    json!({ "company": "New Ltd", "address": format!("kim@{domain}"), "name": "Kim", "password": PASSWORD })
}

fn with(domain: &str, name: &str, value: Value) -> Value {
    let mut body = company(domain);
    body[name] = value;
    body
}

#[tokio::test(start_paused = true)]
async fn from_nothing_to_an_administrator_by_a_record() {
    let house = house().await;
    let begun = house.post("/v1/signup", "", company("new.test")).await;
    assert_eq!((begun.status, begun.text("status")), (201, "waiting"), "{begun:?}");
    let (token, place) = (begun.text("token").to_owned(), begun.headers["location"].to_str().unwrap().to_owned());
    let verify = format!("{place}/verify");
    assert_eq!(house.get(&place, &token).await.text("status"), "waiting");
    assert!(house.get(&place, &token).await.body.get("token").is_none());
    for wrong in ["", "pfu_0", &token.replace("pfu_", "pfs_")] {
        assert!(matches!(house.get(&place, wrong).await.status, 401 | 404));
    }
    assert_eq!(house.post(&verify, &token, json!({})).await.text("status"), "waiting");
    assert_eq!(house.sign_in("kim@new.test", PASSWORD, None).await.status, 401);
    let record = &begun.body["proof"]["record"];
    let (name, value) = (record["name"].as_str().unwrap(), record["value"].as_str().unwrap());
    assert_eq!((record["type"].as_str(), name), (Some("TXT"), "_penfold.new.test"));
    house.zone.txt(name, "penfold-domain-verification=0");
    assert_eq!(house.post(&verify, &token, json!({})).await.text("status"), "waiting");
    assert_eq!(house.post(&verify, &token, json!({ "code": "1" })).await.pointer(), "/code");
    house.zone.txt(name, value);
    let done = house.post(&verify, &token, json!({})).await;
    assert_eq!((done.status, done.text("status")), (200, "done"), "{done:?}");
    let opened = house.sign_in("kim@new.test", PASSWORD, None).await;
    assert_eq!(opened.text("tenant"), done.text("tenant"));
    assert_eq!(house.post(&verify, &token, json!({})).await.text("tenant"), done.text("tenant"), "asked again");
    assert_eq!(house.directory.operator().tenants(None, 10).await.unwrap().items.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn by_mail_only_to_those_who_run_the_domain() {
    let house = house().await;
    let mail = |address: &str| {
        let mut body = with("new.test", "proof", json!("mail"));
        body["proof_address"] = json!(address);
        body
    };
    for address in ["kim@new.test", "postmaster@other.test", "nobody", "postmaster@sub.new.test"] {
        let answer = house.post("/v1/signup", "", mail(address)).await;
        assert_eq!((answer.status, answer.pointer()), (422, "/proof_address"), "{address}");
        assert!(answer.body.to_string().contains("hostmaster@new.test"), "the accepted values are told");
    }
    assert_eq!(house.letter().await, None);
    let begun = house.post("/v1/signup", "", mail("Postmaster@new.test")).await;
    let letter = house.letter().await.unwrap();
    let code = letter.split_whitespace().find(|word| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_digit())).unwrap();
    assert!(!begun.body.to_string().contains(code));
    let (token, verify) = (begun.text("token"), format!("/v1/signup/{}/verify", begun.text("id")));
    let wrong = if code == "00000000" { "00000001" } else { "00000000" };
    for body in [json!({}), json!({ "code": wrong })] {
        let answer = house.post(&verify, token, body).await;
        assert_eq!((answer.status, answer.pointer()), (422, "/code"));
    }
    assert_eq!(house.post(&verify, token, json!({ "code": code })).await.text("status"), "done");
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_named_and_nothing_else_is_told() {
    let house = house().await;
    for (body, pointer) in [
        (company("gmail.com"), "/address"),
        (company("xn--80ak6aa92e.com"), "/address"),
        (with("new.test", "address", json!("kim")), "/address"),
        (with("new.test", "password", json!("short")), "/password"),
        (with("new.test", "company", json!("a/b")), "/company"),
        (with("new.test", "name", json!("")), "/name"),
        (with("new.test", "proof", json!("vow")), "/proof"),
        (with("new.test", "proof_address", json!("postmaster@new.test")), "/proof_address"),
        (with("new.test", "captcha", json!(1)), "/captcha"),
    ] {
        let answer = house.post("/v1/signup", "", body).await;
        assert_eq!((answer.status, answer.pointer()), (422, pointer), "{answer:?}");
    }
    let shape = async |domain: &str| {
        let answer = house.post("/v1/signup", "", company(domain)).await;
        let mut names: Vec<_> = answer.body.as_object().unwrap().keys().cloned().collect();
        names.sort();
        (answer.status, names)
    };
    // The first domain but the service's own, whose tenant is here.
    house.directory.operator().create_domain("One", &"taken.test".parse().unwrap()).await.unwrap();
    assert_eq!(shape("taken.test").await, shape("free.test").await);
}

#[tokio::test(start_paused = true)]
async fn who_signs_up_too_often_is_told_to_come_later() {
    let house = house().await;
    for number in 0..20 {
        assert_eq!(house.post("/v1/signup", "", company(&format!("n{number}.test"))).await.status, 201);
    }
    let refused = house.post("/v1/signup", "", company("more.test")).await;
    assert_eq!(refused.status, 429);
    assert!(refused.headers.contains_key("retry-after"));
}
