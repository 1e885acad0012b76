//! Who may do what with whom.

use super::*;
use penfold_types::PrincipalId;

/// `one.test` and `sub.test` are of the first tenant; in the group `team` is the group `inner`, and in that zoe.
async fn company() -> House {
    let house = house().await;
    house.operator.create_domain("One", &d("sub.test")).await.unwrap();
    for address in ["zoe@one.test", "sam@sub.test", "boss@one.test"] {
        house.operator.create_person(&person(address)).await.unwrap();
    }
    for name in ["team@one.test", "inner@one.test"] {
        house.operator.create_group(&group(name, PostPolicy::Inside)).await.unwrap();
    }
    house.operator.add_members(&a("team@one.test"), &[a("inner@one.test")]).await.unwrap();
    house.operator.add_members(&a("inner@one.test"), &[a("zoe@one.test")]).await.unwrap();
    house.grant("boss@one.test", &[RoleGrant::everywhere(Role::TenantAdministrator)]).await;
    house
}

async fn id(house: &House, address: &str) -> PrincipalId {
    match house.operator.person(&a(address)).await {
        Ok(person) => person.id,
        Err(_) => house.operator.group(&a(address)).await.unwrap().id,
    }
}

async fn may(house: &House, caller: &Caller, permission: Permission, address: &str) -> Result<(), Kind> {
    let tenant = house.tenant("One").await;
    house.directory.allow(caller, permission, tenant, id(house, address).await).await.map_err(|error| error.kind())
}

#[tokio::test(start_paused = true)]
async fn a_role_for_a_group_reaches_those_in_it_also_through_groups() {
    let house = company().await;
    let team = id(&house, "team@one.test").await;
    house.grant("bob@one.test", &[RoleGrant { role: Role::HelpDesk, within: Within::Group(team) }]).await;
    let bob = house.caller("bob@one.test").await;
    let tenant = house.tenant("One").await;
    for permission in [Permission::PasswordWrite, Permission::PersonRead, Permission::SessionWrite] {
        assert_eq!(may(&house, &bob, permission, "zoe@one.test").await, Ok(()));
        assert_eq!(may(&house, &bob, permission, "ann@one.test").await, Err(Kind::NotFound), "not in the group");
        assert_eq!(may(&house, &bob, permission, "bob@one.test").await, Err(Kind::NotFound), "oneself neither");
    }
    assert_eq!(may(&house, &bob, Permission::PersonWrite, "zoe@one.test").await, Err(Kind::Denied), "not of this role");
    assert_eq!(kind(bob.reach(Permission::TraceRead, tenant)), Kind::Denied, "the trace is of everybody");
    assert_eq!(kind(house.directory.allow_new(&bob, Permission::PersonWrite, tenant, &a("new@one.test"))), Kind::Denied);
    let reach = bob.reach(Permission::PersonRead, tenant).unwrap();
    let (zoe, ann) = (id(&house, "zoe@one.test").await, id(&house, "ann@one.test").await);
    assert_eq!(house.directory.within(&reach, tenant, &[ann, zoe]).await.unwrap(), [zoe]);
    house.operator.remove_member(&a("team@one.test"), &a("inner@one.test")).await.unwrap();
    assert_eq!(may(&house, &bob, Permission::PasswordWrite, "zoe@one.test").await, Err(Kind::NotFound), "no longer in it");
}

#[tokio::test(start_paused = true)]
async fn a_role_for_a_domain_reaches_those_whose_primary_address_is_in_it() {
    let house = company().await;
    house.operator.add_alias(&a("ann@one.test"), &a("ann@sub.test")).await.unwrap();
    house.grant("bob@one.test", &[RoleGrant { role: Role::RecipientManagement, within: Within::Domain(d("sub.test")) }]).await;
    let bob = house.caller("bob@one.test").await;
    let tenant = house.tenant("One").await;
    assert_eq!(may(&house, &bob, Permission::PersonWrite, "sam@sub.test").await, Ok(()));
    assert_eq!(may(&house, &bob, Permission::PersonWrite, "ann@one.test").await, Err(Kind::NotFound), "an alias is not enough");
    assert_eq!(may(&house, &bob, Permission::PersonRead, "zoe@one.test").await, Err(Kind::NotFound));
    let new = |address: &str| house.directory.allow_new(&bob, Permission::PersonWrite, tenant, &a(address)).map_err(|error| error.kind());
    assert_eq!((new("new@sub.test"), new("new@one.test")), (Ok(()), Err(Kind::Denied)));
}

