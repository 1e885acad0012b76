//! The log of acts is whole whatever happens, and what was done to it by others is seen.

use super::*;
use crate::audit::Act;
use penfold_types::{Env, Source, Timestamp};
use std::sync::atomic::{AtomicI64, Ordering};

/// The number of acts, all of them as they were written.
async fn whole(house: &House, tenant: TenantId) -> u64 {
    let proof = house.neighbour().operator().verify_audit(tenant).await.unwrap();
    assert_eq!(proof.broken_at, None);
    proof.head.number
}

fn number(key: &Key) -> u64 {
    u64::from_be_bytes(key.sk().as_bytes().try_into().unwrap())
}

#[tokio::test(start_paused = true)]
async fn acts_of_many_at_once_have_numbers_without_a_gap() {
    for faults in [Faults::NONE, Faults { lost: 1_500, throttled: 500, ..Faults::NONE }] {
        let house = house().await;
        let tenant = house.tenant("One").await;
        let before = whole(&house, tenant).await;
        house.world.faults(faults);
        // The other process is in the next day already.
        let (here, there) = (house.operator.clone(), beside(&house, DAY.as_millis() as i64));
        let note = |number: u64| {
            let operator = if number.is_multiple_of(2) { here.clone() } else { there.clone() };
            tokio::spawn(async move { operator.note(tenant, "test.act", "something", &number.to_string()).await.is_ok() })
        };
        let tasks: Vec<_> = (0..40).map(note).collect();
        let mut done = 0;
        for task in tasks {
            done += u64::from(task.await.unwrap());
        }
        house.world.faults(Faults::NONE);
        let log = house.partition("au#");
        let own = log.iter().filter(|(key, _)| key.pk().as_str().contains(&tenant.to_string()));
        let numbers: Vec<u64> = own.map(|(key, _)| number(key)).collect();
        assert_eq!(numbers, (1..=whole(&house, tenant).await).collect::<Vec<_>>());
        assert!(numbers.len() as u64 >= before + done, "what was answered for is there");
        let mut details: Vec<_> = log.iter().filter(|(_, row)| row.str("act") == Some("test.act")).map(|(_, row)| row.str("d")).collect();
        details.sort_unstable();
        details.dedup();
        assert_eq!(details.len() as u64 + before, numbers.len() as u64, "none is there twice");
        assert!(done > 30, "{done}");
    }
}

/// What somebody writes who has the log before them.
type Tamper = fn(&[(Key, Row)]) -> Vec<Write>;

/// Each of these is done to a log of its own, and found at its place.
#[tokio::test(start_paused = true)]
async fn what_was_changed_taken_out_or_put_in_is_found() {
    let tampered = async |tamper: Tamper| {
        let house = house().await;
        let tenant = house.tenant("One").await;
        house.sleep(DAY).await;
        for act in ["first", "second", "third"] {
            house.operator.note(tenant, "test.act", act, "told").await.unwrap();
        }
        let log = house.partition(&format!("au#{tenant}"));
        assert_eq!(whole(&house, tenant).await, log.len() as u64);
        for write in tamper(&log) {
            house.write(write).await;
        }
        let proof = house.operator.verify_audit(tenant).await.unwrap();
        // As far from the end, which is 0.
        proof.broken_at.map(|at| log.len() as i64 - at as i64)
    };
    let cases: [(&str, Tamper, i64); 9] = [
        ("another actor", |log| vec![Write::put(log[2].0.clone(), log[2].1.clone().with("w", "nobody"))], 0),
        ("another target", |log| vec![Write::put(log[2].0.clone(), log[2].1.clone().with("on", "x"))], 0),
        (
            "no detail",
            |log| {
                let mut row = log[log.len() - 1].1.clone();
                row.remove("d");
                vec![Write::put(log[log.len() - 1].0.clone(), row)]
            },
            0,
        ),
        ("another time", |log| vec![Write::put(log[log.len() - 2].0.clone(), log[log.len() - 2].1.clone().with("at", 7u64))], 1),
        ("the first one gone", |log| vec![Write::delete(log[0].0.clone())], 0),
        ("one gone", |log| vec![Write::delete(log[log.len() - 2].0.clone())], 1),
        ("the last one gone", |log| vec![Write::delete(log[log.len() - 1].0.clone())], 0),
        (
            "two have changed places",
            |log| {
                let (first, second) = (&log[log.len() - 3], &log[log.len() - 2]);
                vec![Write::put(first.0.clone(), second.1.clone()), Write::put(second.0.clone(), first.1.clone())]
            },
            2,
        ),
        (
            "one more at the end",
            |log| {
                let last = &log[log.len() - 1];
                let key = Key::from_stored(last.0.pk().clone(), penfold_ports::Sk::from_stored(&(number(&last.0) + 1).to_be_bytes()));
                vec![Write::put(key, last.1.clone())]
            },
            -1,
        ),
    ];
    for (what, tamper, from_end) in cases {
        let found = tampered(tamper).await;
        match what {
            "another actor" | "another target" | "the first one gone" => assert!(found.is_some_and(|at| at > 2), "{what}: {found:?}"),
            _ => assert_eq!(found, Some(from_end), "{what}"),
        }
    }
}

