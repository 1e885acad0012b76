use super::*;

#[tokio::test(start_paused = true)]
async fn a_role_for_a_domain_sees_and_makes_only_those_in_it() {
    let house = house().await;
    house
        .grant("bob@one.test", &[RoleGrant { role: Role::RecipientManagement, within: Within::Domain("sub.test".parse().unwrap()) }])
        .await;
    let bob = house.token("bob@one.test").await;
    assert_eq!(house.ask("GET", &house.own("/people"), &bob, None).await.addresses(), ["sam@sub.test"]);
    assert_eq!(house.ask("GET", &house.person("ann@one.test", "").await, &bob, None).await.status, 404);
    let new = |address: &str| Some(json!({ "address": address, "name": "N" }));
    assert_eq!(house.ask("POST", &house.own("/people"), &bob, new("n@sub.test")).await.status, 201);
    assert_eq!(house.ask("POST", &house.own("/people"), &bob, new("n@one.test")).await.status, 403);
    let sam = house.person("sam@sub.test", "/aliases").await;
    let alias = |address: &str| Some(json!({ "address": address }));
    assert_eq!(house.ask("POST", &sam, &bob, alias("s@one.test")).await.status, 403, "nor an address elsewhere");
    assert_eq!(house.ask("POST", &sam, &bob, alias("s@sub.test")).await.status, 201);
    assert_eq!(house.ask("GET", &house.own("/deleted"), &bob, None).await.status, 403);
    assert_eq!(house.ask("PATCH", &house.own(""), &bob, Some(json!({ "name": "Mine" }))).await.status, 403);
}

/// Whoever manages a group takes nobody into it whom they do not reach: their roles would reach them then.
#[tokio::test(start_paused = true)]
async fn nobody_widens_their_own_reach_by_members() {
    let house = house().await;
    let operator = house.directory.operator();
    for address in ["team@one.test", "inner@one.test"] {
        let new = penfold_directory::NewGroup { address: a(address), name: "G".into(), who_may_post: Default::default() };
        operator.create_group(&new).await.unwrap();
    }
    operator.add_members(&a("team@one.test"), &[a("inner@one.test"), a("sam@sub.test")]).await.unwrap();
    let (team, inner) = (operator.group(&a("team@one.test")).await.unwrap().id, operator.group(&a("inner@one.test")).await.unwrap().id);
    house.grant("bob@one.test", &[RoleGrant { role: Role::RecipientManagement, within: Within::Group(team) }]).await;
    let bob = house.token("bob@one.test").await;
    let members = house.own(&format!("/groups/{inner}/members"));
    let add = async |address: &str| house.ask("POST", &members, &bob, Some(json!({ "addresses": [address] }))).await.status;
    assert_eq!(add("ann@one.test").await, 404);
    assert_eq!(add("bob@one.test").await, 404);
    assert_eq!(add("sam@sub.test").await, 200, "who is in reach already");
    assert_eq!(add("x@elsewhere.test").await, 200, "and who is of no tenant of ours");
    let boss = house.token("boss@one.test").await;
    assert_eq!(house.ask("GET", &members, &boss, None).await.addresses(), ["sam@sub.test", "x@elsewhere.test"]);
    let outer = house.own(&format!("/groups/{team}/members"));
    assert_eq!(
        house.ask("POST", &outer, &bob, Some(json!({ "addresses": ["ann@one.test"] }))).await.status,
        404,
        "the group itself is not in it"
    );
}

#[tokio::test(start_paused = true)]
async fn the_help_desk_becomes_nobody_who_may_more() {
    let house = house().await;
    house.grant("bob@one.test", &[RoleGrant::everywhere(Role::HelpDesk)]).await;
    let bob = house.token("bob@one.test").await;
    let password = Some(json!({ "password": "plum cactus orbit" }));
    for (address, status) in [("ann@one.test", 204), ("boss@one.test", 403)] {
        assert_eq!(house.ask("PUT", &house.person(address, "/password").await, &bob, password.clone()).await.status, status, "{address}");
        assert_eq!(house.ask("DELETE", &house.person(address, "/second-factor").await, &bob, None).await.status, status);
        assert_eq!(house.ask("DELETE", &house.person(address, "/sessions").await, &bob, None).await.status, status);
        let app = house.ask("POST", &house.person(address, "/app-passwords").await, &bob, Some(json!({ "name": "x" }))).await;
        assert_eq!(app.status, if status == 204 { 201 } else { 403 });
    }
    let all = Some(json!({ "roles": [{ "role": "tenant-administrator" }] }));
    for address in ["ann@one.test", "bob@one.test"] {
        assert_eq!(house.ask("PUT", &house.person(address, "/roles").await, &bob, all.clone()).await.status, 403);
    }
    let eve = house.token("eve@two.test").await;
    assert_eq!(house.ask("PUT", &house.person("ann@one.test", "/password").await, &eve, password).await.status, 404);
}