#[tokio::test(start_paused = true)]
async fn another_tenant_is_not_there() {
    let house = company().await;
    let (two, eve) = (house.tenant("Two").await, house.account("eve@two.test").await.principal);
    let boss = house.caller("boss@one.test").await;
    let nobody = TenantId::new(&house.world.env());
    let text = |error: penfold_types::Error| (error.kind(), error.text().to_owned());
    for permission in Permission::ALL {
        let other = boss.reach(permission, two).map_err(text);
        assert_eq!(other, boss.reach(permission, nobody).map_err(text), "as one that does not exist");
        assert!(matches!(other, Err((Kind::NotFound, _))), "{permission:?}");
        let one = house.tenant("One").await;
        assert_eq!(kind(house.directory.allow(&boss, permission, one, eve).await), Kind::NotFound, "another tenant's id in one's own");
    }
    assert_eq!(
        kind(house.operator.address_of(two, boss.signed_in().unwrap().0.account.principal, PrincipalKind::Person).await),
        Kind::NotFound
    );
    assert_eq!(kind(house.operator.own_domain(two, &d("one.test")).await), Kind::NotFound);
    assert_eq!(kind(house.operator.id_of(two, &a("ann@one.test")).await), Kind::NotFound);
    let far = RoleGrant { role: Role::HelpDesk, within: Within::Domain(d("two.test")) };
    assert_eq!(kind(house.operator.set_roles(&a("ann@one.test"), &[far]).await), Kind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn nobody_changes_those_who_may_more() {
    let house = company().await;
    let grant = |role, within| RoleGrant { role, within };
    house.grant("bob@one.test", &[RoleGrant::everywhere(Role::HelpDesk)]).await;
    house.grant("ann@one.test", &[RoleGrant::everywhere(Role::HelpDesk)]).await;
    house.grant("sam@sub.test", &[RoleGrant::everywhere(Role::RecipientManagement)]).await;
    let bob = house.caller("bob@one.test").await;
    for (address, answer) in
        [("zoe@one.test", Ok(())), ("ann@one.test", Ok(())), ("sam@sub.test", Err(Kind::Denied)), ("boss@one.test", Err(Kind::Denied))]
    {
        assert_eq!(may(&house, &bob, Permission::PasswordWrite, address).await, answer, "{address}");
        assert_eq!(may(&house, &bob, Permission::PersonRead, address).await, Ok(()), "everybody is seen: {address}");
    }
    // Of one domain, an administrator is above none of the whole, and above no other one of the same.
    house.grant("bob@one.test", &[grant(Role::TenantAdministrator, Within::Domain(d("one.test")))]).await;
    house.grant("zoe@one.test", &[grant(Role::ReadOnly, Within::Domain(d("sub.test")))]).await;
    let bob = house.caller("bob@one.test").await;
    for (address, answer) in
        [("boss@one.test", Err(Kind::Denied)), ("ann@one.test", Err(Kind::Denied)), ("zoe@one.test", Err(Kind::Denied))]
    {
        assert_eq!(may(&house, &bob, Permission::PasswordWrite, address).await, answer, "{address}");
    }
    let tenant = house.tenant("One").await;
    assert_eq!(kind(bob.reach(Permission::RoleWrite, tenant)), Kind::Denied, "nor gives roles");
    assert_eq!(kind(bob.reach(Permission::TenantWrite, tenant)), Kind::Denied);
}

#[tokio::test(start_paused = true)]
async fn a_token_may_at_most_what_it_was_made_for_and_what_its_owner_may() {
    let house = company().await;
    let (tenant, boss) = (house.tenant("One").await, house.account("boss@one.test").await);
    let with = async |roles: Vec<RoleGrant>| {
        let new = NewSession { roles: Some(roles), ..session(SessionKind::Token) };
        let token = house.directory.open_session(boss, &new).await.unwrap().1;
        house.neighbour().authenticate(&token).await.unwrap()
    };
    let reader = with(vec![RoleGrant::everywhere(Role::ReadOnly)]).await;
    assert_eq!(reader.reach(Permission::PersonRead, tenant).unwrap(), Reach::Everybody);
    assert_eq!(kind(reader.reach(Permission::PersonWrite, tenant)), Kind::Denied);
    let desk = with(vec![RoleGrant::everywhere(Role::HelpDesk)]).await;
    assert_eq!(may(&house, &desk, Permission::PasswordWrite, "ann@one.test").await, Ok(()));
    assert_eq!(may(&house, &desk, Permission::PasswordWrite, "boss@one.test").await, Err(Kind::Denied), "its own owner may more");
    let nothing = with(vec![]).await;
    for permission in Permission::ALL {
        assert_eq!(kind(nothing.reach(permission, tenant)), Kind::Denied, "{permission:?}");
    }
    house.operator.create_person(&person("next@one.test")).await.unwrap();
    house.grant("next@one.test", &[RoleGrant::everywhere(Role::TenantAdministrator)]).await;
    house.grant("boss@one.test", &[]).await;
    assert_eq!(kind(with(vec![RoleGrant::everywhere(Role::ReadOnly)]).await.reach(Permission::PersonRead, tenant)), Kind::Denied);
}

#[tokio::test(start_paused = true)]
async fn a_role_that_was_taken_away_is_gone_at_once_and_everywhere() {
    let house = company().await;
    let (tenant, there) = (house.tenant("One").await, house.neighbour());
    house.grant("bob@one.test", &[RoleGrant::everywhere(Role::HelpDesk)]).await;
    let token = house.token("bob@one.test").await;
    assert!(there.authenticate(&token).await.unwrap().reach(Permission::PasswordWrite, tenant).is_ok());
    house.grant("bob@one.test", &[]).await;
    assert_eq!(kind(there.authenticate(&token).await.unwrap().reach(Permission::PasswordWrite, tenant)), Kind::Denied);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_keeps_somebody_who_administers_it() {
    let house = company().await;
    let suspend = PersonChange { status: Some(Status::Suspended), ..Default::default() };
    let last = async || {
        let boss = a("boss@one.test");
        assert_eq!(kind(house.operator.set_roles(&boss, &[RoleGrant::everywhere(Role::ReadOnly)]).await), Kind::Conflict);
        assert_eq!(kind(house.operator.delete_person(&boss).await), Kind::Conflict);
        assert_eq!(kind(house.operator.update_person(&boss, &suspend).await), Kind::Conflict);
    };
    last().await;
    // One for a part, and one who does not sign in, are none.
    house.grant("ann@one.test", &[RoleGrant { role: Role::TenantAdministrator, within: Within::Domain(d("one.test")) }]).await;
    house.grant("bob@one.test", &[RoleGrant::everywhere(Role::TenantAdministrator)]).await;
    house.operator.update_person(&a("bob@one.test"), &suspend).await.unwrap();
    last().await;
    let awake = PersonChange { status: Some(Status::Active), ..Default::default() };
    house.operator.update_person(&a("bob@one.test"), &awake).await.unwrap();
    house.operator.delete_person(&a("boss@one.test")).await.unwrap();
    assert_eq!(kind(house.operator.delete_person(&a("bob@one.test")).await), Kind::Conflict);
    house.operator.delete_person(&a("ann@one.test")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn what_a_row_says_that_nobody_knows_gives_nothing() {
    let house = company().await;
    let (tenant, account) = (house.tenant("One").await, house.account("ann@one.test").await);
    let key =
        house.partition(&format!("p#{tenant}#{}", account.principal)).into_iter().find(|(key, _)| key.sk().as_bytes() == b"p").unwrap();
    for text in ["emperor", "tenant-administrator@x:one.test", "Tenant-Administrator", "tenant-administrator@d:", "*", ",,"] {
        house.write(Write::put(key.0.clone(), key.1.clone().with("ro", text))).await;
        let ann = house.caller("ann@one.test").await;
        for permission in Permission::ALL {
            assert_eq!(kind(ann.reach(permission, tenant)), Kind::Denied, "{text} {permission:?}");
        }
    }
    house.write(Write::put(key.0.clone(), key.1.clone().with("ro", "emperor,help-desk"))).await;
    assert!(house.caller("ann@one.test").await.reach(Permission::PasswordWrite, tenant).is_ok(), "what is known beside it counts");
}
