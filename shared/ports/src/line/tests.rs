//! Random histories against a plain list of jobs.

use super::*;
use std::collections::BTreeMap;

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Place {
    Waits,
    Out(Receipt),
    Done,
}

#[derive(Clone, Debug)]
struct Known {
    group: usize,
    failures: u32,
    place: Place,
}

struct Model {
    line: Line,
    jobs: BTreeMap<u64, Known>,
    seed: u64,
    now: Instant,
}

const GROUPS: u64 = 5;

fn tenant_of(group: usize) -> TenantId {
    TenantId::from_bytes([group as u8 % 2; 16])
}

#[allow(clippy::disallowed_methods)]
fn begin() -> Instant {
    Instant::now()
}

impl Model {
    fn below(&mut self, bound: u64) -> u64 {
        self.seed = self.seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.seed >> 33) % bound
    }

    fn of(&self, group: usize) -> impl Iterator<Item = (&u64, &Known)> {
        self.jobs.iter().filter(move |(_, job)| job.group == group && job.place != Place::Done)
    }

    fn is_parked(&self, group: usize) -> bool {
        self.of(group).any(|(_, job)| job.failures >= ATTEMPTS && job.place == Place::Waits)
    }

    fn is_out(&self, group: usize) -> bool {
        self.of(group).any(|(_, job)| matches!(job.place, Place::Out(_)))
    }

    fn add(&mut self) {
        let (number, group) = (self.jobs.len() as u64, self.below(GROUPS) as usize);
        self.line.add(number, tenant_of(group), &group.to_string(), Timestamp::from_millis(number as i64), 0);
        self.jobs.insert(number, Known { group, failures: 0, place: Place::Waits });
    }

    fn take(&mut self) {
        let max = 1 + self.below(4) as usize;
        let until = self.now + Duration::from_secs(1 + self.below(5));
        let handed = self.line.take(max, until);
        let Some(first) = handed.first() else {
            let ready = (0..GROUPS as usize).any(|g| !self.is_parked(g) && !self.is_out(g) && self.of(g).count() > 0);
            assert!(!ready, "something could be handed out");
            return;
        };
        let group = self.jobs[&first.number].group;
        assert!(!self.is_parked(group) && !self.is_out(group), "one batch out, and none of a parked group");
        let wanted: Vec<_> = self.of(group).map(|(number, _)| *number).take(max).collect();
        assert_eq!(handed.iter().map(|h| h.number).collect::<Vec<_>>(), wanted, "the group's first, in order");
        for Handed { number, receipt, attempt } in handed {
            let job = self.jobs.get_mut(&number).unwrap();
            assert_eq!(attempt, job.failures + 1);
            job.place = Place::Out(receipt);
        }
    }

    fn receipts(&mut self) -> Vec<Receipt> {
        let all: Vec<_> =
            self.jobs.values().filter_map(|job| if let Place::Out(receipt) = job.place { Some(receipt) } else { None }).collect();
        all.into_iter().filter(|_| self.below(2) == 0).collect()
    }

    fn failed(&mut self, failures: &[Failure]) {
        for failure in failures {
            let job = self.jobs.get_mut(&failure.number).unwrap();
            assert!(matches!(job.place, Place::Out(_)));
            job.failures += 1;
            job.place = Place::Waits;
            assert_eq!(job.failures, failure.failures);
        }
    }

    fn done(&mut self) {
        let receipts = self.receipts();
        for number in self.line.done(&receipts) {
            self.jobs.get_mut(&number).unwrap().place = Place::Done;
        }
        assert_eq!(self.line.done(&receipts), Vec::<u64>::new(), "once");
    }

    fn release(&mut self) {
        let group = self.below(GROUPS) as usize;
        let parked: Vec<_> = self.of(group).filter(|(_, job)| job.place == Place::Waits).map(|(number, _)| *number).collect();
        let wanted = if self.is_parked(group) { parked.len() } else { 0 };
        assert_eq!(self.line.release(&group.to_string()).0, wanted);
        if wanted > 0 {
            parked.iter().for_each(|number| self.jobs.get_mut(number).unwrap().failures = 0);
        }
    }

    fn drop_waiting(&mut self) {
        let group = self.below(GROUPS) as usize;
        let wanted: Vec<_> = self.of(group).filter(|(_, job)| job.place == Place::Waits).map(|(number, _)| *number).collect();
        assert_eq!(self.line.drop_waiting(&group.to_string()), wanted);
        wanted.iter().for_each(|number| self.jobs.get_mut(number).unwrap().place = Place::Done);
    }

    fn check(&self) {
        let waits = |job: &&Known| job.place == Place::Waits && !self.is_parked(job.group);
        for tenant in 0..2usize {
            let wanted = self.jobs.values().filter(|job| tenant_of(job.group) == tenant_of(tenant)).filter(waits).count();
            assert_eq!(self.line.backlog(tenant_of(tenant)), wanted);
        }
        let oldest = self.jobs.iter().find(|(_, job)| waits(job)).map_or(0, |(number, _)| 1_000_000 - number);
        assert_eq!(self.line.oldest(Timestamp::from_millis(1_000_000)), Duration::from_millis(oldest));
        let parked = self.jobs.values().filter(|job| job.place == Place::Waits && self.is_parked(job.group)).count();
        assert_eq!(self.line.dead(usize::MAX).len(), parked);
    }

    fn step(&mut self) {
        match self.below(21) / 2 {
            0..=2 => self.add(),
            3..=5 => self.take(),
            6 => self.done(),
            7 => {
                let receipts = self.receipts();
                let failures = self.line.give_back(&receipts);
                self.failed(&failures);
            }
            8 => {
                let later = self.below(2000);
                self.now += Duration::from_millis(later);
                let failures = self.line.expire(self.now);
                self.failed(&failures);
                assert!(self.line.next_due().is_none_or(|due| due > self.now));
            }
            9 => self.release(),
            _ => self.drop_waiting(),
        }
        self.check();
    }
}

