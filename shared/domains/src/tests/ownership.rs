use super::*;

#[tokio::test(start_paused = true)]
async fn a_claim_is_proved_by_its_own_record_only() {
    let house = house().await;
    let (operator, domain) = (house.directory.operator(), d("two.test"));
    assert_eq!(house.domains.prove(&d("one.test")).await.unwrap(), Proof::Already);
    assert_eq!(house.domains.prove(&domain).await.unwrap_err().kind(), Kind::NotFound);
    operator.claim_domain("Two", &domain).await.unwrap();
    let records = house.domains.records(&domain).await.unwrap();
    let token = records[0].data.to_string();
    assert_eq!((records[0].name.as_str(), records[0].aim), ("_penfold.two.test", Aim::Ownership));
    assert!(token.starts_with("penfold-domain-verification=") && token.len() == 28 + 32, "{token}");
    let not_yet = async || matches!(house.domains.prove(&domain).await.unwrap(), Proof::NotYet { .. });
    assert!(not_yet().await);
    // Another tenant's token, as one who claimed it before may have published it.
    house.sleep(7 * DAY).await;
    operator.claim_domain("One", &domain).await.unwrap();
    house.zone.txt("_penfold.two.test", &token);
    assert!(not_yet().await);
    let records = house.domains.records(&domain).await.unwrap();
    assert_ne!(records[0].data.to_string(), token);
    house.zone.silent("_penfold.two.test");
    assert_eq!(house.domains.prove(&domain).await.unwrap_err().kind(), Kind::Retry);
}

#[tokio::test(start_paused = true)]
async fn a_proved_claim_needs_no_record_any_more() {
    let house = house().await;
    let domain = d("two.test");
    house.directory.operator().claim_domain("Two", &domain).await.unwrap();
    house.publish(&house.domains.records(&domain).await.unwrap());
    house.zone.txt("_penfold.two.test", "something else");
    assert_eq!(house.domains.prove(&domain).await.unwrap(), Proof::Proved);
    assert_eq!(house.domains.prove(&domain).await.unwrap(), Proof::Already);
    assert!(house.domains.records(&domain).await.unwrap().iter().all(|record| record.aim != Aim::Ownership));
    house.directory.operator().claim_domain("Two", &d("three.test")).await.unwrap();
    assert!(house.domains.vouch(&d("three.test")).await.unwrap());
    assert!(!house.domains.vouch(&d("three.test")).await.unwrap());
}
