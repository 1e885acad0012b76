use super::Given;
use crate::World;
use penfold_types::TenantId;

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
    let wrapped = given.world.secrets.wrap(given.scope.tenant(), &[7; 32]).await.expect("wrapped");
    assert!(given.world.secrets.unwrap(TenantId::new(given.env()), &wrapped).await.is_err());
}

pub async fn damaged(world: World) {
    let given = Given::new(world);
    let tenant = given.scope.tenant();
    let wrapped = given.world.secrets.wrap(tenant, &[7; 32]).await.expect("wrapped");
    for cut in 0..wrapped.len() {
        assert!(given.world.secrets.unwrap(tenant, &wrapped[..cut]).await.is_err(), "{cut}");
    }
}
