//! What subscriptions promise, in a simulated world.

use super::*;
use penfold_directory::{Cheap, NewPerson, Operator, Options};

use penfold_ports::{Account, Sk, When, Write};
use penfold_simulated::{Faults, Pages, Simulated};
use penfold_subscriptions::{Change, MOST, MOST_OF_TENANT, New, State};
use penfold_transport::{outbound::send_due, work};
use penfold_types::{Address, Modseq, Timestamp};
use std::collections::BTreeMap;
use tokio::sync::watch;

const URL: &str = "https://calendars.test/a.ics";

struct House {
    simulated: Simulated,
    directory: Directory,
    mailboxes: Mailboxes,
    subscriptions: Subscriptions,
    operator: Operator,
    pages: Pages,
    ann: Account,
}

async fn house(seed: u64) -> House {
    let simulated = Simulated::new(seed, Faults::NONE);
    let world = simulated.world();
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let operator = directory.operator();
    operator.ensure_tenant("One").await.unwrap();
    operator.create_domain("One", &"one.test".parse().unwrap()).await.unwrap();
    let address: Address = "ann@one.test".parse().unwrap();
    operator.create_person(&NewPerson { address: address.clone(), name: "Ann".to_owned(), password: None, quota: None }).await.unwrap();
    let info = operator.person(&address).await.unwrap();
    let subscriptions = Subscriptions::new(&world, &directory);
    let ann = Account { tenant: info.tenant, principal: info.id };
    House { simulated, directory, mailboxes, subscriptions, operator, pages: Pages::default(), ann }
}

fn event(uid: &str, title: &str) -> String {
    format!("BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260102T100000Z\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n")
}

fn calendar(events: &[(&str, &str)]) -> String {
    let events: String = events.iter().map(|(uid, title)| event(uid, title)).collect();
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y//EN\r\n{events}END:VCALENDAR\r\n")
}

fn new() -> New {
    New { url: URL.to_owned(), name: "Holidays".to_owned(), color: Some("#2a7fff".to_owned()), refresh: 4 * 3600 }
}

impl House {
    /// As ann.
    async fn mailbox(&self) -> Mailbox {
        self.mailboxes.open(&self.directory.job_scope(self.ann)).await.unwrap()
    }

    async fn subscribe(&self) -> Subscription {
        self.subscriptions.add(&self.operator, &self.mailbox().await, &new()).await.unwrap()
    }

    fn worker(&self) -> Subscribe {
        // A process that knows nothing yet.
        let world = self.simulated.world();
        let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        Subscribe::new(&world, &directory, &mailboxes, Arc::new(self.pages.clone()))
    }

    async fn now(&self, one: &Subscription) -> Subscription {
        self.subscriptions.find(one.account, one.folder).await.unwrap()
    }

    /// Timer and workers go on until `done` says so.
    async fn until(&self, mut done: impl AsyncFnMut() -> bool) {
        let (stop, stopped) = watch::channel(false);
        let working = tokio::spawn(work::run(self.worker(), 2, stopped));
        let world = self.simulated.world();
        while !done().await {
            let _ = send_due(&world).await;
            self.simulated.env().sleep(Duration::from_secs(5)).await;
        }
        stop.send_replace(true);
        working.await.unwrap();
    }

    /// Until it was fetched once more.
    async fn fetch(&self, one: &Subscription) -> Subscription {
        let before = self.now(one).await;
        let over = |now: &Subscription| now.stopped || now.fetched > before.fetched || now.failures > before.failures;
        self.until(async || over(&self.now(one).await)).await;
        self.now(one).await
    }

