use super::*;
use penfold_ports::Rights;
use std::collections::BTreeSet;

async fn id(house: &House, address: &str) -> penfold_types::PrincipalId {
    house.directory.resolve_now(&a(address)).await.unwrap().owner().unwrap().1
}

#[tokio::test(start_paused = true)]
async fn members_inside_outside_and_nested() {
    let house = house().await;
    for address in ["all@one.test", "team@one.test"] {
        house.operator.create_group(&group(address, PostPolicy::Members)).await.unwrap();
    }
    let team = [a("ann@one.test"), a("x@outside.test"), a("eve@two.test"), a("Ann@one.test")];
    assert_eq!(house.operator.add_members(&a("team@one.test"), &team).await.unwrap(), 3);
    assert_eq!(house.operator.add_members(&a("team@one.test"), &team).await.unwrap(), 0);
    assert_eq!(house.operator.add_members(&a("all@one.test"), &[a("team@one.test")]).await.unwrap(), 1);
    let tenant = house.operator.tenant("One").await.unwrap().id;
    let (members, next) = house.directory.members(tenant, id(&house, "team@one.test").await, None, 10).await.unwrap();
    let ann = id(&house, "ann@one.test").await;
    // Another tenant's person is somebody outside. Those of one domain stand together.
    assert_eq!(members, vec![Member::Mailbox(ann), Member::Outside(a("x@outside.test")), Member::Outside(a("eve@two.test"))]);
    assert_eq!(next, None);
    assert_eq!(kind(house.operator.add_members(&a("team@one.test"), &[a("nobody@one.test")]).await), Kind::NotFound);
    assert_eq!(kind(house.operator.add_members(&a("ann@one.test"), &team).await), Kind::Invalid);
    house.operator.remove_member(&a("team@one.test"), &a("x@outside.test")).await.unwrap();
    assert_eq!(kind(house.operator.remove_member(&a("team@one.test"), &a("x@outside.test")).await), Kind::NotFound);
    assert_eq!(kind(house.operator.remove_member(&a("team@one.test"), &a("bob@one.test")).await), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn no_group_is_in_itself() {
    let house = house().await;
    for name in ["a", "b", "c"] {
        house.operator.create_group(&group(&format!("{name}@one.test"), PostPolicy::Anyone)).await.unwrap();
    }
    let nest = |outer: &str, inner: &str| {
        let (operator, outer, inner) = (house.operator.clone(), a(&format!("{outer}@one.test")), a(&format!("{inner}@one.test")));
        async move { operator.add_members(&outer, &[inner]).await }
    };
    assert_eq!(kind(nest("a", "a").await), Kind::Conflict);
    nest("a", "b").await.unwrap();
    nest("b", "c").await.unwrap();
    assert_eq!(kind(nest("c", "a").await), Kind::Conflict);
    house.operator.remove_member(&a("b@one.test"), &a("c@one.test")).await.unwrap();
    // Two that would close a circle together: at most one of them is made.
    let (one, two) = tokio::join!(nest("b", "c"), nest("c", "a"));
    assert!(one.is_err() || two.is_err());
}

#[tokio::test(start_paused = true)]
async fn ten_thousand_members_come_in_pages() {
    let house = house().await;
    house.operator.create_group(&group("big@one.test", PostPolicy::Anyone)).await.unwrap();
    let members: Vec<_> = (0..10_000).map(|number| a(&format!("m{number}@far.test"))).collect();
    assert_eq!(house.operator.add_members(&a("big@one.test"), &members).await.unwrap(), 10_000);
    let (tenant, big) = (house.operator.tenant("One").await.unwrap().id, id(&house, "big@one.test").await);
    let (mut seen, mut after) = (BTreeSet::new(), None);
    loop {
        let (page, next) = house.directory.members(tenant, big, after.as_ref(), 500).await.unwrap();
        assert!(page.len() <= 500);
        seen.extend(page.into_iter().map(|member| format!("{member:?}")));
        match next {
            Some(key) => after = MemberKey::from_bytes(key.as_bytes()),
            None => break,
        }
    }
    assert_eq!(seen.len(), 10_000);
}

#[tokio::test(start_paused = true)]
async fn who_may_post() {
    let house = house().await;
    let tenant = house.operator.tenant("One").await.unwrap().id;
    for (address, policy) in [
        ("anyone@one.test", PostPolicy::Anyone),
        ("inside@one.test", PostPolicy::Inside),
        ("members@one.test", PostPolicy::Members),
        ("named@one.test", PostPolicy::Named),
        ("inner@one.test", PostPolicy::Inside),
    ] {
        house.operator.create_group(&group(address, policy)).await.unwrap();
    }
    house.operator.add_members(&a("inner@one.test"), &[a("ann@one.test"), a("x@outside.test")]).await.unwrap();
    house.operator.add_members(&a("members@one.test"), &[a("inner@one.test")]).await.unwrap();
    house.operator.add_alias(&a("bob@one.test"), &a("b@one.test")).await.unwrap();
    let change = GroupChange { add_posters: vec![a("bob@one.test"), a("y@outside.test")], ..Default::default() };
    let info = house.operator.update_group(&a("named@one.test"), &change).await.unwrap();
    assert_eq!(info.posters.len(), 2);
    let expected = [
        ("anyone@one.test", None, true),
        ("anyone@one.test", Some("z@outside.test"), true),
        ("inside@one.test", None, false),
        ("inside@one.test", Some("ann@one.test"), true),
        ("inside@one.test", Some("nobody@one.test"), false),
        ("inside@one.test", Some("eve@two.test"), false),
        ("members@one.test", Some("ann@one.test"), true),
        ("members@one.test", Some("bob@one.test"), false),
        ("members@one.test", Some("x@outside.test"), true),
        ("members@one.test", Some("z@outside.test"), false),
        ("named@one.test", Some("b@one.test"), true),
        ("named@one.test", Some("bob+x@one.test"), true),
        ("named@one.test", Some("y@outside.test"), true),
        ("named@one.test", Some("ann@one.test"), false),
        ("named@one.test", None, false),
    ];
    for (to, from, may) in expected {
        let group = id(&house, to).await;
        assert_eq!(house.directory.may_post(tenant, group, from.map(a).as_ref()).await.unwrap(), may, "{from:?} to {to}");
    }
    let two = house.operator.tenant("Two").await.unwrap().id;
    assert!(!house.directory.may_post(two, id(&house, "anyone@one.test").await, None).await.unwrap());
    let change = GroupChange { remove_posters: vec![a("bob@one.test")], ..Default::default() };
    assert_eq!(house.operator.update_group(&a("named@one.test"), &change).await.unwrap().posters, vec![a("y@outside.test")]);
}

#[tokio::test(start_paused = true)]
async fn a_shared_mailbox_is_opened_by_its_members_as_long_as_they_are() {
    let house = house().await;
    let shared = NewShared { address: a("info@one.test"), name: "Info".into(), quota: None };
    let account = house.operator.create_shared(&shared).await.unwrap();
    house.operator.add_shared_members(&a("info@one.test"), &[a("ann@one.test")]).await.unwrap();
    let ann = house.sign_in("ann@one.test", "secret").await.unwrap();
    let listed = house.directory.shared_mailboxes(&ann).await.unwrap();
    assert_eq!(listed, vec![SharedMailbox { principal: account.principal, address: a("info@one.test"), name: "Info".into() }]);
    let scope = house.directory.open_shared(&ann, account.principal).await.unwrap();
    assert_eq!((scope.account(), scope.viewer(), scope.rights()), (account, ann.account.principal, Rights::MEMBER));
    for address in ["bob@one.test", "eve@two.test"] {
        let other = house.sign_in(address, "secret").await.unwrap();
        assert_eq!(kind(house.directory.open_shared(&other, account.principal).await), Kind::NotFound);
        assert!(house.directory.shared_mailboxes(&other).await.unwrap().is_empty());
    }
    assert_eq!(kind(house.operator.add_shared_members(&a("info@one.test"), &[a("eve@two.test")]).await), Kind::Invalid);
    house.operator.remove_shared_member(&a("info@one.test"), &a("ann@one.test")).await.unwrap();
    assert_eq!(kind(house.directory.open_shared(&ann, account.principal).await), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn a_group_opens_no_mailbox() {
    let house = house().await;
    let team = house.operator.create_group(&group("team@one.test", PostPolicy::Anyone)).await.unwrap();
    house.operator.add_members(&a("team@one.test"), &[a("ann@one.test")]).await.unwrap();
    let ann = house.sign_in("ann@one.test", "secret").await.unwrap();
    assert_eq!(kind(house.directory.open_shared(&ann, team.principal).await), Kind::NotFound);
    assert_eq!(kind(house.directory.open_shared(&ann, id(&house, "bob@one.test").await).await), Kind::NotFound);
    assert_eq!(kind(house.operator.open_mailbox(&a("team@one.test"), "test").await), Kind::Invalid);
}
