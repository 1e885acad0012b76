use super::{Given, N, numbered};
use crate::{PortError, When, World, Write};

const FAILED: Result<(), PortError> = Err(PortError::Condition { write: 0 });

impl Given {
    async fn put_when(&self, sk: &str, when: When) -> Result<(), PortError> {
        self.commit(vec![Write::Put { key: self.key(sk), row: numbered(9), when }]).await
    }
}

pub async fn always(world: World) {
    let given = Given::new(world);
    given.have("x", 1).await;
    assert_eq!(given.put_when("x", When::Always).await, Ok(()));
    assert_eq!(given.put_when("none", When::Always).await, Ok(()));
}

pub async fn absent(world: World) {
    let given = Given::new(world);
    assert_eq!(given.put_when("x", When::Absent).await, Ok(()));
    assert_eq!(given.put_when("x", When::Absent).await, FAILED);
    given.commit(vec![Write::delete(given.key("x"))]).await.expect("a delete");
    assert_eq!(given.put_when("x", When::Absent).await, Ok(()));
}

pub async fn present(world: World) {
    let given = Given::new(world);
    assert_eq!(given.put_when("x", When::Present).await, FAILED);
    given.have("x", 1).await;
    assert_eq!(given.put_when("x", When::Present).await, Ok(()));
}

pub async fn equal(world: World) {
    let given = Given::new(world);
    let is = |number: u64| When::Equal(vec![(N, number.into())]);
    assert_eq!(given.put_when("x", is(1)).await, FAILED, "no such row");
    given.have("x", 1).await;
    assert_eq!(given.put_when("x", is(2)).await, FAILED, "another value");
    assert_eq!(given.put_when("x", When::Equal(vec![(N, "1".into())])).await, FAILED, "another type");
    assert_eq!(given.put_when("x", When::Equal(vec![(N, 1u64.into()), ("m".into(), 1u64.into())])).await, FAILED, "no such attribute");
    assert_eq!(given.put_when("x", is(1)).await, Ok(()));
    assert_eq!(given.number("x").await, Some(9));
}

pub async fn first_failure_is_named(world: World) {
    let given = Given::new(world);
    given.have("x", 1).await;
    given.have("y", 1).await;
    let writes = vec![
        Write::put_new(given.key("a"), numbered(1)),
        Write::Check { key: given.key("x"), when: When::Present },
        Write::put_new(given.key("y"), numbered(1)),
        Write::Check { key: given.key("none"), when: When::Present },
    ];
    assert_eq!(given.commit(writes).await, Err(PortError::Condition { write: 2 }));
}

pub async fn failed_commit_writes_nothing(world: World) {
    let given = Given::new(world);
    given.have("gone", 1).await;
    let writes = vec![
        Write::put(given.key("a"), numbered(1)),
        Write::delete(given.key("gone")),
        Write::Update { key: given.key("u"), set: vec![(N, 1u64.into())], remove: vec![], when: When::Always },
        Write::Check { key: given.key("none"), when: When::Present },
    ];
    assert_eq!(given.commit(writes).await, Err(PortError::Condition { write: 3 }));
    assert_eq!((given.get("a").await, given.number("gone").await, given.get("u").await), (None, Some(1), None));
}

pub async fn check_writes_nothing(world: World) {
    let given = Given::new(world);
    given.have("x", 1).await;
    let check = |sk: &str, when| Write::Check { key: given.key(sk), when };
    let writes = vec![check("x", When::Equal(vec![(N, 1u64.into())])), check("none", When::Absent), check("any", When::Always)];
    assert_eq!(given.commit(writes).await, Ok(()));
    assert_eq!((given.number("x").await, given.get("none").await, given.get("any").await), (Some(1), None, None));
}

pub async fn put_has_conditions_too(world: World) {
    let given = Given::new(world);
    let put = |row, when| given.world.table.put(Write::Put { key: given.key("x"), row, when });
    assert_eq!(put(numbered(1), When::Present).await, FAILED);
    assert_eq!(put(numbered(1), When::Absent).await, Ok(()));
    assert_eq!(put(numbered(2), When::Absent).await, FAILED);
    assert_eq!(put(numbered(2), When::Equal(vec![(N, 1u64.into())])).await, Ok(()));
    let delete = Write::Delete { key: given.key("x"), when: When::Equal(vec![(N, 1u64.into())]) };
    assert_eq!(given.world.table.put(delete).await, FAILED);
    assert_eq!(given.number("x").await, Some(2));
}