    /// Titles by UID.
    async fn events(&self, one: &Subscription) -> BTreeMap<String, String> {
        let mailbox = self.mailbox().await;
        let (all, more) = mailbox.objects(one.folder, None, 100_000).await.unwrap();
        assert!(!more);
        let mut found = BTreeMap::new();
        for chunk in all.chunks(100) {
            let items: Vec<_> = chunk.iter().map(|object| object.item).collect();
            for bytes in mailbox.object_bytes(one.folder, &items).await.unwrap() {
                let text = String::from_utf8(bytes.unwrap().to_vec()).unwrap();
                let line = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().to_owned();
                found.insert(line("UID:"), line("SUMMARY:"));
            }
        }
        found
    }

    /// One whose maker died between its row and its folder; `None` where that did not come to be.
    async fn without_folder(&self) -> Option<Subscription> {
        let (subscriptions, operator, mailbox) = (self.subscriptions.clone(), self.operator.clone(), self.mailbox().await);
        let adding = tokio::spawn(async move { subscriptions.add(&operator, &mailbox, &new()).await });
        let mut rows = Vec::new();
        while rows.is_empty() {
            self.simulated.env().sleep(Duration::from_millis(1)).await;
            rows = self.subscriptions.of(self.ann).await.unwrap();
        }
        adding.abort();
        let _ = adding.await;
        let none = self.fed().await == 0;
        rows.pop().filter(|one| none && one.kept.make.is_some())
    }

    /// Folders that are filled from elsewhere.
    async fn fed(&self) -> usize {
        self.mailbox().await.folders().await.unwrap().collections().filter(|own| own.fed).count()
    }

    async fn modseq(&self) -> Modseq {
        let mailbox = self.mailbox().await;
        mailbox.head().await.unwrap().modseq
    }
}

fn titles(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter().map(|(uid, title)| ((*uid).to_owned(), (*title).to_owned())).collect()
}

#[tokio::test(start_paused = true)]
async fn a_folder_becomes_what_the_file_says_and_nothing_else_is_written() {
    let house = house(1).await;
    house.pages.file(URL, "1", &calendar(&[("a", "one"), ("b", "two"), ("c", "three")]));
    let one = house.subscribe().await;
    let now = house.fetch(&one).await;
    assert_eq!((now.state(), now.objects, now.failures), (State::Current, 3, 0));
    assert_eq!(house.events(&one).await, titles(&[("a", "one"), ("b", "two"), ("c", "three")]));
    // The same again, by its tag, and then by what is in it though every stamp differs.
    let (seen, changed) = (house.modseq().await, now.changed);
    house.fetch(&one).await;
    house.pages.file(URL, "2", &calendar(&[("a", "one"), ("b", "two"), ("c", "three")]).replace("20260101T000000Z", "20260105T111111Z"));
    let now = house.fetch(&one).await;
    assert_eq!((house.modseq().await, now.changed), (seen, changed));
    // One is changed, one is gone, one is new: three entries of the log, and what stayed is as it was.
    let mailbox = house.mailbox().await;
    let stays = mailbox.objects(one.folder, None, 10).await.unwrap().0;
    house.pages.file(URL, "3", &calendar(&[("a", "one"), ("b", "TWO"), ("d", "four")]));
    let now = house.fetch(&one).await;
    assert!(now.changed > changed);
    assert_eq!(house.events(&one).await, titles(&[("a", "one"), ("b", "TWO"), ("d", "four")]));
    let after = mailbox.objects(one.folder, None, 10).await.unwrap().0;
    assert_eq!(after.iter().filter(|object| stays.iter().any(|old| old.item == object.item)).count(), 1);
}

