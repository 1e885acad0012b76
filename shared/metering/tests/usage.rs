//! What mailboxes used, counted from their logs: every change once, in its hour.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use bytes::Bytes;
use penfold_directory::{Cheap, Directory, NewPerson, Options};
use penfold_formats::mime::summarise;
use penfold_mailbox::{Delivery, Keywords, Mailbox, Mailboxes, NewMessage, Place, Role, Store};
use penfold_metering::usage::{Held, Period, Round, Usage, Used, each_hour, held, until};
use penfold_ports::{Account, Query, Row, Sk, World, Write};
use penfold_simulated::{Faults, Simulated};
use penfold_types::{AcceptanceId, FolderId, Modseq, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

const HOUR: i64 = 3_600;
const DAY: Duration = Duration::from_secs(24 * 3_600);

struct House {
    simulated: Simulated,
    world: World,
    directory: Directory,
    mailboxes: Mailboxes,
    ann: Account,
}

fn directory(world: &World) -> Directory {
    Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() })
}

async fn house(seed: u64) -> House {
    let simulated = Simulated::new(seed, Faults::NONE);
    let world = simulated.world();
    let directory = directory(&world);
    directory.operator().create_tenant("One").await.unwrap();
    directory.operator().create_domain("One", &"one.test".parse().unwrap()).await.unwrap();
    let new = NewPerson { address: "ann@one.test".parse().unwrap(), name: "Ann".into(), password: None, quota: None };
    let ann = directory.operator().create_person(&new).await.unwrap();
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    House { simulated, world, directory, mailboxes, ann }
}

fn message(size: usize) -> Bytes {
    let head = "Subject: x\r\n\r\n";
    format!("{head}{}\r\n", "y".repeat(size - head.len() - 2)).into()
}

impl House {
    fn usage(&self) -> Usage {
        Usage::new(&self.world, self.directory.clone(), &self.mailboxes)
    }

    async fn mailbox(&self) -> Mailbox {
        self.mailboxes.open(&self.directory.job_scope(self.ann)).await.unwrap()
    }

    async fn append(&self, mailbox: &Mailbox, size: usize) {
        let new = NewMessage { bytes: message(size), keywords: Keywords::NONE, received: None };
        mailbox.append(inbox(mailbox).await, vec![new]).await.unwrap();
    }

    async fn deliver(&self, mailbox: &Mailbox, size: usize) {
        let (bytes, acceptance) = (message(size), AcceptanceId::new(&self.world.env));
        let summary = summarise(&bytes).encode().into();
        let blob = self.mailboxes.put_blob(self.ann.tenant, acceptance, vec![bytes]).await.unwrap();
        let received = self.world.env.now();
        let delivery =
            Delivery { blob, prefix: Bytes::new(), summary, received, place: Place::Role(Role::Inbox), keywords: Keywords::NONE };
        mailbox.deliver(&[delivery]).await.unwrap();
    }

    /// The message with the lowest uid.
    async fn expunge(&self, mailbox: &Mailbox) -> bool {
        let inbox = inbox(mailbox).await;
        let index = mailbox.index(inbox).await.unwrap();
        let Some(first) = index.iter().next() else { return false };
        mailbox.expunge(inbox, Some(&std::iter::once(first.uid).collect()), false).await.unwrap();
        true
    }

    fn now(&self) -> i64 {
        self.world.env.now().seconds()
    }

    fn hour(&self) -> i64 {
        self.now().div_euclid(HOUR)
    }

    /// To a second of the hour so many hours from now.
    async fn to(&self, hours: i64, second: i64) {
        let at = Timestamp::from_seconds((self.hour() + hours) * HOUR + second);
        self.world.env.sleep(at.since(self.world.env.now())).await;
    }

    async fn counted(&self) -> Round {
        self.usage().round().await.unwrap()
    }

    async fn hours(&self, from: i64, to: i64) -> BTreeMap<i64, Used> {
        let mut hours = BTreeMap::new();
        let organisation = self.directory.tenant_scope(self.ann.tenant);
        each_hour(&self.world, &organisation, Period { from, to }, |whose, hour, used| {
            assert_eq!((whose, hours.insert(hour, used)), (self.ann.principal, None));
        })
        .await
        .unwrap();
        hours
    }

    async fn total(&self, from: i64, to: i64) -> Used {
        let mut total = Used::default();
        self.hours(from, to).await.values().for_each(|used| total.then(used));
        total
    }

