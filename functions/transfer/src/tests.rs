//! What imports and exports promise, in a simulated world.

mod holdings;
mod objects;
mod round;
mod visits;

use super::*;
use bytes::Bytes;
use penfold_directory::{Cheap, NewPerson, Operator, Options, PrincipalKind, Role, RoleGrant, Status};
use penfold_mailbox::{Keywords, NewMessage};
use penfold_ports::{Account, Key, Row};
use penfold_simulated::{Faults, Simulated};
use penfold_transfers::{Existing, PersonRow, Sheet, State, Wrong};
use penfold_transport::work;
use penfold_types::{Address, TenantId};
use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;
use tokio::sync::watch;

struct House {
    simulated: Simulated,
    directory: Directory,
    mailboxes: Mailboxes,
    transfers: Transfers,
    operator: Operator,
    tenant: TenantId,
}

fn a(text: &str) -> Address {
    text.parse().unwrap()
}

/// `one.test`, where boss administers, and `two.test` of another tenant with eve.
async fn house(seed: u64) -> House {
    let simulated = Simulated::new(seed, Faults::NONE);
    let world = simulated.world();
    let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
    let mailboxes = Mailboxes::new(world.clone(), directory.clone());
    let operator = directory.operator();
    for (tenant, domain) in [("One", "one.test"), ("Two", "two.test")] {
        operator.ensure_tenant(tenant).await.unwrap();
        operator.create_domain(tenant, &domain.parse().unwrap()).await.unwrap();
    }
    for address in ["boss@one.test", "eve@two.test"] {
        let new = NewPerson { address: a(address), name: "Somebody".to_owned(), password: None, quota: None };
        operator.create_person(&new).await.unwrap();
    }
    operator.set_roles(&a("boss@one.test"), &[RoleGrant::everywhere(Role::TenantAdministrator)]).await.unwrap();
    let tenant = operator.tenant("One").await.unwrap().id;
    let transfers = Transfers::new(&world, &directory, &mailboxes);
    House { simulated, directory, mailboxes, transfers, operator: operator.acting_as("boss@one.test"), tenant }
}

impl House {
    fn worker(&self) -> Transfer {
        // A process that knows nothing yet.
        let world = self.simulated.world();
        let directory = Directory::with_options(world.clone(), Options { hasher: Arc::new(Cheap), ..Options::default() });
        let mailboxes = Mailboxes::new(world.clone(), directory.clone());
        Transfer::new(&world, &directory, &mailboxes)
    }

    async fn order(&self, order: Order) -> One {
        self.transfers.order(&self.operator, self.tenant, order, "").await.unwrap()
    }

    async fn import(&self, existing: Existing, rehearse: bool, file: &str) -> One {
        let one = self.order(Order::ImportPeople { existing, rehearse }).await;
        let mut upload = self.transfers.upload(&one).await.unwrap();
        for piece in file.as_bytes().chunks(1000) {
            upload.put(Bytes::copy_from_slice(piece)).await.unwrap();
        }
        upload.finish(&self.operator).await.unwrap()
    }

    async fn now(&self, one: &One) -> One {
        self.transfers.find(one.tenant, one.id).await.unwrap()
    }

    /// Works until it has ended.
    async fn work(&self, one: &One) -> One {
        let (stop, stopped) = watch::channel(false);
        let working = tokio::spawn(work::run(self.worker(), 2, stopped));
        while self.now(one).await.state.is_open() {
            self.simulated.env().sleep(Duration::from_millis(200)).await;
        }
        stop.send_replace(true);
        working.await.unwrap();
        self.now(one).await
    }

    async fn wrong(&self, one: &One) -> Vec<Wrong> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (some, next) = self.transfers.wrong(one, after.as_deref()).await.unwrap();
            all.extend(some);
            match next {
                Some(next) => after = Some(next),
                None => return all,
            }
        }
    }

    async fn content(&self, one: &One) -> Vec<u8> {
        let mut all = Vec::new();
        for part in self.transfers.parts(one).await.unwrap() {
            all.extend_from_slice(&self.transfers.part(one, part).await.unwrap());
        }
        all
    }

    async fn people(&self) -> Vec<String> {
        let page = self.operator.people(self.tenant, None, 1000).await.unwrap();
        page.items.iter().map(|person| person.address.to_string()).collect()
    }
}