#[tokio::test(start_paused = true)]
async fn nobody_else_writes_there_and_its_owner_may_end_it() {
    let house = house(2).await;
    house.pages.file(URL, "1", &calendar(&[("a", "one")]));
    let one = house.subscribe().await;
    house.fetch(&one).await;
    let mailbox = house.mailbox().await;
    let (all, _) = mailbox.objects(one.folder, None, 10).await.unwrap();
    let bytes = Bytes::from(calendar(&[("b", "two")]));
    let new = penfold_calendar::object(penfold_mailbox::Kind::Events, "b.ics", bytes).unwrap();
    assert_eq!(mailbox.put_object(one.folder, &new, &|_| true).await.unwrap_err().kind(), Kind::Denied);
    assert_eq!(mailbox.remove_object(one.folder, &all[0].name, &|_| true).await.unwrap_err().kind(), Kind::Denied);
    let home = mailbox.collections().await.unwrap().with_role(penfold_mailbox::Role::Calendar).unwrap().id;
    let moved = mailbox.move_object((one.folder, &all[0].name), (home, "a.ics"), false, &|_| true).await;
    assert_eq!(moved.unwrap_err().kind(), Kind::Denied);
    assert_eq!(house.events(&one).await, titles(&[("a", "one")]));
    // What it is called is the owner's; so is its end, however it comes.
    mailbox.set_properties(one.folder, "", (&[], &[]), Some("Days")).await.unwrap();
    mailbox.delete_collection(one.folder).await.unwrap();
    house.until(async || house.subscriptions.of(house.ann).await.unwrap().is_empty()).await;
    assert_eq!(house.pages.asked(URL), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_is_told_and_changes_nothing() {
    let house = house(3).await;
    house.pages.file(URL, "1", &calendar(&[("a", "one"), ("b", "two")]));
    let one = house.subscribe().await;
    house.fetch(&one).await;
    let whole = calendar(&[("a", "one"), ("b", "two")]);
    for (at, wrong) in ["", "<html>Sign in</html>", &whole[..whole.len() - 40], &calendar(&[])].into_iter().enumerate() {
        house.pages.file(URL, &format!("w{at}"), wrong);
        let now = house.fetch(&one).await;
        assert_eq!((now.state(), now.failures), (State::Failing, at as u64 + 1), "{wrong}");
        assert!(now.due > house.simulated.env().now());
        assert_eq!(house.events(&one).await.len(), 2);
    }
    // It comes back, by the bytes that it had.
    house.pages.file(URL, "1", &whole);
    let now = house.fetch(&one).await;
    assert_eq!((now.state(), now.error, now.failures), (State::Current, None, 0));
}

#[tokio::test(start_paused = true)]
async fn what_is_gone_for_two_weeks_is_left_alone_until_somebody_asks() {
    let house = house(4).await;
    house.pages.status(URL, 404, None);
    let one = house.subscribe().await;
    let begun = house.simulated.env().now();
    house.until(async || house.now(&one).await.stopped).await;
    let now = house.now(&one).await;
    let days = house.simulated.env().now().since(begun).as_secs() / 86_400;
    assert!((14..17).contains(&days), "{days}");
    assert_eq!(now.state(), State::Stopped);
    assert!(now.error.unwrap().contains("nothing at this URL"));
    let asked = house.pages.asked(URL);
    assert!((14..30).contains(&asked), "{asked}");
    let later = house.simulated.env().now().plus(DAY * 3);
    house.until(async || house.simulated.env().now() >= later).await;
    assert_eq!(house.pages.asked(URL), asked);
    house.pages.file(URL, "1", &calendar(&[("a", "one")]));
    house.subscriptions.refresh(&house.operator, &house.now(&one).await).await.unwrap();
    assert_eq!(house.fetch(&one).await.state(), State::Current);
}

#[tokio::test(start_paused = true)]
async fn an_outage_neither_ends_nor_begins_what_is_gone() {
    let house = house(8).await;
    house.pages.status(URL, 404, None);
    let one = house.subscribe().await;
    let since = house.fetch(&one).await.gone;
    assert!(since.is_some());
    // Who is down says nothing about it.
    house.pages.status(URL, 503, None);
    assert_eq!(house.fetch(&one).await.gone, since);
    house.pages.fails(URL, WebError::Unreachable);
    let over = since.unwrap().plus(DAY * 15);
    house.until(async || house.simulated.env().now() >= over).await;
    let now = house.now(&one).await;
    assert_eq!((now.gone, now.state()), (since, State::Failing), "no outage gives up");
    // A file is something, even a bad one; the two weeks begin anew.
    house.pages.file(URL, "1", "<html>Sign in</html>");
    assert_eq!(house.fetch(&one).await.gone, None);
    house.pages.status(URL, 404, None);
    let now = house.fetch(&one).await;
    assert!(now.gone > Some(over) && now.state() == State::Failing);
    // And what was gone before an outage, and is after it, was gone.
    let begun = now.gone;
    house.pages.fails(URL, WebError::Slow);
    let over = begun.unwrap().plus(DAY * 15);
    house.until(async || house.simulated.env().now() >= over).await;
    house.pages.status(URL, 410, None);
    let now = house.fetch(&one).await;
    assert_eq!((now.gone, now.state()), (begun, State::Stopped));
}

#[tokio::test(start_paused = true)]
async fn another_url_begins_anew() {
    let house = house(5).await;
    house.pages.file(URL, "1", &calendar(&[("a", "one")]));
    let one = house.subscribe().await;
    house.fetch(&one).await;
    let other = "https://elsewhere.test/b.ics";
    house.pages.file(other, "1", &calendar(&[("b", "two")]));
    let change = Change { url: Some("webcal://elsewhere.test/b.ics".to_owned()), ..Change::default() };
    let now = house.now(&one).await;
    house.subscriptions.change(&house.operator, &house.mailbox().await, &now, &change).await.unwrap();
    house.fetch(&one).await;
    assert_eq!(house.events(&one).await, titles(&[("b", "two")]));
}

#[tokio::test(start_paused = true)]
async fn only_who_gave_a_tag_is_told_of_it() {
    let house = house(6).await;
    let (first, second) = ("https://elsewhere.test/b.ics", "https://third.test/c.ics");
    house.pages.moved(URL, first).file(first, "1", &calendar(&[("a", "one")])).file(second, "1", &calendar(&[("b", "two")]));
    let one = house.subscribe().await;
    house.fetch(&one).await;
    assert_eq!(house.fetch(&one).await.state(), State::Current);
    let tags = |url| house.pages.heard(url).into_iter().map(|known| known.and_then(|known| known.etag)).collect::<Vec<_>>();
    assert_eq!((tags(URL), tags(first)), (vec![None, None], vec![None, Some("1".to_owned())]));
    // It leads to where another file has the same tag, and then that is asked for by its own URL.
    house.pages.moved(URL, second);
    house.fetch(&one).await;
    assert_eq!((tags(second), house.events(&one).await), (vec![None], titles(&[("b", "two")])));
    let change = Change { url: Some(first.to_owned()), ..Change::default() };
    let now = house.now(&one).await;
    house.subscriptions.change(&house.operator, &house.mailbox().await, &now, &change).await.unwrap();
    house.fetch(&one).await;
    assert_eq!((tags(first).last(), house.events(&one).await), (Some(&None), titles(&[("a", "one")])));
}

/// Whoever asked dies at any moment of it: what is there is filled, and what is not is nowhere.
#[tokio::test(start_paused = true)]
async fn killed_while_it_is_made_no_calendar_stays_empty() {
    let (mut between, mut took) = (0, 0);
    for seed in 20..80 {
        let house = house(seed).await;
        house.pages.file(URL, "1", &calendar(&[("a", "one")]));
        let (subscriptions, operator, mailbox) = (house.subscriptions.clone(), house.operator.clone(), house.mailbox().await);
        let (env, begun) = (house.simulated.env(), house.simulated.env().now());
        let adding = tokio::spawn(async move { subscriptions.add(&operator, &mailbox, &new()).await });
        if took == 0 {
            adding.await.unwrap().unwrap();
            took = env.now().since(begun).as_millis() as u64;
        } else {
            env.sleep(Duration::from_millis(env.below(took))).await;
            adding.abort();
            let _ = adding.await;
        }
        house.simulated.crash();
        let there = async || house.mailbox().await.folders().await.unwrap().collections().filter(|own| own.fed).count();
        let rows = house.subscriptions.of(house.ann).await.unwrap();
        between += usize::from(rows.len() > there().await);
        if let [one] = rows.as_slice() {
            assert_eq!(house.fetch(one).await.state(), State::Current, "seed {seed}");
            assert_eq!(house.events(one).await, titles(&[("a", "one")]), "seed {seed}");
        }
        assert_eq!(there().await, rows.len(), "seed {seed}");
    }
    assert!(between > 5, "none was killed between the two: {between}");
}

#[tokio::test(start_paused = true)]
async fn who_subscribes_many_times_at_once_gets_as_many_as_they_may_have() {
    let house = house(9).await;
    let many = async |count: usize, mailbox: &Mailbox| {
        let add = |_| {
            let (subscriptions, operator, mailbox) = (house.subscriptions.clone(), house.operator.clone(), mailbox.clone());
            tokio::spawn(async move { subscriptions.add(&operator, &mailbox, &new()).await })
        };
        let mut made = 0;
        for adding in (0..count).map(add).collect::<Vec<_>>() {
            match adding.await.unwrap() {
                Ok(_) => made += 1,
                Err(error) => assert_eq!(error.kind(), Kind::Limit, "{error}"),
            }
        }
        made
    };
    let mailbox = house.mailbox().await;
    assert_eq!((many(MOST + 10, &mailbox).await, house.subscriptions.of(house.ann).await.unwrap().len()), (MOST, MOST));
    // Who goes makes room for one.
    let one = house.subscriptions.of(house.ann).await.unwrap().remove(0);
    house.subscriptions.remove(&house.operator, &mailbox, &one).await.unwrap();
    assert_eq!(many(5, &mailbox).await, 1);
    // And of the tenant as many as that may have, whoever they are of.
    let bob: Address = "bob@one.test".parse().unwrap();
    house.operator.create_person(&NewPerson { address: bob.clone(), name: "Bob".to_owned(), password: None, quota: None }).await.unwrap();
    let bob = Account { principal: house.operator.person(&bob).await.unwrap().id, ..house.ann };
    let bobs = house.mailboxes.open(&house.directory.job_scope(bob)).await.unwrap();
    let set = vec![("n".into(), (MOST_OF_TENANT - 3).into()), ("rv".into(), 999u64.into())];
    let key = house.directory.tenant_scope(bob.tenant).subscription(Sk::subscription_count());
    house.simulated.world().table.put(Write::Update { key, set, remove: vec![], when: When::Always }).await.unwrap();
    assert_eq!(many(8, &bobs).await, 3);
    // A count that is wrong, for whatever reason, does not stay so.
    house.subscriptions.tidy(bob.tenant).await.unwrap();
    assert_eq!(many(8, &bobs).await, 8);
}

/// A calendar that takes many turns, in weather.
#[tokio::test(start_paused = true)]
async fn faults_and_crashes_change_nothing_about_the_end() {
    for seed in 10..16 {
        let house = house(seed).await;
        let uids: Vec<String> = (0..300).map(|n| format!("e{n}")).collect();
        let first: Vec<(&str, &str)> = uids.iter().map(|uid| (uid.as_str(), "one")).collect();
        let second: Vec<(&str, &str)> = uids.iter().skip(100).map(|uid| (uid.as_str(), "two")).collect();
        house.pages.file(URL, "1", &calendar(&first));
        let one = house.subscribe().await;
        house.simulated.faults(Faults::STORMY);
        for (tag, file) in [("1", &first), ("2", &second)] {
            house.pages.file(URL, tag, &calendar(file));
            let until: Timestamp = house.simulated.env().now();
            house
                .until(async || {
                    house
                        .subscriptions
                        .find(one.account, one.folder)
                        .await
                        .is_ok_and(|now| now.fetched.is_some_and(|at| at > until) && now.objects == file.len() as u64)
                })
                .await;
            house.simulated.faults(Faults::NONE);
            assert_eq!(house.events(&one).await, titles(file), "{seed}");
            house.simulated.crash();
            assert_eq!(house.events(&one).await, titles(file), "{seed}");
            house.simulated.faults(Faults::STORMY);
        }
    }
}

/// Whoever removes it does so at any moment of its making, by whomever that is.
#[tokio::test(start_paused = true)]
async fn removed_while_it_is_made_no_calendar_stays() {
    let mut early = 0;
    for seed in 100..260 {
        let house = house(seed).await;
        let Some(one) = house.without_folder().await else { continue };
        early += 1;
        let (env, mailbox) = (house.simulated.env(), house.mailbox().await);
        let feeding = house.mailboxes.open(&house.directory.feeding_scope(house.ann)).await.unwrap();
        let (mut read, waits) = (one.clone(), env.below(2));
        let (first, second) = (env.below(20), env.below(20));
        let making = async {
            env.sleep(Duration::from_millis(first)).await;
            house.subscriptions.make(&feeding, &mut read).await.unwrap();
        };
        let removing = async {
            env.sleep(Duration::from_millis(second)).await;
            house.subscriptions.remove(&house.operator, &mailbox, &one).await.unwrap();
        };
        if waits == 0 {
            removing.await;
            making.await;
        } else {
            tokio::join!(making, removing);
        }
        assert_eq!(house.fed().await + house.subscriptions.of(house.ann).await.unwrap().len(), 0, "seed {seed}");
    }
    assert!(early > 20, "few were removed before there was a folder: {early}");
}

#[tokio::test(start_paused = true)]
async fn a_calendar_that_cannot_be_made_says_so_and_is_made_once_it_can_be() {
    let mut seen = 0;
    for seed in 200..230 {
        let house = house(seed).await;
        house.pages.file(URL, "1", &calendar(&[("a", "one")]));
        let Some(one) = house.without_folder().await else { continue };
        let mailbox = house.mailbox().await;
        seen += 1;
        let (segment, name) = (format!("subscribed-{}", one.folder), "in the way".to_owned());
        let kind = penfold_mailbox::Kind::Events;
        let wall = penfold_mailbox::NewCollection { kind, parent: None, segment, name, properties: Vec::new() };
        let wall = mailbox.create_collection(&wall).await.unwrap();
        let now = house.fetch(&one).await;
        assert!(now.state() == State::Failing && now.error.is_some() && house.pages.asked(URL) == 0, "{now:?}");
        mailbox.delete_collection(wall).await.unwrap();
        assert_eq!(house.fetch(&one).await.state(), State::Current);
        assert_eq!(house.events(&one).await, titles(&[("a", "one")]));
    }
    assert!(seen > 0, "none was without its folder");
}

#[tokio::test(start_paused = true)]
async fn who_read_it_before_its_folder_was_made_writes_nothing_of_that_back() {
    let house = house(7).await;
    let one = house.subscribe().await;
    assert_eq!(house.now(&one).await, one, "it is told as it is");
    let mut early = one.clone();
    early.revision = 1;
    early.kept.make = Some(penfold_subscriptions::Make { name: "Holidays".to_owned(), color: None });
    let change = Change { url: Some("https://elsewhere.test/b.ics".to_owned()), ..Change::default() };
    let mailbox = house.mailbox().await;
    let after = house.subscriptions.change(&house.operator, &mailbox, &early, &change).await.unwrap();
    assert!(after.kept.url.contains("elsewhere") && after.kept.make.is_none());
    assert_eq!(house.now(&one).await, after);
    // So a calendar that is deleted then is not made again.
    mailbox.delete_collection(one.folder).await.unwrap();
    house.until(async || house.subscriptions.of(house.ann).await.unwrap().is_empty()).await;
    assert_eq!(house.fed().await, 0);
}
