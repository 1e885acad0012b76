use super::{Given, N, numbered};
use crate::{Chain, PortError, When, World, Write};

impl Given {
    fn step(&self, from: u64) -> Write {
        let when = if from == 0 { When::Absent } else { When::Equal(vec![(N, from.into())]) };
        Write::Put { key: self.key("x"), row: numbered(from + 1), when }
    }
}

pub async fn builds_on_itself(world: World) {
    let given = Given::new(world);
    let commits: Vec<_> = (0..5).map(|n| given.commit_of(vec![given.step(n)])).collect();
    assert_eq!(given.world.table.commit_chain(&commits).await, Chain { done: 5, error: None });
    assert_eq!(given.number("x").await, Some(5));
    assert_eq!(given.world.table.commit_chain(&[]).await, Chain { done: 0, error: None });
}

pub async fn stops_at_the_first_failure(world: World) {
    let given = Given::new(world);
    let mut commits: Vec<_> = (0..5).map(|n| given.commit_of(vec![given.step(n)])).collect();
    commits[2].writes.insert(0, Write::Check { key: given.key("none"), when: When::Present });
    let chain = given.world.table.commit_chain(&commits).await;
    assert_eq!(chain, Chain { done: 2, error: Some(PortError::Condition { write: 0 }) });
    assert_eq!(given.number("x").await, Some(2));

    let commits = [given.commit_of(vec![given.step(2)]), given.commit_of(vec![]), given.commit_of(vec![given.step(3)])];
    let chain = given.world.table.commit_chain(&commits).await;
    assert!(matches!(chain, Chain { done: 1, error: Some(PortError::Limit(_)) }), "{chain:?}");
    assert_eq!(given.number("x").await, Some(3));
}

pub async fn token_twice_is_once(world: World) {
    let given = Given::new(world);
    let commit = given.commit_of(vec![given.step(0)]);
    assert_eq!(given.world.table.commit(&commit).await, Ok(()));
    given.have("x", 7).await;
    assert_eq!(given.world.table.commit(&commit).await, Ok(()), "known, so not judged again");
    assert_eq!(given.number("x").await, Some(7));
}

pub async fn token_of_a_failed_commit_is_free(world: World) {
    let given = Given::new(world);
    let commit = given.commit_of(vec![given.step(1)]);
    assert_eq!(given.world.table.commit(&commit).await, Err(PortError::Condition { write: 0 }));
    given.have("x", 1).await;
    assert_eq!(given.world.table.commit(&commit).await, Ok(()));
    assert_eq!(given.number("x").await, Some(2));
}
