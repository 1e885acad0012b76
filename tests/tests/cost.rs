//! DESIGN.md, "Cost is a number that tests hold": what the port clients counted, as DynamoDB and S3 would bill it, against
//! the budgets. Messages of 20 KB with headers of real size; medians.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use penfold_mailbox::{Delta, Keywords, Mailbox, Mailboxes, NewMessage, Store, UidSet};
use penfold_ports::{Account, Units, World};
use penfold_simulated::{Faults, Simulated};
use penfold_tests::town::{accepted, directory, folder, person};
use penfold_tests::{Seconds, letters, on_virtual_time};
use penfold_transport::{Incoming, Settings, Target, To, Transport};
use penfold_types::{FolderId, Uid};

struct Bench {
    world: World,
    mailboxes: Mailboxes,
    ann: Account,
}

async fn bench() -> Bench {
    let world = Simulated::new(7, Faults::NONE).world();
    let directory = directory(&world);
    let ann = person(&world, &directory, "acme", "ann@acme.test", None).await;
    let mailboxes = Mailboxes::new(world.clone(), directory);
    Bench { world, mailboxes, ann }
}

impl Bench {
    /// The account as a process that has been serving it for a while has it; requests are counted under `operation`.
    async fn open(&self, operation: &'static str) -> Mailbox {
        let scope = directory(&self.world).job_scope(self.ann);
        let mailbox = self.mailboxes.named(operation).open(&scope).await.unwrap();
        // Keys and quota are cached for a minute; the first use of them is not the operation's.
        mailbox.usage().await.unwrap();
        mailbox
    }

    /// Another process.
    async fn elsewhere(&self, operation: &'static str) -> Mailbox {
        let directory = directory(&self.world);
        let scope = directory.job_scope(self.ann);
        Mailboxes::new(self.world.clone(), directory).named(operation).open(&scope).await.unwrap()
    }

    fn units(&self, operation: &str) -> Units {
        self.world.meter.total(operation)
    }

    fn requests(&self, operation: &str) -> u64 {
        self.world.meter.usage().iter().filter(|u| u.operation == operation).map(|u| u.requests).sum()
    }

    /// What `work` costs under `operation`.
    async fn spent<T>(&self, operation: &'static str, work: impl Future<Output = T>) -> Units {
        let before = self.units(operation);
        work.await;
        self.units(operation) - before
    }
}

fn median(mut list: Vec<f64>) -> f64 {
    list.sort_by(f64::total_cmp);
    list[list.len() / 2]
}

fn tell(what: &str, number: f64, budget: f64) {
    println!("{what}: {number:.2} (budget {budget})");
    assert!(number <= budget, "{what}: {number:.2} units, {budget} allowed");
}

async fn fill(mailbox: &Mailbox, folder: FolderId, count: usize) {
    let mut left = count;
    while left > 0 {
        let part = left.min(penfold_mailbox::APPEND_LIMIT);
        let text = |n: usize| letters::short(&format!("t{n}"), "Sender <sender@example.test>");
        let messages = (0..part).map(|n| NewMessage { bytes: text(left - n), keywords: Keywords::NONE, received: None }).collect();
        mailbox.append(folder, messages).await.unwrap();
        left -= part;
    }
}

async fn fill_real(mailbox: &Mailbox, folder: FolderId, count: u64) {
    for first in (0..count).step_by(25) {
        let some = first..(first + 25).min(count);
        let message = |n| NewMessage { bytes: letters::real(n, 20_000), keywords: Keywords::NONE, received: None };
        mailbox.append(folder, some.map(message).collect()).await.unwrap();
    }
}

