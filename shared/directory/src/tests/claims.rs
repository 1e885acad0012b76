use super::*;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn sleep(house: &House, span: Duration) {
    house.directory.env().sleep(span).await;
}

#[tokio::test(start_paused = true)]
async fn an_unproved_domain_neither_receives_nor_sends() {
    let house = house().await;
    let domain = d("new.test");
    house.operator.claim_domain("One", &domain).await.unwrap();
    let claim = house.directory.claim(&domain).await.unwrap().unwrap();
    assert!(!claim.proved && !claim.nonce.is_empty());
    let none = async |address: &str| house.directory.resolve(&a(address)).await.unwrap() == Recipient::Outside;
    assert!(none("ann@new.test").await && none("postmaster@new.test").await);
    assert_eq!(house.directory.domain_tenant(&domain).await.unwrap(), None);
    // Nobody has an address there, so nobody may send as one.
    assert_eq!(kind(house.operator.create_person(&person("eva@new.test")).await), Kind::Conflict);
    assert_eq!(kind(house.operator.add_alias(&a("ann@one.test"), &a("ann@new.test")).await), Kind::Conflict);
    let ann = house.sign_in("ann@one.test", "secret").await.unwrap();
    assert!(house.directory.send_right(&ann, &a("ann@new.test")).await.unwrap().is_none());
    let proved = |list: Vec<DomainInfo>| list.into_iter().map(|one| (one.domain, one.proved)).collect::<Vec<_>>();
    let listed = proved(house.operator.domains("One").await.unwrap());
    assert_eq!(listed, [("new.test".to_owned(), false), ("one.test".to_owned(), true)]);

    house.operator.mark_proved(claim.tenant, &domain, "").await.unwrap();
    assert_eq!(kind(house.operator.mark_proved(claim.tenant, &domain, "").await), Kind::Conflict);
    house.operator.add_alias(&a("ann@one.test"), &a("ann@new.test")).await.unwrap();
    assert!(house.directory.send_right(&ann, &a("ann@new.test")).await.unwrap().is_some());
    assert!(!none("ann@new.test").await);
}

#[tokio::test(start_paused = true)]
async fn a_claim_lapses_after_a_week_and_a_proof_does_not() {
    let house = house().await;
    let domain = d("new.test");
    house.operator.claim_domain("One", &domain).await.unwrap();
    let first = house.directory.claim(&domain).await.unwrap().unwrap();
    house.operator.change_domain_keys(first.tenant, &domain, &[KeyChange::Add(key("a"))]).await.unwrap();
    for tenant in ["One", "Two"] {
        assert_eq!(kind(house.operator.claim_domain(tenant, &domain).await), Kind::Conflict);
        assert_eq!(kind(house.operator.create_domain(tenant, &domain).await), Kind::Conflict);
    }
    sleep(&house, 7 * DAY).await;
    house.operator.claim_domain("Two", &domain).await.unwrap();
    let second = house.directory.claim(&domain).await.unwrap().unwrap();
    assert!(second.tenant != first.tenant && second.nonce != first.nonce && !second.proved);
    assert!(house.directory.domain_keys(first.tenant, &domain).await.unwrap().is_empty());
    assert_eq!(house.operator.domains("One").await.unwrap().len(), 1);
    assert_eq!(kind(house.operator.mark_proved(first.tenant, &domain, "").await), Kind::Conflict);

    house.operator.mark_proved(second.tenant, &domain, "").await.unwrap();
    sleep(&house, 30 * DAY).await;
    assert_eq!(kind(house.operator.claim_domain("One", &domain).await), Kind::Conflict);
}

fn key(selector: &str) -> DomainKey {
    let (algorithm, der) = ("x".to_owned(), b"a secret of 20 bytes".to_vec());
    DomainKey { selector: selector.to_owned(), algorithm, der, state: KeyState::Next, at: Default::default() }
}

#[tokio::test(start_paused = true)]
async fn keys_of_a_domain_are_sealed_and_change_by_condition() {
    let house = house().await;
    let (domain, tenant) = (d("one.test"), house.operator.tenant("One").await.unwrap().id);
    let change = async |changes: &[KeyChange]| house.operator.change_domain_keys(tenant, &domain, changes).await;
    change(&[KeyChange::Add(key("a")), KeyChange::Add(key("b"))]).await.unwrap();
    assert_eq!(kind(change(&[KeyChange::Add(key("c")), KeyChange::Add(key("b"))]).await), Kind::Conflict);
    let other = house.operator.tenant("Two").await.unwrap().id;
    assert_eq!(kind(house.operator.change_domain_keys(other, &domain, &[KeyChange::Add(key("c"))]).await), Kind::Conflict);
    let set = |from, to| KeyChange::Set { selector: "a".into(), from, to };
    change(&[set(KeyState::Next, KeyState::Active)]).await.unwrap();
    assert_eq!(kind(change(&[set(KeyState::Next, KeyState::Active)]).await), Kind::Conflict);
    // What was sealed with an older data key still opens, in every process.
    house.operator.rotate_data_key("One").await.unwrap();
    change(&[KeyChange::Add(key("c"))]).await.unwrap();
    let found = house.neighbour().domain_keys(tenant, &domain).await.unwrap();
    assert_eq!(found.iter().map(|key| key.state).collect::<Vec<_>>(), [KeyState::Active, KeyState::Next, KeyState::Next]);
    assert!(found.iter().all(|found| found.der == key("a").der));
    let secret = key("a").der;
    let plain = |row: &penfold_ports::Row| row.encode().windows(secret.len()).any(|window| window == secret);
    assert!(house.world.rows().iter().all(|(_, row)| !plain(row)));
    assert!(!format!("{found:?}").contains("97, 32"), "a secret is not printed");

    change(&[KeyChange::Remove { selector: "b".into(), from: KeyState::Next }]).await.unwrap();
    for address in ["ann@one.test", "bob@one.test"] {
        house.operator.delete_person(&a(address)).await.unwrap();
    }
    house.operator.remove_domain(&domain).await.unwrap();
    assert!(keys(&house).iter().all(|key| !key.sk().as_bytes().starts_with(b"dkim#")));
}