#[test]
fn random_histories_agree_with_a_list() {
    for seed in 0..100 {
        let mut model = Model { line: Line::default(), jobs: BTreeMap::new(), seed, now: begin() };
        for _ in 0..200 {
            model.step();
        }
        model.line.recall();
        for job in model.jobs.values_mut().filter(|job| matches!(job.place, Place::Out(_))) {
            job.place = Place::Waits;
        }
        model.check();
    }
}

#[test]
fn tenants_and_groups_take_turns() {
    let mut line = Line::default();
    let now = begin();
    for number in 0..12u64 {
        // Tenant 0 has groups a, b and c; tenant 1 has d.
        let (tenant, group) = if number < 9 { (0, ["a", "b", "c"][number as usize % 3]) } else { (1, "d") };
        line.add(number, TenantId::from_bytes([tenant; 16]), group, Timestamp::default(), 0);
    }
    let mut turns = Vec::new();
    while line.is_ready() {
        let handed = line.take(1, now);
        turns.push(handed[0].number);
        line.done(&[handed[0].receipt]);
    }
    assert_eq!(turns, [0, 9, 1, 10, 2, 11, 3, 4, 5, 6, 7, 8]);
}

#[test]
fn failures_read_back_from_storage_park_the_group() {
    let mut line = Line::default();
    let tenant = TenantId::from_bytes([1; 16]);
    line.add(1, tenant, "g", Timestamp::default(), 0);
    line.add(2, tenant, "g", Timestamp::default(), ATTEMPTS);
    line.add(3, tenant, "g", Timestamp::default(), 0);
    assert!(!line.is_ready());
    assert_eq!((line.backlog(tenant), line.dead(10).len()), (0, 3));
    assert_eq!(line.release("g"), (3, vec![2]));
    assert_eq!(line.take(10, begin()).len(), 3);
}

/// Ten thousand jobs of one tenant, each of another mailbox, wait already; each of 50 others is served within a round.
#[test]
fn a_tenants_mailing_delays_the_others_by_one_round() {
    let mut line = Line::default();
    let tenant = |n: u8| TenantId::from_bytes([n; 16]);
    for number in 0..10_000 {
        line.add(number, tenant(0), &format!("mailbox {number}"), Timestamp::default(), 0);
    }
    for n in 1..=50 {
        line.add(20_000 + u64::from(n), tenant(n), &format!("quiet {n}"), Timestamp::default(), 0);
    }
    let first: Vec<u64> = (0..51).map(|_| line.take(10, begin())[0].number).collect();
    assert_eq!(first.iter().filter(|number| **number > 20_000).count(), 50);
    // What the mailing sends meanwhile stands behind, and the next one of another still waits for one of it.
    line.add(10_000, tenant(0), "mailbox 10000", Timestamp::default(), 0);
    line.add(30_000, tenant(7), "quiet again", Timestamp::default(), 0);
    assert!((0..2).any(|_| line.take(10, begin())[0].number == 30_000));
    assert_eq!(line.backlog(tenant(0)), 9999);
}