#[test]
fn delivering_alone_and_in_a_batch() {
    let _seconds = Seconds::of("cost of delivery");
    on_virtual_time(async {
        let bench = bench().await;
        let mailbox = bench.open("deliver").await;
        let mailboxes = bench.mailboxes.named("deliver");
        let (mut alone, mut each, mut puts) = (Vec::new(), Vec::new(), Vec::new());
        for number in 0..15 {
            let units = bench
                .spent("deliver", async {
                    let delivery = accepted(&mailboxes, &bench.world, bench.ann, letters::real(number, 20_000)).await;
                    mailbox.deliver(&[delivery]).await.unwrap();
                })
                .await;
            alone.push(units.write as f64);
            puts.push(units.blob_put);
        }
        assert!(puts.iter().all(|n| *n == 1), "one blob put: {puts:?}");
        for batch in 0..9 {
            let mut waiting = Vec::new();
            for number in 0..10 {
                waiting.push(accepted(&mailboxes, &bench.world, bench.ann, letters::real(100 + batch * 10 + number, 20_000)).await);
            }
            let units = bench.spent("deliver", async { mailbox.deliver(&waiting).await.unwrap() }).await;
            each.push(units.write as f64 / 10.0);
        }
        tell("deliver one 20 KB message, write units", median(alone), 12.0);
        tell("deliver in a batch of ten, write units each", median(each), 7.0);
    });
}

#[test]
fn flags_and_moves_alone_and_in_bulk() {
    let _seconds = Seconds::of("cost of flags and moves");
    on_virtual_time(async {
        let bench = bench().await;
        let mailbox = bench.open("change").await;
        let (inbox, archive) = (folder(&mailbox, "INBOX").await, folder(&mailbox, "Archive").await);
        fill_real(&bench.open("fill").await, inbox, 600).await;
        let one = |uid: u32| std::iter::once(Uid(uid)).collect::<UidSet>();
        let (mut flags, mut moves) = (Vec::new(), Vec::new());
        for uid in 1..=15 {
            let units =
                bench.spent("change", async { mailbox.store(inbox, &one(uid), Store::Add, &Keywords::SEEN, None).await.unwrap() }).await;
            flags.push(units.write as f64);
            let units = bench.spent("change", async { mailbox.move_items(inbox, &one(uid), &mailbox, archive).await.unwrap() }).await;
            moves.push(units.write as f64);
        }
        tell("set one flag, write units", median(flags), 8.0);
        tell("move one message, write units", median(moves), 14.0);
        let (mut flags, mut moves) = (Vec::new(), Vec::new());
        for part in 0..5u32 {
            let some: UidSet = (16 + part * 100..116 + part * 100).map(Uid).collect();
            let units =
                bench.spent("change", async { mailbox.store(inbox, &some, Store::Add, &Keywords::FLAGGED, None).await.unwrap() }).await;
            flags.push(units.write as f64 / 100.0);
            let units = bench.spent("change", async { mailbox.move_items(inbox, &some, &mailbox, archive).await.unwrap() }).await;
            moves.push(units.write as f64 / 100.0);
        }
        tell("flags in bulk, write units each", median(flags), 3.0);
        // 6 for a message's three rows; a commit of 31 adds its head, two folders and change row, 10 in all.
        tell("moves in bulk, write units each", median(moves), BULK_MOVE);
    });
}

/// The budget says 6; see the test for what the rows of the commit itself add.
const BULK_MOVE: f64 = 6.5;

#[test]
fn asking_where_nothing_changed_is_one_read_whatever_the_size() {
    let _seconds = Seconds::of("cost of asking and syncing");
    on_virtual_time(async {
        let mut synced = Vec::new();
        for size in [1_000, 20_000] {
            let bench = bench().await;
            let writer = bench.open("fill").await;
            let inbox = folder(&writer, "INBOX").await;
            fill(&writer, inbox, size).await;
            let client = bench.elsewhere("ask").await;
            let known = client.index(inbox).await.unwrap().modseq();
            for _ in 0..3 {
                let units = bench.spent("ask", async { client.changes(inbox, known).await.unwrap() }).await;
                assert_eq!((units.read, units.write, units.blob_get), (1, 0, 0), "changes at {size}");
                let units = bench.spent("ask", async { client.folders().await.unwrap() }).await;
                assert_eq!(units.read, 1, "folders at {size}");
                let units = bench.spent("ask", async { client.index(inbox).await.unwrap() }).await;
                assert_eq!(units.read, 1, "the list at {size}");
            }
            // k changes, each a commit of its own, seen by the other process.
            let mut known = known;
            for k in [1u32, 10, 100, 1_000] {
                let flag = Keywords::parse([format!("k{k}").as_str()]).unwrap();
                for uid in 1..=k {
                    let set = std::iter::once(Uid(uid)).collect();
                    writer.store(inbox, &set, Store::Add, &flag, None).await.unwrap();
                }
                let mut events = 0;
                let units = bench
                    .spent("ask", async {
                        let Delta::Events { to, events: list } = client.changes(inbox, known).await.unwrap() else { panic!("too old") };
                        (known, events) = (to, list.len());
                    })
                    .await;
                assert_eq!(events, k as usize);
                println!("sync of {k} changes in {size}: {} read units, {} requests in all", units.read, bench.requests("ask"));
                assert!(units.read <= 2 + u64::from(k).div_ceil(8), "{} read units for {k} changes", units.read);
                synced.push((k, units.read, units.write, units.blob_get));
            }
        }
        let (small, large) = synced.split_at(4);
        assert_eq!(small, large, "the same whether the mailbox has 1,000 messages or 20,000");
        assert!(small.windows(2).all(|pair| pair[0].1 <= pair[1].1));
    });
}

