//! The life of a tenant, and that nothing is left of it.

use super::*;
use penfold_ports::Rights;

async fn age(house: &House) {
    house.neighbour().operator().age().await.unwrap();
}

async fn status(house: &House, name: &str) -> TenantStatus {
    house.operator.tenant(name).await.unwrap().status
}

async fn set(house: &House, to: TenantStatus) {
    house.operator.set_tenant_status("Two", to).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_trial_ends_in_being_suspended_and_goes_on_when_it_is_made_active() {
    let house = house().await;
    let new = NewSignUp {
        company: "New".into(),
        address: a("kim@new.test"),
        name: "Kim".into(),
        password: "plum cactus orbit".into(),
        by: ProofBy::Dns,
        network: "n".into(),
    };
    let (begun, _) = house.directory.begin_sign_up(&new).await.unwrap();
    house.directory.finish_sign_up(&begun).await.unwrap();
    house.sleep(TRIAL - HOUR).await;
    age(&house).await;
    assert_eq!(status(&house, "New").await, TenantStatus::Trial);
    house.sleep(HOUR).await;
    age(&house).await;
    assert_eq!(status(&house, "New").await, TenantStatus::Suspended);
    assert_eq!(status(&house, "One").await, TenantStatus::Active, "others are left alone");
    house.operator.set_tenant_status("New", TenantStatus::Active).await.unwrap();
    house.sleep(2 * TRIAL).await;
    age(&house).await;
    assert_eq!(status(&house, "New").await, TenantStatus::Active, "a trial does not come back");
    for not in [TenantStatus::Trial, TenantStatus::Deleting] {
        assert_eq!(kind(house.operator.set_tenant_status("New", not).await), Kind::Invalid);
    }
}

#[tokio::test(start_paused = true)]
async fn who_enters_a_tenant_that_does_not_go_on() {
    let house = house().await;
    house.operator.create_person(&person("boss@two.test")).await.unwrap();
    house.grant("boss@two.test", &[RoleGrant::everywhere(Role::TenantAdministrator)]).await;
    let there = house.neighbour();
    let enters = async |address: &str| {
        house.sleep(Duration::from_secs(61)).await;
        let here = house.sign_in(address, "secret").await.ok().map(|who| who.scope.rights());
        let elsewhere = there.sign_in(address, "secret", HERE).await.ok().map(|who| who.scope.rights());
        assert_eq!(here, elsewhere, "{address}");
        here
    };
    let reads = Some(Rights::LOOKUP.and(Rights::READ));
    set(&house, TenantStatus::Suspended).await;
    assert_eq!((enters("eve@two.test").await, enters("boss@two.test").await), (reads, reads));
    assert_eq!(kind(house.operator.create_domain("Two", &d("more.test")).await), Kind::Conflict);
    set(&house, TenantStatus::Closed).await;
    assert_eq!((enters("eve@two.test").await, enters("boss@two.test").await), (None, reads));
    set(&house, TenantStatus::Active).await;
    assert_eq!((enters("eve@two.test").await, enters("boss@two.test").await), (Some(Rights::ALL), Some(Rights::ALL)));
}

/// People, groups, a team's mailbox, two domains, sessions, app passwords, a second factor.
async fn furnish(house: &House) {
    let operator = &house.operator;
    operator.create_domain("Two", &d("two-more.test")).await.unwrap();
    for number in 0..4 {
        operator.create_person(&person(&format!("p{number}@two-more.test"))).await.unwrap();
    }
    operator.add_alias(&a("eve@two.test"), &a("a.eve@two.test")).await.unwrap();
    operator.create_group(&group("team@two.test", PostPolicy::Named)).await.unwrap();
    operator.create_group(&group("sub@two.test", PostPolicy::Inside)).await.unwrap();
    operator.add_members(&a("team@two.test"), &[a("eve@two.test"), a("sub@two.test"), a("x@elsewhere.test")]).await.unwrap();
    let change = GroupChange { add_posters: vec![a("x@elsewhere.test")], ..Default::default() };
    operator.update_group(&a("team@two.test"), &change).await.unwrap();
    operator.create_shared(&NewShared { address: a("info@two.test"), name: "Info".into(), quota: None }).await.unwrap();
    operator.add_shared_members(&a("info@two.test"), &[a("eve@two.test")]).await.unwrap();
    operator.set_send_right(&a("eve@two.test"), &a("p1@two-more.test"), Some(SendRight::As)).await.unwrap();
    operator.create_app_password(&a("eve@two.test"), "phone", &[]).await.unwrap();
    house.directory.begin_second_factor(house.account("eve@two.test").await).await.unwrap();
    house.grant("p1@two-more.test", &[RoleGrant::everywhere(Role::TenantAdministrator)]).await;
    house.token("eve@two.test").await;
    operator.rotate_data_key("Two").await.unwrap();
}

/// What is left of a tenant in the rows, its log and the marks of mailboxes that upkeep destroys left out.
fn left(house: &House, tenant: TenantId) -> Vec<Key> {
    let rows = house.world.rows().into_iter();
    let own =
        rows.filter(|(key, row)| key.pk().tenant() == Some(tenant) || row.bytes("t").is_some_and(|id| id[..] == tenant.as_bytes()[..]));
    let marks: [&[u8]; 3] = [b"gone#", b"audit", b"~"];
    let keys = own.map(|(key, _)| key).filter(|key| !key.pk().as_str().starts_with("au#"));
    keys.filter(|key| !marks.iter().any(|mark| key.sk().as_bytes().starts_with(mark))).collect()
}

async fn is_gone(house: &House, tenant: TenantId) {
    assert_eq!(kind(house.operator.tenant(&tenant.to_string()).await), Kind::NotFound);
    assert_eq!(left(house, tenant), Vec::<Key>::new());
    let there = house.neighbour();
    assert_eq!(there.gone_tenants().await.unwrap(), [tenant]);
    for version in [1, 2] {
        assert_eq!(kind(there.data_key_version(tenant, version).await), Kind::NotFound);
    }
    assert_eq!(there.check().await.unwrap(), Vec::<String>::new());
    assert_eq!(there.operator().verify_audit(tenant).await.unwrap().broken_at, None);
    assert!(there.sign_in("eve@two.test", "secret", HERE).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn a_closed_tenant_is_destroyed_after_its_grace_and_its_names_are_free() {
    let house = house().await;
    furnish(&house).await;
    let tenant = house.tenant("Two").await;
    let sealed = house.directory.seal(tenant, b"here", b"in confidence").await.unwrap();
    let token = house.token("p1@two-more.test").await;
    set(&house, TenantStatus::Closed).await;
    house.sleep(GRACE - HOUR).await;
    age(&house).await;
    assert_eq!(status(&house, "Two").await, TenantStatus::Closed);
    assert_eq!(house.neighbour().open(tenant, b"here", &sealed).await.unwrap(), b"in confidence");
    house.sleep(HOUR).await;
    age(&house).await;
    is_gone(&house, tenant).await;
    assert_eq!(kind(house.neighbour().open(tenant, b"here", &sealed).await), Kind::NotFound);
    assert_eq!(house.neighbour().authenticate(&token).await.unwrap_err(), SignInError::Refused);
    house.operator.create_domain("One", &d("two.test")).await.unwrap();
    house.operator.create_person(&person("eve@two.test")).await.unwrap();
    let again = house.operator.create_tenant("TWO").await.unwrap();
    assert_ne!(again.id, tenant);
    house.operator.create_domain("Two", &d("two-more.test")).await.unwrap();
    assert_eq!(house.operator.people(house.tenant("One").await, None, 10).await.unwrap().items.len(), 3, "the other tenant is as it was");
}

#[tokio::test(start_paused = true)]
async fn opened_again_within_the_grace_it_is_not_destroyed_and_the_grace_can_be_ended() {
    let house = house().await;
    set(&house, TenantStatus::Closed).await;
    house.sleep(GRACE - DAY).await;
    set(&house, TenantStatus::Active).await;
    house.sleep(2 * DAY).await;
    age(&house).await;
    assert_eq!(status(&house, "Two").await, TenantStatus::Active);
    assert_eq!(kind(house.operator.end_grace("Two").await), Kind::Conflict);
    set(&house, TenantStatus::Closed).await;
    age(&house).await;
    assert_eq!(status(&house, "Two").await, TenantStatus::Closed, "the grace begins anew");
    house.operator.end_grace("Two").await.unwrap();
    age(&house).await;
    assert_eq!(kind(house.operator.tenant("Two").await), Kind::NotFound);
}

/// Cut off after so many milliseconds, each in a house of its own; upkeep comes by again.
#[tokio::test(start_paused = true)]
async fn a_destruction_that_was_cut_off_anywhere_is_finished_by_the_next_upkeep() {
    for (faults, seeds) in [(Faults::NONE, 0), (Faults { lost: 1_500, throttled: 300, ..Faults::NONE }, 2_000)] {
        let mut cut = 0;
        for step in 0.. {
            let house = seeded(seeds + step).await;
            furnish(&house).await;
            let tenant = house.tenant("Two").await;
            set(&house, TenantStatus::Closed).await;
            house.sleep(GRACE).await;
            house.world.faults(faults);
            let first = tokio::time::timeout(Duration::from_millis(step * 11), house.operator.destroy_tenant("Two")).await;
            house.world.crash();
            house.world.faults(Faults::NONE);
            age(&house).await;
            is_gone(&house, tenant).await;
            if matches!(first, Ok(Ok(()))) {
                break;
            }
            cut += 1;
        }
        assert!(cut > 20, "{cut}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_page_of_nothing_but_aliases_stops_no_destruction() {
    let house = house().await;
    for name in ["x", "y", "z"] {
        let address = a(&format!("{name}@two.test"));
        house.operator.create_person(&person(&address.to_string())).await.unwrap();
        for number in 0..180 {
            house.operator.add_alias(&address, &a(&format!("a{number:03}{name}@two.test"))).await.unwrap();
        }
    }
    let tenant = house.tenant("Two").await;
    set(&house, TenantStatus::Closed).await;
    tokio::time::timeout(DAY, house.operator.destroy_tenant("Two")).await.unwrap().unwrap();
    is_gone(&house, tenant).await;
}

#[tokio::test(start_paused = true)]
async fn a_removal_that_is_refused_takes_its_mark_back() {
    let house = house().await;
    assert_eq!(kind(house.operator.remove_tenant("Two").await), Kind::Conflict);
    age(&house).await;
    assert_eq!(status(&house, "Two").await, TenantStatus::Active);
    set(&house, TenantStatus::Suspended).await;
    assert_eq!(kind(house.operator.remove_tenant("Two").await), Kind::Conflict);
    assert_eq!(status(&house, "Two").await, TenantStatus::Suspended);
}
