//! Clients that only believe what they are told come to the same view as a client that asks for everything: two and three
//! sessions racing on one mailbox, and a client that was away and comes back with QRESYNC, also behind the log's floor.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

mod harness;

use harness::{Client, World};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

const WHO: &str = "ada@a.test";

/// One thing that a client does.
#[derive(Clone, Debug)]
enum Act {
    Append,
    Store { place: u32, add: bool, flag: usize, silent: bool, uid: bool },
    Expunge,
    Move { place: u32 },
    Copy { place: u32 },
    Fetch { place: u32 },
    Noop,
    Search,
}

const FLAGS: [&str; 4] = ["\\Seen", "\\Deleted", "\\Flagged", "$Work"];

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        2 => Just(Act::Append),
        6 => (any::<u32>(), any::<bool>(), 0..FLAGS.len(), any::<bool>(), any::<bool>())
            .prop_map(|(place, add, flag, silent, uid)| Act::Store { place, add, flag, silent, uid }),
        2 => Just(Act::Expunge),
        1 => any::<u32>().prop_map(|place| Act::Move { place }),
        1 => any::<u32>().prop_map(|place| Act::Copy { place }),
        2 => any::<u32>().prop_map(|place| Act::Fetch { place }),
        2 => Just(Act::Noop),
        1 => Just(Act::Search),
    ]
}

type Flags = BTreeSet<String>;

/// What a client believes: its messages in their order, each with the uid and flags that it was told.
struct Believer {
    client: Client,
    list: Vec<(Option<u32>, Option<Flags>)>,
    turn: u32,
    qresync: bool,
}

fn flags_of(line: &str) -> Option<Flags> {
    let (_, rest) = line.split_once("FLAGS (")?;
    Some(rest.split_once(')')?.0.split(' ').filter(|f| !f.is_empty()).map(str::to_owned).collect())
}

fn number_after(line: &str, word: &str) -> Option<u64> {
    let (_, rest) = line.split_once(word)?;
    rest.chars().take_while(char::is_ascii_digit).collect::<String>().parse().ok()
}

/// `1:3,7`
fn numbers(set: &str) -> Vec<u32> {
    set.split(',')
        .flat_map(|run| {
            let (a, b) = run.split_once(':').unwrap_or((run, run));
            a.parse::<u32>().unwrap()..=b.parse::<u32>().unwrap()
        })
        .collect()
}

impl Believer {
    async fn new(world: &World, qresync: bool) -> Self {
        let mut client = world.local();
        client.login(WHO).await;
        if qresync {
            client.ok("e", "ENABLE QRESYNC").await;
        }
        let mut this = Self { client, list: Vec::new(), turn: 0, qresync };
        this.say("SELECT INBOX").await;
        this.say("FETCH 1:* (UID FLAGS)").await;
        this
    }

    /// Sends a command and believes everything that comes; the tagged line is given back.
    async fn say(&mut self, command: &str) -> String {
        self.turn += 1;
        let tag = format!("t{}", self.turn);
        let lines = self.client.command(&tag, command).await;
        let numbered_quiet = ["FETCH", "STORE", "SEARCH"].iter().any(|verb| command.starts_with(verb));
        for line in &lines {
            if std::env::var_os("TRACE").is_some() {
                println!("{:p} {command} -> {line}", &self.list);
            }
            assert!(!(numbered_quiet && (line.ends_with(" EXPUNGE") || line.contains("VANISHED "))), "{command}: {line}");
            self.hear(line);
        }
        lines.last().cloned().unwrap_or_default()
    }

