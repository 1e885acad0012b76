//! What operations cost as mailboxes and tenants grow: request units of each, which ought to be flat.

use crate::town::{accepted, directory, folder, person};
use crate::{letters, town};
use penfold_deliver::Deliver;
use penfold_domains::Domains;
use penfold_mailbox::{APPEND_LIMIT, Delta, Keywords, Mailbox, Mailboxes, NewMessage, Store, UidSet};
use penfold_ports::{Account, QueueName, Units, World};
use penfold_simulated::{Faults, Simulated};
use penfold_transport::{Incoming, Settings, To, Transport};
use penfold_types::{Env, FolderId, Modseq, Uid};
use penfold_upkeep::Upkeep;
use std::time::Duration;

/// Repeats of a measurement; the median counts.
const REPEATS: u32 = 9;
const OPERATION: &str = "measured";
/// Messages that the others of a mailbox are copies of.
const SOURCES: u64 = 1_000;

/// One measurement: the median of its repeats, each kind of unit by itself.
#[derive(Clone, Debug)]
pub struct Point {
    /// `items` or `tenants`.
    pub axis: &'static str,
    pub size: u64,
    pub operation: &'static str,
    pub units: [f64; 4],
}

/// The columns of [`Point::units`].
pub const KINDS: [&str; 4] = ["write", "read", "blob_put", "blob_get"];

fn numbers(units: Units) -> [f64; 4] {
    [units.write as f64, units.read as f64, units.blob_put as f64, units.blob_get as f64]
}

/// What `work` costs under one name.
async fn spent<T>(world: &World, work: impl Future<Output = T>) -> [f64; 4] {
    let before = numbers(world.meter.total(OPERATION));
    work.await;
    let after = numbers(world.meter.total(OPERATION));
    std::array::from_fn(|at| after[at] - before[at])
}

fn median(list: &[[f64; 4]]) -> [f64; 4] {
    std::array::from_fn(|kind| {
        let mut of_kind: Vec<f64> = list.iter().map(|units| units[kind]).collect();
        of_kind.sort_by(f64::total_cmp);
        of_kind[of_kind.len() / 2]
    })
}

/// A mailbox that grows.
pub struct Growing {
    world: World,
    mailboxes: Mailboxes,
    account: Account,
    inbox: FolderId,
    archive: FolderId,
    size: u64,
    letters: u64,
}

impl Growing {
    pub async fn new() -> Self {
        let world = Simulated::new(7, Faults::NONE).world();
        let directory = directory(&world);
        let account = person(&world, &directory, "acme", "ann@acme.test", None).await;
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        let mailbox = mailboxes.open(&directory.job_scope(account)).await.unwrap();
        let (inbox, archive) = (folder(&mailbox, "INBOX").await, folder(&mailbox, "Archive").await);
        Self { world, mailboxes, account, inbox, archive, size: 0, letters: 0 }
    }

    async fn open(&self, mailboxes: &Mailboxes, operation: &'static str) -> Mailbox {
        mailboxes.named(operation).open(&town::directory(&self.world).job_scope(self.account)).await.unwrap()
    }

    /// Fills INBOX up to `size`: with 1,000 short messages, and then with copies of them.
    pub async fn grow_to(&mut self, size: u64) {
        let mailbox = self.open(&self.mailboxes, "fill").await;
        while self.size < size.min(SOURCES) {
            let count = (size.min(SOURCES) - self.size).min(APPEND_LIMIT as u64);
            let message = |n: u64| NewMessage {
                bytes: letters::short(&format!("t{n}"), "Sender <sender@example.test>"),
                keywords: Keywords::NONE,
                received: None,
            };
            mailbox.append(self.inbox, (self.size..self.size + count).map(message).collect()).await.unwrap();
            self.size += count;
        }
        while self.size < size {
            let count = u32::try_from((size - self.size).min(SOURCES)).unwrap();
            let sources: UidSet = (1..=count).map(Uid).collect();
            assert_eq!(mailbox.copy(self.inbox, &sources, &mailbox, self.inbox).await.unwrap().pairs.len(), count as usize);
            self.size += u64::from(count);
        }
    }

