use super::{HELLO, Home};
use penfold_ports::{Account, Job, QueueName};
use penfold_simulated::Faults;
use penfold_transport::work::{Outcome, Worker as _};
use penfold_types::CommitId;
use std::time::Duration;

/// Everybody has what was accepted for them, once.
async fn storm(seed: u64) {
    let home = Home::new(seed).await;
    let mut people: Vec<Account> = Vec::new();
    for name in ["ann@x.test", "bob@x.test", "cid@x.test"] {
        people.push(home.person(name).await);
    }
    home.group("all@x.test", &["ann@x.test", "bob@x.test", "cid@x.test"]).await;
    home.simulated.faults(Faults::STORMY);
    let workers = home.workers(3);
    let mut accepted = Vec::new();
    for number in 0..8 {
        let message = format!("Subject: {number}\r\n\r\n{number}\r\n");
        let to: &[&str] = if number % 3 == 0 { &["all@x.test", "ann@x.test"] } else { &["bob@x.test"] };
        if home.send(to, &message).await.is_ok() {
            accepted.push((number, message));
        }
    }
    home.world.env.sleep(Duration::from_secs(300)).await;
    workers.end().await;
    home.simulated.faults(Faults::NONE);
    // What was given up meanwhile is released, as an operator would.
    for dead in home.world.queue.dead(QueueName::Deliver).await.unwrap() {
        home.world.queue.release(QueueName::Deliver, &dead.job.group).await.unwrap();
    }
    home.settle().await;
    for (at, account) in people.into_iter().enumerate() {
        let inbox = home.inbox(account).await;
        for (number, message) in &accepted {
            let expected = usize::from(number % 3 == 0 || at == 1);
            let found = inbox.iter().filter(|text| text.ends_with(message.as_str())).count();
            assert_eq!(found, expected, "seed {seed}, message {number}, person {at}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_lost_or_doubled_in_a_storm() {
    for seed in 100..200 {
        storm(seed).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_job_done_twice_changes_nothing() {
    let home = Home::new(21).await;
    let ann = home.person("ann@x.test").await;
    home.send(&["ann@x.test"], HELLO).await.unwrap();
    let batch = home.world.queue.receive(QueueName::Deliver, 10, Duration::from_secs(60)).await.unwrap();
    for _ in 0..3 {
        let outcomes = home.deliver.handle(&batch).await;
        assert!(outcomes.iter().all(Outcome::is_done), "{outcomes:?}");
    }
    assert_eq!(home.inbox(ann).await.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_job_that_cannot_be_read_parks_its_account_and_no_other() {
    let home = Home::new(22).await;
    let (ann, bob) = (home.person("ann@x.test").await, home.person("bob@x.test").await);
    home.send(&["ann@x.test"], HELLO).await.unwrap();
    let good = home.world.queue.receive(QueueName::Deliver, 10, Duration::from_secs(60)).await.unwrap();
    let group = good[0].job.group.clone();
    home.world.queue.give_back(QueueName::Deliver, &[good[0].receipt]).await.unwrap();
    let poison =
        Job { id: CommitId::new(&home.world.env), tenant: ann.tenant, group: group.clone(), body: b"\xffpoison".as_slice().into() };
    home.world.queue.send(QueueName::Deliver, vec![poison]).await.unwrap();
    home.send(&["ann@x.test"], "Subject: behind\r\n\r\n").await.unwrap();
    home.send(&["bob@x.test"], HELLO).await.unwrap();
    let workers = home.workers(2);
    home.world.env.sleep(Duration::from_secs(600)).await;
    workers.end().await;
    assert_eq!(home.inbox(ann).await.len(), 1, "what was in front of it is delivered");
    assert_eq!(home.inbox(bob).await.len(), 1);
    let dead = home.world.queue.dead(QueueName::Deliver).await.unwrap();
    assert_eq!(dead.len(), 2, "the poison, and what waits behind it");
    assert!(dead.iter().all(|one| one.job.group == group));
}

#[tokio::test(start_paused = true)]
async fn new_mail_waits_while_old_mail_does() {
    let home = Home::new(23).await;
    home.person("ann@x.test").await;
    home.send(&["ann@x.test"], HELLO).await.unwrap();
    assert!(home.transport.ready().await.is_ok());
    home.world.env.sleep(Duration::from_secs(61)).await;
    assert!(home.transport.ready().await.is_err());
    home.settle().await;
    assert!(home.transport.ready().await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn mail_for_somebody_who_is_gone_is_kept_as_a_dead_letter() {
    let home = Home::new(24).await;
    home.person("ann@x.test").await;
    home.send(&["ann@x.test"], HELLO).await.unwrap();
    home.directory.operator().delete_person(&super::address("ann@x.test")).await.unwrap();
    let workers = home.workers(1);
    home.world.env.sleep(Duration::from_secs(600)).await;
    workers.end().await;
    assert_eq!(home.world.queue.dead(QueueName::Deliver).await.unwrap().len(), 1);
}
