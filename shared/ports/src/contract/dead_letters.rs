use super::{Given, HIDDEN, bodies};
use crate::{QueueName, Received, World};

const QUEUE: QueueName = QueueName::Deliver;

impl Given {
    async fn give_back(&self, jobs: &[Received]) {
        let receipts: Vec<_> = jobs.iter().map(|job| job.receipt).collect();
        self.world.queue.give_back(QUEUE, &receipts).await.expect("a give back");
    }

    /// Fails the group's first job until it is given up.
    async fn fail_first(&self) {
        for attempt in 1..=3 {
            let jobs = self.receive(1).await;
            assert_eq!(jobs[0].attempt, attempt);
            self.give_back(&jobs).await;
        }
    }

    async fn dead(&self) -> Vec<(String, u32)> {
        let dead = self.world.queue.dead(QUEUE).await.expect("dead letters");
        dead.iter().map(|dead| (String::from_utf8_lossy(&dead.job.body).into_owned(), dead.attempts)).collect()
    }

    fn group(&self, group: &str) -> String {
        self.job(group, "").group
    }
}

pub async fn give_back_counts(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1"), given.job("g", "2")]).await;
    let jobs = given.receive(10).await;
    given.done(&jobs[1..]).await;
    given.give_back(&jobs[..1]).await;
    let again = given.receive(10).await;
    assert_eq!((bodies(&again), again[0].attempt), (vec!["1"], 2), "at once, and it counts");
    assert_eq!(given.dead().await, []);
}

pub async fn three_times_and_out(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1"), given.job("h", "other")]).await;
    let mut others = Vec::new();
    for _ in 0..4 {
        for job in given.receive_or_nothing(1).await {
            if bodies(std::slice::from_ref(&job)) == ["other"] {
                given.done(std::slice::from_ref(&job)).await;
                others.push(job);
            }
        }
        given.env().sleep(HIDDEN * 2).await;
    }
    assert_eq!(bodies(&others), ["other"], "other groups go on");
    assert_eq!(bodies(&given.receive_or_nothing(10).await), [""; 0], "not handed out a fourth time");
    assert_eq!(given.dead().await, [("1".to_owned(), 3)]);
}

pub async fn parked_jobs_wait_in_order(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1"), given.job("g", "2")]).await;
    given.fail_first().await;
    given.send(vec![given.job("g", "3")]).await;
    assert_eq!(bodies(&given.receive_or_nothing(10).await), [""; 0]);
    assert_eq!(given.dead().await, [("1".to_owned(), 3), ("2".to_owned(), 0), ("3".to_owned(), 0)]);
    assert_eq!(given.world.queue.backlog(QUEUE, given.scope.tenant()).await, Ok(0), "parked is not waiting");
}

pub async fn release_starts_afresh(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1"), given.job("g", "2")]).await;
    given.fail_first().await;
    assert_eq!(given.world.queue.release(QUEUE, &given.group("g")).await, Ok(2));
    assert_eq!(given.dead().await, []);
    given.fail_first().await;
    assert_eq!(given.dead().await.len(), 2);
    assert_eq!(given.world.queue.release(QUEUE, &given.group("g")).await, Ok(2));
    let jobs = given.receive(10).await;
    assert_eq!(bodies(&jobs), ["1", "2"]);
    given.done(&jobs).await;
    assert_eq!(bodies(&given.receive_or_nothing(10).await), [""; 0]);
}

pub async fn release_of_a_good_group(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1")]).await;
    assert_eq!(given.world.queue.release(QUEUE, &given.group("g")).await, Ok(0));
    assert_eq!(given.world.queue.release(QUEUE, &given.group("none")).await, Ok(0));
    assert_eq!(bodies(&given.receive(10).await), ["1"]);
}