    /// All operations, at the size that it has now.
    pub async fn measure(&mut self) -> Vec<Point> {
        let world = self.world.clone();
        let warm = self.open(&self.mailboxes, OPERATION).await;
        let mut points = Vec::new();
        let size = self.size;
        let mut add = |operation, list: &[[f64; 4]]| points.push(Point { axis: "items", size, operation, units: median(list) });

        let mut list = Vec::new();
        for _ in 0..REPEATS {
            let delivery = self.accept().await;
            list.push(spent(&world, async { warm.deliver(&[delivery]).await.unwrap() }).await);
        }
        add("deliver", &list);
        list.clear();
        for _ in 0..REPEATS {
            let delivery = self.accept().await;
            let directory = directory(&world);
            let mailboxes = Mailboxes::new(world.clone(), directory);
            let work = async { self.open(&mailboxes, OPERATION).await.deliver(&[delivery]).await.unwrap() };
            list.push(spent(&world, work).await);
        }
        add("deliver, new process", &list);

        let (mut flags, mut moves) = (Vec::new(), Vec::new());
        let newest = warm.index(self.inbox).await.unwrap().iter().map(|m| m.uid.get()).max().unwrap();
        for uid in newest - REPEATS..newest {
            let one: UidSet = std::iter::once(Uid(uid)).collect();
            flags.push(spent(&world, async { warm.store(self.inbox, &one, Store::Add, &Keywords::SEEN, None).await.unwrap() }).await);
            moves.push(spent(&world, async { warm.move_items(self.inbox, &one, &warm, self.archive).await.unwrap() }).await);
        }
        add("flag", &flags);
        add("move", &moves);

        let elsewhere = Mailboxes::new(world.clone(), directory(&world));
        let client = self.open(&elsewhere, OPERATION).await;
        let mut known = client.index(self.inbox).await.unwrap().modseq();
        list.clear();
        for _ in 0..REPEATS {
            list.push(spent(&world, async { client.changes(self.inbox, known).await.unwrap() }).await);
        }
        add("nothing changed", &list);
        list.clear();
        for round in 0..REPEATS {
            let flag = Keywords::parse([format!("s{size}r{round}").as_str()]).unwrap();
            for uid in newest - 40..newest - 30 {
                let one: UidSet = std::iter::once(Uid(uid)).collect();
                warm.store(self.inbox, &one, Store::Add, &flag, None).await.unwrap();
            }
            let after: Modseq = known;
            list.push(
                spent(&world, async {
                    let Delta::Events { to, events } = client.changes(self.inbox, after).await.unwrap() else { panic!("too old") };
                    assert_eq!(events.len(), 10);
                    known = to;
                })
                .await,
            );
        }
        add("sync of 10 changes", &list);
        list.clear();
        for _ in 0..REPEATS {
            list.push(spent(&world, async { assert_eq!(client.newest(self.inbox, 50).await.unwrap().len(), 50) }).await);
        }
        add("newest 50", &list);
        list.clear();
        for _ in 0..3 {
            let mailboxes = Mailboxes::new(world.clone(), directory(&world));
            list.push(spent(&world, async { self.open(&mailboxes, OPERATION).await.index(self.inbox).await.unwrap() }).await);
        }
        add("SELECT, new process", &list);
        points
    }

    async fn accept(&mut self) -> penfold_mailbox::Delivery {
        self.letters += 1;
        // The next second, so that it sorts as the newest.
        self.world.env.sleep(Duration::from_secs(1)).await;
        accepted(&self.mailboxes, &self.world, self.account, letters::real(self.letters, 20_000)).await
    }
}

