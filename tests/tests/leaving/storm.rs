//! Processes die at any moment, stores throttle and lose answers, peers refuse and hang up.

use crate::house::{Deed, House, Peers, letter};
use penfold_simulated::Faults;
use penfold_transport::outbound::{Parcel, State};
use std::collections::BTreeMap;
use std::time::Duration;

/// Where an attempt's end is not known, a message may have been sent once more for each such end.
struct End {
    left: usize,
    back: usize,
    again: usize,
    unsure: usize,
}

fn deed(seed: u64, to: &str, since: Duration) -> Deed {
    // The same in one quarter of an hour, other in the next.
    let mut bits = seed ^ (since.as_secs() / 900).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for byte in to.bytes() {
        bits = (bits ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
    }
    match (bits >> 32) % 10 {
        0..4 => Deed::Take,
        4..7 => Deed::Later,
        7 => Deed::Never,
        8 => Deed::Lost { taken: true },
        _ => Deed::Lost { taken: false },
    }
}

impl House {
    async fn parcels(&self) -> Vec<Parcel> {
        let scope = self.directory.tenant_scope(self.ann.account.tenant);
        let (parcels, more) = penfold_transport::outbound::parcels(&self.world, &scope, None).await.unwrap();
        assert!(!more);
        parcels.into_iter().map(|(_, parcel)| parcel).collect()
    }

    /// Until the way of every parcel has ended, at the latest a day after its five.
    async fn settle(&self, seed: u64) {
        for _ in 0..6 * 24 {
            // A job whose group was given up in the storm is let go.
            for queue in penfold_ports::QueueName::ALL {
                for dead in self.world.queue.dead(queue).await.unwrap() {
                    self.world.queue.release(queue, &dead.job.group).await.unwrap();
                }
            }
            self.world.env.sleep(Duration::from_secs(3600)).await;
            let mut waiting = 0;
            for queue in penfold_ports::QueueName::ALL {
                waiting += self.world.queue.backlog(queue, self.ann.account.tenant).await.unwrap();
            }
            if waiting == 0 && self.parcels().await.iter().all(|parcel| parcel.state == State::Done) {
                return;
            }
        }
        panic!("seed {seed}: {:?}", self.parcels().await);
    }
}

async fn storm(seed: u64) -> End {
    let house = House::new(seed, Peers::of(move |to, since| deed(seed, to, since))).await;
    let env = house.world.env.clone();
    let mut accepted = BTreeMap::new();
    for number in 0..8 {
        house.simulated.faults(Faults { throttled: 300, lost: 300, ..Faults::STORMY });
        let recipients: Vec<String> = (0..1 + env.below(4)).map(|n| format!("r{n}m{number}@d{}.test", env.below(3))).collect();
        let to: Vec<&str> = recipients.iter().map(String::as_str).collect();
        if let Ok(id) = house.submit(&to, &letter(&format!("m{number}"))).await {
            accepted.insert(format!("m{number}"), (id, recipients));
        }
        env.sleep(Duration::from_millis(env.below(4_000))).await;
        if env.below(2) == 0 {
            house.kill().await;
            house.serve();
        }
        env.sleep(Duration::from_secs(env.below(600))).await;
    }
    house.simulated.faults(Faults::NONE);
    house.settle(seed).await;
    let mut taken: BTreeMap<(String, String), usize> = BTreeMap::new();
    for key in house.peers.taken() {
        *taken.entry(key).or_default() += 1;
    }
    let reports: Vec<String> = house.inbox("ann@x.test").await;
    let parcels = house.parcels().await;
    let (mut end, mut left) = (End { left: 0, back: 0, again: 0, unsure: 0 }, 0);
    for (subject, (id, recipients)) in &accepted {
        let hops = house.trace(*id).await;
        for to in recipients {
            let times = taken.remove(&(to.clone(), subject.clone())).unwrap_or(0);
            let failed = format!("Final-Recipient: rfc822; {to}\r\nAction: failed");
            let back = reports.iter().filter(|report| report.contains(&failed)).count();
            let interrupted = parcels.iter().find(|p| p.acceptance == *id && p.passages.iter().any(|one| one.to.path == *to));
            let unsure = interrupted.expect("its parcel").interrupted as usize;
            assert!(times + back >= 1, "seed {seed}: {to} neither left nor came back: {hops:?}");
            assert!(back <= 1, "seed {seed}: {to} came back {back} times");
            assert!(times <= 1 + unsure, "seed {seed}: {to} left {times} times, of {unsure} doubtful ends");
            end.again += times.saturating_sub(1);
            end.unsure += unsure;
            end.back += back;
            left += usize::from(times > 0);
        }
    }
    end.left = left;
    end
}

#[test]
fn what_was_handed_in_leaves_or_comes_back() {
    let seeds: u64 = std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(40);
    let (mut left, mut back, mut again, mut unsure) = (0, 0, 0, 0);
    for seed in 1..=seeds {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let end = runtime.block_on(storm(seed));
        (left, back, again, unsure) = (left + end.left, back + end.back, again + end.again, unsure + end.unsure);
    }
    println!("{seeds} seeds: {left} left, {back} came back, {again} were sent once more after {unsure} ends that nobody knows");
    assert!(left > seeds as usize && back > 0 && unsure > 0, "too little happened");
}
