//! What a mailbox costs a month: an office's use of it played on virtual time through the edges' and functions' own code, every
//! request counted as the cloud would bill it, and priced. docs/benchmarks.md has the table and says what is assumed.
//!
//! Two months are played and the second is counted, so that the history of the first is trimmed in it. `PENFOLD_MONTH=whole`
//! does that; without it the counted time is a week after another, and the trimming is not seen.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "month/clients.rs"]
mod clients;
#[path = "month/house.rs"]
mod house;
#[path = "month/tally.rs"]
mod tally;
#[path = "month/wire.rs"]
mod wire;

use clients::{DAY, Done, Month};
use house::House;
use penfold_mailbox::{Keywords, Mailboxes, NewMessage};
use penfold_tests::prices::{self, Bill, thousands};
use penfold_tests::town::{self, folder};
use penfold_tests::{Seconds, letters, on_virtual_time};
use std::sync::Arc;
use std::time::Duration;
use tally::{Compression, Stored, Tally};

const GB: f64 = (1u64 << 30) as f64;
/// What an office mailbox holds, and a dormant one.
const OFFICE: f64 = 5.0 * GB;
const DORMANT: f64 = 0.5 * GB;
/// Of a call of `deliver`, beside its waiting for the store: parsing, compressing and sealing on a third of a core.
const COMPUTING: f64 = 20.0;
const MEMORY: f64 = 0.5;
/// Letters by which the mean and the compression are measured.
const SAMPLE: u64 = 1_500;
/// Deleted bytes stay for the retention of history and for the bucket's old versions.
const KEPT_DAYS: f64 = 30.0 + 35.0;

fn is_whole() -> bool {
    std::env::var("PENFOLD_MONTH").is_ok_and(|value| value == "whole")
}

/// What is there before anybody begins: as many rows as lists and searches go through, not the bytes.
async fn fill(house: &House, name: &str, count: u64) {
    let directory = town::directory(&house.world);
    let scope = directory.job_scope(house.ann);
    let mailbox = Mailboxes::new(house.world.clone(), directory).named("fill").open(&scope).await.unwrap();
    let folder = folder(&mailbox, name).await;
    for first in (0..count).step_by(25) {
        let message = |n| NewMessage { bytes: letters::real(n, 6_000), keywords: Keywords::SEEN, received: None };
        mailbox.append(folder, (first..(first + 25).min(count)).map(message).collect()).await.unwrap();
    }
}

fn lambda(bill: &mut Bill, calls: f64, milliseconds: f64) {
    bill.add("functions, calls", calls, prices::CALL);
    bill.add("functions, GB-seconds", calls * milliseconds / 1000.0 * MEMORY, prices::GB_SECOND);
}

fn bytes(bill: &mut Bill, held: f64, compression: &Compression, stored: &Stored) {
    let items = held / compression.mean;
    bill.add("blobs, bytes", held * compression.ratio, prices::BLOB_BYTE);
    bill.add("table, bytes", items * stored.item + stored.rest, prices::TABLE_BYTE);
    bill.add("table, bytes for recovery", items * stored.item + stored.rest, prices::RECOVERY_BYTE);
}

#[test]
fn a_month_of_an_office_mailbox() {
    let _seconds = Seconds::of("a month of an office mailbox");
    let days = if is_whole() { 30 } else { 7 };
    on_virtual_time(async {
        let house = house::house().await;
        fill(&house, "INBOX", 2_000).await;
        let month = Arc::new(Month { house: house.clone(), done: Done::default() });
        tokio::spawn(clients::world_outside(month.clone(), house.edge("smtp-1")));
        tokio::spawn(clients::phone(month.clone(), house.edge("imap-1")));
        tokio::spawn(clients::desktop(month.clone(), house.edge("imap-2")));
        tokio::spawn(house.clone().deliver());
        tokio::spawn(house.clone().upkeep());
        tokio::spawn(house.clone().meter());
        house.world.env.sleep(Duration::from_secs(days * DAY)).await;
        let before = Tally::now(&month);
        house.world.env.sleep(Duration::from_secs(days * DAY)).await;
        let used = Tally::now(&month).since(&before).scaled(30.0 / days as f64);
        let compression = Compression::measure(&house, SAMPLE).await;
        let stored = Stored::measure(&house);
        used.print();
        println!("{compression}\n{stored}");
        let items = OFFICE / compression.mean;
        let mut bill = Bill::default();
        bill.units(used.requests(items / stored.items as f64));
        bill.add("edges' queues, requests", used.wakes, prices::SQS);
        bill.add("keys unwrapped", used.unwraps, prices::KMS + prices::BLOB_GET);
        lambda(&mut bill, used.deliveries, used.waited / used.deliveries + COMPUTING);
        bytes(&mut bill, OFFICE, &compression, &stored);
        bill.add(
            "blobs, bytes deleted and kept",
            used.deleted * compression.mean * compression.ratio * KEPT_DAYS / 30.0,
            prices::BLOB_BYTE,
        );
        bill.print();
        used.print_apart();
        assert!((1_000.0..1_400.0).contains(&used.received), "{} mails in", used.received);
        assert!((240.0..360.0).contains(&used.sent), "{} mails out", used.sent);
        assert!(bill.total() <= 0.20, "${:.4} a month, $0.20 allowed", bill.total());
    });
}

#[test]
fn a_dormant_mailbox_costs_its_bytes() {
    let _seconds = Seconds::of("a month of a dormant mailbox");
    on_virtual_time(async {
        let house = house::house().await;
        fill(&house, "INBOX", 1_000).await;
        house.world.env.sleep(Duration::from_secs(45 * DAY)).await;
        // History of the filling is trimmed before the month that is counted.
        house.meter_once().await;
        house.upkeep_once(false).await;
        let month = Arc::new(Month { house: house.clone(), done: Done::default() });
        let (before, written) = (Tally::now(&month), house.written());
        tokio::spawn(house.clone().upkeep());
        tokio::spawn(house.clone().meter());
        house.world.env.sleep(Duration::from_secs(30 * DAY)).await;
        let used = Tally::now(&month).since(&before);
        let compression = Compression::measure(&house, SAMPLE).await;
        let stored = Stored::measure(&house);
        used.print();
        println!("{stored}");
        let items = DORMANT / compression.mean;
        let mut requests = Bill::default();
        requests.units(used.requests(items / stored.items as f64));
        requests.print();
        let mut held = Bill::default();
        bytes(&mut held, DORMANT, &compression, &stored);
        held.print();
        println!("{} items, ${:.4} in all", thousands(items), held.total() + requests.total());
        assert!(requests.total() <= 0.002, "${:.4} for requests", requests.total());
        assert_eq!(house.written() - written, 0, "nothing is written to a mailbox that nobody uses");
        assert!(used.requests(1.0).write <= 30 * 8, "and for the whole cell, how far the meter came");
    });
}