#[tokio::test(start_paused = true)]
async fn roles_read_back_and_the_last_administrator_stays() {
    let house = house().await;
    let boss = house.token("boss@one.test").await;
    let ann = house.person("ann@one.test", "/roles").await;
    let roles = json!({ "roles": [{ "role": "help-desk", "domain": "sub.test" }, { "role": "read-only" }] });
    let set = house.ask("PUT", &ann, &boss, Some(roles)).await;
    assert_eq!(set.status, 200);
    assert_eq!(house.ask("GET", &ann, &boss, None).await.body, set.body);
    for (roles, pointer) in [
        (json!([{ "role": "emperor" }]), "/roles/0/role"),
        (json!([{ "role": "records" }, { "role": "records", "group": "x" }]), "/roles/1/group"),
        (json!([{ "role": "records", "domain": "sub.test", "group": "0" }]), "/roles/0"),
    ] {
        let answer = house.ask("PUT", &ann, &boss, Some(json!({ "roles": roles }))).await;
        assert_eq!((answer.status, answer.pointer()), (422, pointer));
    }
    let far = json!({ "roles": [{ "role": "records", "domain": "two.test" }] });
    assert_eq!(house.ask("PUT", &ann, &boss, Some(far)).await.status, 422);
    let own = house.person("boss@one.test", "").await;
    assert_eq!(house.ask("PUT", &format!("{own}/roles"), &boss, Some(json!({ "roles": [] }))).await.status, 409);
    assert_eq!(house.ask("DELETE", &own, &boss, None).await.status, 409);
    assert_eq!(house.ask("PATCH", &own, &boss, Some(json!({ "status": "suspended" }))).await.status, 409);
}

/// Whose roles are for a part makes no owners, and opens no folders, beyond it; who is beyond it is told like nobody.
#[tokio::test(start_paused = true)]
async fn owners_and_folders_stay_within_reach() {
    let house = house().await;
    let part = Within::Domain("sub.test".parse().unwrap());
    let roles = [RoleGrant { role: Role::RecipientManagement, within: part }];
    house.grant("bob@one.test", &roles).await;
    let bob = house.token("bob@one.test").await;
    let new = |name: &str, owner: &str| Some(json!({ "address": format!("{name}@sub.test"), "name": "G", "owners": [owner] }));
    let made = house.ask("POST", &house.own("/groups"), &bob, new("g", "sam@sub.test")).await;
    assert_eq!(made.status, 201);
    let beyond = house.ask("POST", &house.own("/groups"), &bob, new("h", "bob@one.test")).await;
    let nobody = house.ask("POST", &house.own("/groups"), &bob, new("h", "nobody@one.test")).await;
    assert_eq!((beyond.status, beyond.text("detail").replace("bob@", "nobody@")), (422, nobody.text("detail").to_owned()));
    let group = house.own(&format!("/groups/{}", made.text("id")));
    let change = house.change("PATCH", &group, &bob, made.tag(), Some(json!({ "add_owners": ["bob@one.test"] }))).await;
    assert_eq!(change.status, 422);
    for (join, status) in [("open", 403), ("approval", 200)] {
        assert_eq!(house.change("PATCH", &group, &bob, made.tag(), Some(json!({ "join": join }))).await.status, status, "{join}");
    }

    let folders = house.person("sam@sub.test", "/folders").await;
    let boss = house.token("boss@one.test").await;
    let listed = house.ask("GET", &folders, &boss, None).await;
    let folder = listed.body["items"][0]["id"].as_str().unwrap().to_owned();
    let rights = Some(json!({ "role": "reviewer" }));
    let set = async |who: &str, by: &str| house.ask("PUT", &format!("{folders}/{folder}/rights/{who}"), by, rights.clone()).await.status;
    for who in ["bob@one.test", "ann@one.test", "nobody@one.test", "eve@two.test"] {
        assert_eq!(set(who, &bob).await, 404, "{who}");
    }
    assert_eq!((set("anyone", &bob).await, set("g@sub.test", &bob).await), (403, 204));
    assert_eq!((set("anyone", &boss).await, set("ann@one.test", &boss).await), (204, 204));
    // What is open already may be taken back by both.
    let back = house.ask("DELETE", &format!("{folders}/{folder}/rights/ann@one.test"), &bob, None).await;
    assert_eq!(back.status, 204);
}

/// Whoever is let in comes into the reach of roles for the group, as whoever is added.
#[tokio::test(start_paused = true)]
async fn nobody_lets_in_whom_they_do_not_reach() {
    let house = house().await;
    let operator = house.directory.operator();
    let new = penfold_directory::NewGroup { address: a("team@one.test"), name: "G".into(), who_may_post: Default::default() };
    let more = penfold_directory::GroupChange { join: Some(penfold_directory::JoinPolicy::Open), ..Default::default() };
    let team = operator.create_group_with(&new, &more).await.unwrap().principal;
    let within = Within::Group(team);
    house.grant("bob@one.test", &[RoleGrant { role: Role::RecipientManagement, within }]).await;
    operator.create_group(&penfold_directory::NewGroup { address: a("inner@one.test"), ..new }).await.unwrap();
    operator.add_members(&a("team@one.test"), &[a("inner@one.test")]).await.unwrap();
    operator.update_group(&a("inner@one.test"), &more).await.unwrap();
    let inner = operator.group(&a("inner@one.test")).await.unwrap().id;
    assert_eq!(operator.join(house.account("ann@one.test").await, inner, "").await.unwrap(), penfold_directory::Joined::Asked);
    let (bob, boss) = (house.token("bob@one.test").await, house.token("boss@one.test").await);
    let path = house.own(&format!("/groups/{inner}/requests/ann@one.test"));
    let answer = async |by: &str| house.ask("POST", &path, by, Some(json!({ "accept": true }))).await.status;
    assert_eq!((answer(&bob).await, answer(&boss).await), (404, 204));
}
