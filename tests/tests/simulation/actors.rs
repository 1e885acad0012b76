//! Who does something.

use crate::Play;
use penfold_deliver::Deliver;
use penfold_directory::Directory;
use penfold_mailbox::{Delta, Event, Keywords, Mailbox, Mailboxes, NewMessage, Store, UidSet};
use penfold_metering::usage::Usage;
use penfold_ports::Account;
use penfold_tests::ledger::{Deed, Told};
use penfold_tests::letters;
use penfold_tests::rng::Rng;
use penfold_tests::town::{address, directory};
use penfold_transport::{Incoming, Settings, To, Transport};
use penfold_types::{Error, FolderId, Kind, Modseq, Uid};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{Mutex, watch};
use tokio::task::JoinSet;

pub const FOLDERS: [&str; 3] = ["INBOX", "Archive", "Trash"];

/// One process: its own caches, its own workers.
#[derive(Clone)]
pub struct Process {
    pub directory: Directory,
    pub mailboxes: Mailboxes,
    transport: Transport,
    deliver: Deliver,
    stop: Arc<watch::Sender<bool>>,
}

impl Process {
    pub fn start(play: &Play) -> Self {
        let directory = directory(&play.world);
        let mailboxes = Mailboxes::new(play.world.clone(), directory.clone());
        let transport = Transport::new(&play.world, directory.clone(), mailboxes.clone(), Settings::default());
        let deliver = Deliver::new(&play.world, &mailboxes, &transport);
        Self { directory, mailboxes, transport, deliver, stop: Arc::new(watch::Sender::new(false)) }
    }

    pub fn serve(&self, tasks: &mut JoinSet<()>) {
        tasks.spawn(penfold_transport::work::run(self.deliver.clone(), 2, self.stop.subscribe()));
    }

    pub fn usage(&self, play: &Play) -> Usage {
        Usage::new(&play.world, self.directory.clone(), &self.mailboxes)
    }

    pub async fn open(&self, account: Account) -> Result<Mailbox, Error> {
        self.mailboxes.open(&self.directory.job_scope(account)).await
    }
}

/// A store in trouble says so; anything else is a fault.
fn expected(play: &Play, what: &str, error: &Error) {
    if error.kind() != Kind::Retry {
        play.problem(format!("{what}: {error} ({:?})", error.kind()));
    }
}

/// Counts what mailboxes used, again and again. It may be late, but never wrong.
pub async fn meter(play: Arc<Play>, process: Process, mut rng: Rng) {
    let usage = process.usage(&play);
    loop {
        play.world.env.sleep(Duration::from_millis(rng.below(3_000) as u64)).await;
        match usage.round().await {
            Ok(round) if round.differing > 0 => play.problem(format!("the meter: {round:?}")),
            Ok(_) => {}
            Err(error) => expected(&play, "the meter", &error),
        }
    }
}

/// Hands messages in.
pub async fn send(play: Arc<Play>, process: Process, mut rng: Rng, name: String) {
    for number in 0..4 + rng.below(6) {
        play.world.env.sleep(Duration::from_millis(rng.below(200) as u64)).await;
        let token = format!("{name}m{number}");
        let mut recipients = Vec::new();
        let mut reached: BTreeSet<Account> = BTreeSet::new();
        for _ in 0..1 + rng.below(3) {
            let (mail, whom) = rng.pick(&play.addresses);
            match process.transport.recipient(None, None, &address(mail)).await {
                Ok(target) => {
                    reached.extend(whom);
                    recipients.push(To::new(target, *mail));
                }
                Err(penfold_transport::Refusal::Later(_)) => {}
                Err(refusal) => play.problem(format!("{mail} was refused: {refusal:?}")),
            }
        }
        if recipients.is_empty() {
            continue;
        }
        let origin = penfold_tests::town::origin(None);
        let incoming = Incoming {
            origin,
            from_text: "sender@example.test".into(),
            from: Some(address("sender@example.test")),
            envelope: Default::default(),
            recipients,
            message: letters::short(&token, "Sender <sender@example.test>"),
            received: play.world.env.now(),
        };
        let enters = |account: &Account| Deed::Enters { account: *account, token: token.clone() };
        let deeds: Vec<Deed> = reached.iter().map(enters).collect();
        let ticket = play.ledger.lock().unwrap().begin(deeds.clone());
        match process.transport.accept(incoming).await {
            Ok(_) => play.ledger.lock().unwrap().done(ticket, deeds),
            Err(refusal) => {
                play.ledger.lock().unwrap().failed(ticket);
                if !matches!(refusal, penfold_transport::Refusal::Later(_)) {
                    play.problem(format!("{token} was refused: {refusal:?}"));
                }
            }
        }
    }
}

