use super::*;
use aws_lc_rs::hmac;

/// RFC 4648 §6, and RFC 6238 as an app computes it.
fn totp(secret: &str, seconds: i64) -> String {
    let (mut bits, mut held, mut key) = (0u32, 0, Vec::new());
    for c in secret.bytes() {
        let value = if c.is_ascii_uppercase() { c - b'A' } else { c - b'2' + 26 };
        (bits, held) = (bits << 5 | u32::from(value), held + 5);
        if held >= 8 {
            held -= 8;
            key.push((bits >> held & 0xff) as u8);
        }
    }
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key), &(seconds / 30).to_be_bytes());
    let at = usize::from(tag.as_ref()[19] & 15);
    let word = u32::from_be_bytes(tag.as_ref()[at..at + 4].try_into().unwrap()) & 0x7fff_ffff;
    format!("{:06}", word % 1_000_000)
}

#[tokio::test(start_paused = true)]
async fn a_second_factor_from_its_first_code_to_its_end() {
    let house = house().await;
    let ann = house.token("ann@one.test").await;
    let now = || house.world.env.now().seconds();
    assert_eq!(house.post("/v1/me/second-factor", &ann, json!({ "password": "wrong" })).await.pointer(), "/password");
    house.sleep(Duration::from_secs(700)).await;
    let begun = house.post("/v1/me/second-factor", &ann, json!({ "password": PASSWORD })).await;
    let secret = begun.text("secret").to_owned();
    let confirm = async |code: &str| house.post("/v1/me/second-factor/confirm", &ann, json!({ "code": code })).await;
    let wrong = confirm("no code").await;
    assert_eq!((wrong.status, wrong.pointer()), (422, "/code"));
    let codes = confirm(&totp(&secret, now())).await;
    let recovery = codes.body["recovery_codes"][0].as_str().unwrap().to_owned();
    house.sleep(Duration::from_secs(60)).await;

    let without = house.sign_in("ann@one.test", PASSWORD, None).await;
    assert_eq!((without.status, without.text("type")), (401, "urn:penfold:second-factor"));
    let wrong = house.sign_in("ann@one.test", "wrong", None).await;
    assert_eq!((wrong.status, wrong.text("type")), (401, "about:blank"), "only who knows the password hears of it");
    assert_eq!(house.sign_in("ann@one.test", PASSWORD, Some(&totp(&secret, now()))).await.status, 201);
    assert_eq!(house.sign_in("ann@one.test", PASSWORD, Some(&recovery)).await.status, 201);
    assert_eq!(house.sign_in("ann@one.test", PASSWORD, Some(&recovery)).await.status, 401);

    house.sleep(Duration::from_secs(700)).await;
    let end = async |password: &str| house.post("/v1/me/second-factor/remove", &ann, json!({ "password": password })).await;
    assert_eq!(end("wrong").await.pointer(), "/password");
    assert_eq!(end(PASSWORD).await.status, 204);
    assert_eq!(house.sign_in("ann@one.test", PASSWORD, None).await.status, 201);
}
