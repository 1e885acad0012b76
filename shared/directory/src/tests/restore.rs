//! Who was deleted comes back, until the mailbox is destroyed.

use super::*;

async fn deleted(house: &House, address: &str) -> Account {
    let account = house.account(address).await;
    house.operator.delete_person(&a(address)).await.unwrap();
    account
}

async fn restore(directory: &Directory, account: Account) -> penfold_types::Result<Address> {
    directory.operator().restore(account.tenant, account.principal).await
}

#[tokio::test(start_paused = true)]
async fn a_person_comes_back_under_the_same_id_with_the_aliases_and_without_what_opens() {
    let house = house().await;
    house.grant("ann@one.test", &[RoleGrant::everywhere(Role::HelpDesk)]).await;
    house.operator.add_alias(&a("ann@one.test"), &a("a.nn@one.test")).await.unwrap();
    house.operator.add_alias(&a("ann@one.test"), &a("anna@one.test")).await.unwrap();
    let change = PersonChange { quota: Some(Quota::Bytes(77)), recovery: Some(Some(a("ann@home.test"))), ..Default::default() };
    house.operator.update_person(&a("ann@one.test"), &change).await.unwrap();
    assert!(house.sign_in("ann@one.test", "secret").await.is_ok());
    let before = house.operator.person(&a("ann@one.test")).await.unwrap();
    let account = deleted(&house, "ann@one.test").await;
    house.sleep(29 * DAY).await;
    let listed = house.operator.deleted(account.tenant).await.unwrap();
    assert_eq!(
        listed.iter().map(|one| (one.id, one.address.to_string())).collect::<Vec<_>>(),
        [(account.principal, "ann@one.test".into())]
    );
    assert_eq!(restore(&house.neighbour(), account).await.unwrap(), a("ann@one.test"));
    let after = house.operator.person(&a("a.nn@one.test")).await.unwrap();
    assert_eq!(PersonInfo { roles: before.roles.clone(), revision: before.revision, ..after.clone() }, before);
    assert!(after.roles.is_empty() && after.revision > before.revision);
    assert!(house.sign_in("ann@one.test", "secret").await.is_err());
    house.operator.set_password(&a("ann@one.test"), "other").await.unwrap();
    assert!(house.sign_in("anna@one.test", "other").await.is_ok());
    assert!(house.operator.deleted(account.tenant).await.unwrap().is_empty());
    assert_eq!(kind(restore(&house.directory, account).await), Kind::NotFound, "once");
    assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new());
    // And again, after another deletion.
    deleted(&house, "ann@one.test").await;
    assert_eq!(restore(&house.directory, account).await.unwrap(), a("ann@one.test"));
}

