//! The same seed gives the same run; faults do what they say; ambiguous commits can be settled.
#![allow(clippy::unwrap_used)]

use bytes::Bytes;
use penfold_ports::{Account, Commit, Job, JobId, Key, PortError, Query, QueueName, Rights, Row, Scope, Sk, When, World, Write};
use penfold_simulated::{Faults, Simulated};
use penfold_types::{AcceptanceId, CommitId, Env, Modseq, PrincipalId, TenantId};
use std::time::Duration;

const QUEUE: QueueName = QueueName::Deliver;

fn scope(env: &Env) -> Scope {
    let account = Account { tenant: TenantId::new(env), principal: PrincipalId::new(env) };
    Scope::grant(account, account.principal, Rights::ALL)
}

/// The design's way to write to an account: head and change row in one commit; an outcome that never came back is settled
/// by reading the change row.
fn next_commit(env: &Env, scope: &Scope, head: u64, writer: u64) -> Commit {
    let when = if head == 0 { When::Absent } else { When::Equal(vec![("m".into(), head.into())]) };
    let id = CommitId::new(env);
    let change = Row::new().with("id", id.as_bytes()).with("w", writer);
    let writes = vec![
        Write::Put { key: scope.key(Sk::head()), row: Row::new().with("m", head + 1), when },
        Write::put_new(scope.key(Sk::change(Modseq(head + 1))), change),
    ];
    Commit { id, writes }
}

async fn read(world: &World, key: &Key) -> Option<Row> {
    loop {
        match world.table.get(key).await {
            Ok(row) => return row,
            Err(PortError::Throttled) => world.env.sleep_jittered(Duration::from_millis(50)).await,
            Err(error) => panic!("{error}"),
        }
    }
}

async fn head(world: &World, scope: &Scope) -> u64 {
    read(world, &scope.key(Sk::head())).await.and_then(|row| row.u64("m")).unwrap_or(0)
}

/// One more commit by this writer, whatever the store answers.
async fn write_once(world: &World, scope: &Scope, writer: u64) -> bool {
    let head = head(world, scope).await;
    let commit = next_commit(&world.env, scope, head, writer);
    loop {
        match world.table.commit(&commit).await {
            Ok(()) => return true,
            Err(PortError::Condition { .. }) => return false,
            Err(PortError::Throttled) => world.env.sleep_jittered(Duration::from_millis(50)).await,
            Err(PortError::Unknown) => {
                let change = scope.key(Sk::change(Modseq(head + 1)));
                match read(world, &change).await {
                    Some(row) => return row.bytes("id").is_some_and(|id| id[..] == commit.id.as_bytes()[..]),
                    None => continue,
                }
            }
            Err(error) => panic!("{error}"),
        }
    }
}