    async fn held(&self) -> Option<Held> {
        held(&self.world, &self.directory.tenant_scope(self.ann.tenant)).await.unwrap().remove(&self.ann.principal)
    }

    async fn usage_rows(&self) -> usize {
        let pk = self.directory.tenant_scope(self.ann.tenant).usage(Sk::marks()).pk().clone();
        self.world
            .table
            .query_all(Query { pk, from: Sk::from_stored(&[0]), to: None, limit: usize::MAX, reverse: false })
            .await
            .unwrap()
            .len()
    }
}

async fn inbox(mailbox: &Mailbox) -> FolderId {
    mailbox.folders().await.unwrap().find("INBOX").unwrap().id
}

#[tokio::test(start_paused = true)]
async fn each_hour_says_what_came_what_went_and_what_lay_there() {
    let house = house(1).await;
    house.to(1, 0).await;
    let (mailbox, first) = (house.mailbox().await, house.hour());
    house.to(0, 1_800).await;
    house.append(&mailbox, 1_000).await;
    house.to(1, 900).await;
    house.deliver(&mailbox, 600).await;
    house.counted().await;
    house.to(0, 1_800).await;
    house.deliver(&mailbox, 400).await;
    house.to(3, 3_000).await;
    house.expunge(&mailbox).await;
    house.to(1, 0).await;
    house.counted().await;
    let hours = house.hours(first, first + 6).await;
    let used = |hour| hours[&(first + hour)];
    let began = used(0).seconds;
    assert!(began <= 3_600, "{began}");
    assert_eq!(used(0), Used { added: 1, added_bytes: 1_000, byte_seconds: 1_800_000, bytes: 1_000, seconds: began, ..Used::default() });
    let delivered = 600 * 2_700 + 400 * 1_800;
    let quiet = Used { seconds: 3_600, byte_seconds: 2_000 * 3_600, bytes: 2_000, ..Used::default() };
    assert_eq!(used(1), Used { delivered: 2, delivered_bytes: 1_000, byte_seconds: 3_600_000 + delivered, ..quiet });
    assert_eq!((used(2), used(3)), (quiet, quiet), "nothing happened, and the bytes lay there");
    assert_eq!(used(4), Used { removed: 1, removed_bytes: 1_000, byte_seconds: 2_000 * 3_600 - 1_000 * 600, bytes: 1_000, ..quiet });
    assert_eq!(used(5), Used { byte_seconds: 3_600_000, bytes: 1_000, ..quiet }, "after the last day with something in it");
    assert_eq!(house.hours(first + 2, first + 3).await.into_values().collect::<Vec<_>>(), [quiet], "any part of a day");
    assert_eq!(house.held().await, Some(Held { items: 2, bytes: 1_000 }));
}

#[tokio::test(start_paused = true)]
async fn a_quiet_mailbox_is_not_written_and_still_counts_after_months() {
    let house = house(2).await;
    let mailbox = house.mailbox().await;
    house.append(&mailbox, 500).await;
    assert_eq!(house.counted().await.moved, 1);
    let (rows, spent) = (house.usage_rows().await, house.world.meter.total("meter").write);
    for _ in 0..90 {
        house.world.env.sleep(DAY).await;
        assert_eq!(house.counted().await, Round::default());
    }
    let written = house.world.meter.total("meter").write - spent;
    assert_eq!((house.usage_rows().await, written), (rows, 90), "only up to when it is counted, a unit a round");
    let quiet = Used { seconds: 3_600, byte_seconds: 500 * 3_600, bytes: 500, ..Used::default() };
    assert_eq!(house.hours(house.hour() - 24 * 60, house.hour() - 24 * 60 + 1).await.into_values().collect::<Vec<_>>(), [quiet]);
    house.expunge(&mailbox).await;
    house.counted().await;
    assert_eq!(
        house.total(house.hour() - 48, house.hour() - 24).await.byte_seconds,
        500 * 24 * 3_600,
        "by the next day with something in it"
    );
}