    fn hear(&mut self, line: &str) {
        let Some(rest) = line.strip_prefix("* ") else { return };
        if let Some(set) = rest.strip_prefix("VANISHED ") {
            let gone = numbers(set);
            let before = self.list.len();
            self.list.retain(|(uid, _)| !uid.is_some_and(|uid| gone.contains(&uid)));
            // One that was announced, vanished before it was asked about: it is among those not known yet.
            for _ in before - self.list.len()..gone.len() {
                let at = self.list.iter().position(|(uid, _)| uid.is_none()).expect("an unknown one");
                self.list.remove(at);
            }
            return;
        }
        let Some((number, rest)) = rest.split_once(' ').and_then(|(n, rest)| Some((n.parse::<usize>().ok()?, rest))) else { return };
        if rest == "EXISTS" {
            assert!(number >= self.list.len(), "EXISTS never shrinks");
            self.list.resize(number, (None, None));
        } else if rest == "EXPUNGE" {
            self.list.remove(number - 1);
        } else if rest.starts_with("FETCH") {
            let entry = &mut self.list[number - 1];
            if let Some(uid) = number_after(rest, "UID ") {
                let uid = u32::try_from(uid).unwrap();
                assert!(entry.0.is_none_or(|known| known == uid), "a number means another message");
                entry.0 = Some(uid);
            }
            if let Some(flags) = flags_of(rest) {
                entry.1 = Some(flags);
            }
        }
    }

    /// Asks for what is new, as every client does.
    async fn catch_up(&mut self) {
        while let Some(at) = self.list.iter().position(|(uid, flags)| uid.is_none() || flags.is_none()) {
            let before = self.list.len();
            let answer = self.say(&format!("FETCH {}:* (UID FLAGS)", at + 1)).await;
            if self.list.len() == before && answer.contains("EXPUNGEISSUED") {
                self.say("NOOP").await;
            }
        }
    }

    async fn act(&mut self, act: &Act) {
        let place = |place: &u32, len: usize| (len > 0).then(|| (*place as usize % len.max(1)) + 1);
        match act {
            Act::Append => {
                let message = "Subject: new\r\n\r\nx\r\n";
                self.say(&format!("APPEND INBOX {{{}+}}\r\n{message}", message.len())).await;
            }
            Act::Store { place: at, add, flag, silent, uid } => {
                let Some(at) = place(at, self.list.len()) else { return };
                let (known, sign) = (self.list[at - 1].clone(), if *add { '+' } else { '-' });
                let dot = if *silent { ".SILENT" } else { "" };
                let item = format!("{sign}FLAGS{dot} ({})", FLAGS[*flag]);
                // After .SILENT the client reckons for itself; what it does not know it does not reckon with.
                if *silent && let Some(flags) = &mut self.list[at - 1].1 {
                    if *add {
                        flags.insert(FLAGS[*flag].to_owned());
                    } else {
                        flags.remove(FLAGS[*flag]);
                    }
                }
                let answer = match (uid, known.0) {
                    (true, Some(uid)) => self.say(&format!("UID STORE {uid} {item}")).await,
                    _ => self.say(&format!("STORE {at} {item}")).await,
                };
                let _ = answer;
            }
            Act::Expunge => {
                self.say("EXPUNGE").await;
            }
            Act::Move { place: at } => {
                if let Some(at) = place(at, self.list.len()) {
                    self.say(&format!("MOVE {at} Archive")).await;
                }
            }
            Act::Copy { place: at } => {
                if let Some(at) = place(at, self.list.len()) {
                    self.say(&format!("COPY {at} INBOX")).await;
                }
            }
            Act::Fetch { place: at } => {
                if let Some(at) = place(at, self.list.len()) {
                    self.say(&format!("FETCH {at} (UID FLAGS)")).await;
                }
            }
            Act::Noop => {
                self.say("NOOP").await;
            }
            Act::Search => {
                self.say("SEARCH SEEN").await;
            }
        }
        if matches!(act, Act::Noop | Act::Append | Act::Fetch { .. }) || self.qresync {
            self.catch_up().await;
        }
    }

    fn view(&self) -> BTreeMap<u32, Flags> {
        self.list.iter().map(|(uid, flags)| (uid.unwrap(), flags.clone().unwrap())).collect()
    }
}

/// A client that has just come and asks for everything.
async fn truth(world: &World) -> BTreeMap<u32, Flags> {
    let fresh = Believer::new(world, false).await;
    fresh.view()
}

