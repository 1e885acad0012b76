//! Who uses the mailbox: the world that writes to it, a phone that is always there, and a desktop in working hours.

use crate::house::{ANN, Edge, House};
use crate::wire::Wire;
use penfold_ports::World;
use penfold_tests::office;
use penfold_tests::rng::Rng;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

pub const DAY: u64 = 86_400;
const HOUR: u64 = 3_600;
/// What clients ask of a new message for their lists.
const LISTED: &str = "(UID FLAGS INTERNALDATE RFC822.SIZE ENVELOPE BODYSTRUCTURE BODY.PEEK[HEADER.FIELDS (REFERENCES X-PRIORITY)])";
/// Before an answerless IDLE is given again (RFC 9051 §6.3.13).
const IDLE: Duration = Duration::from_secs(28 * 60);

/// What was done, to be set beside what it cost.
#[derive(Default)]
pub struct Done {
    pub received: AtomicU64,
    pub sent: AtomicU64,
    pub bytes_in: AtomicU64,
    pub seen: AtomicU64,
    pub moved: AtomicU64,
    pub deleted: AtomicU64,
    pub polls: AtomicU64,
    pub connections: AtomicU64,
    pub searches: AtomicU64,
    /// Bytes that clients got.
    pub fetched: AtomicU64,
}

impl Done {
    fn one(count: &AtomicU64) {
        count.fetch_add(1, Ordering::Relaxed);
    }

    pub fn all(&self) -> Vec<u64> {
        let all = [
            &self.received,
            &self.sent,
            &self.bytes_in,
            &self.seen,
            &self.moved,
            &self.deleted,
            &self.polls,
            &self.connections,
            &self.searches,
            &self.fetched,
        ];
        all.map(|count| count.load(Ordering::Relaxed)).to_vec()
    }
}

pub struct Month {
    pub house: House,
    pub done: Done,
}

/// Seconds since the beginning, which is midnight before a Thursday.
pub fn second(world: &World) -> u64 {
    u64::try_from(world.env.now().seconds()).unwrap() - 1_767_225_600
}

fn is_working_day(second: u64) -> bool {
    !matches!((second / DAY + 3) % 7, 5 | 6)
}

async fn until(world: &World, wanted: u64) {
    world.env.sleep(Duration::from_secs(wanted.saturating_sub(second(world)))).await;
}

/// 51 mails on a working day, four of five of them in working hours, and 14 on other days: about 1,200 in 30 days.
pub async fn world_outside(month: Arc<Month>, edge: Edge) {
    let (world, mut rng) = (month.house.world.clone(), Rng::new(11));
    let mut number = 0;
    for day in 0.. {
        let midnight = day * DAY;
        let working = is_working_day(midnight);
        let mut times: Vec<u64> = (0..if working { 49 } else { 15 })
            .map(|_| midnight + if working && rng.chance(80) { 8 * HOUR + rng.below(36_000) as u64 } else { rng.below(86_400) as u64 })
            .collect();
        times.sort_unstable();
        for time in times {
            until(&world, time).await;
            number += 1;
            let letter = office::letter(number, &format!("\"Margarethe Lindqvist-{}\" <margarethe.lindqvist@example.com>", number % 60));
            month.done.bytes_in.fetch_add(letter.len() as u64, Ordering::Relaxed);
            edge.receive(&letter).await;
            Done::one(&month.done.received);
        }
    }
}

/// Uids of `* n FETCH (... UID u ...)`, each with whether it was seen.
fn listed(answer: &str) -> Vec<(u32, bool)> {
    let line = |line: &str| {
        let rest = line.strip_prefix("* ")?.split_once(" FETCH (")?.1;
        let uid = rest.split_once("UID ")?.1.split([' ', ')']).next()?.parse().ok()?;
        Some((uid, rest.contains("\\Seen")))
    };
    answer.split("\r\n").filter_map(line).collect()
}

/// A client's INBOX, as far as it has seen it.
struct Inbox {
    wire: Wire,
    next: u32,
}

impl Inbox {
    async fn select(month: &Month, edge: &Edge, next: u32) -> Self {
        let mut wire = edge.imap().await;
        Done::one(&month.done.connections);
        let answer = wire.imap("SELECT INBOX (CONDSTORE)").await;
        let uidnext: u32 = answer.split_once("[UIDNEXT ").unwrap().1.split(']').next().unwrap().parse().unwrap();
        Self { wire, next: if next == 0 { uidnext } else { next } }
    }

    /// What is new, listed.
    async fn news(&mut self) -> Vec<(u32, bool)> {
        let answer = self.wire.imap(&format!("UID FETCH {}:* {LISTED}", self.next)).await;
        let news: Vec<_> = listed(&answer).into_iter().filter(|(uid, _)| *uid >= self.next).collect();
        self.next = news.iter().map(|(uid, _)| uid + 1).max().unwrap_or(self.next);
        news
    }
}

