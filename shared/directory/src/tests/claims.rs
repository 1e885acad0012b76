use super::*;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn sleep(house: &House, span: Duration) {
    house.directory.env().sleep(span).await;
}

#[tokio::test(start_paused = true)]
async fn an_unproved_domain_neither_receives_nor_sends() {
    let house = house().await;
    let (domain, one) = (d("new.test"), house.tenant("One").await);
    house.operator.claim_domain("One", &domain).await.unwrap();
    let claim = house.directory.claim(one, &domain).await.unwrap().unwrap();
    assert!(!claim.proved && !claim.nonce.is_empty());
    let none = async |address: &str| house.directory.resolve(&a(address)).await.unwrap() == Recipient::Outside;
    assert!(none("ann@new.test").await && none("postmaster@new.test").await);
    assert_eq!(house.directory.domain_tenant(&domain).await.unwrap(), None);
    // Nobody has an address there, so nobody may send as one.
    assert_eq!(kind(house.operator.create_person(&person("eva@new.test")).await), Kind::NotFound);
    assert_eq!(kind(house.operator.address_domain(one, &domain).await), Kind::Conflict);
    assert_eq!(kind(house.operator.add_alias(&a("ann@one.test"), &a("ann@new.test")).await), Kind::Conflict);
    let ann = house.sign_in("ann@one.test", "secret").await.unwrap();
    assert!(house.directory.send_right(&ann, &a("ann@new.test")).await.unwrap().is_none());
    let listed = async || {
        let list = house.operator.domains("One").await.unwrap();
        list.into_iter().map(|one| (one.domain, one.proved)).collect::<Vec<_>>()
    };
    assert_eq!(listed().await, [("one.test".to_owned(), true), ("new.test".to_owned(), false)]);

    house.operator.mark_proved(one, &domain, "").await.unwrap();
    assert_eq!(listed().await, [("new.test".to_owned(), true), ("one.test".to_owned(), true)]);
    house.operator.create_person(&person("eva@new.test")).await.unwrap();
    assert!(!none("eva@new.test").await);
    assert_eq!(kind(house.operator.mark_proved(one, &domain, "").await), Kind::Conflict);
    assert!(house.partition(&format!("t#{one}")).iter().all(|(key, _)| !key.sk().as_bytes().starts_with(b"claim#")));
}

