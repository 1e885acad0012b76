use super::*;
use bytes::Bytes;
use penfold_authentication::{Arriving, DkimResult, verify};

const MESSAGE: &[u8] = b"From: <ann@one.test>\r\nTo: <x@far.test>\r\nSubject: Hello\r\n\r\nIt works.\r\n";

async fn verified(house: &House, signed: &[u8]) -> Vec<(String, DkimResult)> {
    let arriving =
        Arriving { peer: [192, 0, 2, 1].into(), helo: "mx.host.test", mail_from: "ann@one.test", hostname: "far.test", message: signed };
    let verdicts = verify(&*house.world.dns, &house.world.env, &arriving).await;
    verdicts.dkim.into_iter().map(|one| (one.selector, one.result)).collect()
}

#[tokio::test(start_paused = true)]
async fn a_domain_signs_with_both_of_its_keys_and_others_verify_them() {
    let house = with(&[Algorithm::RsaSha256, Algorithm::Ed25519Sha256]).await;
    let signers = Signers::new(house.domains.clone());
    let fields = signers.sign(house.tenant, &d("one.test"), MESSAGE).await.unwrap();
    let selectors: Vec<String> = house.keys().await.into_iter().map(|key| key.selector).collect();
    assert!(selectors.iter().any(|one| one.ends_with('r')) && selectors.iter().any(|one| one.ends_with('e')));
    house.publish(&house.records().await);
    let mut found = verified(&house, &[&fields[..], MESSAGE].concat()).await;
    found.sort_by(|a, b| a.0.cmp(&b.0));
    let wanted: Vec<_> = selectors.into_iter().map(|selector| (selector, DkimResult::Pass)).collect();
    assert_eq!(found, wanted);
    // A long one, which is hashed aside.
    let long = [MESSAGE, &b"0123456789abcdef 0123456789abcdef\r\n".repeat(40_000)].concat();
    let fields = signers.sign(house.tenant, &d("one.test"), &long).await.unwrap();
    assert!(verified(&house, &[&fields[..], &long].concat()).await.iter().all(|(_, result)| *result == DkimResult::Pass));
}

#[tokio::test(start_paused = true)]
async fn only_the_tenant_of_a_proved_domain_signs_for_it() {
    let house = house().await;
    let (signers, operator) = (Signers::new(house.domains.clone()), house.directory.operator());
    let two = operator.tenant("Two").await.unwrap().id;
    assert_eq!(signers.sign(two, &d("one.test"), MESSAGE).await.unwrap(), Bytes::new());
    assert_eq!(signers.sign(two, &d("far.test"), MESSAGE).await.unwrap(), Bytes::new());
    operator.claim_domain("Two", &d("two.test")).await.unwrap();
    assert_eq!(signers.sign(two, &d("two.test"), MESSAGE).await.unwrap(), Bytes::new());
    assert!(house.directory.domain_keys(two, &d("two.test")).await.unwrap().is_empty());
    operator.mark_proved(two, &d("two.test"), "").await.unwrap();
    assert!(signers.sign(two, &d("two.test"), MESSAGE).await.unwrap().starts_with(b"DKIM-Signature:"));
    let none = b"To: <x@far.test>\r\n\r\n";
    assert_eq!(signers.sign(house.tenant, &d("one.test"), none).await.unwrap_err().kind(), Kind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn a_new_pair_signs_within_a_minute_in_every_process() {
    let house = house().await;
    let signers = Signers::new(house.domains.clone());
    let signs = async |selector: &str| {
        let fields = signers.sign(house.tenant, &d("one.test"), MESSAGE).await.unwrap();
        String::from_utf8(fields.to_vec()).unwrap().contains(&format!("s={selector};"))
    };
    let first = house.domains.ensure(house.tenant, &d("one.test")).await.unwrap()[0].selector.clone();
    assert!(signs(&first).await);
    let Rotation::Activated(second) = house.domains.rotate(house.tenant, &d("one.test"), true).await.unwrap() else { panic!("activated") };
    house.sleep(Duration::from_secs(61)).await;
    assert!(signs(&second[0].selector).await && !signs(&first).await);
}

#[tokio::test(start_paused = true)]
async fn many_who_need_the_first_keys_get_the_same() {
    let house = house().await;
    // Each has caches and a lock of its own, as processes do.
    let others: Vec<_> =
        (0..8).map(|_| Domains::with_algorithms(&house.world, house.directory.clone(), &[Algorithm::Ed25519Sha256])).collect();
    let mut asking = tokio::task::JoinSet::new();
    for domains in others {
        let tenant = house.tenant;
        asking.spawn(async move { domains.ensure(tenant, &d("one.test")).await.unwrap() });
    }
    let found = asking.join_all().await;
    assert!(found.iter().all(|keys| *keys == found[0]) && found[0].len() == 1);
}
