//! A rehearsed act changes nothing, and says what would come of it.

use super::*;

/// Runs an act for show; it must be as it would be, and leave every row as it was.
macro_rules! rehearsed {
    ($house:expr, $($act:expr),+ $(,)?) => {
        $({
            let before = $house.world.rows();
            let answer = $act.await;
            let name = stringify!($act);
            assert!(answer.is_ok(), "{name}: {:?}", answer.err());
            assert!($house.world.rows() == before, "{name} changed rows");
        })+
    };
}

#[tokio::test(start_paused = true)]
async fn nothing_is_written() {
    let house = house().await;
    let operator = &house.operator;
    let (ann, bob, team, sub) = (a("ann@one.test"), a("bob@one.test"), a("team@one.test"), a("sub@one.test"));
    operator.create_group(&group("team@one.test", PostPolicy::Anyone)).await.unwrap();
    operator.create_group(&group("sub@one.test", PostPolicy::Anyone)).await.unwrap();
    operator.add_members(&team, std::slice::from_ref(&bob)).await.unwrap();
    operator.add_alias(&ann, &a("x@one.test")).await.unwrap();
    operator.create_app_password(&ann, "phone", &[]).await.unwrap();
    operator.create_shared(&NewShared { address: a("info@one.test"), name: "Info".into(), quota: None }).await.unwrap();
    operator.create_domain("One", &d("spare.test")).await.unwrap();
    operator.create_tenant("Empty").await.unwrap();
    operator.create_person(&person("gone@one.test")).await.unwrap();
    operator.add_alias(&a("gone@one.test"), &a("was@one.test")).await.unwrap();
    let (gone, account) = (house.account("gone@one.test").await, house.account("ann@one.test").await);
    operator.delete_person(&a("gone@one.test")).await.unwrap();
    let one = house.tenant("One").await;
    let show = operator.rehearsing(true);
    let named = PersonChange { name: Some("N".into()), ..Default::default() };
    rehearsed!(
        house,
        show.create_tenant("Three"),
        show.rename_tenant("One", "Uno"),
        show.set_tenant_status("One", TenantStatus::Closed),
        show.set_tenant_pool("One", Some("pool")),
        show.rotate_data_key("One"),
        show.remove_tenant("Empty"),
        show.create_domain("One", &d("new.test")),
        show.claim_domain("One", &d("new.test")),
        show.remove_domain(one, &d("spare.test")),
        show.create_person(&person("new@one.test")),
        show.update_person(&ann, &named),
        show.set_password(&ann, "other"),
        show.create_app_password(&ann, "more", &[]),
        show.remove_app_password(&ann, "phone"),
        show.set_roles(&ann, &[RoleGrant::everywhere(Role::ReadOnly)]),
        show.add_alias(&ann, &a("y@one.test")),
        show.remove_alias(&ann, &a("x@one.test")),
        show.set_send_right(&ann, &bob, Some(SendRight::As)),
        show.delete_person(&ann),
        show.restore(one, gone.principal),
        show.create_group(&group("g@one.test", PostPolicy::Anyone)),
        show.update_group(&team, &GroupChange { name: Some("T".into()), ..Default::default() }),
        show.add_members(&team, &[ann.clone(), sub.clone(), a("x@elsewhere.test")]),
        show.remove_member(&team, &bob),
        show.delete_group(&team),
        show.create_shared(&NewShared { address: a("s@one.test"), name: "S".into(), quota: None }),
        show.update_shared(&a("info@one.test"), &named),
        show.add_shared_members(&a("info@one.test"), std::slice::from_ref(&ann)),
        show.delete_shared(&a("info@one.test")),
        house.directory.end_second_factor(&show, account),
    );
    assert!(house.sign_in("ann@one.test", "secret").await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn what_would_be_refused_is() {
    let house = house().await;
    let before = house.world.rows();
    let show = house.operator.rehearsing(true);
    assert_eq!(kind(show.create_person(&person("ann@one.test")).await), Kind::Conflict);
    assert_eq!(kind(show.create_tenant("two").await), Kind::Conflict);
    assert_eq!(kind(show.create_domain("One", &d("two.test")).await), Kind::Conflict);
    assert_eq!(kind(show.add_alias(&a("ann@one.test"), &a("bob@one.test")).await), Kind::Conflict);
    assert_eq!(kind(show.remove_domain(house.tenant("One").await, &d("one.test")).await), Kind::Conflict);
    assert_eq!(kind(show.remove_tenant("One").await), Kind::Conflict);
    assert_eq!(kind(show.remove_alias(&a("ann@one.test"), &a("x@one.test")).await), Kind::NotFound);
    assert_eq!(kind(show.expecting(Some(9)).delete_person(&a("ann@one.test")).await), Kind::Conflict);
    assert!(house.world.rows() == before);
}
