//! Whoever names the revision they saw does not undo what somebody else did meanwhile.

use super::*;

#[tokio::test(start_paused = true)]
async fn of_two_changes_of_one_revision_one_is_done() {
    for seed in 0..20 {
        let house = seeded(seed).await;
        let (ann, team) = (a("ann@one.test"), a("team@one.test"));
        house.operator.create_group(&group("team@one.test", PostPolicy::Anyone)).await.unwrap();
        let (here, there) = (house.operator.clone(), house.neighbour().operator());
        let name = |name: &str| PersonChange { name: Some(name.to_owned()), ..Default::default() };
        let seen = house.operator.person(&ann).await.unwrap().revision;
        let (one, two) = (here.expecting(Some(seen)), there.expecting(Some(seen)));
        let (one_name, two_name) = (name("one"), name("two"));
        let (first, second) = tokio::join!(one.update_person(&ann, &one_name), two.update_person(&ann, &two_name));
        assert_ne!(first.is_ok(), second.is_ok(), "seed {seed}");
        let won = if first.is_ok() { "one" } else { "two" };
        let now = house.operator.person(&ann).await.unwrap();
        assert_eq!((now.name.as_str(), now.revision), (won, seen + 1));
        assert_eq!(kind(first.and(second)), Kind::Conflict);

        // A deletion, and roles, are changes too.
        let seen = Some(now.revision);
        let roles = [RoleGrant::everywhere(Role::ReadOnly)];
        let (one, two) = (here.expecting(seen), there.expecting(seen));
        let (first, second) = tokio::join!(one.delete_person(&ann), two.set_roles(&ann, &roles));
        assert_ne!(first.is_ok(), second.is_ok(), "seed {seed}: {first:?} {second:?}");

        let seen = Some(house.operator.group(&team).await.unwrap().revision);
        let change = |name: &str| GroupChange { name: Some(name.to_owned()), ..Default::default() };
        let (one, two) = (here.expecting(seen), there.expecting(seen));
        let (one_name, two_name) = (change("one"), change("two"));
        let (first, second) = tokio::join!(one.update_group(&team, &one_name), two.update_group(&team, &two_name));
        assert_ne!(first.is_ok(), second.is_ok(), "seed {seed}");

        let seen = Some(house.operator.tenant("One").await.unwrap().revision);
        let (one, two) = (here.expecting(seen), there.expecting(seen));
        let (first, second) = tokio::join!(one.rename_tenant("One", "Uno"), two.set_tenant_status("One", TenantStatus::Suspended));
        assert_ne!(first.is_ok(), second.is_ok(), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn members_aliases_and_passwords_are_no_change_of_the_resource() {
    let house = house().await;
    let (ann, team) = (a("ann@one.test"), a("team@one.test"));
    house.operator.create_group(&group("team@one.test", PostPolicy::Anyone)).await.unwrap();
    let (person, list) = (house.operator.person(&ann).await.unwrap().revision, house.operator.group(&team).await.unwrap().revision);
    let old = house.operator.expecting(Some(0));
    old.add_members(&team, std::slice::from_ref(&ann)).await.unwrap();
    old.add_alias(&ann, &a("x@one.test")).await.unwrap();
    old.create_app_password(&ann, "phone", &[]).await.unwrap();
    house.operator.set_password(&ann, "other").await.unwrap();
    assert_eq!((house.operator.person(&ann).await.unwrap().revision, house.operator.group(&team).await.unwrap().revision), (person, list));
    assert_eq!(kind(old.update_person(&ann, &PersonChange { name: Some("A".into()), ..Default::default() }).await), Kind::Conflict);
    assert_eq!(kind(old.delete_group(&team).await), Kind::Conflict);
    assert_eq!(kind(old.rename_tenant("One", "Uno").await), Kind::Conflict);
}
