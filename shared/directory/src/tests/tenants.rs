use super::*;

#[tokio::test(start_paused = true)]
async fn names_and_domains_belong_to_one_tenant() {
    let house = house().await;
    assert_eq!(kind(house.operator.create_tenant("ONE").await), Kind::Conflict);
    assert_eq!(kind(house.operator.create_tenant("~one").await), Kind::Invalid);
    assert_eq!(kind(house.operator.create_domain("Two", &d("one.test")).await), Kind::Conflict);
    assert_eq!(kind(house.operator.create_domain("Three", &d("three.test")).await), Kind::NotFound);
    assert!(!house.operator.ensure_tenant("one").await.unwrap().1);
    assert!(!house.operator.ensure_domain("One", &d("one.test")).await.unwrap());
    assert_eq!(kind(house.operator.ensure_domain("Two", &d("one.test")).await), Kind::Conflict);
    let tenants = house.operator.tenants(None, 10).await.unwrap();
    assert_eq!(tenants.items.iter().map(|tenant| tenant.name.as_str()).collect::<Vec<_>>(), ["One", "Two"]);
    assert!(!house.operator.ensure_person(&person("ann@one.test")).await.unwrap().1);
    assert!(house.operator.ensure_person(&person("new@one.test")).await.unwrap().1);
}