/// A file of `count` rows, of which every tenth is wrong.
fn file(count: u64) -> String {
    let mut file = "address,name,quota\r\n".to_owned();
    for n in 0..count {
        file.push_str(&match n % 10 {
            9 => format!("no address {n},Person {n},\r\n"),
            _ => format!("p{n}@one.test,\"Person, {n}\",{}\r\n", 1_000_000 + n),
        });
    }
    file
}

#[tokio::test(start_paused = true)]
async fn each_bad_row_is_reported_and_the_rest_is_taken_in() {
    let house = house(1).await;
    let rows = [
        ("ann@one.test,Ann,correct horse battery,,suspended,a.n@one.test;an@one.test,false,ann@home.test", None),
        ("nowhere,No Address,,,,,,", Some(("address", "no address"))),
        ("bob@one.test,Bob,password12,,,,,", Some(("password", "tried first"))),
        ("eve@two.test,Eve,,,,,,", Some(("address", "not a domain of this tenant"))),
        ("nobody@two.test,No,,,,,,", Some(("address", "not a domain of this tenant"))),
        ("boss@one.test,Boss,,,,,,", Some(("address", "is taken"))),
        ("ann@one.test,Ann again,,,,,,", Some(("address", "is taken"))),
        ("cat@one.test,,,,,,,", Some(("name", "needs a name"))),
        ("dan@one.test,Dan,,much,,,,", Some(("quota", "octets"))),
        ("eva@one.test,Eva,,,gone,,,", Some(("status", "active or suspended"))),
        ("fay@one.test,Fay,,,,ann@one.test,,", Some(("address", "is taken"))),
        ("gus@one.test,Gus,,,,gus@two.test,,", Some(("address", "not a domain of this tenant"))),
    ];
    let mut text = "address,name,password,quota,status,aliases,sent_copy,recovery_address\n".to_owned();
    for (row, _) in rows {
        text.push_str(row);
        text.push('\n');
    }
    let one = house.import(Existing::Refuse, false, &text).await;
    let one = house.work(&one).await;
    assert_eq!((one.state, one.done, one.failed, one.read), (State::Done, 1, 11, text.len() as u64));
    let wrong = house.wrong(&one).await;
    let expected: Vec<_> = rows.iter().enumerate().filter_map(|(at, (_, wrong))| Some((at as u64 + 2, (*wrong)?))).collect();
    assert_eq!(wrong.len(), expected.len(), "{wrong:#?}");
    for (found, (line, (column, words))) in wrong.iter().zip(expected) {
        assert_eq!((found.line, found.column.as_deref()), (line, Some(column)), "{found:?}");
        assert!(found.detail.contains(words), "{found:?}");
    }
    let ann = house.operator.person(&a("ann@one.test")).await.unwrap();
    assert_eq!((ann.status, ann.sent_copy, ann.recovery), (Status::Suspended, false, Some(a("ann@home.test"))));
    assert_eq!(ann.aliases, [a("a.n@one.test"), a("an@one.test")]);
    assert!(house.transfers.parts(&one).await.unwrap().is_empty(), "a file with passwords is not kept");
    assert_eq!(house.operator.verify_audit(house.tenant).await.unwrap().broken_at, None);
    assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_moment_each_row_is_done_once() {
    for seed in 0..20 {
        let house = house(seed).await;
        let one = house.import(Existing::Refuse, false, &file(600)).await;
        house.simulated.faults(Faults::STORMY);
        let env = house.simulated.env();
        for round in 0.. {
            let (_stop, stopped) = watch::channel(false);
            let working = tokio::spawn(work::run(house.worker(), 2, stopped));
            env.sleep(Duration::from_millis(100 + env.below(3000))).await;
            working.abort();
            if !house.now(&one).await.state.is_open() {
                break;
            }
            assert!(round < 2000, "seed {seed}: {:?}", house.now(&one).await);
            if round % 10 == 9 {
                // As upkeep does: what was given up too often has its turn again.
                house.simulated.faults(Faults::NONE);
                house.transfers.tidy(house.tenant, true).await.unwrap();
                let world = house.simulated.world();
                world.queue.release(QueueName::Transfer, &house.tenant.to_string()).await.unwrap();
                house.simulated.faults(Faults::STORMY);
            }
        }
        house.simulated.faults(Faults::NONE);
        let one = house.now(&one).await;
        assert_eq!((one.state, one.done, one.failed), (State::Done, 540, 60), "seed {seed}: {:?}", house.wrong(&one).await.first());
        let lines: Vec<_> = house.wrong(&one).await.iter().map(|wrong| wrong.line).collect();
        assert_eq!(lines, (0..60).map(|n| n * 10 + 11).collect::<Vec<u64>>(), "seed {seed}");
        assert_eq!(house.people().await.len(), 541, "seed {seed}");
        assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new(), "seed {seed}");
        let acts = house.operator.verify_audit(house.tenant).await.unwrap();
        assert_eq!(acts.broken_at, None, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_rehearsal_judges_all_and_makes_nobody() {
    let house = house(2).await;
    let own = |rows: Vec<(Key, Row)>| rows.into_iter().filter(|(key, _)| !key.pk().as_str().starts_with("tf#")).collect::<Vec<_>>();
    let one = house.import(Existing::Update, true, &file(50)).await;
    let before = own(house.simulated.rows());
    let one = house.work(&one).await;
    assert_eq!((one.state, one.done, one.failed), (State::Done, 45, 5));
    assert!(own(house.simulated.rows()) == before, "a rehearsal changes rows");
}

#[tokio::test(start_paused = true)]
async fn people_who_are_there_become_what_their_row_says() {
    let house = house(3).await;
    let first = house.import(Existing::Refuse, false, "address,name\nann@one.test,Ann\nbob@one.test,Bob\n").await;
    house.work(&first).await;
    let acts = house.operator.verify_audit(house.tenant).await.unwrap().head.number;
    let text = "address,name,password,quota,aliases\nann@one.test,Ann New,,77,ann.new@one.test\nbob@one.test,Bob,,,\nboss@one.test,Mine,,,\nbob@one.test,,correct horse battery,,\nnew@one.test,New,,,\n";
    let one = house.import(Existing::Update, false, text).await;
    let one = house.work(&one).await;
    let wrong: Vec<_> = house.wrong(&one).await.into_iter().map(|wrong| (wrong.line, wrong.detail)).collect();
    assert_eq!((one.state, one.done), (State::Done, 3), "{wrong:?}");
    assert_eq!(wrong.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [4, 5], "{wrong:?}");
    assert!(wrong[0].1.contains("roles") && wrong[1].1.contains("password"), "{wrong:?}");
    let ann = house.operator.person(&a("ann@one.test")).await.unwrap();
    assert_eq!((ann.name.as_str(), ann.quota, ann.aliases), ("Ann New", 77, vec![a("ann.new@one.test")]));
    assert_eq!(house.operator.person(&a("boss@one.test")).await.unwrap().name, "Somebody");
    // The order and its file, two acts for ann, one for the new one: what is so already is no act.
    assert_eq!(house.operator.verify_audit(house.tenant).await.unwrap().head.number, acts + 5);
}

#[tokio::test(start_paused = true)]
async fn what_is_taken_out_can_be_taken_in() {
    let house = house(4).await;
    let text = "address,name,quota,status,aliases,department\nann@one.test,\"Ann \"\"A\"\", Example\",5,suspended,b@one.test c@one.test,\"R, D\"\nbob@one.test,Böb,,,,\n";
    let one = house.import(Existing::Refuse, false, text).await;
    assert_eq!(house.work(&one).await.done, 2);
    let out = house.work(&house.order(Order::ExportPeople).await).await;
    assert_eq!((out.state, out.done), (State::Done, 3));
    let written = String::from_utf8(house.content(&out).await).unwrap();
    assert_eq!(written.len() as u64, out.octets);
    for address in ["ann@one.test", "bob@one.test"] {
        house.operator.delete_person(&a(address)).await.unwrap();
    }
    let back = house.import(Existing::Update, false, &written).await;
    let back = house.work(&back).await;
    // boss has roles, and is so already.
    assert_eq!((back.done, back.failed), (2, 1), "{:?}", house.wrong(&back).await);
    let again = house.work(&house.order(Order::ExportPeople).await).await;
    assert_eq!(String::from_utf8(house.content(&again).await).unwrap(), written);
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_comes_out_as_an_archive() {
    let house = house(5).await;
    let (account, _) = {
        let person = house.operator.person(&a("boss@one.test")).await.unwrap();
        (Account { tenant: person.tenant, principal: person.id }, PrincipalKind::Person)
    };
    let mailbox = house.mailboxes.open(&house.directory.job_scope(account)).await.unwrap();
    mailbox.create_folder("Projects/2026", None).await.unwrap();
    let mut expected = BTreeMap::new();
    for (path, count, size) in [("INBOX", 120, 100_000), ("Projects/2026", 3, 10), ("Sent", 1, 9_000_000)] {
        let folder = mailbox.folders().await.unwrap().find(path).unwrap().id;
        for n in 0..count {
            let text = format!("Subject: {path} {n}\r\n\r\n{}\r\n", "x".repeat(size));
            let keywords = Keywords::parse(["\\Seen"]).unwrap();
            mailbox.append(folder, vec![NewMessage { bytes: Bytes::from(text.clone()), keywords, received: None }]).await.unwrap();
            expected.entry(path).or_insert_with(Vec::new).push(text);
        }
    }
    let out = house.work(&house.order(Order::ExportMailbox { mailbox: account.principal }).await).await;
    assert_eq!((out.state, out.done, out.failed, out.total), (State::Done, 124, 0, Some(124)));
    let archive = house.content(&out).await;
    let mut found = BTreeMap::new();
    for file in tar::Archive::new(&archive[..]).entries().unwrap() {
        let mut file = file.unwrap();
        let (path, mut text) = (file.path().unwrap().display().to_string(), String::new());
        file.read_to_string(&mut text).unwrap();
        assert!(path.ends_with(":2,S"), "{path}");
        let folder = match path.split_once("/cur/") {
            None => "INBOX",
            Some((".Projects.2026", _)) => "Projects/2026",
            Some((folder, _)) => ["Sent"].into_iter().find(|name| folder == format!(".{name}")).unwrap(),
        };
        found.entry(folder).or_insert_with(Vec::new).push(text);
    }
    assert_eq!(found.keys().collect::<Vec<_>>(), expected.keys().collect::<Vec<_>>());
    assert!(found == expected, "the messages are the same, in their order");
}

#[tokio::test(start_paused = true)]
async fn what_is_cancelled_stops_and_what_is_old_is_forgotten() {
    let house = house(6).await;
    let one = house.import(Existing::Refuse, false, &file(100)).await;
    let cancelled = house.transfers.cancel(&house.operator, &one).await.unwrap();
    assert_eq!(cancelled.state, State::Cancelled);
    assert_eq!(house.transfers.cancel(&house.operator, &cancelled).await.unwrap(), cancelled, "once more is no more");
    let out = house.order(Order::ExportPeople).await;
    assert!(house.transfers.remove(&house.operator, &out).await.is_err(), "it is under way");
    let out = house.work(&out).await;
    assert_eq!(house.people().await, ["boss@one.test"], "the one before it was cancelled");
    let named = house.transfers.named(house.tenant).await.unwrap();
    assert_eq!(named.len(), 1, "what can be downloaded is not swept");
    let waits = house.order(Order::ImportPeople { existing: Existing::Refuse, rehearse: false }).await;
    let env = house.simulated.env();
    for (days, left, kept, state) in [(2, 3, 1, State::Cancelled), (6, 3, 0, State::Cancelled), (30, 0, 0, State::Done)] {
        env.sleep(Duration::from_secs(days * 86_400)).await;
        house.transfers.tidy(house.tenant, true).await.unwrap();
        let all = house.transfers.all(house.tenant).await.unwrap();
        assert_eq!((all.len(), house.transfers.named(house.tenant).await.unwrap().len()), (left, kept), "after {days} days more");
        if left > 0 {
            assert_eq!(house.now(&waits).await.state, state, "an upload that never came");
        }
    }
    assert!(house.transfers.find(house.tenant, out.id).await.is_err());
    assert!(house.simulated.rows().iter().all(|(key, _)| !key.pk().as_str().starts_with("tf#")));
}

#[tokio::test(start_paused = true)]
async fn nothing_comes_into_a_tenant_that_is_closed_and_all_comes_out() {
    let house = house(7).await;
    let one = house.import(Existing::Refuse, false, &file(100)).await;
    house.operator.set_tenant_status("One", TenantStatus::Closed).await.unwrap();
    let one = house.work(&one).await;
    assert_eq!((one.state, one.done), (State::Failed, 0));
    assert_eq!(one.why.as_deref(), Some("the tenant is not active"));
    assert_eq!(house.work(&house.order(Order::ExportPeople).await).await.state, State::Done);
}

#[tokio::test(start_paused = true)]
async fn files_that_are_none_are_refused_before_they_begin() {
    let house = house(8).await;
    for (file, words) in
        [("", "empty"), ("name\nAnn\n", "address is missing"), ("address,salary\n", "no column"), ("PK\u{3}\u{4}", "no column")]
    {
        let one = house.order(Order::ImportPeople { existing: Existing::Refuse, rehearse: false }).await;
        let mut upload = house.transfers.upload(&one).await.unwrap();
        upload.put(Bytes::from_static(file.as_bytes())).await.unwrap();
        let error = upload.finish(&house.operator).await.unwrap_err();
        assert!(error.text().contains(words), "{file:?}: {error}");
        assert_eq!(house.now(&one).await.state, State::Uploading, "another file can still come");
        house.transfers.cancel(&house.operator, &one).await.unwrap();
    }
    let text = format!("address,name\nann@one.test,\"{}", "x".repeat(2 << 20));
    let one = house.import(Existing::Refuse, false, &text).await;
    let one = house.work(&one).await;
    assert_eq!(one.state, State::Failed);
    assert!(one.why.unwrap().contains("quotation mark"));
    for _ in 0..10 {
        house.order(Order::ExportPeople).await;
    }
    let more = house.transfers.order(&house.operator, house.tenant, Order::ExportPeople, "").await;
    assert_eq!(more.unwrap_err().kind(), Kind::Limit);
}

#[tokio::test(start_paused = true)]
async fn rows_with_many_aliases_in_many_domains_fit_into_commits() {
    let house = house(9).await;
    let mut text = "address,name,aliases\n".to_owned();
    for n in 0..20 {
        house.operator.create_domain("One", &format!("d{n}.test").parse().unwrap()).await.unwrap();
    }
    for n in 0..30 {
        let aliases: Vec<_> = (0..25).map(|at| format!("p{n}.{at}@d{}.test", (n + at) % 20)).collect();
        text.push_str(&format!("p{n}@one.test,Person {n},{}\n", aliases.join(" ")));
    }
    let one = house.import(Existing::Refuse, false, &text).await;
    let one = house.work(&one).await;
    assert_eq!((one.state, one.done, one.failed), (State::Done, 30, 0), "{:?}", house.wrong(&one).await.first());
    assert_eq!(house.operator.person(&a("p29@one.test")).await.unwrap().aliases.len(), 25);
    assert_eq!(house.directory.check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test(start_paused = true)]
async fn who_was_made_before_a_kill_gets_the_rest_of_their_aliases() {
    let house = house(15).await;
    let aliases: Vec<_> = (0..25).map(|at| format!("a{at}@one.test")).collect();
    let one = house.import(Existing::Update, false, &format!("address,name,aliases\nann@one.test,Ann,{}\n", aliases.join(" "))).await;
    // What the step does first, and then it is gone.
    let rows = Sheet::open(&house.transfers, &one).await.unwrap().rows(&house.transfers, &one, 1).await.unwrap();
    let row = PersonRow::read(rows[0].clone()).unwrap();
    let made = row.new_person(people::id_of(&one, row.line), 20).unwrap();
    house.operator.create_people(house.tenant, &[made]).await.unwrap()[0].as_ref().unwrap();
    let one = house.work(&one).await;
    assert_eq!((one.state, one.done, one.failed), (State::Done, 1, 0), "{:?}", house.wrong(&one).await);
    assert_eq!(house.operator.person(&a("ann@one.test")).await.unwrap().aliases.len(), 25);
}

#[tokio::test(start_paused = true)]
async fn a_domain_that_is_only_claimed_tells_nothing() {
    let house = house(10).await;
    house.operator.claim_domain("One", &"two.test".parse().unwrap()).await.unwrap();
    let first = house.import(Existing::Refuse, false, "address,name\nann@one.test,Ann\n").await;
    house.work(&first).await;
    let text = "address,name,aliases\nann@one.test,,eve@two.test\nann@one.test,,nobody@two.test\neve@two.test,E,\nnobody@two.test,N,\n";
    for rehearse in [true, false] {
        let one = house.import(Existing::Update, rehearse, text).await;
        let one = house.work(&one).await;
        let wrong: Vec<_> = house.wrong(&one).await.into_iter().map(|wrong| wrong.detail).collect();
        assert_eq!((wrong.len(), one.done), (4, 0), "{wrong:?}");
        assert!(wrong[0] == wrong[1] && wrong[2] == wrong[3], "{wrong:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_mailbox_that_cannot_be_read_is_told_to_its_end() {
    let house = house(11).await;
    let person = house.operator.person(&a("boss@one.test")).await.unwrap();
    let account = Account { tenant: person.tenant, principal: person.id };
    let mailbox = house.mailboxes.open(&house.directory.job_scope(account)).await.unwrap();
    let inbox = mailbox.folders().await.unwrap().find("INBOX").unwrap().id;
    for _ in 0..54 {
        let message =
            |n| NewMessage { bytes: Bytes::from(format!("Subject: {n}\r\n\r\nx\r\n")), keywords: Keywords::default(), received: None };
        mailbox.append(inbox, (0..20).map(message).collect()).await.unwrap();
    }
    let world = house.simulated.world();
    loop {
        let some = world.blobs.list(account.tenant, None).await.unwrap();
        if some.is_empty() {
            break;
        }
        for key in some {
            world.blobs.delete(&key).await.unwrap();
        }
    }
    let out = house.work(&house.order(Order::ExportMailbox { mailbox: account.principal }).await).await;
    assert_eq!((out.state, out.done, out.failed), (State::Done, 0, 1080));
    assert_eq!(house.wrong(&out).await.len(), 1080);
}

#[tokio::test(start_paused = true)]
async fn of_uploads_at_once_the_later_one_counts_and_nothing_is_left_of_others() {
    let house = house(12).await;
    let order = Order::ImportPeople { existing: Existing::Refuse, rehearse: false };
    let one = house.order(order.clone()).await;
    let mut first = house.transfers.upload(&one).await.unwrap();
    let large = Bytes::from(vec![b'x'; 5 << 20]);
    first.put(Bytes::from_static(b"address\n")).await.unwrap();
    first.put(large.clone()).await.unwrap();
    let mut second = house.transfers.upload(&house.now(&one).await).await.unwrap();
    second.put(Bytes::from_static(b"address,name\nann@one.test,Ann\n")).await.unwrap();
    assert_eq!(first.put(large.clone()).await.unwrap_err().kind(), Kind::Conflict);
    second.finish(&house.operator).await.unwrap();
    assert_eq!(house.work(&one).await.done, 1);
    // Cancelled and removed while the file still comes.
    let two = house.order(order).await;
    let mut upload = house.transfers.upload(&two).await.unwrap();
    upload.put(Bytes::from_static(b"address\n")).await.unwrap();
    let two = house.transfers.cancel(&house.operator, &house.now(&two).await).await.unwrap();
    house.transfers.remove(&house.operator, &two).await.unwrap();
    assert!(upload.put(large).await.is_err());
    assert!(house.transfers.named(house.tenant).await.unwrap().is_empty(), "no part is left");
}

#[tokio::test(start_paused = true)]
async fn whoever_may_not_any_more_takes_nobody_in() {
    let house = house(13).await;
    let one = house.import(Existing::Refuse, false, &file(100)).await;
    let new = NewPerson { address: a("second@one.test"), name: "Second".to_owned(), password: None, quota: None };
    house.operator.create_person(&new).await.unwrap();
    house.operator.set_roles(&a("second@one.test"), &[RoleGrant::everywhere(Role::TenantAdministrator)]).await.unwrap();
    house.operator.set_roles(&a("boss@one.test"), &[]).await.unwrap();
    let one = house.work(&one).await;
    assert_eq!((one.state, one.done), (State::Failed, 0));
    assert_eq!(house.people().await.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_a_suspended_tenant_ordered_waits_for_it() {
    let house = house(14).await;
    let one = house.import(Existing::Refuse, false, &file(100)).await;
    house.operator.set_tenant_status("One", TenantStatus::Suspended).await.unwrap();
    let (stop, stopped) = watch::channel(false);
    let working = tokio::spawn(work::run(house.worker(), 2, stopped));
    house.simulated.env().sleep(Duration::from_secs(400)).await;
    assert_eq!((house.now(&one).await.state, house.people().await.len()), (State::Waiting, 1));
    house.operator.set_tenant_status("One", TenantStatus::Active).await.unwrap();
    house.transfers.tidy(house.tenant, true).await.unwrap();
    house.simulated.env().sleep(Duration::from_secs(60)).await;
    stop.send_replace(true);
    working.await.unwrap();
    assert_eq!(house.now(&one).await.state, State::Done);
}
