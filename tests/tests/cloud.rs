//! What other suites prove on ports in memory, on the local cloud: `make test-cloud`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../../edges/imap/tests/harness/mod.rs"]
mod harness;
#[path = "isolation/walks.rs"]
mod walks;

use harness::World;
use penfold_aws::testing::{Cell, cell, given, two_cells};
use penfold_deliver::Deliver;
use penfold_mailbox::Mailboxes;
use penfold_ports::QueueName;
use penfold_simulated::{Faults, Simulated};
use penfold_tests::town::{address, directory, folder, person};
use penfold_tests::{Seconds, letters, on_virtual_time};
use penfold_transport::{Incoming, Settings, To, Transport};
use penfold_types::{Env, TenantId};
use std::time::Duration;

/// The clock and the ids of a simulation, and ports of the cloud. All share one bucket, so ids differ from run to run.
async fn fresh() -> (Simulated, Cell) {
    let simulated = Simulated::new(Env::system().random_u64(), Faults::NONE);
    let cell = cell(&simulated.env()).await.expect("it was asked before");
    (simulated, cell)
}

fn on_a_cell(suite: &'static str, test: impl AsyncFn(penfold_ports::World)) {
    if given().is_none() {
        return;
    }
    let _seconds = Seconds::of(suite);
    on_virtual_time(async {
        let (_simulated, cell) = fresh().await;
        test(cell.world.clone()).await;
    });
}

#[test]
fn imap_dialogs() {
    if given().is_some() {
        harness::player::play_all(concat!(env!("CARGO_MANIFEST_DIR"), "/dialogs/imap"), async || {
            let (simulated, cell) = fresh().await;
            (World::on(simulated, cell.world.clone(), |_| {}).await, cell)
        });
    }
}

#[test]
fn imap_with_another_tenants_names_is_imap_with_made_up_names() {
    on_a_cell("isolation in the cloud, IMAP", walks::imap);
}

#[test]
fn submission_in_another_tenants_name_is_refused_as_in_nobodys() {
    on_a_cell("isolation in the cloud, submission", walks::submission);
}

#[test]
fn signing_in_answers_alike_whether_an_address_exists() {
    on_a_cell("isolation in the cloud, sign-in", walks::sign_in);
}

/// A tenant lies in its cell and nowhere else, whoever asks; only its routes, its domain and its place are at home.
#[test]
fn tenants_in_two_cells() {
    if given().is_none() {
        return;
    }
    let _seconds = Seconds::of("two cells");
    on_virtual_time(async {
        let simulated = Simulated::new(Env::system().random_u64(), Faults::NONE);
        let cells = two_cells(&simulated.env()).await.expect("it was asked before");
        let ann = person(&cells.at_home, &directory(&cells.at_home), "acme", "ann@acme.test", None).await;
        let zoe = person(&cells.sending_away, &directory(&cells.sending_away), "zeta", "zoe@zeta.test", None).await;

        // A message to both, taken in by an edge of cell a.
        let world = &cells.at_home;
        let mailboxes = Mailboxes::new(world.clone(), directory(world));
        let transport = Transport::new(world, directory(world), mailboxes.clone(), Settings::default());
        let mut recipients = Vec::new();
        for to in ["ann@acme.test", "zoe@zeta.test"] {
            let target = transport.recipient(None, None, &address(to)).await.unwrap();
            recipients.push(To::new(target, to));
        }
        let origin = penfold_tests::town::origin(None);
        let message = letters::short("both", "Sender <sender@example.test>");
        let from = Some(address("sender@example.test"));
        transport
            .accept(Incoming {
                origin,
                from_text: "sender@example.test".into(),
                from,
                envelope: Default::default(),
                recipients,
                message,
                received: world.env.now(),
            })
            .await
            .unwrap();
        // Each cell's function finds its own job only.
        for (world, expected) in [(&cells.at_home, ann), (&cells.away, zoe)] {
            let mailboxes = Mailboxes::new(world.clone(), directory(world));
            let transport = Transport::new(world, directory(world), mailboxes.clone(), Settings::default());
            let deliver = Deliver::new(world, &mailboxes, &transport);
            let jobs = world.queue.receive(QueueName::Deliver, 10, Duration::from_secs(60)).await.unwrap();
            assert_eq!(jobs.iter().map(|job| job.job.tenant).collect::<Vec<_>>(), [expected.tenant]);
            penfold_transport::work::once(&deliver, &jobs).await;
            // A receive waits for as long as there is nothing.
            let more = world.queue.receive(QueueName::Deliver, 10, Duration::from_secs(60));
            assert!(tokio::time::timeout(Duration::from_secs(1), more).await.is_err());
        }
        // Whoever asks finds both mails: rows, blobs and keys lie where the tenant does.
        for world in [&cells.at_home, &cells.away] {
            let directory = directory(world);
            for account in [ann, zoe] {
                let mailbox = Mailboxes::new(world.clone(), directory.clone()).open(&directory.job_scope(account)).await.unwrap();
                let inbox = folder(&mailbox, "INBOX").await;
                let item = mailbox.index(inbox).await.unwrap().iter().next().expect("the mail").item;
                let content = mailbox.contents(&[item]).await.unwrap().remove(0).expect("its content");
                let text = mailbox.bytes(&content, 0..u64::MAX).await.unwrap();
                assert!(String::from_utf8_lossy(&text).contains("both"));
            }
        }
        let of = |cell, tenant: TenantId| cells.partitions(cell).iter().filter(|pk| pk.contains(&tenant.to_string())).count();
        assert!(of(0, ann.tenant) > 3 && of(1, zoe.tenant) > 3);
        assert_eq!((of(1, ann.tenant), cells.partitions(1).iter().filter(|pk| pk.starts_with("r#")).count()), (0, 0));
        let at_home: Vec<String> = cells.partitions(0).into_iter().filter(|pk| pk.contains(&zoe.tenant.to_string())).collect();
        assert_eq!(at_home, [format!("n#{}", zoe.tenant)]);
    });
}
