use super::Given;
use crate::{PortError, World};
use penfold_types::TenantId;

/// Wraps that race. The more, the likelier that they meet.
const MANY: u8 = 12;

pub async fn round_trip(world: World) {
    let given = Given::new(world);
    let tenant = given.scope.tenant();
    let key: [u8; 32] = std::array::from_fn(|i| i as u8);
    let wrapped = given.world.secrets.wrap(tenant, &key).await.expect("wrapped");
    assert!(!wrapped.windows(32).any(|window| window == key), "the key is not to be read");
    assert_eq!(given.world.secrets.unwrap(tenant, &wrapped).await, Ok(key));
}

pub async fn not_for_another_tenant(world: World) {
    let given = Given::new(world);
    let other = TenantId::new(given.env());
    let wrapped = given.world.secrets.wrap(given.scope.tenant(), &[7; 32]).await.expect("wrapped");
    assert!(given.world.secrets.unwrap(other, &wrapped).await.is_err(), "without a secret");
    given.world.secrets.wrap(other, &[8; 32]).await.expect("wrapped");
    assert!(given.world.secrets.unwrap(other, &wrapped).await.is_err(), "with one of its own");
}

pub async fn damaged(world: World) {
    let given = Given::new(world);
    let tenant = given.scope.tenant();
    let wrapped = given.world.secrets.wrap(tenant, &[7; 32]).await.expect("wrapped");
    for cut in 0..wrapped.len() {
        let answer = given.world.secrets.unwrap(tenant, &wrapped[..cut]).await;
        assert!(matches!(answer, Err(PortError::Broken(_))), "{cut}: {answer:?}");
    }
}

/// Everything about it is gone, whatever is tried.
async fn assert_gone(world: &World, tenant: TenantId, wrapped: &[Vec<u8>]) {
    for wrapped in wrapped {
        assert_eq!(world.secrets.unwrap(tenant, wrapped).await, Err(PortError::Destroyed));
    }
    assert_eq!(world.secrets.wrap(tenant, &[9; 32]).await, Err(PortError::Destroyed));
}

pub async fn destroyed_for_good(world: World) {
    let given = Given::new(world);
    let (world, tenant, other) = (&given.world, given.scope.tenant(), TenantId::new(given.env()));
    let mut wrapped = Vec::new();
    for n in 0..3 {
        wrapped.push(world.secrets.wrap(tenant, &[n; 32]).await.expect("wrapped"));
    }
    let others = world.secrets.wrap(other, &[7; 32]).await.expect("wrapped");
    for time in 0..3 {
        assert_eq!(world.secrets.destroy(tenant).await, Ok(()), "{time}");
        assert_gone(world, tenant, &wrapped).await;
    }
    assert_eq!(world.secrets.unwrap(other, &others).await, Ok([7; 32]));
    let others = world.secrets.wrap(other, &[8; 32]).await.expect("it goes on");
    assert_eq!(world.secrets.unwrap(other, &others).await, Ok([8; 32]));
}

pub async fn destroyed_before_it_was_made(world: World) {
    let given = Given::new(world);
    assert_eq!(given.world.secrets.destroy(given.scope.tenant()).await, Ok(()));
    assert_gone(&given.world, given.scope.tenant(), &[]).await;
}

/// Wraps side by side, for a tenant that has no secret yet.
fn wraps(world: &World, tenant: TenantId) -> Vec<tokio::task::JoinHandle<Result<Vec<u8>, PortError>>> {
    let wrap = |n| {
        let world = world.clone();
        tokio::spawn(async move { world.secrets.wrap(tenant, &[n; 32]).await })
    };
    (0..MANY).map(wrap).collect()
}

pub async fn first_wraps_race(world: World) {
    let given = Given::new(world);
    let tenant = given.scope.tenant();
    let mut wrapped = Vec::new();
    for wrap in wraps(&given.world, tenant) {
        wrapped.push(wrap.await.expect("no panic").expect("wrapped"));
    }
    for (n, wrapped) in (0..).zip(&wrapped) {
        assert_eq!(given.world.secrets.unwrap(tenant, wrapped).await, Ok([n; 32]), "nothing is lost");
    }
}

pub async fn destroy_beats_a_wrap(world: World) {
    let given = Given::new(world);
    let tenant = given.scope.tenant();
    let racing = wraps(&given.world, tenant);
    assert_eq!(given.world.secrets.destroy(tenant).await, Ok(()));
    let mut wrapped = Vec::new();
    for wrap in racing {
        match wrap.await.expect("no panic") {
            Err(error) => assert_eq!(error, PortError::Destroyed),
            Ok(early) => wrapped.push(early),
        }
    }
    assert_gone(&given.world, tenant, &wrapped).await;
}

pub async fn a_new_life_opens_nothing_of_the_old(world: World) {
    let given = Given::new(world);
    let (world, tenant) = (&given.world, given.scope.tenant());
    let first = world.secrets.wrap(tenant, &[1; 32]).await.expect("wrapped");
    assert_eq!(world.secrets.renew(tenant).await, Ok(()));
    assert_eq!(world.secrets.unwrap(tenant, &first).await, Ok([1; 32]), "one that lives is left alone");
    assert_eq!(world.secrets.destroy(tenant).await, Ok(()));
    let mut wrapped = Vec::new();
    for n in 2..4 {
        assert_eq!(world.secrets.renew(tenant).await, Ok(()));
        wrapped.push(world.secrets.wrap(tenant, &[n; 32]).await.expect("wrapped"));
    }
    assert_eq!(world.secrets.unwrap(tenant, &wrapped[0]).await, Ok([2; 32]));
    assert_eq!(world.secrets.unwrap(tenant, &wrapped[1]).await, Ok([3; 32]));
    assert!(world.secrets.unwrap(tenant, &first).await.is_err());
    wrapped.push(first);
    assert_eq!(world.secrets.destroy(tenant).await, Ok(()));
    assert_gone(world, tenant, &wrapped).await;
}