/// Always connected, by another network about 20 times a day. Lists what comes; its owner reads two of five on it.
pub async fn phone(month: Arc<Month>, edge: Edge) {
    let (world, mut rng) = (month.house.world.clone(), Rng::new(12));
    let mut next = 0;
    loop {
        let mut inbox = Inbox::select(&month, &edge, next).await;
        // What other clients did meanwhile to the messages on the screen.
        inbox.wire.imap(&format!("UID FETCH {}:* (UID FLAGS)", inbox.next.saturating_sub(50).max(1))).await;
        let lasts = second(&world) + 600 + rng.below(7_200) as u64;
        loop {
            for (uid, seen) in inbox.news().await {
                let awake = (7 * HOUR..23 * HOUR).contains(&(second(&world) % DAY));
                // Two lines of text for the list.
                inbox.wire.imap(&format!("UID FETCH {uid} BODY.PEEK[1]<0.2048>")).await;
                if !seen && awake && rng.chance(40) {
                    world.env.sleep(Duration::from_secs(rng.below(60) as u64)).await;
                    inbox.wire.imap(&format!("UID FETCH {uid} BODY.PEEK[1]")).await;
                    inbox.wire.imap(&format!("UID STORE {uid} +FLAGS.SILENT (\\Seen)")).await;
                    Done::one(&month.done.seen);
                }
            }
            // Until something is new; other notices are taken as they come.
            while second(&world) < lasts {
                let left = Duration::from_secs(lasts - second(&world));
                if inbox.wire.idle(IDLE.min(left)).await.contains(" EXISTS") {
                    break;
                }
            }
            if second(&world) >= lasts {
                break;
            }
        }
        next = inbox.next;
        month.done.fetched.fetch_add(inbox.wire.received, Ordering::Relaxed);
        drop(inbox);
        world.env.sleep(Duration::from_secs(5 + rng.below(60) as u64)).await;
    }
}

/// From eight to six on working days: everything is fetched in whole and read, filed or thrown away; every five minutes a
/// second connection asks after all folders; 300 mails a month are written.
pub async fn desktop(month: Arc<Month>, edge: Edge) {
    let (world, mut rng) = (month.house.world.clone(), Rng::new(13));
    let mut next = 0;
    let mut number = 1_000_000;
    for day in 0.. {
        if !is_working_day(day * DAY) {
            continue;
        }
        until(&world, day * DAY + 8 * HOUR + rng.below(1_200) as u64).await;
        let mut inbox = Inbox::select(&month, &edge, next).await;
        let mut other = edge.imap().await;
        let evening = day * DAY + 18 * HOUR;
        let mut todo: VecDeque<(u32, bool)> = VecDeque::new();
        while second(&world) < evening {
            for (uid, seen) in inbox.news().await {
                inbox.wire.imap(&format!("UID FETCH {uid} (BODY.PEEK[])")).await;
                todo.push_back((uid, seen));
            }
            for (uid, seen) in todo.drain(..todo.len().min(4)) {
                work_off(&month, &mut inbox.wire, &mut rng, uid, seen).await;
            }
            // 14 mails in 120 rounds.
            if rng.below(120) < 14 {
                number += 1;
                write(&month, &edge, &mut other, &mut rng, number).await;
            }
            for folder in ["INBOX", "Drafts", "Sent", "Archive", "Junk", "Trash"] {
                other.imap(&format!("STATUS {folder} (MESSAGES UNSEEN UIDNEXT HIGHESTMODSEQ)")).await;
            }
            Done::one(&month.done.polls);
            let round = second(&world) + 300;
            while second(&world) < round {
                let left = Duration::from_secs(round - second(&world));
                if inbox.wire.idle(left).await.contains(" EXISTS") {
                    break;
                }
            }
        }
        inbox.wire.imap("UID SEARCH SINCE 1-Jan-2026 SUBJECT \"new building\"").await;
        Done::one(&month.done.searches);
        if (day + 3) % 7 == 4 {
            empty_trash(&mut other).await;
        }
        next = inbox.next;
        month.done.fetched.fetch_add(inbox.wire.received + other.received, Ordering::Relaxed);
    }
}

async fn work_off(month: &Month, wire: &mut Wire, rng: &mut Rng, uid: u32, seen: bool) {
    if !seen {
        wire.imap(&format!("UID STORE {uid} +FLAGS.SILENT (\\Seen)")).await;
        Done::one(&month.done.seen);
    }
    match rng.below(100) {
        0..5 => drop(wire.imap(&format!("UID STORE {uid} +FLAGS.SILENT (\\Flagged)")).await),
        5..20 => drop(wire.imap(&format!("UID STORE {uid} +FLAGS.SILENT (\\Answered)")).await),
        20..60 => {
            wire.imap(&format!("UID MOVE {uid} Archive")).await;
            Done::one(&month.done.moved);
        }
        60..80 => {
            wire.imap(&format!("UID MOVE {uid} Trash")).await;
            Done::one(&month.done.deleted);
        }
        _ => {}
    }
}

/// Every third mail is kept as a draft for a while; all go out by submission and are kept in Sent.
async fn write(month: &Month, edge: &Edge, wire: &mut Wire, rng: &mut Rng, number: u64) {
    let letter = office::letter(number, &format!("Ann Archer <{ANN}>"));
    if rng.chance(33) {
        let answer = wire.append("APPEND Drafts (\\Draft \\Seen)", &letter).await;
        let uid: u32 = answer.split_once("[APPENDUID ").unwrap().1.split([' ', ']']).nth(1).unwrap().parse().unwrap();
        month.house.world.env.sleep(Duration::from_secs(30 + rng.below(200) as u64)).await;
        wire.imap("SELECT Drafts").await;
        wire.imap(&format!("UID STORE {uid} +FLAGS.SILENT (\\Deleted)")).await;
        wire.imap(&format!("UID EXPUNGE {uid}")).await;
        wire.imap("UNSELECT").await;
    }
    edge.submit(&letter).await;
    wire.append("APPEND Sent (\\Seen)", &letter).await;
    Done::one(&month.done.sent);
}

async fn empty_trash(wire: &mut Wire) {
    wire.imap("SELECT Trash").await;
    wire.imap("UID STORE 1:* +FLAGS.SILENT (\\Deleted)").await;
    wire.imap("EXPUNGE").await;
    wire.imap("UNSELECT").await;
}
