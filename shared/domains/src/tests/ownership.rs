use super::*;

#[tokio::test(start_paused = true)]
async fn a_claim_is_proved_by_its_own_record_only() {
    let house = house().await;
    let (operator, domain, one) = (house.directory.operator(), d("two.test"), house.tenant);
    let two = operator.tenant("Two").await.unwrap().id;
    assert_eq!(house.domains.prove(one, &d("one.test")).await.unwrap(), Proof::Already);
    assert_eq!(house.domains.prove(two, &domain).await.unwrap_err().kind(), Kind::NotFound);
    // Both at once, neither of whom learns of the other.
    operator.claim_domain("Two", &domain).await.unwrap();
    operator.claim_domain("One", &domain).await.unwrap();
    let records = house.domains.records(two, &domain).await.unwrap();
    let token = records[0].data.to_string();
    assert_eq!((records[0].name.as_str(), records[0].aim), ("_penfold.two.test", Aim::Ownership));
    assert!(token.starts_with("penfold-domain-verification=") && token.len() == 28 + 32, "{token}");
    let not_yet = async |tenant| matches!(house.domains.prove(tenant, &domain).await.unwrap(), Proof::NotYet { .. });
    assert!(not_yet(two).await && not_yet(one).await);
    assert_ne!(house.domains.records(one, &domain).await.unwrap()[0].data.to_string(), token);
    house.zone.silent("_penfold.two.test");
    assert_eq!(house.domains.prove(two, &domain).await.unwrap_err().kind(), Kind::Retry);
    house.zone.speak("_penfold.two.test").txt("_penfold.two.test", &token);
    assert!(not_yet(one).await, "by the other's token");
    assert_eq!(house.domains.prove(two, &domain).await.unwrap(), Proof::Proved);
    // And a token is worth nothing for a claim that came later.
    operator.remove_domain(two, &domain).await.unwrap();
    operator.claim_domain("Two", &domain).await.unwrap();
    assert!(not_yet(two).await);
}

/// Who claims a domain that another has is told so with the proof, and not before.
#[tokio::test(start_paused = true)]
async fn a_domain_of_another_is_no_news_until_its_proof() {
    let house = house().await;
    let (operator, domain) = (house.directory.operator(), d("one.test"));
    let two = operator.tenant("Two").await.unwrap().id;
    operator.claim_domain("Two", &domain).await.unwrap();
    operator.claim_domain("Two", &d("free.test")).await.unwrap();
    for domain in [&domain, &d("free.test")] {
        assert_eq!(house.domains.ensure(two, domain).await.unwrap().len(), 1);
        assert!(matches!(house.domains.prove(two, domain).await.unwrap(), Proof::NotYet { .. }));
    }
    house.publish(&house.domains.records(two, &domain).await.unwrap()[..1]);
    assert_eq!(house.domains.prove(two, &domain).await.unwrap_err().kind(), Kind::Conflict);
    assert_eq!(house.directory.domain_owner(&domain).await.unwrap(), Some(house.tenant));
    // Once the other gives it up, the same proof holds.
    operator.remove_domain(house.tenant, &domain).await.unwrap();
    assert_eq!(house.domains.prove(two, &domain).await.unwrap(), Proof::Proved);
    assert_eq!(house.directory.domain_owner(&domain).await.unwrap(), Some(two));
}

#[tokio::test(start_paused = true)]
async fn a_proved_claim_needs_no_record_any_more() {
    let house = house().await;
    let (operator, domain) = (house.directory.operator(), d("two.test"));
    let two = operator.tenant("Two").await.unwrap().id;
    operator.claim_domain("Two", &domain).await.unwrap();
    house.publish(&house.domains.records(two, &domain).await.unwrap());
    house.zone.txt("_penfold.two.test", "something else");
    assert_eq!(house.domains.prove(two, &domain).await.unwrap(), Proof::Proved);
    assert_eq!(house.domains.prove(two, &domain).await.unwrap(), Proof::Already);
    assert!(house.domains.records(two, &domain).await.unwrap().iter().all(|record| record.aim != Aim::Ownership));
    operator.claim_domain("Two", &d("three.test")).await.unwrap();
    assert!(house.domains.vouch(two, &d("three.test")).await.unwrap());
    assert!(!house.domains.vouch(two, &d("three.test")).await.unwrap());
}
