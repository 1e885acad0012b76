//! Tenants know nothing of one another: every IMAP command and submission with somebody's sign-in and another tenant's
//! names and ids gives the answer that made-up names and ids give; a sign-in answers alike whether an address exists; and
//! one tenant's mailing to ten thousand does not keep another's mail waiting.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "isolation/walks.rs"]
mod walks;

use penfold_deliver::Deliver;
use penfold_ports::{Account, World};
use penfold_simulated::{Faults, Simulated};
use penfold_tests::town::{address, group, person};
use penfold_tests::{Seconds, letters, on_virtual_time};
use penfold_transport::{Incoming, To};
use std::time::Duration;
use walks::{Street, street};

fn simulated() -> World {
    Simulated::new(11, Faults::NONE).world()
}

fn walk(suite: &'static str, test: impl AsyncFn(World)) {
    let _seconds = Seconds::of(suite);
    on_virtual_time(test(simulated()));
}

#[test]
fn imap_with_another_tenants_names_is_imap_with_made_up_names() {
    walk("isolation, IMAP", walks::imap);
}

#[test]
fn submission_in_another_tenants_name_is_refused_as_in_nobodys() {
    walk("isolation, submission", walks::submission);
}

#[test]
fn signing_in_answers_alike_whether_an_address_exists() {
    walk("isolation, sign-in", walks::sign_in);
}

/// Members of the loud tenant's group.
const MEMBERS: usize = 10_000;
const WORKERS: usize = 8;

/// Virtual milliseconds from the hand-in to the wake, for each of the quiet tenant's messages.
async fn waits(street: &Street, zoe: Account, count: usize) -> Vec<u64> {
    let mailbox = street.mailboxes.open(&street.directory.job_scope(zoe)).await.unwrap();
    let mut watch = mailbox.watch();
    let mut waits = Vec::with_capacity(count);
    for number in 0..count {
        let since = street.world.env.now();
        hand_in(street, "zoe@zeta.test", &format!("q{number}")).await;
        watch.changed().await;
        waits.push(u64::try_from(street.world.env.now().since(since).as_millis()).unwrap());
    }
    waits.sort_unstable();
    waits
}

async fn hand_in(street: &Street, to: &str, token: &str) {
    let target = street.transport.recipient(None, None, &address(to)).await.unwrap();
    let origin = penfold_tests::town::origin(None);
    let incoming = Incoming {
        origin,
        from_text: "sender@example.test".into(),
        from: Some(address("sender@example.test")),
        envelope: Default::default(),
        recipients: vec![To::new(target, to)],
        message: letters::short(token, "Sender <sender@example.test>"),
        received: street.world.env.now(),
    };
    street.transport.accept(incoming).await.unwrap();
}

#[test]
fn a_mailing_to_ten_thousand_does_not_keep_a_quiet_tenant_waiting() {
    let _seconds = Seconds::of("fairness");
    on_virtual_time(async {
        let street = street(simulated()).await;
        let mut members = Vec::with_capacity(MEMBERS);
        for number in 0..MEMBERS {
            let mail = format!("m{number}@acme.test");
            let new = penfold_directory::NewPerson { address: address(&mail), name: mail, password: None, quota: None };
            street.directory.operator().create_person(&new).await.unwrap();
            members.push(new.address);
        }
        group(&street.directory, "everybody@acme.test", &members).await;
        let zoe = person(&street.world, &street.directory, "zeta", "zoe@zeta.test", None).await;
        let deliver = Deliver::new(&street.world, &street.mailboxes, &street.transport);
        let (stop, stopped) = tokio::sync::watch::channel(false);
        let workers = tokio::spawn(penfold_transport::work::run(deliver, WORKERS, stopped));
        let quiet = waits(&street, zoe, 200).await;
        hand_in(&street, "everybody@acme.test", "mailing").await;
        // Until the mailing fills the queue.
        while street.world.queue.backlog(penfold_ports::QueueName::Deliver, street.ann.tenant).await.unwrap() < 300 {
            street.world.env.sleep(Duration::from_millis(5)).await;
        }
        let loud = waits(&street, zoe, 200).await;
        let left = street.world.queue.backlog(penfold_ports::QueueName::Deliver, street.ann.tenant).await.unwrap();
        assert!(left > 0, "the mailing was over before the measurement was");
        let p99 = |list: &[u64]| list[list.len() * 99 / 100];
        println!("p99 of a quiet tenant: {} ms alone, {} ms during a mailing to {MEMBERS} (virtual)", p99(&quiet), p99(&loud));
        assert!(p99(&loud) <= 2 * p99(&quiet), "{} ms and {} ms", p99(&quiet), p99(&loud));
        stop.send(true).unwrap();
        workers.await.unwrap();
    });
}
