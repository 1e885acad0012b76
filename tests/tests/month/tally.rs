//! What was counted, over which time, and what is stored.

use crate::clients::Month;
use crate::house::House;
use bytes::Bytes;
use penfold_mailbox::Mailboxes;
use penfold_ports::{Units, item_size};
use penfold_tests::prices::{self, thousands};
use penfold_tests::{office, town};
use penfold_types::AcceptanceId;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::Ordering;

/// Operations that are the test's own.
const OURS: [&str; 2] = ["fill", "measure"];
/// Of these what is done under the other tenant's name is Ann's: the mail that she sends. A message's bytes are put under no
/// name of their own.
const SENDING: [&str; 2] = ["accept", "other"];
/// Reads rows of all items, of which fewer are here than in the mailbox that is priced.
const SWEEP: &str = "sweep";

#[derive(Clone, Default)]
pub struct Tally {
    operations: BTreeMap<&'static str, Units>,
    pub received: f64,
    pub sent: f64,
    pub seen: f64,
    pub moved: f64,
    pub deleted: f64,
    polls: f64,
    connections: f64,
    searches: f64,
    fetched: f64,
    bytes_in: f64,
    /// Requests to edges' queues.
    pub wakes: f64,
    pub unwraps: f64,
    accepted: f64,
    pub deliveries: f64,
    /// Milliseconds.
    pub waited: f64,
}

fn times(units: Units, by: f64) -> Units {
    let times = |count: u64| (count as f64 * by).round() as u64;
    Units {
        read: times(units.read),
        write: times(units.write),
        blob_put: times(units.blob_put),
        blob_get: times(units.blob_get),
        blob_delete: times(units.blob_delete),
        queue: times(units.queue),
    }
}

impl Tally {
    pub fn now(month: &Month) -> Self {
        let (house, done) = (&month.house, month.done.all());
        let mut operations: BTreeMap<&'static str, Units> = BTreeMap::new();
        for usage in house.world.meter.usage() {
            // What Zoe's mailbox gets is the other side's.
            let theirs = usage.tenant.is_some_and(|tenant| tenant != house.ann.tenant) && !SENDING.contains(&usage.operation);
            if !theirs && !OURS.contains(&usage.operation) {
                *operations.entry(usage.operation).or_default() += usage.units;
            }
        }
        let count = |at: usize| done[at] as f64;
        let aside = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed) as f64;
        Self {
            operations,
            received: count(0),
            sent: count(1),
            bytes_in: count(2),
            seen: count(3),
            moved: count(4),
            deleted: count(5),
            polls: count(6),
            connections: count(7),
            searches: count(8),
            fetched: count(9),
            wakes: house.edges.requests() as f64,
            unwraps: aside(&house.aside.unwraps),
            accepted: aside(&house.aside.accepted),
            deliveries: aside(&house.aside.deliveries),
            waited: aside(&house.aside.waited),
        }
    }

    fn numbers(&mut self) -> [&mut f64; 15] {
        [
            &mut self.received,
            &mut self.sent,
            &mut self.seen,
            &mut self.moved,
            &mut self.deleted,
            &mut self.polls,
            &mut self.connections,
            &mut self.searches,
            &mut self.fetched,
            &mut self.bytes_in,
            &mut self.wakes,
            &mut self.unwraps,
            &mut self.accepted,
            &mut self.deliveries,
            &mut self.waited,
        ]
    }

    pub fn since(&self, before: &Self) -> Self {
        let (mut out, mut before) = (self.clone(), before.clone());
        for (now, then) in out.numbers().into_iter().zip(before.numbers()) {
            *now -= *then;
        }
        for (name, units) in &mut out.operations {
            *units = *units - before.operations.get(name).copied().unwrap_or_default();
        }
        out
    }

    pub fn scaled(&self, by: f64) -> Self {
        let mut out = self.clone();
        for number in out.numbers() {
            *number *= by;
        }
        for units in out.operations.values_mut() {
            *units = times(*units, by);
        }
        out
    }

    /// All requests, the sweep's as for so many times the items, and what the adapter for AWS adds: two looks at the queue
    /// before a mail is accepted; in a call of `deliver` the list of parked groups and a word on how far behind it is.
    pub fn requests(&self, items: f64) -> Units {
        let mut sum = Units::default();
        for (name, units) in &self.operations {
            sum += if *name == SWEEP { times(*units, items) } else { *units };
        }
        sum.queue += 2 * self.accepted as u64;
        sum.read += self.deliveries as u64;
        sum.write += self.deliveries as u64;
        sum
    }

    pub fn print(&self) {
        println!("| operation | writes | reads | blob puts | blob gets | queue |\n|---|---|---|---|---|---|");
        for (name, units) in &self.operations {
            println!("| {name} | {} | {} | {} | {} | {} |", units.write, units.read, units.blob_put, units.blob_get, units.queue);
        }
        let n = |number: f64| thousands(number);
        println!(
            "{} mails in ({} MB), {} out; {} read, {} moved, {} deleted; {} sign-ins with SELECT, {} polls of six folders, {} searches; {} calls of deliver",
            n(self.received),
            n(self.bytes_in / 1e6),
            n(self.sent),
            n(self.seen),
            n(self.moved),
            n(self.deleted),
            n(self.connections),
            n(self.polls),
            n(self.searches),
            n(self.deliveries)
        );
    }

    /// What is outside of the service, or is there whether somebody has a mailbox or not.
    pub fn print_apart(&self) {
        let task = |cores: f64, memory: f64| prices::HOURS * (cores * prices::CORE_HOUR + memory * prices::MEMORY_HOUR);
        let polls = prices::HOURS * 3600.0 / 20.0;
        println!("apart: SES {} out ${:.4}", thousands(self.sent), self.sent * prices::SES);
        println!("apart: {} MB to clients ${:.4}", thousands(self.fetched / 1e6), self.fetched * prices::EGRESS_BYTE);
        println!(
            "the floor of a cell: two edges of each of smtp, imap, http ${:.2}, load balancer ${:.2}, their polls of six wake queues ${:.2}, Lambda's five pollers of the job queue ${:.2}",
            2.0 * (2.0 * task(0.25, 0.5) + task(0.25, 1.0)),
            prices::HOURS * prices::BALANCER_HOUR,
            6.0 * polls * prices::SQS,
            5.0 * polls * prices::FIFO
        );
    }
}