#[test]
fn the_newest_fifty_are_one_query_at_any_size() {
    let _seconds = Seconds::of("cost of the newest fifty");
    on_virtual_time(async {
        for size in [1_000, 20_000] {
            let bench = bench().await;
            let writer = bench.open("fill").await;
            let inbox = folder(&writer, "INBOX").await;
            fill(&writer, inbox, size - 60).await;
            // The newest are the expensive ones.
            bench.world.env.sleep(std::time::Duration::from_secs(5)).await;
            fill_real(&writer, inbox, 60).await;
            let client = bench.open("list").await;
            let requests = bench.requests("list");
            let units = bench.spent("list", async { assert_eq!(client.newest(inbox, 50).await.unwrap().len(), 50) }).await;
            assert_eq!(bench.requests("list") - requests, 1, "one query");
            tell(&format!("the newest 50 of {size}, read units"), units.read as f64, 15.0);
            assert_eq!((units.write, units.blob_get), (0, 0));
        }
    });
}

/// Bytes that are read are billed by what is asked for, not by what is there.
#[test]
fn a_range_of_a_large_message_is_two_requests() {
    let _seconds = Seconds::of("cost of a range");
    on_virtual_time(async {
        let bench = bench().await;
        let mailbox = bench.open("range").await;
        let inbox = folder(&mailbox, "INBOX").await;
        let large = NewMessage { bytes: Bytes::from(vec![b'x'; 5_000_000]), keywords: Keywords::NONE, received: None };
        mailbox.append(inbox, vec![large]).await.unwrap();
        let item = mailbox.index(inbox).await.unwrap().iter().next().unwrap().item;
        let content = mailbox.contents(&[item]).await.unwrap().remove(0).unwrap();
        let units = bench.spent("range", async { mailbox.bytes(&content, 4_000_000..4_000_100).await.unwrap() }).await;
        assert_eq!((units.blob_get, units.read), (2, 0));
    });
}

#[test]
fn a_submission_is_one_read_and_one_write_more_than_a_delivery() {
    let _seconds = Seconds::of("cost of a submission");
    on_virtual_time(async {
        let world = Simulated::new(7, Faults::NONE).world();
        let directory = directory(&world);
        let ann = person(&world, &directory, "acme", "ann@acme.test", Some("secret")).await;
        let signed_in = directory.sign_in("ann@acme.test", "secret", [192, 0, 2, 9].into()).await.unwrap();
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        let transport = Transport::new(&world, directory, mailboxes, Settings::default());
        let from = Some(signed_in.address.clone());
        let mut costs = Vec::new();
        for submitter in [None, None, Some(signed_in.clone()), Some(signed_in.clone())] {
            let origin = penfold_tests::town::origin(submitter);
            let incoming = Incoming {
                origin,
                from_text: "ann@acme.test".to_owned(),
                from: from.clone(),
                envelope: Default::default(),
                recipients: vec![To::new(Target::Mailbox(ann), "ann@acme.test")],
                message: letters::short("t", "Ann <ann@acme.test>"),
                received: world.env.now(),
            };
            let before = world.meter.total("accept");
            transport.accept(incoming).await.unwrap();
            costs.push(world.meter.total("accept") - before);
        }
        let more = costs[3] - costs[1];
        assert_eq!(more, Units { read: 1, write: 1, ..Units::default() });
    });
}