/// One session: reads a folder, changes something, again.
pub async fn work(play: Arc<Play>, process: Process, account: Account, mut rng: Rng, name: String) {
    let mut session = Session { play, process, account, name, made: 0 };
    for _ in 0..6 + rng.below(8) {
        session.play.world.env.sleep(Duration::from_millis(rng.below(150) as u64)).await;
        if let Err(error) = session.step(&mut rng).await {
            expected(&session.play, &session.name, &error);
        }
    }
}

struct Session {
    play: Arc<Play>,
    process: Process,
    account: Account,
    name: String,
    made: usize,
}

fn keyword(rng: &mut Rng) -> Keywords {
    let custom = Keywords::parse(["Work", "$Label1"]).unwrap();
    [Keywords::SEEN, Keywords::FLAGGED, Keywords::DELETED, Keywords::ANSWERED, custom][rng.below(5)].clone()
}

impl Session {
    /// Lists a folder and notes what stands where.
    async fn list(&self, mailbox: &Mailbox, folder: FolderId) -> Result<(Vec<Uid>, Modseq), Error> {
        let index = mailbox.index(folder).await?;
        let mut ledger = self.play.ledger.lock().unwrap();
        for message in index.iter() {
            let other = ledger.items.insert((self.account, folder, message.uid), message.item);
            if other.is_some_and(|other| other != message.item) {
                ledger.doubled.push(format!("uid {} is two items", message.uid));
            }
        }
        Ok((index.iter().map(|m| m.uid).collect(), index.modseq()))
    }

    async fn step(&mut self, rng: &mut Rng) -> Result<(), Error> {
        let mailbox = self.process.open(self.account).await?;
        let folders = mailbox.folders().await?;
        let id = |at: usize| folders.find(FOLDERS[at]).map(|f| f.id).ok_or_else(|| Error::broken("a role folder is missing"));
        let from = id(rng.below(3))?;
        let to = id(rng.below(3))?;
        let (there, modseq) = self.list(&mailbox, from).await?;
        let mut some: UidSet = UidSet::new();
        for _ in 0..rng.below(6) {
            if !there.is_empty() {
                some.insert(*rng.pick(&there));
            }
        }
        let done = match rng.below(16) {
            0..4 => self.append(&mailbox, from, 1 + rng.below(4), rng).await,
            4..8 => self.store(&mailbox, from, &some, if rng.chance(20) { Some(modseq) } else { None }, rng).await,
            8..10 => self.copy(&mailbox, from, &some, to).await,
            10..12 if from != to => self.move_inside(&mailbox, from, &some, to).await,
            12..14 => self.expunge(&mailbox, from, &some).await,
            14 => self.across(&mailbox, from, &some, rng).await,
            _ => self.folder(&mailbox, rng).await,
        };
        done.map(|_| ())
    }

    fn begin(&self, deeds: &[Deed]) -> u64 {
        self.play.ledger.lock().unwrap().begin(deeds.to_vec())
    }

    /// Takes note of an answer, or of there being none.
    fn settle<T>(&self, ticket: u64, answer: Result<T, Error>, deeds: impl FnOnce(&T) -> Vec<Deed>) -> Result<T, Error> {
        let mut ledger = self.play.ledger.lock().unwrap();
        match answer {
            Ok(told) => {
                let deeds = deeds(&told);
                ledger.done(ticket, deeds);
                Ok(told)
            }
            Err(error) => {
                ledger.failed(ticket);
                Err(error)
            }
        }
    }

    fn leaves(&self, folder: FolderId, uids: Vec<Uid>) -> Deed {
        Deed::Leaves { account: self.account, folder, uids }
    }

    async fn append(&mut self, mailbox: &Mailbox, folder: FolderId, count: usize, rng: &mut Rng) -> Result<Vec<Uid>, Error> {
        let mut deeds = Vec::new();
        let mut messages = Vec::new();
        for _ in 0..count {
            self.made += 1;
            let token = format!("{}a{}", self.name, self.made);
            messages.push(NewMessage { bytes: letters::short(&token, "Me <me@acme.test>"), keywords: keyword(rng), received: None });
            deeds.push(Deed::Enters { account: self.account, token });
        }
        let wanted: Vec<Keywords> = messages.iter().map(|m| m.keywords.clone()).collect();
        let ticket = self.begin(&deeds);
        let appended = self.settle(ticket, mailbox.append(folder, messages).await, |_| deeds)?;
        let mut ledger = self.play.ledger.lock().unwrap();
        for (uid, keywords) in appended.uids.iter().zip(wanted) {
            ledger.create(self.account, folder, *uid, "append");
            ledger.told.push(Told { account: self.account, folder, uid: *uid, modseq: appended.modseq, keywords });
        }
        Ok(appended.uids)
    }
}