#[tokio::test(start_paused = true)]
async fn addresses_that_were_taken_meanwhile_stay_with_whoever_has_them() {
    let house = house().await;
    house.operator.add_alias(&a("ann@one.test"), &a("x@one.test")).await.unwrap();
    house.operator.add_alias(&a("ann@one.test"), &a("y@one.test")).await.unwrap();
    let account = deleted(&house, "ann@one.test").await;
    house.operator.create_person(&person("ann@one.test")).await.unwrap();
    house.operator.add_alias(&a("bob@one.test"), &a("x@one.test")).await.unwrap();
    assert_eq!(kind(restore(&house.directory, account).await), Kind::Conflict);
    house.operator.delete_person(&a("ann@one.test")).await.unwrap();
    restore(&house.directory, account).await.unwrap();
    let back = house.operator.person(&a("ann@one.test")).await.unwrap();
    assert_eq!((back.id, back.aliases), (account.principal, vec![a("y@one.test")]));
    assert_eq!(house.operator.person(&a("x@one.test")).await.unwrap().address, a("bob@one.test"));
    assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn nobody_comes_back_once_destruction_began_or_into_another_tenant() {
    let house = house().await;
    let account = deleted(&house, "ann@one.test").await;
    let two = house.tenant("Two").await;
    assert_eq!(kind(house.operator.restore(two, account.principal).await), Kind::NotFound);
    house.directory.begin_destruction(account).await.unwrap();
    assert_eq!(kind(restore(&house.directory, account).await), Kind::NotFound);
    assert!(house.operator.deleted(account.tenant).await.unwrap().is_empty());
    assert_eq!(house.directory.gone_accounts(account.tenant).await.unwrap().len(), 1, "upkeep still finds it");
    let bob = deleted(&house, "bob@one.test").await;
    house.operator.remove_domain(bob.tenant, &d("one.test")).await.unwrap();
    house.operator.create_domain("Two", &d("one.test")).await.unwrap();
    assert_eq!(kind(restore(&house.directory, bob).await), Kind::Conflict, "the domain is another tenant's now");
}

#[tokio::test(start_paused = true)]
async fn of_restoring_and_destroying_at_once_one_is_done() {
    let (mut restored, mut destroyed) = (0, 0);
    for seed in 0..40 {
        let house = seeded(seed).await;
        let account = deleted(&house, "ann@one.test").await;
        let there = house.neighbour();
        let wait = Duration::from_millis(house.directory.env().below(25));
        let destroy = async {
            house.sleep(wait).await;
            there.begin_destruction(account).await
        };
        let (back, gone) = tokio::join!(restore(&house.directory, account), destroy);
        assert_ne!(back.is_ok(), gone.is_ok(), "seed {seed}: {back:?} {gone:?}");
        assert_eq!(house.operator.person(&a("ann@one.test")).await.is_ok(), back.is_ok());
        if back.is_ok() { restored += 1 } else { destroyed += 1 }
    }
    assert!(restored > 3 && destroyed > 3, "{restored} {destroyed}");
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_what_was_there_at_the_end() {
    let mut changed = 0;
    for seed in 0..40 {
        let house = seeded(seed).await;
        let account = house.account("ann@one.test").await;
        let (name, ann, there) = (format!("Ann {seed}"), a("ann@one.test"), house.neighbour().operator());
        let change = PersonChange { name: Some(name.clone()), ..Default::default() };
        let (updated, deleted) = tokio::join!(house.operator.update_person(&ann, &change), there.delete_person(&ann));
        assert!(updated.is_ok() || deleted.is_ok());
        if deleted.is_err() {
            there.delete_person(&ann).await.unwrap();
        }
        let noted = house.operator.audit_log(account.tenant, house.directory.now().seconds() / 86_400, 100).await.unwrap();
        let took = noted.iter().any(|act| act.act == "person.update");
        restore(&house.directory, account).await.unwrap();
        assert_eq!(house.operator.person(&ann).await.unwrap().name == name, took, "seed {seed}");
        changed += u32::from(took);
    }
    assert!(changed > 3, "{changed}");
}

#[tokio::test(start_paused = true)]
async fn a_team_mailbox_comes_back_too_and_a_group_does_not() {
    let house = house().await;
    let tenant = house.tenant("One").await;
    house.operator.create_shared(&NewShared { address: a("info@one.test"), name: "Info".into(), quota: Some(5) }).await.unwrap();
    house.operator.create_group(&group("team@one.test", PostPolicy::Anyone)).await.unwrap();
    house.operator.delete_shared(&a("info@one.test")).await.unwrap();
    house.operator.delete_group(&a("team@one.test")).await.unwrap();
    let listed = house.operator.deleted(tenant).await.unwrap();
    assert_eq!(listed.iter().map(|one| one.kind).collect::<Vec<_>>(), [PrincipalKind::Shared]);
    house.operator.restore(tenant, listed[0].id).await.unwrap();
    let info = house.operator.shared(&a("info@one.test")).await.unwrap();
    assert_eq!((info.id, info.quota), (listed[0].id, 5));
}