async fn contest(seed: u64, faults: Faults) -> (u64, u64) {
    let simulated = Simulated::new(seed, faults);
    let (world, scope) = (simulated.world(), scope(&simulated.env()));
    let writers: Vec<_> = (0..3u64)
        .map(|writer| {
            let (world, scope) = (world.clone(), scope.clone());
            tokio::spawn(async move {
                let mut won = 0;
                while won < 10 {
                    won += u64::from(write_once(&world, &scope, writer).await);
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    simulated.faults(Faults::NONE);
    let changes = world.table.query_all(Query::prefix(scope.pk().clone(), &Sk::changes())).await.unwrap();
    for writer in 0..3 {
        let wins = changes.iter().filter(|(_, row)| row.u64("w") == Some(writer)).count();
        assert_eq!(wins, 10, "seed {seed}: what writer {writer} took for its own is its own, once");
    }
    (head(&world, &scope).await, simulated.trace_hash())
}

#[tokio::test(start_paused = true)]
async fn ambiguous_commits_are_settled_with_a_third_writer_in_between() {
    let faults = Faults { lost: 3_000, throttled: 500, ..Faults::NONE };
    for seed in 0..100 {
        assert_eq!(contest(seed, faults).await.0, 30, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_same_seed_gives_the_same_trace() {
    let mut hashes = Vec::new();
    for seed in 0..20 {
        let (first, second) = (contest(seed, Faults::STORMY).await, contest(seed, Faults::STORMY).await);
        assert_eq!(first, second, "seed {seed}");
        hashes.push(first.1);
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 20, "and another seed another");
}

#[test]
fn the_same_seed_gives_the_same_trace_in_another_runtime() {
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(contest(7, Faults::STORMY))
    };
    assert_eq!(run(), run());
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_is_carried_out_or_not() {
    let simulated = Simulated::new(1, Faults { lost: 10_000, ..Faults::NONE });
    let (world, scope) = (simulated.world(), scope(&simulated.env()));
    let mut carried_out = 0;
    for n in 0..100u64 {
        let key = scope.key(Sk::text(&n.to_string()));
        assert_eq!(world.table.put(Write::put(key.clone(), Row::new())).await, Err(PortError::Unknown));
        carried_out += usize::from(world.table.get(&key).await.unwrap().is_some());
    }
    assert!((20..80).contains(&carried_out), "{carried_out}");
}

#[tokio::test(start_paused = true)]
async fn a_lost_answer_in_a_chain_speaks_of_one_commit() {
    for seed in 0..50 {
        let simulated = Simulated::new(seed, Faults { lost: 3_000, ..Faults::NONE });
        let (world, scope) = (simulated.world(), scope(&simulated.env()));
        let chain: Vec<_> = (0..5).map(|n| next_commit(&world.env, &scope, n, 0)).collect();
        let answer = world.table.commit_chain(&chain).await;
        simulated.faults(Faults::NONE);
        let head = head(&world, &scope).await as usize;
        match answer.error {
            None => assert_eq!((answer.done, head), (5, 5)),
            Some(error) => {
                assert_eq!(error, PortError::Unknown);
                assert!(head == answer.done || head == answer.done + 1, "{answer:?} {head}", answer = answer.done);
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_crash_takes_undurable_blobs_and_brings_jobs_back() {
    let simulated = Simulated::new(1, Faults::NONE);
    let (world, scope) = (simulated.world(), scope(&simulated.env()));
    let (kept, lost) = (scope.blob(AcceptanceId::new(&world.env)), scope.blob(AcceptanceId::new(&world.env)));
    world.blobs.put(&kept, vec!["kept".into()]).await.unwrap();
    let job = Job { id: JobId::new(&world.env), tenant: scope.tenant(), group: "g".into(), body: Bytes::new() };
    world.queue.send(QUEUE, vec![job]).await.unwrap();
    world.blobs.put(&lost, vec!["lost".into()]).await.unwrap();
    let out = world.queue.receive(QUEUE, 10, Duration::from_secs(600)).await.unwrap();
    simulated.crash();
    world.table.put(Write::put(scope.key(Sk::head()), Row::new())).await.unwrap();
    assert_eq!(world.blobs.get(&kept).await, Ok(Bytes::from("kept")));
    assert_eq!(world.blobs.get(&lost).await, Err(PortError::Missing));
    let again = world.queue.receive(QUEUE, 10, Duration::from_secs(600)).await.unwrap();
    assert_eq!((again[0].job.id, again[0].attempt), (out[0].job.id, 1));
}

#[tokio::test(start_paused = true)]
async fn done_jobs_come_again_and_groups_in_another_order() {
    let simulated = Simulated::new(3, Faults { redelivered: 5_000, reordered: 10_000, ..Faults::NONE });
    let (world, scope) = (simulated.world(), scope(&simulated.env()));
    for n in 0..20 {
        let job = Job { id: JobId::new(&world.env), tenant: scope.tenant(), group: format!("g{n:02}"), body: Bytes::new() };
        world.queue.send(QUEUE, vec![job]).await.unwrap();
    }
    let mut groups = Vec::new();
    while let Ok(jobs) = tokio::time::timeout(Duration::from_secs(5), world.queue.receive(QUEUE, 10, Duration::from_secs(600))).await {
        let jobs = jobs.unwrap();
        groups.push(jobs[0].job.group.clone());
        assert_eq!(jobs[0].attempt, 1, "a job that comes twice did not fail");
        world.queue.done(QUEUE, &[jobs[0].receipt]).await.unwrap();
    }
    assert!(groups.len() > 25, "some twice");
    let mut once = groups.clone();
    once.sort();
    assert_ne!(once, groups, "not in order");
    once.dedup();
    assert_eq!(once.len(), 20, "each");
}

#[tokio::test(start_paused = true)]
async fn wakes_get_lost_and_calls_are_throttled_and_slow() {
    let simulated = Simulated::new(1, Faults { deaf: 10_000, ..Faults::NONE });
    let (world, scope) = (simulated.world(), scope(&simulated.env()));
    let mut watch = world.wake.watch(scope.account());
    world.wake.wake(scope.account(), Modseq(1));
    assert!(tokio::time::timeout(Duration::from_secs(600), watch.changed()).await.is_err());
    simulated.faults(Faults { throttled: 10_000, ..Faults::NONE });
    assert_eq!(world.table.get(&scope.key(Sk::head())).await, Err(PortError::Throttled));
    simulated.faults(Faults { slow: 10_000, ..Faults::NONE });
    let before = world.env.now();
    for _ in 0..10 {
        world.table.get(&scope.key(Sk::head())).await.unwrap();
    }
    assert!(world.env.now().since(before) > Duration::from_secs(20));
}