impl Session {
    async fn store(
        &self,
        mailbox: &Mailbox,
        folder: FolderId,
        uids: &UidSet,
        since: Option<Modseq>,
        rng: &mut Rng,
    ) -> Result<Vec<Uid>, Error> {
        let how = *rng.pick(&[Store::Set, Store::Add, Store::Remove]);
        let stored = mailbox.store(folder, uids, how, &keyword(rng), since).await?;
        if since.is_none() && !stored.modified.is_empty() {
            self.play.problem("a store without a condition held something back".to_owned());
        }
        let mut ledger = self.play.ledger.lock().unwrap();
        for (uid, keywords, modseq) in stored.now {
            ledger.told.push(Told { account: self.account, folder, uid, modseq, keywords });
        }
        Ok(Vec::new())
    }

    async fn copy(&self, mailbox: &Mailbox, from: FolderId, uids: &UidSet, to: FolderId) -> Result<Vec<Uid>, Error> {
        let copies = |uids: Vec<Uid>| vec![Deed::Copies { from: self.account, folder: from, uids, to: self.account }];
        let ticket = self.begin(&copies(uids.iter().collect()));
        let answer = mailbox.copy(from, uids, mailbox, to).await;
        let copied = self.settle(ticket, answer, |done| copies(done.pairs.iter().map(|(uid, _)| *uid).collect()))?;
        let mut ledger = self.play.ledger.lock().unwrap();
        copied.pairs.iter().for_each(|(_, uid)| ledger.create(self.account, to, *uid, "copy"));
        Ok(Vec::new())
    }

    async fn move_inside(&self, mailbox: &Mailbox, from: FolderId, uids: &UidSet, to: FolderId) -> Result<Vec<Uid>, Error> {
        let moved = mailbox.move_items(from, uids, mailbox, to).await?;
        let mut ledger = self.play.ledger.lock().unwrap();
        for (old, new) in moved.pairs {
            ledger.destroy(self.account, from, old, "move");
            ledger.create(self.account, to, new, "move");
        }
        Ok(Vec::new())
    }

    async fn expunge(&self, mailbox: &Mailbox, folder: FolderId, uids: &UidSet) -> Result<Vec<Uid>, Error> {
        let ticket = self.begin(&[self.leaves(folder, uids.iter().collect())]);
        let answer = mailbox.expunge(folder, Some(uids), false).await;
        let gone = self.settle(ticket, answer, |gone| vec![self.leaves(folder, gone.clone())])?;
        let mut ledger = self.play.ledger.lock().unwrap();
        gone.iter().for_each(|uid| ledger.destroy(self.account, folder, *uid, "expunge"));
        Ok(gone)
    }

    /// A copy or a move to somebody else's Archive, as in a shared mailbox.
    async fn across(&self, mailbox: &Mailbox, from: FolderId, uids: &UidSet, rng: &mut Rng) -> Result<Vec<Uid>, Error> {
        let other = *rng.pick(&self.play.people);
        if other == self.account {
            return Ok(Vec::new());
        }
        let target = self.process.open(other).await?;
        let to = target.folders().await?.find("Archive").map(|f| f.id).ok_or_else(|| Error::broken("a role folder is missing"))?;
        let moves = rng.chance(50);
        let deeds = |uids: Vec<Uid>| {
            let copies = Deed::Copies { from: self.account, folder: from, uids: uids.clone(), to: other };
            if moves { vec![copies, self.leaves(from, uids)] } else { vec![copies] }
        };
        let ticket = self.begin(&deeds(uids.iter().collect()));
        let answer = if moves { mailbox.move_items(from, uids, &target, to).await } else { mailbox.copy(from, uids, &target, to).await };
        // Of a move between accounts the copies are sure; another session may have expunged a source meanwhile, so that
        // the source is gone is only checked where this one was told to be the one.
        let copied = self.settle(ticket, answer, |done| {
            let from_uids: Vec<Uid> = done.pairs.iter().map(|(uid, _)| *uid).collect();
            vec![Deed::Copies { from: self.account, folder: from, uids: from_uids, to: other }]
        })?;
        let mut ledger = self.play.ledger.lock().unwrap();
        copied.pairs.iter().for_each(|(_, uid)| ledger.create(other, to, *uid, "copy across"));
        if moves {
            let gone = copied.pairs.iter().map(|(uid, _)| *uid).collect();
            let maybe = ledger.begin(vec![self.leaves(from, gone)]);
            ledger.failed(maybe);
            ledger.moved_away.extend(copied.pairs.iter().map(|(uid, _)| (self.account, from, *uid)));
        }
        Ok(Vec::new())
    }

