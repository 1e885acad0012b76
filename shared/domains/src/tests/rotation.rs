use super::*;
use KeyState::{Active, Next, Retired};
use penfold_types::Timestamp;

#[test]
fn what_is_due_follows_from_states_and_time() {
    let now = Timestamp::from_seconds(1_800_000_000);
    let key = |state: KeyState, days: u64| DomainKey {
        selector: format!("{state:?}{days}"),
        algorithm: String::new(),
        der: Vec::new(),
        state,
        at: Timestamp::from_millis(now.millis() - i64::try_from((DAY * u32::try_from(days).unwrap()).as_millis()).unwrap()),
    };
    let drop = |names: &[&str]| Act::Drop(names.iter().map(|name| (*name).to_owned()).collect());
    let cases = [
        (vec![], false, vec![]),
        (vec![key(Active, 179)], false, vec![]),
        (vec![key(Active, 180)], false, vec![Act::Make]),
        (vec![key(Active, 400), key(Next, 90)], false, vec![]),
        (vec![key(Active, 400), key(Next, 1)], true, vec![Act::Activate]),
        (vec![key(Active, 1), key(Next, 1)], true, vec![Act::Activate]),
        (vec![key(Active, 13), key(Retired, 13)], false, vec![]),
        (vec![key(Active, 14), key(Retired, 14)], false, vec![drop(&["Retired14"])]),
        (vec![key(Active, 180), key(Retired, 180), key(Retired, 3)], false, vec![drop(&["Retired180"]), Act::Make]),
    ];
    for (keys, seen, acts) in cases {
        assert_eq!(decide(&keys, now, seen), acts, "{keys:?}");
    }
}

use crate::rotation::decide;

#[tokio::test(start_paused = true)]
async fn keys_change_by_themselves_once_their_records_are_seen() {
    let house = house().await;
    let round = async || house.domains.round(house.tenant, &d("one.test")).await.unwrap();
    assert_eq!(round().await, [], "keys are made when they are needed");
    let first = house.domains.ensure(house.tenant, &d("one.test")).await.unwrap()[0].selector.clone();
    house.sleep(LIFE - DAY).await;
    assert_eq!(round().await, []);
    house.sleep(DAY).await;
    assert_eq!(round().await, [Act::Make]);
    assert_eq!(house.states().await, [Active, Next]);
    // Nobody publishes it, and the old one goes on for as long as that takes.
    house.sleep(30 * DAY).await;
    assert_eq!(round().await, []);
    let next = house.keys().await[1].selector.clone();
    house.zone.txt(&format!("{next}._domainkey.one.test"), "v=DKIM1; k=ed25519; p=AAAA");
    assert_eq!(round().await, [], "it is another key");
    house.zone.remove(&format!("{next}._domainkey.one.test"));
    house.publish(&house.records().await);
    assert_eq!(round().await, [Act::Activate]);
    assert_eq!(house.states().await, [Retired, Active]);
    house.sleep(PUBLISHED - DAY).await;
    assert_eq!(round().await, []);
    assert!(house.records().await.iter().any(|record| record.name.starts_with(&first)));
    house.sleep(DAY).await;
    assert_eq!(round().await, [Act::Drop(vec![first.clone()])]);
    assert_eq!(house.states().await, [Active]);
    assert!(!house.records().await.iter().any(|record| record.name.starts_with(&first)));
}

#[tokio::test(start_paused = true)]
async fn the_operator_goes_on_step_by_step_or_by_force() {
    let house = house().await;
    let domain = d("one.test");
    let rotate = async |force: bool| house.domains.rotate(house.tenant, &domain, force).await.unwrap();
    let Rotation::Made(made) = rotate(false).await else { panic!("made") };
    assert_eq!(rotate(false).await, Rotation::Waiting(made.clone()));
    house.zone.silent(&format!("{}._domainkey.one.test", made[0].selector));
    assert_eq!(rotate(false).await, Rotation::Waiting(made.clone()), "nobody answers");
    assert_eq!(rotate(true).await, Rotation::Activated(made));
    // A third pair on the same day has a name of its own, and all of them are dropped in their time.
    let Rotation::Activated(third) = rotate(true).await else { panic!("activated") };
    assert!(third[0].selector.ends_with("-3e"), "{third:?}");
    assert_eq!(house.states().await, [Retired, Active, Retired]);
    house.sleep(PUBLISHED).await;
    house.domains.round(house.tenant, &domain).await.unwrap();
    assert_eq!(house.states().await, [Active]);
    assert_eq!(house.domains.rotate(house.tenant, &d("none.test"), false).await.unwrap_err().kind(), Kind::NotFound);
    let acts = house.directory.operator().audit_log(house.tenant, house.world.env.now().seconds() / 86_400, 10).await.unwrap();
    assert_eq!((acts[0].act.as_str(), acts[0].actor.as_str()), ("domain.keys", "keys"));
}
