//! A working day of administrators under faults: whatever was lost on the way, the rows agree in the end.

use super::*;

async fn tried<T>(mut act: impl AsyncFnMut() -> penfold_types::Result<T>) -> penfold_types::Result<T> {
    loop {
        match act().await {
            Err(error) if error.kind() == Kind::Retry => {}
            other => return other,
        }
    }
}

/// After a lost answer the act may have been carried out: the second time it is a conflict, or there is nothing to do.
async fn done<T>(act: impl AsyncFnMut() -> penfold_types::Result<T>) {
    match tried(act).await {
        Err(error) if !matches!(error.kind(), Kind::Conflict | Kind::NotFound) => panic!("{error}"),
        _ => {}
    }
}

async fn administrator(house: &House, number: u64) {
    let operator = house.directory.operator().acting_as(&format!("admin {number}"));
    // Two administrators share each set of addresses, and race for it.
    let set = number / 2;
    let (one, two, team, sub, shared) = (
        a(&format!("a{set}@one.test")),
        a(&format!("b{set}@one.test")),
        a(&format!("team{set}@one.test")),
        a(&format!("sub{set}@one.test")),
        a(&format!("box{set}@one.test")),
    );
    for _ in 0..2 {
        for address in [&one, &two] {
            done(async || operator.create_person(&person(&address.to_string())).await).await;
        }
        for address in [&team, &sub] {
            done(async || operator.create_group(&group(&address.to_string(), PostPolicy::Members)).await).await;
        }
        done(async || operator.create_shared(&NewShared { address: shared.clone(), name: "Box".into(), quota: None }).await).await;
        done(async || operator.add_members(&team, &[one.clone(), two.clone(), a("x@outside.test")]).await).await;
        done(async || operator.add_members(&team, std::slice::from_ref(&sub)).await).await;
        done(async || operator.add_members(&sub, std::slice::from_ref(&team)).await).await;
        done(async || operator.add_shared_members(&shared, &[one.clone(), two.clone()]).await).await;
        done(async || operator.add_alias(&one, &a(&format!("alias{set}@one.test"))).await).await;
        done(async || operator.set_password(&two, "other").await).await;
        done(async || operator.create_app_password(&one, "phone", &[]).await).await;
        done(async || operator.remove_member(&team, &two).await).await;
        done(async || operator.delete_person(&one).await).await;
        done(async || operator.delete_group(&sub).await).await;
    }
}

async fn day(seed: u64) -> (u64, Vec<String>) {
    let house = seeded(seed).await;
    house.world.faults(Faults::STORMY);
    tokio::join!(administrator(&house, 0), administrator(&house, 1), administrator(&house, 2), administrator(&house, 3));
    house.world.faults(Faults::NONE);
    (house.world.trace_hash(), house.neighbour().check().await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn the_rows_agree_after_storms() {
    for seed in 0..40 {
        let (_, problems) = day(seed).await;
        assert_eq!(problems, Vec::<String>::new(), "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_day() {
    assert_eq!(day(7).await.0, day(7).await.0);
}