fn run<F: Future>(body: F) -> F::Output {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
    runtime.block_on(body)
}

async fn filled(seed: u64) -> World {
    let world = World::new(seed, |_| {}).await;
    for n in 0..4 {
        world.append(WHO, "INBOX", &[], None, format!("Subject: {n}\r\n\r\nx\r\n").into_bytes()).await;
    }
    world
}

async fn play(mut believer: Believer, acts: Vec<Act>) -> Believer {
    for act in &acts {
        believer.act(act).await;
    }
    believer
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn racing_clients_come_to_one_view(
        seed in any::<u64>(),
        a in prop::collection::vec(act(), 1..20),
        b in prop::collection::vec(act(), 1..20),
        c in prop::collection::vec(act(), 1..20),
    ) {
        run(async {
            let world = filled(seed).await;
            let (one, two, three) = (Believer::new(&world, false).await, Believer::new(&world, false).await, Believer::new(&world, true).await);
            let (one, two, three) = tokio::join!(play(one, a), play(two, b), play(three, c));
            let wanted = truth(&world).await;
            for mut believer in [one, two, three] {
                believer.say("NOOP").await;
                believer.catch_up().await;
                prop_assert_eq!(&believer.view(), &wanted);
            }
            Ok(())
        })?;
    }

    #[test]
    fn a_client_that_comes_back_knows_what_a_new_one_knows(
        seed in any::<u64>(),
        before in prop::collection::vec(act(), 0..10),
        away in prop::collection::vec(act(), 1..25),
        trimmed in any::<bool>(),
    ) {
        run(async {
            let world = filled(seed).await;
            let mut known = play(Believer::new(&world, true).await, before).await;
            known.say("NOOP").await;
            known.catch_up().await;
            let mut view = known.view();
            known.say("UNSELECT").await;
            let lines = known.client.ok("s", "STATUS INBOX (UIDVALIDITY HIGHESTMODSEQ)").await;
            let uidvalidity = number_after(&lines[0], "UIDVALIDITY ").unwrap();
            let modseq = number_after(&lines[0], "HIGHESTMODSEQ ").unwrap();

            let mut other = play(Believer::new(&world, false).await, away).await;
            other.say("NOOP").await;
            if trimmed {
                // The log forgets everything: the way back is by comparing lists.
                tokio::time::sleep(Duration::from_secs(1000)).await;
                penfold_metering::usage::Usage::new(&world.simulated.world(), world.directory.clone(), &world.mailboxes).round().await.unwrap();
                world.mailbox(WHO).await.trim(Duration::from_secs(1)).await.unwrap();
            }
            // Half of the clients name what they know, and hear of nothing else.
            let named = view.keys().max().copied().filter(|_| seed % 2 == 1);
            let set = named.map_or(String::new(), |max| format!(" 1:{max}"));
            let lines = known.client.ok("q", &format!("SELECT INBOX (QRESYNC ({uidvalidity} {modseq}{set}))")).await;
            for line in &lines {
                if let Some(set) = line.strip_prefix("* VANISHED (EARLIER) ") {
                    let gone: BTreeSet<u32> = set.split(',').flat_map(|run| {
                        let (a, b) = run.split_once(':').unwrap_or((run, run));
                        a.parse::<u32>().unwrap()..=b.parse::<u32>().unwrap()
                    }).collect();
                    view.retain(|uid, _| !gone.contains(uid));
                } else if line.contains(" FETCH (") {
                    view.insert(number_after(line, "UID ").unwrap() as u32, flags_of(line).unwrap());
                }
            }
            let mut wanted = truth(&world).await;
            wanted.retain(|uid, _| named.is_none_or(|max| *uid <= max));
            prop_assert_eq!(&view, &wanted);
            let exists = lines.iter().find_map(|line| line.strip_prefix("* ")?.strip_suffix(" EXISTS")?.parse::<usize>().ok()).unwrap();
            prop_assert_eq!(exists, truth(&world).await.len());
            Ok(())
        })?;
    }
}
