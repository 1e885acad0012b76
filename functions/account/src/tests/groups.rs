use super::*;
use penfold_directory::{GroupChange, JoinPolicy, NewGroup, Within};
use penfold_types::PrincipalId;

async fn made(house: &House, address: &str, more: GroupChange) -> PrincipalId {
    let new = NewGroup { address: address.parse().unwrap(), name: "G".to_owned(), who_may_post: Default::default() };
    house.directory.operator().create_group_with(&new, &more).await.unwrap().principal
}

fn of_bob(join: JoinPolicy) -> GroupChange {
    GroupChange { add_owners: vec!["bob@one.test".parse().unwrap()], join: Some(join), ..Default::default() }
}

/// Else an owner could write, by their own group, to people to whom others may not post.
#[tokio::test(start_paused = true)]
async fn owners_put_no_other_groups_into_theirs() {
    let house = house().await;
    let crew = made(&house, "crew@one.test", of_bob(JoinPolicy::Closed)).await;
    made(&house, "mine@one.test", of_bob(JoinPolicy::Closed)).await;
    made(&house, "all@one.test", GroupChange::default()).await;
    made(&house, "secret@one.test", GroupChange { hidden: Some(true), ..Default::default() }).await;
    let bob = house.token("bob@one.test").await;
    let add = async |address: &str| {
        let answer = house.post(&format!("/v1/me/groups/{crew}/members"), &bob, json!({ "addresses": [address] })).await;
        (answer.status, answer.text("detail").replace(address, "X"))
    };
    assert_eq!((add("mine@one.test").await.0, add("ann@one.test").await.0), (200, 200));
    assert_eq!(add("all@one.test").await.0, 403);
    assert_eq!(add("secret@one.test").await, add("nobody@one.test").await);
}

/// Who joins comes into the reach of a role: an administrator says yes to that, and no owner.
#[tokio::test(start_paused = true)]
async fn owners_let_nobody_into_a_reach() {
    let house = house().await;
    let crew = made(&house, "crew@one.test", of_bob(JoinPolicy::Open)).await;
    let desk = RoleGrant { role: Role::HelpDesk, within: Within::Group(crew) };
    house.directory.operator().set_roles(&"bob@one.test".parse().unwrap(), &[desk]).await.unwrap();
    let (ann, bob) = (house.token("ann@one.test").await, house.token("bob@one.test").await);
    let joined = house.post(&format!("/v1/me/groups/{crew}/join"), &ann, json!({})).await;
    assert_eq!((joined.status, joined.text("status")), (200, "asked"));
    let answer = async |accept: bool| {
        let path = format!("/v1/me/groups/{crew}/requests/ann@one.test");
        house.post(&path, &bob, json!({ "accept": accept })).await.status
    };
    assert_eq!((answer(true).await, answer(false).await), (403, 204));
}
