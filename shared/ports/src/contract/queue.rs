use super::{Given, HIDDEN, bodies};
use crate::{Job, PortError, QueueName, World};
use bytes::Bytes;
use std::sync::Arc;
use std::time::Duration;

const QUEUE: QueueName = QueueName::Deliver;

pub async fn order_in_a_group(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1"), given.job("g", "2")]).await;
    given.send(vec![given.job("g", "3")]).await;
    let jobs = given.receive(10).await;
    assert_eq!(bodies(&jobs), ["1", "2", "3"]);
    assert!(jobs.iter().all(|job| job.attempt == 1 && job.job.tenant == given.scope.tenant()));
}

pub async fn one_batch_out_of_a_group(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1"), given.job("g", "2"), given.job("g", "3")]).await;
    let first = given.receive(2).await;
    assert_eq!(bodies(&first), ["1", "2"]);
    assert_eq!(bodies(&given.receive_or_nothing(10).await), [""; 0], "the group waits");
    given.done(&first[..1]).await;
    assert_eq!(bodies(&given.receive_or_nothing(10).await), [""; 0], "until all of the batch is in");
    given.done(&first[1..]).await;
    assert_eq!(bodies(&given.receive(10).await), ["3"]);
}

pub async fn groups_go_on(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "g1"), given.job("h", "h1"), given.job("g", "g2")]).await;
    let (first, second) = (given.receive(10).await, given.receive(10).await);
    let mut batches = [bodies(&first), bodies(&second)];
    batches.sort();
    assert_eq!(batches, [vec!["g1", "g2"], vec!["h1"]], "a batch is of one group");
}

pub async fn tenants_in_turn(world: World) {
    let (loud, quiet) = (Given::new(world.clone()), Given::new(world));
    for n in 0..20 {
        loud.send(vec![loud.job(&format!("g{n}"), "loud")]).await;
    }
    quiet.send(vec![quiet.job("q", "quiet")]).await;
    let mut turns = Vec::new();
    for _ in 0..3 {
        turns.extend(loud.receive(10).await);
    }
    assert!(bodies(&turns).contains(&"quiet"), "{:?}", bodies(&turns));
}

pub async fn receive_waits(world: World) {
    let given = Arc::new(Given::new(world));
    let worker = {
        let given = given.clone();
        tokio::spawn(async move { given.receive(10).await })
    };
    tokio::task::yield_now().await;
    given.send(vec![given.job("g", "1")]).await;
    assert_eq!(bodies(&worker.await.expect("the worker")), ["1"]);
}

pub async fn ten_at_most(world: World) {
    let given = Given::new(world);
    for _ in 0..3 {
        given.send((0..10).map(|_| given.job("g", "x")).collect()).await;
    }
    assert_eq!(given.receive(100).await.len(), 10);
}

pub async fn hidden_then_again(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1"), given.job("g", "2")]).await;
    let first = given.receive(1).await;
    given.env().sleep(HIDDEN / 2).await;
    assert_eq!(bodies(&given.receive_or_nothing(10).await), [""; 0]);
    given.env().sleep(HIDDEN).await;
    let again = given.receive(10).await;
    assert_eq!(bodies(&again), ["1", "2"], "in its old place");
    assert_eq!((again[0].attempt, again[1].attempt), (2, 1));
    assert_ne!(again[0].receipt, first[0].receipt);
}

pub async fn late_receipts(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1")]).await;
    let first = given.receive(10).await;
    given.env().sleep(HIDDEN * 2).await;
    assert_eq!(given.world.queue.extend(QUEUE, &[first[0].receipt], HIDDEN).await, Err(PortError::Missing));
    let again = given.receive(10).await;
    given.done(&first).await;
    given.env().sleep(HIDDEN * 2).await;
    assert_eq!(bodies(&given.receive(10).await), ["1"], "a receipt that ran out forgets nothing");
    assert_eq!(again.len(), 1);
}

pub async fn extend_keeps_hidden(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1")]).await;
    let jobs = given.receive(10).await;
    for _ in 0..3 {
        given.env().sleep(HIDDEN / 2).await;
        assert_eq!(given.world.queue.extend(QUEUE, &[jobs[0].receipt], HIDDEN).await, Ok(()));
    }
    assert_eq!(bodies(&given.receive_or_nothing(10).await), [""; 0]);
    given.done(&jobs).await;
    given.env().sleep(HIDDEN * 2).await;
    assert_eq!(bodies(&given.receive_or_nothing(10).await), [""; 0]);
}

pub async fn done_lets_the_next_out(world: World) {
    let given = Given::new(world);
    given.send(vec![given.job("g", "1"), given.job("g", "2")]).await;
    for wanted in ["1", "2"] {
        let jobs = given.receive(1).await;
        assert_eq!(bodies(&jobs), [wanted]);
        given.done(&jobs).await;
    }
    given.env().sleep(HIDDEN * 2).await;
    assert_eq!(bodies(&given.receive_or_nothing(10).await), [""; 0]);
}

pub async fn same_id_is_one_job(world: World) {
    let given = Given::new(world);
    let job = given.job("g", "1");
    given.send(vec![job.clone(), job.clone()]).await;
    given.send(vec![job.clone()]).await;
    let jobs = given.receive(10).await;
    assert_eq!(bodies(&jobs), ["1"]);
    given.done(&jobs).await;
    given.send(vec![job]).await;
    assert_eq!(bodies(&given.receive_or_nothing(10).await), [""; 0], "also after it was done");
}

