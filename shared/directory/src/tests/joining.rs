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
async fn roles_that_an_older_version_gave_count() {
    let house = house().await;
    let (ann, bob) = (house.account("ann@one.test").await, house.account("bob@one.test").await);
    let group = made(&house, "team@one.test", GroupChange::default()).await;
    let roles = crate::roles::write(&[RoleGrant { role: Role::HelpDesk, within: Within::Group(group) }]);
    let key = crate::access::organisation(bob.tenant).principal(bob.principal, crate::rows::sk::principal());
    let write = Write::Update { key, set: vec![("ro".into(), roles.into())], remove: vec![], when: penfold_ports::When::Present };
    house.write(write).await;
    assert!(house.directory.is_for_roles(ann, group).await.unwrap());
    house.operator.set_roles(&a("bob@one.test"), &[]).await.unwrap();
    assert!(!house.directory.is_for_roles(ann, group).await.unwrap());
}

/// Whoever comes into the reach of a role is let in by who may say so.
#[tokio::test(start_paused = true)]
async fn where_roles_are_given_nobody_just_joins() {
    let house = house().await;
    let ann = house.account("ann@one.test").await;
    let group = made(&house, "team@one.test", joining(JoinPolicy::Open)).await;
    house.grant("bob@one.test", &[RoleGrant { role: Role::HelpDesk, within: Within::Group(group) }]).await;
    for _ in 0..2 {
        assert_eq!(house.operator.join(ann, group, "").await.unwrap(), Joined::Asked);
    }
    house.operator.answer(&a("team@one.test"), &a("ann@one.test"), true).await.unwrap();
    assert_eq!(house.operator.join(ann, group, "").await.unwrap(), Joined::Member);
    // Once no role is given, who asked comes in by themselves, and asks no more.
    house.operator.leave(ann, group).await.unwrap();
    assert_eq!(house.operator.join(ann, group, "").await.unwrap(), Joined::Asked);
    house.grant("bob@one.test", &[]).await;
    assert_eq!(house.operator.join(ann, group, "").await.unwrap(), Joined::Member);
    assert!(house.operator.join_requests(&a("team@one.test")).await.unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn who_is_added_asks_no_more_and_can_leave() {
    let house = house().await;
    let group = made(&house, "team@one.test", joining(JoinPolicy::Approval)).await;
    let mut all = Vec::new();
    for number in 0..35 {
        let address = a(&format!("p{number}@one.test"));
        let account = house.operator.create_person(&person(&address.to_string())).await.unwrap();
        if number % 30 != 7 {
            house.operator.join(account, group, "").await.unwrap();
        }
        all.push((address, account));
    }
    let addresses: Vec<_> = all.iter().map(|(address, _)| address.clone()).collect();
    assert_eq!(house.operator.add_members(&a("team@one.test"), &addresses).await.unwrap(), 35);
    assert!(house.operator.join_requests(&a("team@one.test")).await.unwrap().is_empty());
    for begins in [&b"j#"[..], b"asks#"] {
        assert!(house.world.rows().iter().all(|(key, _)| !key.sk().as_bytes().starts_with(begins)));
    }
    for (_, account) in &all {
        house.operator.leave(*account, group).await.unwrap();
        assert!(!house.directory.my_group(*account, group).await.unwrap().direct);
    }
    assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new());
}

/// An older version left the asking where somebody was added.
#[tokio::test(start_paused = true)]
async fn who_is_in_it_leaves_whatever_they_asked() {
    let house = house().await;
    let ann = house.account("ann@one.test").await;
    let group = made(&house, "team@one.test", joining(JoinPolicy::Approval)).await;
    house.operator.add_members(&a("team@one.test"), &[a("ann@one.test")]).await.unwrap();
    let key = crate::access::organisation(ann.tenant).member(group, crate::rows::sk::asker(ann.principal));
    house.write(Write::put(key, Row::new().with("at", 1u64))).await;
    house.operator.leave(ann, group).await.unwrap();
    assert!(listed(&house, false).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn nobody_comes_in_once_it_is_closed() {
    for seed in 0..20 {
        let house = seeded(seed).await;
        let ann = house.account("ann@one.test").await;
        let group = made(&house, "team@one.test", joining(JoinPolicy::Open)).await;
        let (there, team, closed) = (house.neighbour().operator(), a("team@one.test"), joining(JoinPolicy::Closed));
        let (joined, _) = tokio::join!(house.operator.join(ann, group, ""), there.update_group(&team, &closed));
        let acts = house.operator.audit_log(ann.tenant, house.directory.now().seconds() / 86_400, 100).await.unwrap();
        let at = |act: &str| acts.iter().find(|one| one.act == act).map(|one| one.number);
        assert_eq!(joined.is_ok(), at("member.join").is_some(), "seed {seed}: {joined:?}");
        assert!(at("member.join").is_none_or(|join| Some(join) < at("group.update")), "seed {seed}");
    }
}

/// Neither the items of a page nor the place where it ends tell of a hidden group.
#[tokio::test(start_paused = true)]
async fn pages_do_not_tell_what_is_hidden() {
    let house = house().await;
    let ann = house.account("ann@one.test").await;
    for name in ["b", "d", "f"] {
        made(&house, &format!("{name}@one.test"), joining(JoinPolicy::Open)).await;
    }
    made(&house, "e@one.test", joining(JoinPolicy::Closed)).await;
    let pages = async |limit: usize| {
        let (mut all, mut after) = (Vec::new(), None::<String>);
        loop {
            let page = house.directory.joinable_groups(ann, after.as_deref(), limit).await.unwrap();
            all.push((page.items.into_iter().map(|one| one.group.address.to_string()).collect::<Vec<_>>(), page.next.clone()));
            match page.next {
                Some(next) => after = Some(next),
                None => return all,
            }
        }
    };
    let before = [pages(1).await, pages(2).await, pages(10).await];
    assert_eq!(before[0].iter().flat_map(|(items, _)| items).collect::<Vec<_>>(), ["b@one.test", "d@one.test", "f@one.test"]);
    for name in ["a", "c", "cc", "ccc", "ee", "g", "h"] {
        let hidden = GroupChange { hidden: Some(true), ..joining(JoinPolicy::Open) };
        made(&house, &format!("{name}@one.test"), hidden).await;
    }
    assert_eq!([pages(1).await, pages(2).await, pages(10).await], before);
}

#[tokio::test(start_paused = true)]
async fn owners_put_only_what_is_theirs_into_groups_of_theirs() {
    let house = house().await;
    let ann = house.account("ann@one.test").await;
    let own = || GroupChange { add_owners: vec![a("ann@one.test")], ..Default::default() };
    made(&house, "crew@one.test", own()).await;
    made(&house, "hidden@one.test", GroupChange { hidden: Some(true), ..Default::default() }).await;
    made(&house, "all@one.test", GroupChange::default()).await;
    let allowed = async |address: &str| house.directory.allow_owned(ann, &[a("bob@one.test"), a(address)]).await;
    for address in ["crew@one.test", "ann@one.test", "eve@two.test", "x@elsewhere.test", "nobody@one.test"] {
        allowed(address).await.unwrap();
    }
    assert_eq!(kind(allowed("all@one.test").await), Kind::Denied);
    // As if it did not exist.
    let hidden = allowed("hidden@one.test").await.unwrap_err();
    let absent = house.operator.add_members(&a("crew@one.test"), &[a("nobody@one.test")]).await.unwrap_err();
    assert_eq!((hidden.kind(), hidden.text().replace("hidden@", "nobody@")), (absent.kind(), absent.text().to_owned()));
}

#[tokio::test(start_paused = true)]
async fn what_is_not_seen_is_not_left() {
    let house = house().await;
    let both = GroupChange { hidden: Some(true), may_leave: Some(true), ..Default::default() };
    let team = a("team@one.test");
    assert_eq!(kind(house.operator.create_group_with(&group("team@one.test", PostPolicy::Anyone), &both).await), Kind::Invalid);
    made(&house, "team@one.test", GroupChange { hidden: Some(true), ..Default::default() }).await;
    assert!(!house.operator.group(&team).await.unwrap().rules.may_leave);
    let leave = GroupChange { may_leave: Some(true), ..Default::default() };
    assert_eq!(kind(house.operator.update_group(&team, &leave).await), Kind::Invalid);
    let shown = GroupChange { hidden: Some(false), ..Default::default() };
    assert!(house.operator.update_group(&team, &shown).await.unwrap().rules.may_leave);
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
