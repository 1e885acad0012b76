//! People join, ask, leave and own groups without administering anything.

use super::*;
use penfold_types::PrincipalId;

async fn made(house: &House, address: &str, change: GroupChange) -> PrincipalId {
    house.operator.create_group_with(&group(address, PostPolicy::Owners), &change).await.unwrap().principal
}

fn joining(join: JoinPolicy) -> GroupChange {
    GroupChange { join: Some(join), ..Default::default() }
}

/// What ann has to do with her groups of one kind.
async fn listed(house: &House, owned: bool) -> Vec<String> {
    let found = house.neighbour().my_groups(house.account("ann@one.test").await, owned).await.unwrap();
    found.into_iter().map(|one| one.group.address.to_string()).collect()
}

async fn joinable(house: &House) -> Vec<String> {
    let page = house.directory.joinable_groups(house.account("ann@one.test").await, None, 10).await.unwrap();
    page.items.into_iter().map(|one| one.group.address.to_string()).collect()
}

#[tokio::test(start_paused = true)]
async fn open_groups_are_joined_at_once_and_closed_ones_by_nobody() {
    let house = house().await;
    let (ann, eve) = (house.account("ann@one.test").await, house.account("eve@two.test").await);
    let open = made(&house, "open@one.test", joining(JoinPolicy::Open)).await;
    let closed = made(&house, "closed@one.test", GroupChange { may_leave: Some(false), ..joining(JoinPolicy::Closed) }).await;
    let secret = made(&house, "secret@one.test", GroupChange { hidden: Some(true), ..joining(JoinPolicy::Open) }).await;
    let operator = house.operator.acting_as("ann@one.test");
    assert_eq!(joinable(&house).await, ["open@one.test"]);
    for _ in 0..2 {
        assert_eq!(operator.join(ann, open, "").await.unwrap(), Joined::Member);
    }
    assert_eq!((listed(&house, false).await, joinable(&house).await), (vec!["open@one.test".to_owned()], vec![]));
    assert_eq!(kind(operator.join(ann, closed, "").await), Kind::Denied);
    for group in [secret, ann.principal, eve.principal] {
        assert_eq!(kind(operator.join(ann, group, "").await), Kind::NotFound, "hidden, or none");
        assert_eq!(kind(house.directory.my_group(ann, group).await), Kind::NotFound);
    }
    assert_eq!(kind(operator.join(eve, open, "").await), Kind::NotFound, "of another organisation");
    operator.leave(ann, open).await.unwrap();
    assert_eq!(kind(operator.leave(ann, open).await), Kind::NotFound);
    house.operator.add_members(&a("closed@one.test"), &[a("ann@one.test")]).await.unwrap();
    assert_eq!(kind(operator.leave(ann, closed).await), Kind::Denied);
    let acts = house.operator.audit_log(ann.tenant, house.directory.now().seconds() / 86_400, 10).await.unwrap();
    assert!(acts.iter().any(|one| one.act == "member.join" && one.actor == "ann@one.test"));
    assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn who_asks_is_answered_once() {
    let house = house().await;
    let (ann, bob) = (house.account("ann@one.test").await, house.account("bob@one.test").await);
    let group = made(&house, "team@one.test", joining(JoinPolicy::Approval)).await;
    let (operator, team) = (&house.operator, a("team@one.test"));
    for _ in 0..2 {
        assert_eq!(operator.join(ann, group, "It is me.").await.unwrap(), Joined::Asked);
    }
    operator.join(bob, group, "").await.unwrap();
    let requests = operator.join_requests(&team).await.unwrap();
    assert_eq!((requests.len(), &requests[0].address, &*requests[0].words), (2, &a("ann@one.test"), "It is me."));
    assert!(house.directory.my_group(ann, group).await.unwrap().asked);
    operator.answer(&team, &a("ann@one.test"), true).await.unwrap();
    assert_eq!(listed(&house, false).await, ["team@one.test"]);
    assert_eq!(kind(operator.answer(&team, &a("ann@one.test"), true).await), Kind::NotFound);
    operator.answer(&team, &a("bob@one.test"), false).await.unwrap();
    assert_eq!(kind(operator.answer(&team, &a("bob@one.test"), true).await), Kind::NotFound);
    for nobody in ["nobody@one.test", "eve@two.test", "x@elsewhere.test"] {
        assert_eq!(kind(operator.answer(&team, &a(nobody), true).await), Kind::NotFound);
    }
    // Who takes it back, or is deleted, asks no more.
    operator.join(bob, group, "").await.unwrap();
    operator.leave(bob, group).await.unwrap();
    operator.join(bob, group, "").await.unwrap();
    operator.delete_person(&a("bob@one.test")).await.unwrap();
    assert!(operator.join_requests(&team).await.unwrap().is_empty());
    assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn of_two_answers_one_is_given() {
    for seed in 0..10 {
        let house = seeded(seed).await;
        let ann = house.account("ann@one.test").await;
        let group = made(&house, "team@one.test", joining(JoinPolicy::Approval)).await;
        house.operator.join(ann, group, "").await.unwrap();
        let (there, team, asker) = (house.neighbour().operator(), a("team@one.test"), a("ann@one.test"));
        let (yes, no) = tokio::join!(house.operator.answer(&team, &asker, true), there.answer(&team, &asker, false));
        assert!(yes.is_ok() != no.is_ok(), "seed {seed}: {yes:?} {no:?}");
        assert_eq!(!listed(&house, false).await.is_empty(), yes.is_ok());
    }
}

#[tokio::test(start_paused = true)]
async fn owners_are_people_and_see_what_is_hidden() {
    let house = house().await;
    let (ann, bob) = (house.account("ann@one.test").await, house.account("bob@one.test").await);
    let own = GroupChange { add_owners: vec![a("ann@one.test")], hidden: Some(true), ..Default::default() };
    let group = made(&house, "team@one.test", own).await;
    assert_eq!((listed(&house, true).await, listed(&house, false).await), (vec!["team@one.test".to_owned()], vec![]));
    house.operator.add_members(&a("team@one.test"), &[a("bob@one.test")]).await.unwrap();
    assert!(house.directory.my_groups(bob, false).await.unwrap().is_empty(), "hidden from its members too");
    assert_eq!(kind(house.directory.own_group(bob, group).await), Kind::NotFound);
    assert_eq!(house.directory.own_group(ann, group).await.unwrap().address, a("team@one.test"));
    let posts = async |from: &str| house.directory.may_post(ann.tenant, group, Some(&a(from))).await.unwrap();
    assert!(posts("ann@one.test").await && !posts("bob@one.test").await);
    let change = |owners: &[&str]| GroupChange { add_owners: owners.iter().map(|one| a(one)).collect(), ..Default::default() };
    for wrong in ["eve@two.test", "team@one.test", "x@elsewhere.test", "nobody@one.test"] {
        assert_eq!(kind(house.operator.update_group(&a("team@one.test"), &change(&[wrong])).await), Kind::Invalid, "{wrong}");
    }
    let info = house.operator.update_group(&a("team@one.test"), &change(&["bob@one.test", "bob@one.test"])).await.unwrap();
    assert_eq!(info.owners.len(), 2);
    let gone = GroupChange { remove_owners: vec![a("ann@one.test")], ..Default::default() };
    assert_eq!(house.operator.update_group(&a("team@one.test"), &gone).await.unwrap().owners, [a("bob@one.test")]);
    house.operator.delete_person(&a("bob@one.test")).await.unwrap();
    assert!(house.operator.group(&a("team@one.test")).await.unwrap().owners.is_empty());
    house.operator.update_group(&a("team@one.test"), &change(&["ann@one.test"])).await.unwrap();
    house.operator.delete_group(&a("team@one.test")).await.unwrap();
    assert!(house.partition("p#").iter().all(|(key, _)| !key.sk().as_bytes().starts_with(b"owns#")));
}

#[tokio::test(start_paused = true)]
async fn where_roles_are_given_owners_add_nobody() {
    let house = house().await;
    let ann = house.account("ann@one.test").await;
    let group = made(&house, "team@one.test", GroupChange { add_owners: vec![a("ann@one.test")], ..Default::default() }).await;
    assert!(!house.directory.is_for_roles(ann, group).await.unwrap());
    house.grant("bob@one.test", &[RoleGrant { role: Role::HelpDesk, within: Within::Group(group) }]).await;
    assert!(house.directory.is_for_roles(ann, group).await.unwrap());
    house.grant("bob@one.test", &[RoleGrant::everywhere(Role::HelpDesk)]).await;
    assert!(!house.directory.is_for_roles(ann, group).await.unwrap());
}

#[tokio::test(start_paused = true)]
async fn a_hundred_own_a_group_and_no_more() {
    let house = house().await;
    made(&house, "team@one.test", GroupChange::default()).await;
    let mut names = Vec::new();
    for number in 0..101 {
        names.push(a(&format!("p{number}@one.test")));
        house.operator.create_person(&person(&format!("p{number}@one.test"))).await.unwrap();
    }
    let add = |some: &[penfold_types::Address]| GroupChange { add_owners: some.to_vec(), ..Default::default() };
    for some in names[..100].chunks(20) {
        house.operator.update_group(&a("team@one.test"), &add(some)).await.unwrap();
    }
    assert_eq!(kind(house.operator.update_group(&a("team@one.test"), &add(&names[100..])).await), Kind::Limit);
    assert_eq!(kind(house.operator.update_group(&a("team@one.test"), &add(&names[..21])).await), Kind::Limit);
}
