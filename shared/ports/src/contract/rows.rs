use super::{Given, N, numbered};
use crate::{Row, Scope, Sk, World, Write};
use penfold_types::PrincipalId;

pub async fn absent_rows(world: World) {
    let given = Given::new(world);
    assert_eq!(given.get("x").await, None);
    assert_eq!(given.world.table.batch_get(&[given.key("x"), given.key("y")]).await, Ok(vec![None, None]));
}

pub async fn put_replaces(world: World) {
    let given = Given::new(world);
    given.world.table.put(Write::put(given.key("x"), numbered(1).with("old", 1u64))).await.expect("a put");
    given.world.table.put(Write::put(given.key("x"), numbered(2))).await.expect("a put");
    assert_eq!(given.get("x").await, Some(numbered(2)));
}

pub async fn delete_removes(world: World) {
    let given = Given::new(world);
    given.have("x", 1).await;
    given.world.table.put(Write::delete(given.key("x"))).await.expect("a delete");
    assert_eq!(given.get("x").await, None);
    given.commit(vec![Write::delete(given.key("x"))]).await.expect("deleting an absent row is no error");
}

pub async fn update_sets_and_removes(world: World) {
    let given = Given::new(world);
    let row = Row::new().with("keep", "k").with("change", 1u64).with("drop", 2u64);
    given.world.table.put(Write::put(given.key("x"), row)).await.expect("a put");
    let (set, remove) = (vec![("change".into(), 3u64.into()), ("new".into(), "n".into())], vec!["drop".into(), "none".into()]);
    given.commit(vec![Write::Update { key: given.key("x"), set, remove, when: crate::When::Present }]).await.expect("an update");
    let row = given.get("x").await.expect("a row");
    assert_eq!((row.str("keep"), row.u64("change"), row.get("drop"), row.str("new")), (Some("k"), Some(3), None, Some("n")));
}

pub async fn update_makes_a_row(world: World) {
    let given = Given::new(world);
    let update = Write::Update { key: given.key("x"), set: vec![(N, 5u64.into())], remove: vec![], when: crate::When::Always };
    given.commit(vec![update]).await.expect("an update");
    assert_eq!(given.get("x").await, Some(numbered(5)));
}

pub async fn batch_get_keeps_order(world: World) {
    let given = Given::new(world);
    given.have("a", 1).await;
    given.have("b", 2).await;
    let keys = [given.key("b"), given.key("none"), given.key("a")];
    let rows = given.world.table.batch_get(&keys).await.expect("a batch");
    assert_eq!(rows, vec![Some(numbered(2)), None, Some(numbered(1))]);
}

pub async fn partitions_are_apart(world: World) {
    let given = Given::new(world);
    let mut account = given.scope.account();
    account.principal = PrincipalId::new(given.env());
    let other = Scope::grant(account, account.principal, given.scope.rights());
    given.have("x", 1).await;
    assert_eq!(given.world.table.get(&other.key(Sk::text("x"))).await, Ok(None));
    let all = crate::Query::prefix(other.pk().clone(), &Sk::text(""));
    assert_eq!(given.world.table.query(&all).await.map(|page| page.rows.len()), Ok(0));
}

pub async fn any_bytes_survive(world: World) {
    let given = Given::new(world);
    let key = given.scope.key(Sk::from_stored(&[0, 1, 0, 255, 0]));
    let row =
        Row::new().with("zero", 0u64).with("max", u64::MAX).with("text", "Entwürfe\0").with("empty", "").with("bytes", vec![0u8, 255, 0]);
    given.commit(vec![Write::put_new(key.clone(), row.clone())]).await.expect("a commit");
    assert_eq!(given.world.table.get(&key).await, Ok(Some(row)));
}