#[tokio::test(start_paused = true)]
async fn flags_and_folders_are_no_usage() {
    let house = house(3).await;
    let mailbox = house.mailbox().await;
    house.append(&mailbox, 500).await;
    house.counted().await;
    let (rows, before) = (house.usage_rows().await, house.total(house.hour(), house.hour() + 1).await);
    let inbox = inbox(&mailbox).await;
    mailbox.store(inbox, &std::iter::once(penfold_types::Uid(1)).collect(), Store::Add, &Keywords::SEEN, None).await.unwrap();
    mailbox.create_folder("Projects", None).await.unwrap();
    let spent = house.world.meter.total("meter").write;
    assert_eq!(house.counted().await, Round { moved: 1, ..Round::default() });
    assert_eq!(house.world.meter.total("meter").write - spent, 2, "the mark, and up to when everything is counted");
    assert_eq!((house.usage_rows().await, house.total(house.hour(), house.hour() + 1).await), (rows, before));
}

/// A storm hits the meters only; the mailbox is written in fine weather between their rounds.
async fn storm(seed: u64) -> (u64, u64) {
    let house = house(seed).await;
    house.to(1, 0).await;
    let (mailbox, env, first) = (house.mailbox().await, house.world.env.clone(), house.hour());
    let mut model: BTreeMap<i64, (u64, u64, u64)> = BTreeMap::new();
    let (mut failed, mut interrupted) = (0, 0);
    for _ in 0..20 + env.below(20) {
        env.sleep(Duration::from_secs(env.below(if env.below(4) == 0 { 40 * 3_600 } else { 2_000 }))).await;
        let hour = house.hour();
        match env.below(3) {
            0 => {
                house.append(&mailbox, 100 + env.below(900) as usize).await;
                model.entry(hour).or_default().0 += 1;
            }
            1 => {
                house.deliver(&mailbox, 100 + env.below(900) as usize).await;
                model.entry(hour).or_default().1 += 1;
            }
            _ => {
                if house.expunge(&mailbox).await {
                    model.entry(hour).or_default().2 += 1;
                }
            }
        }
        house.simulated.faults(Faults { throttled: 600, lost: 1_500, ..Faults::STORMY });
        let (one, two) = (house.usage(), Usage::new(&house.world, directory(&house.world), &house.mailboxes));
        let cut = Duration::from_millis(env.below(400));
        tokio::select! {
            biased;
            rounds = async { tokio::join!(one.round(), two.round()) } => {
                for round in [rounds.0, rounds.1] {
                    match round {
                        Ok(round) => {
                            assert_eq!(round.differing, 0);
                            failed += round.left;
                        }
                        Err(error) => {
                            assert_eq!(error.kind(), penfold_types::Kind::Retry, "{error}");
                            failed += 1;
                        }
                    }
                }
            }
            () = env.sleep(cut) => interrupted += 1,
        }
        house.simulated.faults(Faults::NONE);
    }
    assert_eq!((house.counted().await.left, house.counted().await), (0, Round::default()));
    let hours = house.hours(first, house.hour() + 1).await;
    let found: BTreeMap<_, _> =
        hours.iter().map(|(hour, used)| (*hour, (used.added, used.delivered, used.removed))).filter(|(_, all)| *all != (0, 0, 0)).collect();
    // An act that began in one hour may have been carried out in the next.
    let sum = |all: &BTreeMap<i64, (u64, u64, u64)>| all.values().fold((0, 0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1, sum.2 + one.2));
    assert_eq!(sum(&found), sum(&model), "seed {seed}");
    let moved: u64 = found.iter().filter(|(hour, all)| model.get(hour) != Some(all)).map(|_| 1).sum();
    assert!(moved <= 2, "seed {seed}: {found:?} instead of {model:?}");
    let head = mailbox.head().await.unwrap();
    assert_eq!(house.held().await, Some(Held { items: head.items, bytes: head.used }), "seed {seed}");
    // Hours follow one another without a gap, and each begins as the one before it ended.
    let mut bytes = 0;
    for used in hours.values() {
        assert_eq!(used.bytes + used.removed_bytes, bytes + used.added_bytes + used.delivered_bytes, "seed {seed}");
        bytes = used.bytes;
    }
    assert_eq!(bytes, head.used, "seed {seed}");
    (failed, interrupted)
}

#[test]
fn whatever_becomes_of_a_round_every_change_is_counted_once() {
    let seeds = std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(60);
    let (mut failed, mut interrupted) = (0, 0);
    for seed in 1..=seeds {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        let (one, two) = runtime.block_on(storm(seed));
        (failed, interrupted) = (failed + one, interrupted + two);
    }
    println!("{seeds} seeds, {failed} rounds left something over, {interrupted} were interrupted");
    assert!(failed > seeds && interrupted > seeds, "the weather is too fine");
}