pub async fn ids_are_known_to_their_queue(world: World) {
    let given = Given::new(world);
    let job = given.job("g", "1");
    given.send(vec![job.clone()]).await;
    given.world.queue.send(QueueName::Relay, vec![job.clone()]).await.expect("a queue");
    assert_eq!(bodies(&given.receive(10).await), ["1"]);
    loop {
        let received = given.world.queue.receive(QueueName::Relay, 10, HIDDEN).await.expect("a queue");
        let receipts: Vec<_> = received.iter().map(|one| one.receipt).collect();
        given.world.queue.done(QueueName::Relay, &receipts).await.expect("a queue");
        // Others may use this queue too.
        if received.iter().any(|one| one.job.id == job.id) {
            return;
        }
    }
}

pub async fn limits_of_a_send(world: World) {
    let given = Given::new(world);
    let with_body = |len: usize| Job { body: Bytes::from(vec![b'x'; len]), ..given.job("g", "") };
    let too_many = (0..11).map(|_| given.job("g", "x")).collect::<Vec<_>>();
    given.world.queue.send(QUEUE, too_many).await.expect("the client splits");
    assert_eq!(given.world.queue.send(QUEUE, vec![with_body(256 * 1024)]).await, Ok(()));
    for bad in [
        with_body(256 * 1024 + 1),
        Job { group: String::new(), ..given.job("g", "") },
        Job { group: "g".repeat(129), ..given.job("g", "") },
    ] {
        assert!(matches!(given.world.queue.send(QUEUE, vec![bad]).await, Err(PortError::Limit(_))));
    }
}

pub async fn backlog_and_oldest(world: World) {
    let given = Given::new(world);
    let tenant = given.scope.tenant();
    let stranger = Given::new(given.world.clone());
    assert_eq!(given.world.queue.backlog(QUEUE, tenant).await, Ok(0));
    assert_eq!(given.world.queue.oldest(QUEUE).await, Ok(Duration::ZERO));
    given.send(vec![given.job("g", "1"), given.job("h", "2"), given.job("h", "3")]).await;
    assert_eq!(given.world.queue.backlog(QUEUE, tenant).await, Ok(3));
    assert_eq!(given.world.queue.backlog(QUEUE, stranger.scope.tenant()).await, Ok(0));
    let (first, second) = (given.receive(10).await, given.receive(10).await);
    assert_eq!(given.world.queue.backlog(QUEUE, tenant).await, Ok(0), "out is not waiting");
    assert_eq!(given.world.queue.oldest(QUEUE).await, Ok(Duration::ZERO));
    given.done(&first).await;
    given.done(&second).await;
    assert_eq!(given.world.queue.backlog(QUEUE, tenant).await, Ok(0));
}

pub async fn cancelled_receive_loses_nothing(world: World) {
    let given = Arc::new(Given::new(world));
    let workers: Vec<_> = (0..4)
        .map(|_| {
            let given = given.clone();
            tokio::spawn(async move { given.receive(10).await })
        })
        .collect();
    given.env().sleep(Duration::from_millis(50)).await;
    workers.iter().for_each(tokio::task::JoinHandle::abort);
    for worker in workers {
        let _ = worker.await;
    }
    given.send(vec![given.job("g", "1")]).await;
    assert_eq!(bodies(&given.receive(10).await), ["1"]);
}

pub async fn many_workers_share(world: World) {
    let given = Arc::new(Given::new(world));
    let workers: Vec<_> = (0..8)
        .map(|_| {
            let given = given.clone();
            tokio::spawn(async move {
                let mut seen = Vec::new();
                loop {
                    let jobs = given.receive(10).await;
                    given.done(&jobs).await;
                    seen.extend(jobs.iter().map(|job| String::from_utf8_lossy(&job.job.body).into_owned()));
                    if seen.iter().any(|body| body == "end") {
                        return seen;
                    }
                }
            })
        })
        .collect();
    for n in 0..100 {
        given.send(vec![given.job(&format!("g{}", n % 13), &format!("{n:03}"))]).await;
    }
    for n in 0..8 {
        given.send(vec![given.job(&format!("end{n}"), "end")]).await;
    }
    let mut seen = Vec::new();
    for worker in workers {
        seen.extend(worker.await.expect("a worker"));
    }
    seen.retain(|body| body != "end");
    seen.sort();
    assert_eq!(seen, (0..100).map(|n| format!("{n:03}")).collect::<Vec<_>>());
}

pub async fn a_hung_worker_does_not_keep_its_job(world: World) {
    let given = Arc::new(Given::new(world));
    let waiting = {
        let given = given.clone();
        tokio::spawn(async move { given.receive(10).await })
    };
    tokio::task::yield_now().await;
    // One of two takes the job and never comes back; the other began to wait when nothing was out.
    given.send(vec![given.job("g", "1")]).await;
    let other = {
        let given = given.clone();
        tokio::spawn(async move { given.receive(10).await })
    };
    let (first, second) = (waiting.await.expect("a worker"), other.await.expect("a worker"));
    assert_eq!((bodies(&first), bodies(&second)), (vec!["1"], vec!["1"]));
    assert_eq!(first[0].attempt + second[0].attempt, 3);
}
