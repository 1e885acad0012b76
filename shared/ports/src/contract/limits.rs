use super::{Given, numbered, sized};
use crate::{Key, Pk, PortError, Row, Sk, When, World, Write, item_size, limits};

fn is_limit(result: Result<(), PortError>) -> bool {
    matches!(result, Err(PortError::Limit(_)))
}

/// A row that with its key has exactly so many bytes.
fn row_of(key: &Key, bytes: usize) -> crate::Row {
    sized(bytes - item_size(key, &sized(0)))
}

pub async fn row_size(world: World) {
    let given = Given::new(world);
    let key = given.key("x");
    assert_eq!(given.commit(vec![Write::put(key.clone(), row_of(&key, limits::ROW))]).await, Ok(()));
    assert!(is_limit(given.commit(vec![Write::put(key.clone(), row_of(&key, limits::ROW + 1))]).await));
    assert!(is_limit(given.world.table.put(Write::put(key.clone(), row_of(&key, limits::ROW + 1))).await));
}

/// Where a row is an item, the parts of its key are attributes of it.
pub async fn attributes_are_not_called_as_the_key_is(world: World) {
    let given = Given::new(world);
    let key = given.key("x");
    for name in ["pk", "sk"] {
        let update = Write::Update { key: key.clone(), set: vec![(name.into(), 1u64.into())], remove: vec![], when: When::Always };
        for write in [Write::put(key.clone(), Row::new().with(name, 1u64)), update] {
            assert!(is_limit(given.commit(vec![write.clone()]).await));
            assert!(is_limit(given.world.table.put(write).await));
        }
    }
    assert_eq!(given.get("x").await, None);
}

pub async fn update_cannot_outgrow_a_row(world: World) {
    let given = Given::new(world);
    let key = given.key("x");
    given.commit(vec![Write::put(key.clone(), row_of(&key, limits::ROW))]).await.expect("a commit");
    let update = Write::Update { key, set: vec![("more".into(), 1u64.into())], remove: vec![], when: When::Always };
    assert!(is_limit(given.commit(vec![update]).await));
    assert_eq!(given.get("x").await.and_then(|row| row.u64("more")), None);
}

pub async fn writes_of_a_commit(world: World) {
    let given = Given::new(world);
    let writes = |count: usize| (0..count).map(|n| Write::put(given.key(&format!("x{n}")), numbered(1))).collect::<Vec<_>>();
    assert_eq!(given.commit(writes(limits::WRITES)).await, Ok(()));
    assert!(is_limit(given.commit(writes(limits::WRITES + 1)).await));
    assert!(is_limit(given.commit(Vec::new()).await));
}

pub async fn bytes_of_a_commit(world: World) {
    let given = Given::new(world);
    let writes = |last: usize| {
        let sizes = std::iter::repeat_n(limits::ROW, 10).chain([last]).enumerate();
        sizes.map(|(n, size)| (given.key(&format!("x{n}")), size)).map(|(key, size)| Write::put(key.clone(), row_of(&key, size))).collect()
    };
    let left = limits::COMMIT - 10 * limits::ROW;
    assert_eq!(given.commit(writes(left)).await, Ok(()));
    assert!(is_limit(given.commit(writes(left + 1)).await));
}

pub async fn same_row_twice(world: World) {
    let given = Given::new(world);
    let writes = vec![Write::put(given.key("x"), numbered(1)), Write::Check { key: given.key("x"), when: When::Absent }];
    assert!(is_limit(given.commit(writes).await));
    assert_eq!(given.get("x").await, None);
}

pub async fn keys_of_a_batch(world: World) {
    let given = Given::new(world);
    let keys: Vec<_> = (0..=limits::BATCH).map(|n| given.key(&n.to_string())).collect();
    // The client splits; the port itself refuses.
    assert_eq!(given.world.table.batch_get(&keys).await.map(|rows| rows.len()), Ok(limits::BATCH + 1));
}

pub async fn odd_keys(world: World) {
    let given = Given::new(world);
    let longest = given.scope.key(Sk::from_stored(&[b'k'; limits::SK]));
    assert_eq!(given.commit(vec![Write::put(longest, numbered(1))]).await, Ok(()));
    let odd = [
        given.scope.key(Sk::from_stored(&[b'k'; limits::SK + 1])),
        given.scope.key(Sk::text("")),
        Key::from_stored(Pk::from_stored(""), Sk::text("x")),
        Key::from_stored(Pk::from_stored("a\0b"), Sk::text("x")),
        Key::from_stored(Pk::from_stored(&"p".repeat(limits::PK + 1)), Sk::text("x")),
    ];
    for key in odd {
        assert!(is_limit(given.commit(vec![Write::put(key.clone(), numbered(1))]).await), "{key:?}");
        assert!(is_limit(given.world.table.put(Write::delete(key)).await));
    }
}