/// One who can write rows can also make a chain of what they put in; behind the head it still has no place.
#[tokio::test(start_paused = true)]
async fn what_is_chained_well_behind_the_end_is_found_too() {
    let house = house().await;
    let tenant = house.tenant("One").await;
    house.operator.note(tenant, "test.act", "real", "").await.unwrap();
    let head = house.partition(&format!("t#{tenant}")).into_iter().find(|(key, _)| key.sk().as_bytes() == b"audit").unwrap();
    house.operator.note(tenant, "test.act", "false", "").await.unwrap();
    assert_eq!(house.operator.verify_audit(tenant).await.unwrap().broken_at, None);
    let number = head.1.u64("n").unwrap();
    house.write(Write::put(head.0, head.1)).await;
    assert_eq!(house.operator.verify_audit(tenant).await.unwrap().broken_at, Some(number + 1));
}

#[tokio::test(start_paused = true)]
async fn the_log_goes_on_over_midnight_and_its_days_are_read_apart() {
    let house = house().await;
    let tenant = house.tenant("One").await;
    let before = whole(&house, tenant).await;
    for _ in 0..3 {
        house.sleep(DAY / 2).await;
        house.operator.note(tenant, "test.act", "", "").await.unwrap();
    }
    assert_eq!(whole(&house, tenant).await, before + 3);
    let today = house.directory.now().seconds() / 86_400;
    let of =
        async |day: i64| house.operator.audit_log(tenant, day, 100).await.unwrap().into_iter().map(|one| one.number).collect::<Vec<_>>();
    let (new, old) = (of(today).await, of(today - 1).await);
    assert_eq!((new.len() + old.len()) as u64, before + 3);
    assert_eq!(new.first(), Some(&(before + 3)), "the newest first");
    let page = house.operator.audit_page(tenant, today - 1, Some(old[0]), 1).await.unwrap();
    assert_eq!(page[0].number, old[1], "it goes on before a number");
}

/// The world's clock, and so much beside it.
struct Wrong(Env, AtomicI64);

impl Source for Wrong {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.now().millis() + self.1.load(Ordering::SeqCst))
    }
    fn fill(&self, bytes: &mut [u8]) {
        self.0.fill(bytes);
    }
}

/// Another process, whose clock shows so many milliseconds more.
fn beside(house: &House, millis: i64) -> Operator {
    let mut world = house.world.world();
    world.env = Env::from_source(Arc::new(Wrong(house.world.env(), AtomicI64::new(millis))));
    Directory::with_options(world, house.directory.inner.options.clone()).operator()
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_is_ahead_or_goes_back_breaks_nothing() {
    let house = house().await;
    let tenant = house.tenant("One").await;
    let before = whole(&house, tenant).await;
    for (number, hours) in [0, 30, -30, -300, 0, 24 * 40, 1].into_iter().enumerate() {
        let other = beside(&house, hours * 3_600_000);
        other.note(tenant, "test.act", "", "").await.unwrap();
        let proof = other.verify_audit(tenant).await.unwrap();
        assert_eq!((proof.broken_at, proof.head.number), (None, before + number as u64 + 1), "{hours}");
    }
    assert_eq!(whole(&house, tenant).await, before + 7);
    let times: Vec<_> = house.partition(&format!("au#{tenant}")).iter().map(|(key, row)| (number(key), row.u64("at"))).collect();
    let mut sorted = times.clone();
    sorted.sort_unstable();
    assert!(sorted.is_sorted_by_key(|(_, at)| *at), "no act is before an earlier one");
}

#[tokio::test(start_paused = true)]
async fn an_act_in_two_tenants_stands_in_both_or_in_none() {
    for seed in 0..20 {
        let house = seeded(500 + seed).await;
        let (one, two) = (house.tenant("One").await, house.tenant("Two").await);
        let counts = (whole(&house, one).await, whole(&house, two).await);
        house.world.faults(Faults { lost: 1_000, ..Faults::NONE });
        let there = house.neighbour();
        let act =
            |tenant| Act { tenant, actor: "operator".into(), act: "test.both", target: String::new(), detail: String::new(), first: false };
        let acts = [act(one), act(two)];
        let (both, first, second) = tokio::join!(
            there.commit_noted(Vec::new(), &acts),
            house.operator.note(one, "test.act", "", ""),
            house.operator.note(two, "test.act", "", ""),
        );
        house.world.faults(Faults::NONE);
        assert!(both.is_ok() && first.is_ok() && second.is_ok(), "seed {seed}");
        assert_eq!((whole(&house, one).await, whole(&house, two).await), (counts.0 + 2, counts.1 + 2), "seed {seed}");
        let acts = |tenant: TenantId| {
            let log = house.partition(&format!("au#{tenant}"));
            log.iter().filter_map(|(_, row)| row.str("act").map(str::to_owned)).collect::<Vec<_>>()
        };
        assert!([one, two].into_iter().all(|tenant| acts(tenant).contains(&"test.both".to_owned())));
    }
}

#[tokio::test(start_paused = true)]
async fn an_act_that_is_refused_is_not_noted() {
    let house = house().await;
    let tenant = house.tenant("One").await;
    let before = whole(&house, tenant).await;
    assert_eq!(kind(house.operator.create_person(&person("ann@one.test")).await), Kind::Conflict);
    assert_eq!(kind(house.operator.remove_alias(&a("ann@one.test"), &a("x@one.test")).await), Kind::NotFound);
    assert_eq!(whole(&house, tenant).await, before);
}