#[tokio::test(start_paused = true)]
async fn history_is_not_dropped_before_it_is_counted() {
    let house = house(4).await;
    let mailbox = house.mailbox().await;
    house.append(&mailbox, 300).await;
    house.counted().await;
    let counted = mailbox.head().await.unwrap().modseq;
    house.append(&mailbox, 200).await;
    house.append(&mailbox, 200).await;
    house.world.env.sleep(DAY * 40).await;
    assert_eq!(mailbox.trim(DAY * 30).await.unwrap(), counted);
    assert_eq!(house.counted().await, Round { moved: 1, ..Round::default() });
    assert_eq!(mailbox.trim(DAY * 30).await.unwrap(), mailbox.head().await.unwrap().modseq);
}

#[tokio::test(start_paused = true)]
async fn nor_where_the_meter_never_came_by() {
    let house = house(12).await;
    let mailbox = house.mailbox().await;
    house.append(&mailbox, 300).await;
    house.world.env.sleep(DAY * 40).await;
    assert_eq!(mailbox.trim(DAY * 30).await.unwrap(), Modseq(0));
    assert_eq!(house.counted().await, Round { moved: 1, ..Round::default() });
    assert_eq!(house.total(house.hour() - 41 * 24, house.hour()).await.added, 1);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_whose_usage_was_lost_begins_with_what_it_holds() {
    let house = house(5).await;
    let mailbox = house.mailbox().await;
    house.append(&mailbox, 300).await;
    house.counted().await;
    house.world.env.sleep(DAY * 40).await;
    let floor = mailbox.trim(DAY * 30).await.unwrap();
    assert_eq!(floor, mailbox.head().await.unwrap().modseq);
    let organisation = house.directory.tenant_scope(house.ann.tenant);
    house.world.table.put(Write::delete(organisation.usage(Sk::mark(house.ann.principal)))).await.unwrap();
    house.append(&mailbox, 200).await;
    assert_eq!(house.counted().await, Round { moved: 1, differing: 1, left: 0 });
    let total = house.total(house.hour(), house.hour() + 1).await;
    assert_eq!((total.added, total.adjusted, total.bytes), (1, 300, 500));
    assert_eq!(house.counted().await, Round::default());
}

#[tokio::test(start_paused = true)]
async fn what_a_repair_finds_is_said_to_differ() {
    let house = house(6).await;
    let mailbox = house.mailbox().await;
    house.append(&mailbox, 300).await;
    house.counted().await;
    let key = mailbox.scope().key(Sk::head());
    let set = vec![("by".into(), 7_000u64.into())];
    house.world.table.put(Write::Update { key, set, remove: Vec::new(), when: penfold_ports::When::Always }).await.unwrap();
    assert_eq!(house.counted().await, Round { moved: 1, differing: 1, left: 0 });
    assert_eq!(house.held().await, Some(Held { items: 1, bytes: 7_000 }));
    let elsewhere = Mailboxes::new(house.world.clone(), directory(&house.world));
    elsewhere.open(mailbox.scope()).await.unwrap().check(true).await.unwrap();
    assert_eq!(house.counted().await, Round { moved: 1, differing: 1, left: 0 });
    assert_eq!(house.held().await, Some(Held { items: 1, bytes: 300 }));
    assert_eq!(house.total(house.hour(), house.hour() + 1).await.adjusted, 0, "there and back");
}

#[tokio::test(start_paused = true)]
async fn a_destroyed_mailbox_ends_and_is_forgotten_after_400_days() {
    let house = house(7).await;
    house.to(1, 0).await;
    let (mailbox, first) = (house.mailbox().await, house.hour());
    house.append(&mailbox, 300).await;
    house.counted().await;
    house.directory.operator().delete_person(&"ann@one.test".parse().unwrap()).await.unwrap();
    house.to(2, 0).await;
    assert_eq!(house.counted().await, Round::default(), "its bytes are kept for a while, and count");
    house.to(2, 1_800).await;
    house.mailboxes.destroy(mailbox.scope()).await.unwrap();
    house.directory.forget_gone(house.ann).await.unwrap();
    assert_eq!(house.counted().await, Round { moved: 1, ..Round::default() });
    house.to(3, 0).await;
    assert_eq!(house.counted().await, Round::default());
    let hours = house.hours(first, house.hour()).await;
    assert_eq!(hours.keys().copied().collect::<Vec<_>>(), (first..=first + 4).collect::<Vec<_>>());
    let last = hours[&(first + 4)];
    assert_eq!((last.removed, last.removed_bytes, last.bytes), (1, 300, 0));
    assert!(last.seconds.abs_diff(1_800) <= 10 && last.byte_seconds.abs_diff(300 * 1_800) <= 3_000, "{last:?}");
    assert_eq!(house.held().await, None);
    house.world.env.sleep(DAY * 399).await;
    house.counted().await;
    assert_eq!(house.hours(first, first + 5).await, hours);
    house.world.env.sleep(DAY * 3).await;
    house.counted().await;
    assert_eq!(house.usage_rows().await, 0);
}

#[tokio::test(start_paused = true)]
async fn days_are_kept_for_400_days() {
    let house = house(8).await;
    let mailbox = house.mailbox().await;
    for day in 0..410 {
        house.append(&mailbox, 300).await;
        if day % 5 == 0 || day > 395 {
            house.counted().await;
        }
        house.world.env.sleep(DAY).await;
    }
    assert!((400..=402).contains(&house.usage_rows().await), "{} rows", house.usage_rows().await);
    let total = house.total(house.hour() - 24 * 100, house.hour()).await;
    assert_eq!((total.added, total.bytes), (100, 410 * 300));
    let first = *house.hours(-1_000_000, house.hour()).await.keys().next().unwrap();
    assert_eq!(house.hour().div_euclid(24) - first.div_euclid(24), 400, "what is no longer known is not made up");
}

#[tokio::test(start_paused = true)]
async fn a_long_log_is_counted_page_by_page() {
    let house = house(9).await;
    let mailbox = house.mailbox().await;
    let first = house.hour();
    // More days than a commit holds, and more bytes than a page.
    for _ in 0..120 {
        house.world.env.sleep(DAY).await;
        house.append(&mailbox, 300).await;
    }
    for _ in 0..540 {
        let many = (0..25).map(|_| NewMessage { bytes: message(100), keywords: Keywords::NONE, received: None }).collect();
        mailbox.append(inbox(&mailbox).await, many).await.unwrap();
    }
    assert_eq!(house.counted().await, Round { moved: 1, ..Round::default() });
    let total = house.total(first, house.hour() + 1).await;
    assert_eq!((total.added, total.bytes), (120 + 540 * 25, 120 * 300 + 540 * 25 * 100));
}

#[tokio::test(start_paused = true)]
async fn a_commit_that_is_not_seen_whole_waits_for_the_next_round() {
    let house = house(10).await;
    let mailbox = house.mailbox().await;
    house.append(&mailbox, 300).await;
    house.counted().await;
    house.append(&mailbox, 200).await;
    let key = mailbox.scope().key(Sk::change(mailbox.head().await.unwrap().modseq));
    let row = house.world.table.get(&key).await.unwrap().unwrap();
    house.world.table.put(Write::delete(key.clone())).await.unwrap();
    let before = until(&house.world).await.unwrap();
    assert_eq!(house.counted().await, Round { left: 1, ..Round::default() });
    assert_eq!((house.held().await.unwrap().bytes, until(&house.world).await.unwrap()), (300, before), "nor is it said to be counted");
    house.world.table.put(Write::put(key, row)).await.unwrap();
    assert_eq!(house.counted().await, Round { moved: 1, ..Round::default() });
    assert_eq!(house.held().await.unwrap().bytes, 500);
    assert!(until(&house.world).await.unwrap() > before);
}

#[tokio::test(start_paused = true)]
async fn attributes_of_a_newer_version_stay() {
    let house = house(11).await;
    let mailbox = house.mailbox().await;
    house.append(&mailbox, 300).await;
    house.counted().await;
    let pk = house.directory.tenant_scope(house.ann.tenant).usage(Sk::marks()).pk().clone();
    let all = Query { pk, from: Sk::from_stored(&[0]), to: None, limit: usize::MAX, reverse: false };
    let rows: Vec<(Sk, Row)> = house.world.table.query_all(all.clone()).await.unwrap();
    assert_eq!(rows.len(), 2);
    for (sk, row) in rows {
        let key = penfold_ports::Key::from_stored(all.pk.clone(), sk);
        house.world.table.put(Write::put(key, row.with("new", 1u64))).await.unwrap();
    }
    house.append(&mailbox, 300).await;
    house.counted().await;
    for (_, row) in house.world.table.query_all(all).await.unwrap() {
        assert_eq!(row.u64("new"), Some(1));
    }
}