/// A claim changes nothing but rows of the tenant's own, and is made alike whoever else has the domain.
#[tokio::test(start_paused = true)]
async fn a_claim_is_the_tenants_own() {
    let house = house().await;
    let (one, two) = (house.tenant("One").await, house.tenant("Two").await);
    let before = keys(&house);
    house.operator.claim_domain("One", &d("two.test")).await.unwrap();
    for tenant in ["One", "Two"] {
        house.operator.claim_domain(tenant, &d("new.test")).await.unwrap();
        assert_eq!(kind(house.operator.claim_domain(tenant, &d("new.test")).await), Kind::Conflict);
    }
    let made: Vec<_> = keys(&house).into_iter().filter(|key| !before.contains(key)).collect();
    let own = |key: &Key| [one, two].iter().any(|tenant| key.pk().as_str() == format!("t#{tenant}"));
    assert!(made.len() >= 3 && made.iter().all(own), "{made:?}");
    // What is another's cannot be used, removed or got at by a claim.
    assert_eq!(kind(house.operator.address_domain(one, &d("two.test")).await), Kind::Conflict);
    assert_eq!(kind(house.operator.mark_proved(one, &d("two.test"), "").await), Kind::Conflict);
    house.operator.remove_domain(one, &d("two.test")).await.unwrap();
    assert_eq!(house.directory.domain_owner(&d("two.test")).await.unwrap(), Some(two));
    assert_eq!(kind(house.operator.remove_domain(one, &d("two.test")).await), Kind::NotFound);

    // The first proof gets it; the other one's claim is still there, and is told with its own proof.
    house.operator.mark_proved(two, &d("new.test"), "").await.unwrap();
    assert!(house.directory.claim(one, &d("new.test")).await.unwrap().is_some_and(|claim| !claim.proved));
    assert_eq!(kind(house.operator.mark_proved(one, &d("new.test"), "").await), Kind::Conflict);
    assert_eq!(house.directory.holders(&d("new.test")).await.unwrap(), [two]);
    assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn two_proofs_at_once_make_one_owner() {
    for seed in 0..10 {
        let house = seeded(seed).await;
        let (one, two, domain) = (house.tenant("One").await, house.tenant("Two").await, d("new.test"));
        for tenant in ["One", "Two"] {
            house.operator.claim_domain(tenant, &domain).await.unwrap();
        }
        let there = house.neighbour().operator();
        let (first, second) = tokio::join!(house.operator.mark_proved(one, &domain, ""), there.mark_proved(two, &domain, ""));
        assert!(first.is_ok() != second.is_ok(), "seed {seed}: {first:?} {second:?}");
        let owner = house.directory.domain_owner(&domain).await.unwrap();
        assert_eq!(owner, Some(if first.is_ok() { one } else { two }));
    }
}

#[tokio::test(start_paused = true)]
async fn a_claim_lapses_after_a_week_and_a_proof_does_not() {
    let house = house().await;
    let (domain, one) = (d("new.test"), house.tenant("One").await);
    house.operator.claim_domain("One", &domain).await.unwrap();
    let first = house.directory.claim(one, &domain).await.unwrap().unwrap();
    house.operator.change_domain_keys(one, &domain, &[KeyChange::Add(key("a"))]).await.unwrap();
    house.operator.lapse_claims(one).await.unwrap();
    assert_eq!(house.directory.domain_keys(one, &domain).await.unwrap().len(), 1);
    sleep(&house, 7 * DAY).await;
    assert_eq!(house.directory.claim(one, &domain).await.unwrap(), None);
    assert_eq!(house.operator.domains("One").await.unwrap().len(), 1);
    assert_eq!(kind(house.operator.mark_proved(one, &domain, "").await), Kind::Conflict);
    house.operator.lapse_claims(one).await.unwrap();
    assert!(house.directory.domain_keys(one, &domain).await.unwrap().is_empty());
    house.operator.claim_domain("One", &domain).await.unwrap();
    sleep(&house, 8 * DAY).await;
    // Nobody came by meanwhile; the old row is in nobody's way.
    house.operator.claim_domain("One", &domain).await.unwrap();
    let second = house.directory.claim(one, &domain).await.unwrap().unwrap();
    assert_ne!(second.nonce, first.nonce);
    house.operator.mark_proved(one, &domain, "").await.unwrap();
    sleep(&house, 30 * DAY).await;
    house.operator.lapse_claims(one).await.unwrap();
    assert_eq!(kind(house.operator.claim_domain("One", &domain).await), Kind::Conflict);
    assert!(house.directory.claim(one, &domain).await.unwrap().unwrap().proved);
}

#[tokio::test(start_paused = true)]
async fn so_many_claims_wait_and_no_more() {
    let house = house().await;
    for number in 0..50 {
        house.operator.claim_domain("One", &d(&format!("n{number}.test"))).await.unwrap();
    }
    assert_eq!(kind(house.operator.claim_domain("One", &d("more.test")).await), Kind::Limit);
    house.operator.claim_domain("Two", &d("more.test")).await.unwrap();
    let one = house.tenant("One").await;
    house.operator.mark_proved(one, &d("n0.test"), "").await.unwrap();
    house.operator.claim_domain("One", &d("more.test")).await.unwrap();
    assert_eq!(kind(house.operator.claim_domain("One", &d("most.test")).await), Kind::Limit);
    sleep(&house, 7 * DAY).await;
    house.operator.claim_domain("One", &d("most.test")).await.unwrap();
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
    house.operator.remove_domain(tenant, &domain).await.unwrap();
    assert!(keys(&house).iter().all(|key| !key.sk().as_bytes().starts_with(b"dkim#")));
}

/// Of another's domain nothing is told but that it is another's, whoever claims it: not whether an address is somebody's there.
#[tokio::test(start_paused = true)]
async fn a_claim_tells_of_no_address() {
    let house = house().await;
    let ann = a("ann@one.test");
    let answer = async |address: &str| {
        let error = house.operator.add_alias(&ann, &a(address)).await.unwrap_err();
        let shown = house.operator.rehearsing(true).add_alias(&ann, &a(address)).await.unwrap_err();
        assert_eq!(error.text(), shown.text());
        (error.kind(), error.text().to_owned())
    };
    assert_eq!(answer("eve@two.test").await, answer("nobody@two.test").await);
    house.operator.claim_domain("One", &d("two.test")).await.unwrap();
    assert_eq!(answer("eve@two.test").await, answer("nobody@two.test").await);
    // The conditions of a commit come in the same order.
    let (one, eve) = (house.tenant("One").await, a("eve@two.test"));
    let new = crate::rows::Principal::new(PrincipalKind::Person, &eve, "Eve", house.directory.now());
    let account = Account { tenant: one, principal: penfold_types::PrincipalId::new(house.directory.env()) };
    let error = house.operator.create_principal_as(account, &new, Vec::new()).await.unwrap_err();
    assert!(error.text().starts_with("the domain two.test"), "{}", error.text());
}

/// An older version wrote the row that everybody finds for a claim too.
#[tokio::test(start_paused = true)]
async fn an_older_versions_claim_is_no_proof() {
    let house = house().await;
    let (one, two, now) = (house.tenant("One").await, house.tenant("Two").await, house.directory.now());
    let old = async |domain: &str| {
        let row = Row::new().with("t", one.as_bytes()).with("st", 0u64).with("at", crate::rows::time(now));
        let row = row.with("un", true).with("n", b"0123456789abcdef");
        house.write(Write::put(penfold_ports::shared::domain(&d(domain)), row)).await;
        let line = crate::access::organisation(one).organisation(crate::rows::sk::domain(&d(domain)));
        house.write(Write::put(line, Row::new().with("at", crate::rows::time(now)))).await;
    };
    for domain in ["new.test", "other.test"] {
        old(domain).await;
        assert_eq!(house.directory.domain_owner(&d(domain)).await.unwrap(), None);
        assert_eq!(house.directory.domain_tenant(&d(domain)).await.unwrap(), None);
        assert_eq!(house.directory.claim(one, &d(domain)).await.unwrap(), None);
    }
    assert_eq!(house.directory.resolve(&a("postmaster@new.test")).await.unwrap(), Recipient::Outside);
    assert_eq!(kind(house.operator.create_person(&person("eva@new.test")).await), Kind::NotFound);
    assert_eq!(house.operator.domains("One").await.unwrap().len(), 1);
    // Whoever shows that it is theirs gets it.
    house.operator.claim_domain("Two", &d("other.test")).await.unwrap();
    house.operator.mark_proved(two, &d("other.test"), "").await.unwrap();
    assert_eq!(house.directory.domain_owner(&d("other.test")).await.unwrap(), Some(two));
    // What was published for the claim goes on being its proof.
    house.operator.lapse_claims(one).await.unwrap();
    let claim = house.directory.claim(one, &d("new.test")).await.unwrap().unwrap();
    assert_eq!((claim.proved, &*claim.nonce), (false, &b"0123456789abcdef"[..]));
    assert_eq!(house.directory.claim(one, &d("other.test")).await.unwrap(), None);
    house.operator.mark_proved(one, &d("new.test"), "").await.unwrap();
    house.operator.lapse_claims(one).await.unwrap();
    assert!(house.directory.claim(one, &d("new.test")).await.unwrap().unwrap().proved);
    assert_eq!(house.operator.domains("One").await.unwrap().len(), 2);
}