struct Cell {
    world: World,
    mailboxes: Mailboxes,
    transport: Transport,
    deliver: Deliver,
}

impl Cell {
    async fn hand_in(&self, number: usize, letter: u64) {
        let env: &Env = &self.world.env;
        let address = format!("u@t{number}.test");
        let target = self.transport.recipient(None, None, &town::address(&address)).await.unwrap();
        let origin = crate::town::origin(None);
        let incoming = Incoming {
            origin,
            from_text: "sender@example.test".into(),
            from: None,
            envelope: Default::default(),
            recipients: vec![To::new(target, address)],
            message: letters::real(letter, 8_000),
            received: env.now(),
        };
        self.transport.accept(incoming).await.unwrap();
        let batch = self.world.queue.receive(QueueName::Deliver, 10, Duration::from_secs(60)).await.unwrap();
        penfold_transport::work::once(&self.deliver, &batch).await;
    }
}

/// The same load on each of `count` tenants, in turn: what one of its operations costs on the average.
pub async fn tenants(count: usize) -> Vec<Point> {
    let world = Simulated::new(9, Faults::NONE).world();
    let directory = directory(&world);
    let mut accounts = Vec::with_capacity(count);
    for number in 0..count {
        accounts.push(person(&world, &directory, &format!("t{number}"), &format!("u@t{number}.test"), None).await);
    }
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let transport = Transport::new(&world, directory.clone(), mailboxes.clone(), Settings::default());
    let deliver = Deliver::new(&world, &mailboxes, &transport);
    let cell = Cell { world: world.clone(), mailboxes, transport, deliver };
    let measured = cell.mailboxes.named(OPERATION);
    let total = || {
        let mut sum = Units::default();
        for usage in world.meter.usage() {
            sum += usage.units;
        }
        numbers(sum)
    };
    let each = |before: [f64; 4], after: [f64; 4], times: usize| std::array::from_fn(|at| (after[at] - before[at]) / times as f64);
    let mut points = Vec::new();
    let mut add = |operation, units| points.push(Point { axis: "tenants", size: count as u64, operation, units });
    // The first mail makes the mailboxes; the second is measured.
    for letter in 0..2u64 {
        let before = total();
        for number in 0..count {
            // So long for each that the caches of a minute are cold, whatever the number of tenants.
            world.env.sleep(Duration::from_secs(61)).await;
            cell.hand_in(number, letter).await;
        }
        if letter == 1 {
            add("accept and deliver", each(before, total(), count));
        }
    }
    let mut opened = Vec::with_capacity(count);
    for account in &accounts {
        let mailbox = measured.open(&directory.job_scope(*account)).await.unwrap();
        let (inbox, archive) = (folder(&mailbox, "INBOX").await, folder(&mailbox, "Archive").await);
        opened.push((mailbox, inbox, archive));
    }
    let one: UidSet = std::iter::once(Uid(1)).collect();
    let before = total();
    for (mailbox, inbox, _) in &opened {
        mailbox.store(*inbox, &one, Store::Add, &Keywords::SEEN, None).await.unwrap();
    }
    add("flag", each(before, total(), count));
    let before = total();
    for (mailbox, inbox, archive) in &opened {
        mailbox.move_items(*inbox, &one, mailbox, *archive).await.unwrap();
    }
    add("move", each(before, total(), count));
    let before = total();
    for (mailbox, inbox, _) in &opened {
        assert_eq!(mailbox.newest(*inbox, 50).await.unwrap().len(), 1);
    }
    add("newest 50", each(before, total(), count));
    let domains = Domains::new(&world, directory.clone());
    let upkeep =
        Upkeep { world: world.clone(), directory: directory.clone(), domains, mailboxes: cell.mailboxes.clone(), retention_days: 30 };
    upkeep.round(false).await.unwrap();
    let before = total();
    upkeep.round(false).await.unwrap();
    add("a round of upkeep", each(before, total(), count));
    points
}