    /// A folder of this session's own comes, is filled, renamed and deleted.
    async fn folder(&mut self, mailbox: &Mailbox, rng: &mut Rng) -> Result<Vec<Uid>, Error> {
        self.made += 1;
        let path = format!("Own/{}x{}", self.name, self.made);
        let own = match mailbox.create_folder(&path, None).await {
            Ok(own) => own,
            // An answer that was lost: it is there after all.
            Err(error) if error.kind() == Kind::Conflict => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let count = 1 + rng.below(4);
        self.append(mailbox, own, count, rng).await?;
        if rng.chance(30) {
            mailbox.rename_folder(own, &format!("{path}-renamed")).await?;
        }
        if rng.chance(70) {
            let (there, _) = self.list(mailbox, own).await?;
            let leaves = vec![self.leaves(own, there)];
            let ticket = self.begin(&leaves);
            let answer = mailbox.delete_folder(own).await;
            if answer.is_ok() {
                self.play.ledger.lock().unwrap().gone.insert((self.account, own));
            }
            self.settle(ticket, answer, |()| leaves)?;
        }
        Ok(Vec::new())
    }
}

/// A client's view of an account, built from events alone. It outlives the processes that it asks.
pub struct Observer {
    pub account: Account,
    pub views: BTreeMap<FolderId, (Modseq, BTreeMap<Uid, Keywords>)>,
}

impl Observer {
    pub fn new(account: Account) -> Self {
        Self { account, views: BTreeMap::new() }
    }

    pub async fn poll(&mut self, mailbox: &Mailbox) -> Result<Vec<String>, Error> {
        let mut faults = Vec::new();
        let folders = mailbox.folders().await?;
        for (_, folder) in folders.iter() {
            let (known, view) = self.views.entry(folder.id).or_default();
            match mailbox.changes(folder.id, *known).await? {
                Delta::Events { to, events } => {
                    faults.extend(follow(view, *known, to, events));
                    *known = to;
                }
                Delta::TooOld => {
                    let index = match mailbox.index(folder.id).await {
                        Ok(index) => index,
                        // Deleted since the folders were read: the next poll says so.
                        Err(error) if error.kind() == Kind::NotFound => continue,
                        Err(error) => return Err(error),
                    };
                    *view = index.iter().map(|m| (m.uid, m.keywords.clone())).collect();
                    *known = index.modseq();
                }
                Delta::Gone => {
                    self.views.remove(&folder.id);
                }
            }
        }
        Ok(faults)
    }
}

/// Strict: what comes was not there, what changes or goes was.
fn follow(view: &mut BTreeMap<Uid, Keywords>, known: Modseq, to: Modseq, events: Vec<(Modseq, Event)>) -> Vec<String> {
    let mut faults = Vec::new();
    let mut last = known;
    for (modseq, event) in events {
        if modseq <= known || modseq > to || modseq < last {
            faults.push(format!("an event of {modseq} between {known} and {to}"));
        }
        last = modseq;
        let fits = match &event {
            Event::Added { uid, keywords } => view.insert(*uid, keywords.clone()).is_none(),
            Event::Keywords { uid, keywords } => view.insert(*uid, keywords.clone()).is_some(),
            Event::Vanished { uid } => view.remove(uid).is_some(),
        };
        if !fits {
            faults.push(format!("{event:?} of {modseq} does not fit"));
        }
    }
    faults
}

/// Asks when woken, and every ten minutes.
pub async fn observe(play: Arc<Play>, process: Process, observer: Arc<Mutex<Observer>>) {
    let account = observer.lock().await.account;
    loop {
        let mailbox = match process.open(account).await {
            Ok(mailbox) => mailbox,
            Err(error) => {
                expected(&play, "observer", &error);
                play.world.env.sleep(Duration::from_secs(1)).await;
                continue;
            }
        };
        let mut watch = mailbox.watch();
        loop {
            match observer.lock().await.poll(&mailbox).await {
                Ok(faults) => faults.into_iter().for_each(|fault| play.problem(format!("observer: {fault}"))),
                Err(error) => expected(&play, "observer", &error),
            }
            tokio::select! {
                biased;
                _ = watch.changed() => {}
                () = play.world.env.sleep(Duration::from_secs(600)) => {}
            }
        }
    }
}