#[tokio::test(start_paused = true)]
async fn a_tenant_is_taken_apart_from_below() {
    let house = house().await;
    let tenant = house.operator.tenant("Two").await.unwrap().id;
    let key = house.directory.data_key(tenant).await.unwrap();
    assert_eq!(kind(house.operator.remove_tenant("Two").await), Kind::Conflict);
    assert_eq!(kind(house.operator.remove_domain(tenant, &d("two.test")).await), Kind::Conflict);
    // A refused removal leaves everything usable.
    house.operator.create_person(&person("late@two.test")).await.unwrap();
    for address in ["late@two.test", "eve@two.test"] {
        house.operator.delete_person(&a(address)).await.unwrap();
    }
    house.operator.remove_domain(tenant, &d("two.test")).await.unwrap();
    assert_eq!(house.directory.resolve(&a("eve@two.test")).await.unwrap(), Recipient::Outside);
    house.operator.remove_tenant("Two").await.unwrap();
    assert_eq!(kind(house.operator.tenant("Two").await), Kind::NotFound);
    assert_eq!(kind(house.directory.data_key(tenant).await), Kind::NotFound);
    assert_eq!(kind(house.directory.data_key_version(tenant, key.version).await), Kind::NotFound);
    assert_eq!(house.operator.tenants(None, 10).await.unwrap().items.len(), 1);
    house.operator.create_tenant("Two").await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn each_tenant_has_its_keys_and_old_ones_stay() {
    let house = house().await;
    let (one, two) = (house.operator.tenant("One").await.unwrap().id, house.operator.tenant("Two").await.unwrap().id);
    let first = house.directory.data_key(one).await.unwrap();
    assert_ne!(first.key, house.directory.data_key(two).await.unwrap().key);
    assert_eq!(house.operator.rotate_data_key("One").await.unwrap(), 2);
    let second = house.directory.data_key(one).await.unwrap();
    assert_eq!((first.version, second.version), (1, 2));
    assert_ne!(first.key, second.key);
    assert_eq!(house.neighbour().data_key_version(one, 1).await.unwrap(), first);
    assert!(!format!("{first:?}").contains(&format!("{:?}", first.key)));
}

#[tokio::test(start_paused = true)]
async fn every_act_is_in_the_log() {
    let house = house().await;
    let operator = house.operator.acting_as("root");
    let (ann, team) = (a("ann@one.test"), a("team@one.test"));
    operator.create_group(&group("team@one.test", PostPolicy::Anyone)).await.unwrap();
    operator.add_members(&team, std::slice::from_ref(&ann)).await.unwrap();
    operator.remove_member(&team, &ann).await.unwrap();
    operator.update_group(&team, &GroupChange { name: Some("T".into()), ..Default::default() }).await.unwrap();
    operator.delete_group(&team).await.unwrap();
    operator.set_password(&ann, "other").await.unwrap();
    operator.create_app_password(&ann, "phone", &[]).await.unwrap();
    operator.remove_app_password(&ann, "phone").await.unwrap();
    operator.add_alias(&ann, &a("x@one.test")).await.unwrap();
    operator.remove_alias(&ann, &a("x@one.test")).await.unwrap();
    operator.update_person(&ann, &PersonChange { name: Some("A".into()), ..Default::default() }).await.unwrap();
    operator.open_mailbox(&ann, "export").await.unwrap();
    let tenant = operator.tenant("One").await.unwrap().id;
    let today = house.directory.env().now().seconds() / 86_400;
    let mut acts: Vec<_> = operator.audit_log(tenant, today, 100).await.unwrap();
    acts.extend(operator.audit_log(tenant, today - 1, 100).await.unwrap());
    let mut mine: Vec<_> = acts.iter().filter(|entry| entry.actor == "root").map(|entry| entry.act.as_str()).collect();
    mine.sort_unstable();
    let mut expected = [
        "group.create",
        "member.add",
        "member.remove",
        "group.update",
        "group.delete",
        "password.set",
        "app-password.create",
        "app-password.remove",
        "alias.add",
        "alias.remove",
        "person.update",
        "mailbox.open",
    ];
    expected.sort_unstable();
    assert_eq!(mine, expected);
    assert_eq!(acts.iter().filter(|entry| entry.act == "person.create").count(), 2, "the other tenant's acts are not here");
    assert!(acts.iter().all(|entry| !entry.detail.contains("other")));
}

/// The rows as they were when a backup was made; what lies outside of it stays.
async fn put_back(house: &House, backup: &[(penfold_ports::Key, penfold_ports::Row)]) {
    let table = house.world.world().table;
    for (key, _) in house.world.rows() {
        table.put(penfold_ports::Write::delete(key)).await.unwrap();
    }
    for (key, row) in backup {
        table.put(penfold_ports::Write::put(key.clone(), row.clone())).await.unwrap();
    }
}

async fn empty_out(house: &House, tenant: &str, domain: &str, people: &[&str]) {
    for address in people {
        house.operator.delete_person(&a(address)).await.unwrap();
    }
    let id = house.tenant(tenant).await;
    house.operator.remove_domain(id, &d(domain)).await.unwrap();
    assert_eq!(house.operator.domains(tenant).await.unwrap().len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_backup_opens_nothing_of_a_tenant_that_was_removed_since() {
    let house = house().await;
    let (one, two) = (house.operator.tenant("One").await.unwrap().id, house.operator.tenant("Two").await.unwrap().id);
    house.operator.rotate_data_key("Two").await.unwrap();
    let kept = house.directory.data_key(one).await.unwrap();
    let cells = house.directory.seal_for_cell(b"here", b"of the cell").await.unwrap();
    let backup = house.world.rows();
    empty_out(&house, "Two", "two.test", &["eve@two.test"]).await;
    house.operator.remove_tenant("Two").await.unwrap();
    put_back(&house, &backup).await;
    let restored = house.neighbour();
    assert_eq!(restored.operator().tenant("Two").await.unwrap().id, two, "its rows are there again");
    for version in [1, 2] {
        assert_eq!(kind(restored.data_key_version(two, version).await), Kind::NotFound);
    }
    assert_eq!(kind(restored.operator().rotate_data_key("Two").await), Kind::NotFound, "nothing more is sealed for it");
    assert_eq!(restored.data_key(one).await.unwrap(), kept);
    assert_eq!(restored.open_for_cell(b"here", &cells).await.unwrap(), b"of the cell");
    // What came back with the rows is removed as it was before.
    empty_out(&house, "Two", "two.test", &["eve@two.test"]).await;
    restored.operator().remove_tenant("Two").await.unwrap();
}

/// Cut off anywhere, with answers that get lost: done again, it is removed, and its backup opens nothing.
#[tokio::test(start_paused = true)]
async fn a_removal_that_was_cut_off_is_done_again() {
    let mut cut_off = 0;
    for seed in 0..60 {
        let house = seeded(100 + seed).await;
        let two = house.operator.tenant("Two").await.unwrap().id;
        empty_out(&house, "Two", "two.test", &["eve@two.test"]).await;
        let backup = house.world.rows();
        house.world.faults(Faults::STORMY);
        let after = std::time::Duration::from_millis(house.directory.env().below(60));
        let first = tokio::time::timeout(after, house.operator.remove_tenant("Two")).await;
        house.world.crash();
        house.world.faults(Faults::NONE);
        if !matches!(first, Ok(Ok(()))) {
            match house.neighbour().operator().remove_tenant("Two").await {
                Ok(()) => cut_off += 1,
                Err(error) => assert_eq!(error.kind(), Kind::NotFound, "seed {seed}: it was done before: {error}"),
            }
        }
        assert_eq!(house.neighbour().check().await.unwrap(), Vec::<String>::new(), "seed {seed}");
        assert_eq!(house.neighbour().gone_tenants().await.unwrap(), [two], "seed {seed}");
        put_back(&house, &backup).await;
        assert_eq!(kind(house.neighbour().data_key_version(two, 1).await), Kind::NotFound, "seed {seed}");
    }
    assert!(cut_off > 10, "{cut_off}");
}