/// What compressing and sealing makes of an office's mail.
pub struct Compression {
    /// Bytes of a mail.
    pub mean: f64,
    /// Stored bytes for each of them.
    pub ratio: f64,
}

impl Compression {
    /// Over so many letters, of which a few are much larger than the rest.
    pub async fn measure(house: &House, sample: u64) -> Self {
        let directory = town::directory(&house.world);
        let tenant = town::person(&house.world, &directory, "measure", "x@measure.test", None).await.tenant;
        let mailboxes = Mailboxes::new(house.world.clone(), directory).named("measure");
        let mut plain = 0;
        for number in 0..sample {
            let letter = office::letter(2_000_000 + number, "somebody@example.com");
            plain += letter.len();
            mailboxes.put_blob(tenant, AcceptanceId::new(&house.world.env), vec![letter]).await.unwrap();
        }
        let blobs = house.world.named("measure").blobs;
        let mut stored = 0;
        // A blob that nothing names becomes durable with the next commit.
        town::person(&house.world, &town::directory(&house.world), "measure", "y@measure.test", None).await;
        let mut after = None;
        loop {
            let keys = blobs.list(tenant, after.as_ref()).await.unwrap();
            for key in &keys {
                stored += blobs.get(key).await.as_ref().map_or(0, Bytes::len);
            }
            after = keys.last().cloned();
            if after.is_none() {
                break;
            }
        }
        Self { mean: plain as f64 / sample as f64, ratio: stored as f64 / plain as f64 }
    }
}

impl fmt::Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a mail has {} bytes and is stored in {:.0} % of them", thousands(self.mean), self.ratio * 100.0)
    }
}

/// Bytes of an account's rows, as DynamoDB bills their storage.
pub struct Stored {
    pub items: usize,
    /// Of one item: content, state, thread.
    pub item: f64,
    /// Head, folders, and history with the contents of what was deleted.
    pub rest: f64,
}

impl Stored {
    pub fn measure(house: &House) -> Self {
        let mut kinds: BTreeMap<u8, (usize, usize)> = BTreeMap::new();
        let account = format!("a#{}#{}", house.ann.tenant, house.ann.principal);
        for (key, row) in house.simulated.rows() {
            if key.pk().as_str() == account {
                let (count, bytes) = kinds.entry(key.sk().as_bytes()[0]).or_default();
                *count += 1;
                *bytes += item_size(&key, &row) + prices::ROW_OVERHEAD;
            }
        }
        let of = |kind: u8| kinds.get(&kind).copied().unwrap_or_default();
        let ((contents, content_bytes), (states, state_bytes), (_, thread_bytes)) = (of(b'i'), of(b's'), of(b'm'));
        println!("rows by kind: {}", kinds.iter().map(|(k, (n, b))| format!("{} {n} ({b} bytes); ", char::from(*k))).collect::<String>());
        let content = content_bytes as f64 / contents as f64;
        let item = content + (state_bytes + thread_bytes) as f64 / states as f64;
        let all: usize = kinds.values().map(|(_, bytes)| bytes).sum();
        Self { items: states, item, rest: all as f64 - item * states as f64 }
    }
}

impl fmt::Display for Stored {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items of {:.0} bytes of rows; history and the rest {} bytes", self.items, self.item, thousands(self.rest))
    }
}
