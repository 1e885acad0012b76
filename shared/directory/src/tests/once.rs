//! Requests that are done once.

use super::*;
use bytes::Bytes;

async fn once(house: &House, tenant: Option<&str>, key: &str, body: &str) -> Once {
    let tenant = match tenant {
        Some(name) => Some(house.tenant(name).await),
        None => None,
    };
    Once { tenant, key: Bytes::from(key.to_owned()), print: Bytes::from(body.to_owned()) }
}

#[tokio::test(start_paused = true)]
async fn of_two_at_once_one_does_it_and_the_other_hears_its_answer() {
    let house = house().await;
    let there = house.neighbour();
    for tenant in [Some("One"), None] {
        let request = once(&house, tenant, "k", "body").await;
        let (first, second) = tokio::join!(house.directory.begin_once(&request), there.begin_once(&request));
        let turns = [first.unwrap(), second.unwrap()];
        assert!(turns.contains(&Turn::Mine) && turns.contains(&Turn::UnderWay), "{turns:?}");
        house.directory.end_once(&request, b"the token is pft_0123456789").await.unwrap();
        assert_eq!(there.begin_once(&request).await.unwrap(), Turn::Done(b"the token is pft_0123456789".to_vec()));
        let other = once(&house, tenant, "k", "another body").await;
        assert_eq!(there.begin_once(&other).await.unwrap(), Turn::Another);
        assert_eq!(there.begin_once(&once(&house, tenant, "k2", "body").await).await.unwrap(), Turn::Mine);
    }
    let request = once(&house, Some("Two"), "k", "body").await;
    assert_eq!(there.begin_once(&request).await.unwrap(), Turn::Mine, "another tenant's key is another key");
    let told = |row: &Row| row.encode().windows(14).any(|window| window == b"pft_0123456789");
    assert!(!house.world.rows().iter().any(|(_, row)| told(row)), "an answer may hold a secret");
}

#[tokio::test(start_paused = true)]
async fn who_died_over_it_holds_nobody_up_for_long() {
    let house = house().await;
    let there = house.neighbour();
    let request = once(&house, Some("One"), "k", "body").await;
    assert_eq!(house.directory.begin_once(&request).await.unwrap(), Turn::Mine);
    house.sleep(Duration::from_secs(55)).await;
    assert_eq!(there.begin_once(&request).await.unwrap(), Turn::UnderWay);
    house.sleep(Duration::from_secs(5)).await;
    let (first, second) = tokio::join!(house.directory.begin_once(&request), there.begin_once(&request));
    let turns = [first.unwrap(), second.unwrap()];
    assert!(turns.contains(&Turn::Mine) && turns.contains(&Turn::UnderWay), "{turns:?}");
    house.directory.forget_once(&request).await.unwrap();
    assert_eq!(there.begin_once(&request).await.unwrap(), Turn::Mine);
}

#[tokio::test(start_paused = true)]
async fn an_answer_is_kept_for_a_day() {
    let house = house().await;
    let request = once(&house, Some("One"), "k", "body").await;
    house.directory.begin_once(&request).await.unwrap();
    house.directory.end_once(&request, b"answer").await.unwrap();
    house.sleep(DAY - HOUR).await;
    house.directory.expire_once(request.tenant.unwrap()).await.unwrap();
    assert_eq!(house.directory.begin_once(&request).await.unwrap(), Turn::Done(b"answer".to_vec()));
    house.sleep(HOUR).await;
    let other = once(&house, Some("One"), "k", "another").await;
    assert_eq!(house.directory.begin_once(&other).await.unwrap(), Turn::Mine);
    house.sleep(2 * DAY).await;
    house.directory.expire_once(request.tenant.unwrap()).await.unwrap();
    assert_eq!(house.partition("on#").len(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_not_taken_for_somebody_else() {
    let house = house().await;
    for number in 0..60 {
        let request = once(&house, Some("One"), &number.to_string(), "body").await;
        house.world.faults(Faults { lost: 4_000, ..Faults::NONE });
        let turn = house.directory.begin_once(&request).await;
        house.world.faults(Faults::NONE);
        assert_eq!(turn.unwrap(), Turn::Mine);
    }
}
