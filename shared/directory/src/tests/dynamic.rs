//! Groups whose members are those who fit a filter: at once, everywhere, and for nobody's rights.

use super::*;
use penfold_types::PrincipalId;

fn is(of: Subject, text: &str) -> Rule {
    Rule::One(Condition { of, test: Test::Is(text.into()) })
}

fn sales() -> Filter {
    Filter { how: How::All, rules: vec![is(Subject::Attribute(Attribute::Department), "Sales")], shared_mailboxes: false }
}

fn department(text: Option<&str>) -> ProfileChange {
    ProfileChange { texts: [(Attribute::Department, text.map(str::to_owned))].into(), manager: None }
}

impl House {
    async fn dynamic(&self, address: &str, filter: Filter) -> PrincipalId {
        let more = GroupChange { filter: Some(filter), ..Default::default() };
        self.operator.create_group_with(&group(address, PostPolicy::Members), &more).await.unwrap().principal
    }

    async fn moves(&self, address: &str, text: Option<&str>) {
        let change = PersonChange { profile: department(text), ..Default::default() };
        self.operator.update_person(&a(address), &change).await.unwrap();
    }

    /// Whom delivery finds, in pages of `limit`, from another process.
    async fn found(&self, of: PrincipalId, limit: usize) -> Vec<PrincipalId> {
        let (directory, tenant, mut found, mut after) = (self.neighbour(), self.tenant("One").await, Vec::new(), None);
        loop {
            let (page, next) = directory.members(tenant, of, after.as_ref(), limit).await.unwrap();
            assert!(page.len() <= limit);
            found.extend(page.into_iter().map(|member| match member {
                Member::Mailbox(id) => id,
                other => panic!("{other:?}"),
            }));
            match next {
                Some(key) => {
                    assert!(key.goes_through_people() && key.as_bytes().len() < 400);
                    after = Some(MemberKey::from_bytes(key.as_bytes()).unwrap());
                }
                None => return found,
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn members_are_those_who_fit_at_this_moment() {
    let house = house().await;
    let (tenant, ann, bob) = (house.tenant("One").await, house.account("ann@one.test").await, house.account("bob@one.test").await);
    let team = house.dynamic("sales@one.test", sales()).await;
    house.operator.create_group(&group("all@one.test", PostPolicy::Members)).await.unwrap();
    house.operator.add_members(&a("all@one.test"), &[a("sales@one.test")]).await.unwrap();
    let all = house.operator.group(&a("all@one.test")).await.unwrap().id;
    let posts = async |group, from: &str| house.directory.may_post(tenant, group, Some(&a(from))).await.unwrap();
    assert!(house.found(team, 10).await.is_empty() && !posts(team, "ann@one.test").await);
    house.moves("ann@one.test", Some("SALES")).await;
    house.operator.add_alias(&a("ann@one.test"), &a("a@one.test")).await.unwrap();
    assert_eq!(house.found(team, 1).await, [ann.principal], "once, whatever names she has");
    assert!(posts(team, "a@one.test").await && posts(all, "ann@one.test").await && !posts(all, "bob@one.test").await);
    assert_eq!(house.directory.groups_above(tenant, ann.principal).await.unwrap(), [team, all].into());
    let (listed, _) = house.operator.list_members(&a("sales@one.test"), None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|one| &one.address).collect::<Vec<_>>(), [&a("ann@one.test")]);
    // Somebody else's department, and another filter, count at once.
    house.moves("bob@one.test", Some("Sales")).await;
    house.moves("ann@one.test", None).await;
    assert_eq!(house.found(team, 1).await, [bob.principal]);
    let everybody = Filter { rules: vec![is(Subject::Domain, "one.test")], ..sales() };
    let change = GroupChange { filter: Some(everybody.clone()), ..Default::default() };
    assert_eq!(house.operator.update_group(&a("sales@one.test"), &change).await.unwrap().filter, Some(everybody));
    assert_eq!(house.found(team, 1).await.len(), 2);
    house.operator.delete_person(&a("bob@one.test")).await.unwrap();
    assert_eq!(house.found(team, 2).await, [ann.principal]);
    assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new());
    house.operator.delete_group(&a("sales@one.test")).await.unwrap();
    assert!(house.found(team, 2).await.is_empty());
    assert!(house.partition("t#").iter().all(|(key, _)| !key.sk().as_bytes().starts_with(b"filter#")));
}

#[tokio::test(start_paused = true)]
async fn nobody_is_added_to_one_and_groups_are_in_none() {
    let house = house().await;
    house.dynamic("sales@one.test", sales()).await;
    house.operator.create_group(&group("team@one.test", PostPolicy::Anyone)).await.unwrap();
    house.moves("ann@one.test", Some("Sales")).await;
    let dynamic = a("sales@one.test");
    assert_eq!(kind(house.operator.add_members(&dynamic, &[a("bob@one.test")]).await), Kind::Conflict);
    assert_eq!(kind(house.operator.add_members(&dynamic, &[a("team@one.test")]).await), Kind::Conflict);
    assert_eq!(kind(house.operator.remove_member(&dynamic, &a("ann@one.test")).await), Kind::Conflict);
    let change = GroupChange { filter: Some(sales()), ..Default::default() };
    assert_eq!(kind(house.operator.update_group(&a("team@one.test"), &change).await), Kind::Conflict, "it has members of its own");
    let bad = GroupChange { filter: Some(Filter { rules: vec![], ..sales() }), ..Default::default() };
    assert_eq!(kind(house.operator.create_group_with(&group("bad@one.test", PostPolicy::Anyone), &bad).await), Kind::Invalid);
    assert_eq!(kind(house.operator.update_group(&dynamic, &bad).await), Kind::Invalid);
}

#[tokio::test(start_paused = true)]
async fn shared_mailboxes_are_chosen_where_that_is_asked() {
    let house = house().await;
    let new = NewShared { address: a("info@one.test"), name: "Info".into(), quota: None };
    let info = house.operator.create_shared_with(&new, &department(Some("Sales"))).await.unwrap().principal;
    house.moves("ann@one.test", Some("Sales")).await;
    let ann = house.account("ann@one.test").await.principal;
    let (people, both) =
        (house.dynamic("p@one.test", sales()).await, house.dynamic("b@one.test", Filter { shared_mailboxes: true, ..sales() }).await);
    assert_eq!(house.found(people, 1).await, [ann]);
    assert_eq!(house.found(both, 1).await, [ann, info]);
}

#[tokio::test(start_paused = true)]
async fn so_many_filters_and_no_more() {
    let house = house().await;
    for number in 0..100 {
        house.dynamic(&format!("g{number}@one.test"), sales()).await;
    }
    let more = GroupChange { filter: Some(sales()), ..Default::default() };
    assert_eq!(kind(house.operator.create_group_with(&group("more@one.test", PostPolicy::Anyone), &more).await), Kind::Limit);
    house.operator.delete_group(&a("g0@one.test")).await.unwrap();
    house.operator.create_group_with(&group("more@one.test", PostPolicy::Anyone), &more).await.unwrap();
}

/// A role for a dynamic group reaches those who fit; and who may only change a part of the people takes nobody into it.
#[tokio::test(start_paused = true)]
async fn nobody_widens_a_reach_by_what_is_known_of_people() {
    let house = house().await;
    house.operator.create_domain("One", &d("sub.test")).await.unwrap();
    for address in ["sam@sub.test", "boss@one.test", "zoe@one.test"] {
        house.operator.create_person(&person(address)).await.unwrap();
    }
    let (tenant, team) = (house.tenant("One").await, house.dynamic("sales@one.test", sales()).await);
    let other = Filter { rules: vec![is(Subject::Attribute(Attribute::Department), "Post")], ..sales() };
    house.dynamic("post@one.test", other).await;
    house.moves("ann@one.test", Some("Sales")).await;
    let desk = RoleGrant { role: Role::HelpDesk, within: Within::Group(team) };
    let recipients = RoleGrant { role: Role::RecipientManagement, within: Within::Domain(d("sub.test")) };
    house.grant("bob@one.test", &[desk, recipients]).await;
    house.grant("boss@one.test", &[RoleGrant::everywhere(Role::TenantAdministrator)]).await;
    house.grant("zoe@one.test", &[RoleGrant::everywhere(Role::RecipientManagement)]).await;
    let (bob, boss, zoe) = (house.caller("bob@one.test").await, house.caller("boss@one.test").await, house.caller("zoe@one.test").await);
    let sam = house.account("sam@sub.test").await.principal;
    let may = async |who: &str| {
        let subject = house.account(who).await.principal;
        house.directory.allow(&bob, Permission::PasswordWrite, tenant, subject).await.map_err(|error| error.kind())
    };
    assert_eq!((may("ann@one.test").await, may("sam@sub.test").await), (Ok(()), Err(Kind::NotFound)));
    let allowed = async |caller: &Caller, text: Option<&str>| {
        let answer = house.directory.allow_profile(caller, tenant, sam, &department(text)).await;
        answer.map_err(|error| error.kind())
    };
    assert_eq!(allowed(&bob, Some("Sales")).await, Err(Kind::Denied), "his own role would reach sam");
    assert_eq!((allowed(&bob, Some("Post")).await, allowed(&bob, None).await), (Ok(()), Ok(())), "no role is for that group");
    assert_eq!((allowed(&boss, Some("Sales")).await, allowed(&zoe, Some("Sales")).await), (Ok(()), Ok(())));
    house.moves("sam@sub.test", Some("Sales")).await;
    assert_eq!(may("sam@sub.test").await, Ok(()));
    assert_eq!(allowed(&bob, Some("sales")).await, Ok(()), "who is in it already");
    // By a group around it just so, until nobody has a role there.
    house.moves("sam@sub.test", None).await;
    house.operator.create_group(&group("all@one.test", PostPolicy::Anyone)).await.unwrap();
    house.operator.add_members(&a("all@one.test"), &[a("sales@one.test")]).await.unwrap();
    let all = house.operator.group(&a("all@one.test")).await.unwrap().id;
    house.grant("bob@one.test", &[RoleGrant { role: Role::HelpDesk, within: Within::Group(all) }]).await;
    assert_eq!(allowed(&bob, Some("Sales")).await, Err(Kind::Denied));
    house.grant("bob@one.test", &[]).await;
    assert_eq!(allowed(&bob, Some("Sales")).await, Ok(()));
    // Administrators are above all that.
    house.moves("boss@one.test", Some("Sales")).await;
    house.grant("bob@one.test", &[RoleGrant { role: Role::HelpDesk, within: Within::Group(team) }]).await;
    let boss = house.account("boss@one.test").await.principal;
    let bob = house.caller("bob@one.test").await;
    assert_eq!(kind(house.directory.allow(&bob, Permission::PasswordWrite, tenant, boss).await), Kind::Denied);
    house.operator.delete_person(&a("bob@one.test")).await.unwrap();
    assert!(house.partition("g#").iter().all(|(key, _)| !key.sk().as_bytes().starts_with(b"r#")), "the role is gone with its holder");
}

/// What is known of people takes nobody to folders that are open to a group, be they there already or new.
#[tokio::test(start_paused = true)]
async fn nobody_opens_folders_by_what_is_known_of_people() {
    let house = house().await;
    house.operator.create_domain("One", &d("sub.test")).await.unwrap();
    house.operator.create_person(&person("sam@sub.test")).await.unwrap();
    let (tenant, ann) = (house.tenant("One").await, house.account("ann@one.test").await.principal);
    house.dynamic("sales@one.test", sales()).await;
    house.operator.create_group(&group("all@one.test", PostPolicy::Anyone)).await.unwrap();
    house.operator.add_members(&a("all@one.test"), &[a("sales@one.test")]).await.unwrap();
    let all = house.operator.group(&a("all@one.test")).await.unwrap().id;
    house.grant("bob@one.test", &[RoleGrant { role: Role::RecipientManagement, within: Within::Domain(d("sub.test")) }]).await;
    let (bob, sam) = (house.caller("bob@one.test").await, house.account("sam@sub.test").await.principal);
    let allowed = async || {
        let change = department(Some("Sales"));
        let there = house.directory.allow_profile(&bob, tenant, sam, &change).await.map_err(|error| error.kind());
        let new = house.directory.allow_new_profile(&bob, tenant, PrincipalKind::Person, &a("new@sub.test"), &change).await;
        assert_eq!(there, new.map_err(|error| error.kind()));
        there
    };
    assert_eq!(allowed().await, Ok(()));
    let key = crate::access::organisation(tenant).principal(all, crate::rows::sk::open_to(ann));
    house.write(Write::put(key, Row::new().with("v", 1u64))).await;
    assert_eq!(allowed().await, Err(Kind::Denied));
}
