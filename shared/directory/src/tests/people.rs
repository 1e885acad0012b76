use super::*;
use crate::operator::Quota;
use std::time::Duration;

#[tokio::test(start_paused = true)]
async fn an_address_belongs_to_one() {
    let house = house().await;
    assert_eq!(kind(house.operator.create_person(&person("ANN@one.test")).await), Kind::Conflict);
    assert_eq!(kind(house.operator.create_group(&group("ann@one.test", PostPolicy::Anyone)).await), Kind::Conflict);
    assert_eq!(kind(house.operator.create_person(&person("x@three.test")).await), Kind::NotFound);
    assert_eq!(kind(house.operator.add_alias(&a("ann@one.test"), &a("bob@one.test")).await), Kind::Conflict);
    assert_eq!(kind(house.operator.add_alias(&a("ann@one.test"), &a("ann@two.test")).await), Kind::Conflict);
}

#[tokio::test(start_paused = true)]
async fn of_many_who_want_an_address_one_gets_it() {
    let house = house().await;
    let tasks: Vec<_> = (0..20)
        .map(|_| {
            let operator = house.operator.clone();
            tokio::spawn(async move { operator.create_person(&person("new@one.test")).await.is_ok() })
        })
        .collect();
    let mut winners = 0;
    for task in tasks {
        winners += u32::from(task.await.unwrap());
    }
    assert_eq!(winners, 1);
    let tenant = house.operator.tenant("one").await.unwrap().id;
    assert_eq!(house.operator.people(tenant, None, 100).await.unwrap().items.len(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_does_nothing_twice() {
    let house = house().await;
    house.world.faults(Faults { lost: 3_000, ..Faults::NONE });
    for number in 0..30 {
        let address = format!("new{number}@one.test");
        house.operator.create_person(&person(&address)).await.unwrap();
        house.operator.set_password(&a(&address), "other").await.unwrap();
        assert!(house.sign_in(&address, "other").await.is_ok());
    }
    assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn the_exact_address_is_asked_before_the_one_without_detail() {
    let house = house().await;
    let (ann, bob) =
        (house.directory.resolve(&a("ann@one.test")).await.unwrap(), house.directory.resolve(&a("bob@one.test")).await.unwrap());
    assert_ne!(ann, bob);
    assert_eq!(house.directory.resolve(&a("ann+news@one.test")).await.unwrap(), ann);
    house.operator.add_alias(&a("bob@one.test"), &a("ann+bob@one.test")).await.unwrap();
    assert_eq!(house.directory.resolve(&a("Ann+Bob@one.test")).await.unwrap(), bob);
    assert_eq!(house.directory.resolve(&a("nobody@one.test")).await.unwrap(), Recipient::Unknown);
    assert_eq!(house.directory.resolve(&a("ann@elsewhere.test")).await.unwrap(), Recipient::Outside);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_never_remembered_and_somebody_for_a_minute() {
    let house = house().await;
    let other = house.neighbour();
    assert_eq!(other.resolve(&a("new@one.test")).await.unwrap(), Recipient::Unknown);
    house.operator.create_person(&person("new@one.test")).await.unwrap();
    let found = other.resolve(&a("new@one.test")).await.unwrap();
    assert!(matches!(found, Recipient::Mailbox(_)));
    house.operator.delete_person(&a("new@one.test")).await.unwrap();
    assert_eq!(house.directory.resolve(&a("new@one.test")).await.unwrap(), Recipient::Unknown);
    assert_eq!(other.resolve(&a("new@one.test")).await.unwrap(), found);
    assert_eq!(other.resolve_now(&a("new@one.test")).await.unwrap(), Recipient::Unknown);
    tokio::time::advance(Duration::from_secs(61)).await;
    assert_eq!(other.resolve(&a("new@one.test")).await.unwrap(), Recipient::Unknown);
}

#[tokio::test(start_paused = true)]
async fn a_person_sends_as_their_own_addresses_only() {
    let house = house().await;
    house.operator.add_alias(&a("ann@one.test"), &a("a.nn@one.test")).await.unwrap();
    let ann = house.sign_in("a.nn@one.test", "secret").await.unwrap();
    assert_eq!(ann.address, a("ann@one.test"));
    for (from, may) in [
        ("ann@one.test", true),
        ("a.nn@one.test", true),
        ("ann+x@one.test", true),
        ("bob@one.test", false),
        ("eve@two.test", false),
        ("x@y.test", false),
    ] {
        assert_eq!(house.directory.send_right(&ann, &a(from)).await.unwrap().is_some(), may, "{from}");
    }
    house.operator.remove_alias(&a("ann@one.test"), &a("a.nn@one.test")).await.unwrap();
    assert!(house.directory.send_right(&ann, &a("a.nn@one.test")).await.unwrap().is_none());
    assert_eq!(kind(house.operator.remove_alias(&a("ann@one.test"), &a("ann@one.test")).await), Kind::Invalid);
    assert_eq!(kind(house.operator.remove_alias(&a("ann@one.test"), &a("bob@one.test")).await), Kind::NotFound);
}

#[tokio::test(start_paused = true)]
async fn quotas_have_a_default_and_an_override() {
    let house = house().await;
    let account = house.sign_in("ann@one.test", "secret").await.unwrap().account;
    assert_eq!(house.directory.quota(account).await.unwrap(), 50 << 30);
    let change = PersonChange { quota: Some(Quota::Bytes(7)), name: Some("Ann".into()), ..Default::default() };
    assert_eq!(house.operator.update_person(&a("ann@one.test"), &change).await.unwrap().name, "Ann");
    assert_eq!(house.directory.quota(account).await.unwrap(), 7);
    let change = PersonChange { quota: Some(Quota::Default), ..Default::default() };
    assert!(!house.operator.update_person(&a("ann@one.test"), &change).await.unwrap().quota_is_own);
    assert_eq!(house.directory.quota(account).await.unwrap(), 50 << 30);
}

#[tokio::test(start_paused = true)]
async fn a_deleted_person_leaves_the_addresses_free_and_no_row_but_a_mark() {
    let house = house().await;
    let before = keys(&house);
    house.operator.create_person(&person("new@one.test")).await.unwrap();
    for number in 0..60 {
        house.operator.add_alias(&a("new@one.test"), &a(&format!("n{number}@one.test"))).await.unwrap();
    }
    house.operator.create_app_password(&a("new@one.test"), "phone", &[]).await.unwrap();
    house.operator.create_group(&group("team@one.test", PostPolicy::Anyone)).await.unwrap();
    house.operator.add_members(&a("team@one.test"), &[a("new@one.test"), a("ann@one.test")]).await.unwrap();
    house.operator.create_shared(&NewShared { address: a("info@one.test"), name: "Info".into(), quota: None }).await.unwrap();
    house.operator.add_shared_members(&a("info@one.test"), &[a("new@one.test")]).await.unwrap();
    house.operator.set_send_right(&a("new@one.test"), &a("ann@one.test"), Some(SendRight::As)).await.unwrap();
    house.operator.delete_person(&a("new@one.test")).await.unwrap();
    assert!(house.sign_in("new@one.test", "secret").await.is_err());
    assert_eq!(house.operator.list_members(&a("team@one.test"), None, 10).await.unwrap().0.len(), 1);
    house.operator.delete_group(&a("team@one.test")).await.unwrap();
    house.operator.delete_shared(&a("info@one.test")).await.unwrap();
    let after = keys(&house);
    let left: Vec<_> = after.iter().filter(|key| !before.contains(key)).map(|key| key.sk().as_bytes()[..5].to_vec()).collect();
    assert_eq!(left, vec![b"gone#".to_vec(); 2]);
    house.operator.create_person(&person("n7@one.test")).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn lists_come_in_pages() {
    let house = house().await;
    for number in 0..25 {
        house.operator.create_person(&person(&format!("p{number:02}@one.test"))).await.unwrap();
    }
    house.operator.add_alias(&a("ann@one.test"), &a("p99@one.test")).await.unwrap();
    let tenant = house.operator.tenant("One").await.unwrap().id;
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = house.operator.people(tenant, after.as_deref(), 7).await.unwrap();
        seen.extend(page.items.into_iter().map(|one| one.address.to_string()));
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), 27);
    assert!(seen.is_sorted());
    let one = house.operator.person(&a("p99@one.test")).await.unwrap();
    assert_eq!(one.aliases, vec![a("p99@one.test")]);
}

/// RFC 5321 §4.5.1
#[tokio::test(start_paused = true)]
async fn every_domain_has_a_postmaster() {
    let house = house().await;
    let found = async |address: &str| house.directory.resolve_now(&a(address)).await.unwrap();
    let first = found("ann@one.test").await;
    assert_eq!(found("PostMaster@one.test").await, first, "the first person of the organisation");
    assert_eq!(found("postmaster@three.test").await, Recipient::Outside);
    house.operator.add_alias(&a("bob@one.test"), &a("postmaster@one.test")).await.unwrap();
    assert_eq!(found("postmaster@one.test").await, found("bob@one.test").await);
}

#[tokio::test(start_paused = true)]
async fn what_is_known_of_people_stands_in_their_row() {
    let house = house().await;
    let (ann, boss) = (a("ann@one.test"), house.account("bob@one.test").await.principal);
    let sales = ProfileChange { texts: [(Attribute::Department, Some("Sales".to_owned()))].into(), manager: Some(Some(boss)) };
    let change = PersonChange { profile: sales.clone(), ..Default::default() };
    let info = house.operator.update_person(&ann, &change).await.unwrap();
    assert_eq!((info.profile.get(Attribute::Department), info.profile.manager), (Some("Sales"), Some(boss)));
    house.operator.create_person_with(&person("new@one.test"), &sales).await.unwrap();
    assert_eq!(house.operator.person(&a("new@one.test")).await.unwrap().profile, info.profile);
    // Nobody manages themselves, nor does somebody of another organisation, or a group.
    let eve = house.account("eve@two.test").await.principal;
    let team = house.operator.create_group(&group("team@one.test", PostPolicy::Anyone)).await.unwrap().principal;
    for manager in [house.account("ann@one.test").await.principal, eve, team] {
        let profile = ProfileChange { manager: Some(Some(manager)), ..Default::default() };
        assert_eq!(kind(house.operator.update_person(&ann, &PersonChange { profile, ..Default::default() }).await), Kind::Invalid);
    }
    let long = ProfileChange { texts: [(Attribute::City, Some("x".repeat(129)))].into(), ..Default::default() };
    assert_eq!(kind(house.operator.create_person_with(&person("late@one.test"), &long).await), Kind::Invalid);
    // A deletion keeps it, and so does the way back; what is taken away is gone.
    house.operator.delete_person(&a("new@one.test")).await.unwrap();
    let gone = house.operator.deleted(house.tenant("One").await).await.unwrap();
    house.operator.restore(house.tenant("One").await, gone[0].id).await.unwrap();
    assert_eq!(house.operator.person(&a("new@one.test")).await.unwrap().profile, info.profile);
    let none = ProfileChange { texts: [(Attribute::Department, None)].into(), manager: Some(None) };
    let info = house.operator.update_person(&ann, &PersonChange { profile: none, ..Default::default() }).await.unwrap();
    assert_eq!(info.profile, Profile::default());
}
