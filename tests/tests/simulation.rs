//! A whole tenant under faults, on virtual time: people with two sessions each, senders, workers and observers in two
//! processes on one simulated store, which throttles, loses answers, hands out jobs again and in another order, drops wakes
//! and is killed. At the end everything that was acknowledged is there exactly once.
//!
//! `SEEDS=100000` for a soak, `SEED=17` to play one again.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "simulation/actors.rs"]
mod actors;
#[path = "simulation/audit.rs"]
mod audit;

use actors::{Observer, Process};
use penfold_directory::Directory;
use penfold_ports::{Account, QueueName, World};
use penfold_simulated::{Faults, Simulated};
use penfold_tests::ledger::Ledger;
use penfold_tests::rng::Rng;
use penfold_tests::town::{address, directory, group, person};
use penfold_tests::{Seconds, on_virtual_time};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::task::JoinSet;

/// Everything that the actors of one run share.
pub struct Play {
    pub world: World,
    pub people: Vec<Account>,
    /// Addresses, and whom each reaches.
    pub addresses: Vec<(&'static str, Vec<Account>)>,
    pub ledger: Mutex<Ledger>,
    pub problems: Mutex<Vec<String>>,
}

impl Play {
    pub fn problem(&self, text: String) {
        let mut problems = self.problems.lock().unwrap();
        if problems.len() < 20 {
            problems.push(text);
        }
    }
}

#[derive(Default)]
struct End {
    problems: Vec<String>,
    trace: u64,
    calls: u64,
    /// Effects that were answered for, and those that may or may not be.
    answered: usize,
    unanswered: usize,
}

/// What is done behind the store's back, to see that it is noticed.
#[derive(Clone, Copy)]
enum Sabotage {
    None,
    Lose,
    Double,
    OtherBytes,
}

fn weather(rng: &mut Rng) -> Faults {
    match rng.below(6) {
        0 => Faults::NONE,
        1 => Faults::STORMY,
        2 => Faults { lost: 600, ..Faults::NONE },
        3 => Faults { throttled: 800, slow: 200, ..Faults::NONE },
        4 => Faults { redelivered: 3_000, reordered: 5_000, deaf: 5_000, ..Faults::NONE },
        _ => Faults {
            throttled: rng.below(400) as u32,
            slow: rng.below(200) as u32,
            lost: rng.below(400) as u32,
            redelivered: rng.below(2_000) as u32,
            reordered: rng.below(5_000) as u32,
            deaf: rng.below(5_000) as u32,
        },
    }
}

async fn town(world: &World) -> (Vec<Account>, Vec<(&'static str, Vec<Account>)>) {
    let directory = directory(world);
    let mut people = Vec::new();
    for mail in ["ann@acme.test", "bob@acme.test", "cid@acme.test"] {
        people.push(person(world, &directory, "acme", mail, None).await);
    }
    directory.operator().add_alias(&address("ann@acme.test"), &address("boss@acme.test")).await.unwrap();
    group(&directory, "team@acme.test", &["ann@acme.test", "bob@acme.test"].map(address)).await;
    group(&directory, "all@acme.test", &["team@acme.test", "cid@acme.test", "boss@acme.test"].map(address)).await;
    let [ann, bob, cid] = [people[0], people[1], people[2]];
    let addresses = vec![
        ("ann@acme.test", vec![ann]),
        ("boss@acme.test", vec![ann]),
        ("ann+list@acme.test", vec![ann]),
        ("bob@acme.test", vec![bob]),
        ("cid@acme.test", vec![cid]),
        ("team@acme.test", vec![ann, bob]),
        ("all@acme.test", vec![ann, bob, cid]),
    ];
    (people, addresses)
}

async fn play(seed: u64, sabotage: Sabotage) -> End {
    let simulated = Simulated::new(seed, Faults::NONE);
    let world = simulated.world();
    let (people, addresses) = town(&world).await;
    let play = Arc::new(Play { world: world.clone(), people, addresses, ledger: Mutex::default(), problems: Mutex::default() });
    let mut rng = Rng::new(seed.wrapping_mul(31).wrapping_add(7));
    let observers: Vec<Arc<tokio::sync::Mutex<Observer>>> = play
        .people
        .iter()
        .flat_map(|account| [Observer::new(*account), Observer::new(*account)])
        .map(|o| Arc::new(tokio::sync::Mutex::new(o)))
        .collect();
    let epochs = 1 + rng.below(3);
    for epoch in 0..epochs {
        simulated.faults(weather(&mut rng));
        let processes = [Process::start(&play), Process::start(&play)];
        let mut background = JoinSet::new();
        let mut actors = JoinSet::new();
        for process in &processes {
            process.serve(&mut background);
        }
        for (at, observer) in observers.iter().enumerate() {
            background.spawn(actors::observe(play.clone(), processes[at % 2].clone(), observer.clone()));
        }
        for (at, process) in processes.iter().enumerate() {
            let own = seed.wrapping_mul(1_000).wrapping_add((epoch * 100 + at * 10) as u64);
            background.spawn(actors::meter(play.clone(), process.clone(), Rng::new(own ^ 0x3e7e)));
            actors.spawn(actors::send(play.clone(), process.clone(), Rng::new(own ^ 0x5e4d), format!("e{epoch}p{at}")));
            for (who, account) in play.people.iter().enumerate() {
                let name = format!("e{epoch}p{at}w{who}");
                actors.spawn(actors::work(play.clone(), process.clone(), *account, Rng::new(own.wrapping_add(who as u64)), name));
            }
        }
        let longest = if rng.chance(50) { 400 } else { 6_000 };
        let killed_after = Duration::from_millis(50 + rng.below(longest) as u64);
        let last = epoch + 1 == epochs;
        let limit = if last { Duration::from_secs(20_000) } else { killed_after };
        let ended = tokio::select! {
            biased;
            () = all(&play, &mut actors) => true,
            () = world.env.sleep(limit) => false,
        };
        if last && !ended {
            play.problem("the actors did not end".to_owned());
        }
        if !last || rng.chance(50) {
            actors.shutdown().await;
            background.shutdown().await;
            play.ledger.lock().unwrap().all_failed();
            simulated.crash();
        } else {
            actors.shutdown().await;
            background.shutdown().await;
        }
        if !last && rng.chance(30) {
            simulated.faults(Faults::NONE);
            // What is not counted yet is held back; after that all of it goes.
            audit::trim(&play, &Process::start(&play)).await;
            audit::usage(&play, &Process::start(&play)).await;
            audit::trim(&play, &Process::start(&play)).await;
        }
    }
    simulated.faults(Faults::NONE);
    let process = Process::start(&play);
    let mut background = JoinSet::new();
    process.serve(&mut background);
    drain(&play, &process.directory).await;
    audit::usage(&play, &process).await;
    audit::sabotage(&play, &process, sabotage).await;
    audit::accounts(&play, &process, &observers).await;
    background.shutdown().await;
    let problems = std::mem::take(&mut *play.problems.lock().unwrap());
    let (answered, unanswered) = play.ledger.lock().unwrap().counts();
    End { problems, trace: simulated.trace_hash(), calls: simulated.calls(), answered, unanswered }
}

async fn all(play: &Play, actors: &mut JoinSet<()>) {
    while let Some(ended) = actors.join_next().await {
        if let Err(error) = ended {
            play.problem(format!("an actor died: {error}"));
        }
    }
}

/// Until the queue is empty. What the storm made a dead letter is released once; it must not die again.
async fn drain(play: &Play, _: &Directory) {
    let (world, tenant) = (&play.world, play.people[0].tenant);
    let mut quiet = 0;
    for round in 0..60 {
        world.env.sleep(Duration::from_secs(61)).await;
        let dead = world.queue.dead(QueueName::Deliver).await.unwrap();
        let groups: BTreeSet<String> = dead.iter().map(|d| d.job.group.clone()).collect();
        for group in &groups {
            if round > 3 {
                play.problem(format!("{group} is parked in fine weather"));
                return;
            }
            world.queue.release(QueueName::Deliver, group).await.unwrap();
        }
        quiet = if groups.is_empty() && world.queue.backlog(QueueName::Deliver, tenant).await.unwrap() == 0 { quiet + 1 } else { 0 };
        if quiet == 2 {
            return;
        }
    }
    play.problem("the queue did not drain".to_owned());
}

/// A seed's end; a panic is a problem like any other.
fn run(seed: u64, sabotage: Sabotage) -> End {
    let ended = std::panic::catch_unwind(|| on_virtual_time(play(seed, sabotage)));
    ended.unwrap_or_else(|_| End { problems: vec!["it panicked".to_owned()], ..End::default() })
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

#[test]
fn whatever_the_weather_what_was_acknowledged_is_there_once() {
    let seconds = Seconds::of("simulation");
    let (first, count) = match number("SEED") {
        Some(seed) => (seed, 1),
        None => (1, number("SEEDS").unwrap_or(1_000)),
    };
    let next = AtomicU64::new(first);
    let [calls, answered, unanswered] = [0, 0, 0].map(AtomicU64::new);
    let failed: Mutex<Vec<(u64, Vec<String>)>> = Mutex::default();
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + count || failed.lock().unwrap().len() >= 10 {
                        return;
                    }
                    let end = run(seed, Sabotage::None);
                    calls.fetch_add(end.calls, Ordering::Relaxed);
                    answered.fetch_add(end.answered as u64, Ordering::Relaxed);
                    unanswered.fetch_add(end.unanswered as u64, Ordering::Relaxed);
                    if !end.problems.is_empty() {
                        failed.lock().unwrap().push((seed, end.problems));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    let (calls, answered, unanswered) = (calls.into_inner(), answered.into_inner(), unanswered.into_inner());
    println!("{count} seeds, {calls} calls, {answered} effects answered and {unanswered} not, {:.1} s", seconds.so_far());
    assert!(count < 100 || (answered > count * 20 && unanswered > count), "the simulation does too little");
    for (seed, problems) in &failed {
        println!("SEED={seed}: {problems:#?}");
    }
    assert!(failed.is_empty(), "seeds that failed: {:?}", failed.iter().map(|(seed, _)| seed).collect::<Vec<_>>());
}

#[test]
fn the_same_seed_is_the_same_run() {
    let _seconds = Seconds::of("simulation, each seed twice");
    let mut traces = BTreeSet::new();
    for seed in 1..=8 {
        let (one, two) = (run(seed, Sabotage::None), run(seed, Sabotage::None));
        assert_eq!((one.trace, one.calls), (two.trace, two.calls), "seed {seed}");
        traces.insert(one.trace);
    }
    assert_eq!(traces.len(), 8, "another seed is another run");
}

/// An audit that could not fail would prove nothing.
#[test]
fn what_is_lost_doubled_or_changed_is_noticed() {
    let _seconds = Seconds::of("simulation, sabotaged");
    for seed in [1, 2, 3] {
        for sabotage in [Sabotage::Lose, Sabotage::Double, Sabotage::OtherBytes] {
            assert!(!run(seed, sabotage).problems.is_empty(), "seed {seed}, {}", sabotage as u8);
        }
    }
}
