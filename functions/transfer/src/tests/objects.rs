use super::*;
use penfold_mailbox::{Kind, Mailbox, NewCollection};
use penfold_transfers::Holds;
use penfold_types::{FolderId, PrincipalId};

/// A folder of boss's.
pub(super) struct Place {
    pub mailbox: Mailbox,
    pub owner: PrincipalId,
    pub folder: FolderId,
    pub holds: Holds,
}

impl House {
    pub(super) async fn place(&self, kind: Kind, segment: &str) -> Place {
        let owner = self.operator.person(&a("boss@one.test")).await.unwrap().id;
        let scope = self.directory.job_scope(Account { tenant: self.tenant, principal: owner });
        let mailbox = self.mailboxes.open(&scope).await.unwrap();
        let name = format!("The {segment}");
        let new = NewCollection { kind, parent: None, segment: segment.to_owned(), name, properties: Vec::new() };
        let folder = mailbox.create_collection(&new).await.unwrap();
        Place { mailbox, owner, folder, holds: if kind == Kind::Contacts { Holds::Cards } else { Holds::Calendar } }
    }

    pub(super) async fn take_in(&self, place: &Place, existing: Existing, file: &[u8]) -> One {
        let order = Order::ImportObjects { mailbox: place.owner, folder: place.folder, holds: place.holds, existing, visit: None };
        let one = self.order(order).await;
        let mut upload = self.transfers.upload(&one).await.unwrap();
        upload.put(Bytes::copy_from_slice(file)).await.unwrap();
        upload.finish(&self.operator).await.unwrap()
    }

    pub(super) async fn take_out(&self, place: &Place) -> Vec<u8> {
        let order = Order::ExportObjects { mailbox: place.owner, folder: place.folder, holds: place.holds, visit: None };
        let total = place.mailbox.folder(place.folder).await.unwrap().total;
        let out = self.work(&self.order(order).await).await;
        assert_eq!((out.state, out.failed, out.total), (State::Done, 0, Some(u64::from(total))));
        self.content(&out).await
    }
}

impl Place {
    pub(super) async fn all(&self) -> BTreeMap<String, String> {
        self.bytes().await.into_iter().map(|(name, bytes)| (name, String::from_utf8(bytes.to_vec()).unwrap())).collect()
    }

    pub(super) async fn bytes(&self) -> BTreeMap<String, Bytes> {
        let (mut found, mut after) = (BTreeMap::new(), None);
        loop {
            let (page, more) = self.mailbox.objects(self.folder, after.as_deref(), 100).await.unwrap();
            let items: Vec<_> = page.iter().map(|object| object.item).collect();
            for (object, bytes) in page.iter().zip(self.mailbox.object_bytes(self.folder, &items).await.unwrap()) {
                found.insert(object.name.clone(), bytes.unwrap());
            }
            after = page.last().map(|object| object.name.clone());
            if !more {
                return found;
            }
        }
    }

    pub(super) async fn put(&self, number: usize, text: &str) {
        let object = penfold_calendar::object(Kind::Events, &format!("{number}.ics"), Bytes::from(text.to_owned())).unwrap();
        self.mailbox.put_object(self.folder, &object, &|_| true).await.unwrap();
    }
}

pub(super) fn event(uid: &str, more: &str) -> String {
    format!(
        "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260301T100000Z\r\nSUMMARY:Event {uid}\r\n{more}END:VEVENT\r\n"
    )
}

fn nameless(more: &str) -> String {
    event("", more).replace("UID:\r\n", "")
}

fn zone(name: &str, offset: &str) -> String {
    format!(
        "BEGIN:VTIMEZONE\r\nTZID:{name}\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\nEND:STANDARD\r\n\
         END:VTIMEZONE\r\n"
    )
}

pub(super) fn calendar(parts: &[String]) -> String {
    format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Penfold//Calendar//EN\r\n{}END:VCALENDAR\r\n", parts.concat())
}

/// The line of a file on which a text stands.
fn line_of(file: &str, text: &str) -> u64 {
    1 + file[..file.find(text).unwrap()].matches('\n').count() as u64
}

#[tokio::test(start_paused = true)]
async fn what_is_wrong_in_a_calendar_is_told_by_line_and_the_rest_is_taken_in() {
    let house = house(21).await;
    let place = house.place(Kind::Events, "work").await;
    let file = calendar(&[
        event("series", "RRULE:FREQ=DAILY;COUNT=9\r\n"),
        event("one", ""),
        event("bad", "").replace("20260301T100000Z", "yesterday"),
        event("torn", "this is no line\r\n"),
        nameless("X-MARK:nameless\r\n"),
        event("task", "").replace("VEVENT", "VTODO"),
        event("series", "RECURRENCE-ID:20260302T100000Z\r\n"),
        event("twice", "DTSTART:20260301T100000Z\r\n"),
    ]);
    let one = house.work(&house.take_in(&place, Existing::Update, file.as_bytes()).await).await;
    let wrong = house.wrong(&one).await;
    let mut lines: Vec<_> = wrong.iter().map(|wrong| wrong.line).collect();
    lines.sort_unstable();
    // Where the fault is, or else where its component begins.
    let begins = |uid: &str| line_of(&file, &format!("UID:{uid}\r\n")) - 1;
    let wanted = [begins("bad") + 3, line_of(&file, "this is no line"), begins("task"), begins("twice")];
    assert_eq!((one.state, one.done, lines.as_slice()), (State::Done, 3, &wanted[..]), "{wrong:?}");
    let all = place.all().await;
    let series = all.values().find(|text| text.contains("UID:series")).unwrap();
    assert_eq!((all.len(), series.matches("BEGIN:VEVENT").count()), (3, 2), "{all:?}");
    assert!(all.values().any(|text| text.contains("X-MARK:nameless") && text.contains("BEGIN:VEVENT\r\nUID:")), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn what_is_there_stays_or_is_replaced_and_the_same_is_no_change() {
    let house = house(25).await;
    let place = house.place(Kind::Events, "work").await;
    place.put(7, &calendar(&[event("one", "")])).await;
    let head = place.mailbox.head().await.unwrap().modseq;
    let same = house.work(&house.take_in(&place, Existing::Refuse, calendar(&[event("one", "")]).as_bytes()).await).await;
    assert_eq!((same.done, same.failed, place.mailbox.head().await.unwrap().modseq), (1, 0, head));
    let other = calendar(&[event("one", "LOCATION:here\r\n"), event("two", "")]);
    let refused = house.work(&house.take_in(&place, Existing::Refuse, other.as_bytes()).await).await;
    assert_eq!((refused.done, refused.failed, house.wrong(&refused).await[0].line), (1, 1, 4));
    assert!(!place.all().await["7.ics"].contains("LOCATION"));
    let updated = house.work(&house.take_in(&place, Existing::Update, other.as_bytes()).await).await;
    assert_eq!((updated.done, updated.failed, place.all().await.len()), (2, 0, 2));
    assert!(place.all().await["7.ics"].contains("LOCATION:here"));
}

#[tokio::test(start_paused = true)]
async fn a_calendar_comes_out_and_goes_in_equal() {
    let house = house(22).await;
    let (from, to) = (house.place(Kind::Events, "from").await, house.place(Kind::Events, "to").await);
    let zoned = |uid: &str, name: &str| event(uid, "").replace("DTSTART:20260301T100000Z", &format!("DTSTART;TZID={name}:20260301T100000"));
    // Two zones of one name, one that is known, exceptions, folds, letters of several octets.
    let mut parts = vec![
        calendar(&[zone("Own Zone", "+0100"), zoned("a", "Own Zone")]),
        calendar(&[zone("Own Zone", "+0700"), zoned("b", "Own Zone")]),
        calendar(&[zone("Europe/Berlin", "+0100"), zoned("c", "Europe/Berlin"), event("c", "RECURRENCE-ID:20260302T100000Z\r\n")]),
        calendar(&[event("d", &format!("DESCRIPTION:{}\r\n {}\r\n", "ü".repeat(30), "漢".repeat(20)))]),
        calendar(&[zoned("e", "Europe/Paris")]),
    ];
    parts.extend((0..1200).map(|n| calendar(&[event(&format!("many{n}"), "RRULE:FREQ=DAILY\r\n")])));
    for (number, part) in parts.iter().enumerate() {
        from.put(number, part).await;
    }
    let file = house.take_out(&from).await;
    assert!(String::from_utf8_lossy(&file).contains("X-WR-CALNAME:The from\r\n") && file.ends_with(b"END:VCALENDAR\r\n"));
    let one = house.work(&house.take_in(&to, Existing::Refuse, &file).await).await;
    assert_eq!((one.state, one.done, one.failed, one.total), (State::Done, 1205, 0, Some(1205)), "{:?}", house.wrong(&one).await);
    let sorted = |all: BTreeMap<String, String>| {
        let mut all: Vec<_> = all.into_values().collect();
        all.sort_unstable();
        all
    };
    assert!(sorted(from.all().await) == sorted(to.all().await), "object by object, octet by octet");
}

/// As clients write them: each has its own words around its components, and a zone's name can be of any length.
#[tokio::test(start_paused = true)]
async fn what_clients_wrote_goes_back_to_where_it_came_from_without_a_change() {
    let house = house(26).await;
    let (from, to) = (house.place(Kind::Events, "from").await, house.place(Kind::Events, "to").await);
    let zoned = |uid: &str, name: &str| event(uid, "").replace("DTSTART:20260301T100000Z", &format!("DTSTART;TZID={name}:20260301T100000"));
    let other = |text: String| text.replace("-//Penfold//Calendar//EN", "-//Somebody//Else//EN\r\nCALSCALE:GREGORIAN");
    let parts = [
        calendar(&[zone("Europe/Berlin", "+0900"), zoned("a", "Europe/Berlin")]),
        calendar(&[zoned("b", "Europe/Berlin")]),
        calendar(&[zone("Europe/Berlin", "+0900"), zone("Unused", "+0100"), zoned("c", "Europe/Berlin")]),
        calendar(&[zone(&"N".repeat(300_000), "+0100"), event("d", "")]),
    ];
    for (number, part) in parts.iter().enumerate() {
        from.put(number, &other(part.clone())).await;
    }
    let file = house.take_out(&from).await;
    let head = from.mailbox.head().await.unwrap().modseq;
    let again = house.work(&house.take_in(&from, Existing::Refuse, &file).await).await;
    assert_eq!((again.done, again.failed, from.mailbox.head().await.unwrap().modseq), (4, 0, head), "{:?}", house.wrong(&again).await);
    let one = house.work(&house.take_in(&to, Existing::Refuse, &file).await).await;
    assert_eq!((one.done, one.failed, to.all().await.len()), (4, 0, 4), "{:?}", house.wrong(&one).await);
}

#[tokio::test(start_paused = true)]
async fn what_names_an_attachment_that_is_gone_comes_in_without_it() {
    let house = house(28).await;
    let place = house.place(Kind::Events, "work").await;
    let owner = place.mailbox.account().principal;
    let uid = penfold_mailbox::uid_hash("one");
    penfold_calendar::attach(&place.mailbox, "kept", Bytes::from_static(b"x"), "text/plain", uid).await.unwrap();
    let line = |id: &str| format!("ATTACH;MANAGED-ID={id}:https://h.test/dav/attachments/{owner}/{id}/x\r\n");
    let theirs = "ATTACH;MANAGED-ID=theirs:https://else.test/x\r\n";
    let file = calendar(&[event("two", &[line("kept"), line("gone"), theirs.to_owned()].concat())]);
    let one = house.work(&house.take_in(&place, Existing::Update, file.as_bytes()).await).await;
    let told = house.wrong(&one).await;
    assert_eq!((one.done, one.failed, told.len()), (1, 0, 1), "{told:?}");
    assert!(told[0].line == line_of(&file, "BEGIN:VEVENT") && told[0].detail.contains("gone"), "{told:?}");
    let text = place.all().await.into_values().next().unwrap();
    assert!(text.contains(&line("kept")) && text.contains(theirs) && !text.contains("gone"), "{text}");
    let found = penfold_calendar::check_attachments(&place.mailbox, false).await.unwrap();
    assert!(found.problems.is_empty(), "{found:?}");
}

#[tokio::test(start_paused = true)]
async fn no_object_comes_in_with_more_attachments_than_a_put_takes() {
    let house = house(29).await;
    let place = house.place(Kind::Events, "work").await;
    let owner = place.mailbox.account().principal;
    let line = |id: usize| format!("ATTACH;MANAGED-ID={id}:https://h.test/dav/attachments/{owner}/{id}/x\r\n");
    let lines = |ids: usize| (0..ids).chain(0..ids).map(line).collect::<String>();
    let most = penfold_calendar::ATTACHMENTS;
    let file = calendar(&[event("most", &lines(most)), event("more", &lines(most + 1))]);
    let one = house.work(&house.take_in(&place, Existing::Update, file.as_bytes()).await).await;
    let told = house.wrong(&one).await;
    assert_eq!((one.done, one.failed, told.len()), (1, 1, most + 1), "{told:?}");
    assert!(told.iter().any(|told| told.line > 5 && told.detail.contains("more than")), "{told:?}");
    let all = place.all().await;
    assert!(all.len() == 1 && all.values().all(|text| text.contains("UID:most") && !text.contains("ATTACH")), "{all:?}");
}

#[tokio::test(start_paused = true)]
async fn a_name_that_something_else_has_is_not_taken_from_it() {
    let house = house(27).await;
    let (place, to) = (house.place(Kind::Events, "from").await, house.place(Kind::Events, "to").await);
    house.work(&house.take_in(&place, Existing::Update, calendar(&[event("one", "")]).as_bytes()).await).await;
    let name = place.all().await.into_keys().next().unwrap();
    let squatter = penfold_calendar::object(Kind::Events, &name, Bytes::from(calendar(&[event("two", "")]))).unwrap();
    to.mailbox.put_object(to.folder, &squatter, &|_| true).await.unwrap();
    for existing in [Existing::Refuse, Existing::Update] {
        let one = house.work(&house.take_in(&to, existing, calendar(&[event("one", "")]).as_bytes()).await).await;
        assert_eq!((one.state, one.done, one.failed), (State::Done, 1, 0), "{:?}", house.wrong(&one).await);
        assert_eq!(to.all().await.len(), 2);
    }
    assert!(to.all().await[&name].contains("UID:two"));
}

#[tokio::test(start_paused = true)]
async fn cards_come_in_of_every_version_and_out_as_they_are() {
    let house = house(23).await;
    let place = house.place(Kind::Contacts, "friends").await;
    let file = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:a\r\nFN:Ann\r\nN:;Ann;;;\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:4.0\r\nUID:b\r\nFN:Bob\r\nEND:VCARD\r\n\
                BEGIN:VCARD\r\nVERSION:2.1\r\nN:Old;Zoe\r\nFN:Zoe Old\r\nEND:VCARD\r\nBEGIN:VCARD\r\nVERSION:9.0\r\nFN:Wrong\r\nEND:VCARD\r\n\
                BEGIN:VCARD\r\nVERSION:4.0\r\nUID:c\r\nFN:Cut";
    let one = house.work(&house.take_in(&place, Existing::Update, file.as_bytes()).await).await;
    let wrong = house.wrong(&one).await;
    assert_eq!((one.state, one.done, one.failed), (State::Done, 3, 2), "{wrong:?}");
    assert!(wrong.iter().all(|wrong| wrong.line >= 17), "{wrong:?}");
    let out = String::from_utf8(house.take_out(&place).await).unwrap();
    assert_eq!((out.matches("BEGIN:VCARD").count(), out.matches("VERSION:2.1").count()), (3, 0), "{out}");
    let other = house.place(Kind::Contacts, "others").await;
    let again = house.work(&house.take_in(&other, Existing::Refuse, out.as_bytes()).await).await;
    assert_eq!((again.done, again.failed), (3, 0), "{:?}", house.wrong(&again).await);
    assert_eq!(house.take_out(&other).await.len(), out.len());
}

#[tokio::test(start_paused = true)]
async fn killed_at_any_moment_each_object_is_there_once() {
    for seed in 0..10 {
        let house = house(seed).await;
        let place = house.place(Kind::Events, "work").await;
        let part = |n: u32| match n % 10 {
            9 => event(&format!("bad{n}"), "DTEND:no\r\n"),
            4 => nameless(""),
            _ => event(&format!("e{n}"), ""),
        };
        let one = house.take_in(&place, Existing::Refuse, calendar(&(0..600).map(part).collect::<Vec<_>>()).as_bytes()).await;
        house.simulated.faults(Faults::STORMY);
        let env = house.simulated.env();
        for round in 0.. {
            let (_stop, stopped) = watch::channel(false);
            let working = tokio::spawn(work::run(house.worker(), 2, stopped));
            env.sleep(Duration::from_millis(100 + env.below(20_000))).await;
            working.abort();
            if !house.now(&one).await.state.is_open() {
                break;
            }
            assert!(round < 2000, "seed {seed}: {:?}", house.now(&one).await);
            if round % 10 == 9 {
                house.simulated.faults(Faults::NONE);
                house.transfers.tidy(house.tenant, true).await.unwrap();
                house.simulated.world().queue.release(QueueName::Transfer, &house.tenant.to_string()).await.unwrap();
                house.simulated.faults(Faults::STORMY);
            }
        }
        house.simulated.faults(Faults::NONE);
        let one = house.now(&one).await;
        assert_eq!((one.state, one.done, one.failed), (State::Done, 540, 60), "seed {seed}: {:?}", house.wrong(&one).await.first());
        assert_eq!(place.all().await.len(), 540, "seed {seed}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_of_something_else_is_refused_and_a_folder_that_is_gone_ends_it() {
    let house = house(24).await;
    let place = house.place(Kind::Events, "work").await;
    for (holds, file) in [
        (Holds::Calendar, "BEGIN:VCARD\r\n"),
        (Holds::Calendar, "address,name\n"),
        (Holds::Cards, "BEGIN:VCALENDAR\r\n"),
        (Holds::Cards, "x"),
    ] {
        let order = Order::ImportObjects { mailbox: place.owner, folder: place.folder, holds, existing: Existing::Refuse, visit: None };
        let one = house.order(order).await;
        let mut upload = house.transfers.upload(&one).await.unwrap();
        upload.put(Bytes::from_static(file.as_bytes())).await.unwrap();
        assert_eq!(upload.finish(&house.operator).await.unwrap_err().kind(), penfold_types::Kind::Invalid, "{file}");
    }
    let one = house.take_in(&place, Existing::Refuse, calendar(&[event("a", "")]).as_bytes()).await;
    place.mailbox.delete_collection(place.folder).await.unwrap();
    assert_eq!(house.work(&one).await.state, State::Failed);
}

/// The name that an import gives to an object of this UID.
fn uid_name(uid: &str) -> String {
    let object = penfold_calendar::object(Kind::Events, "x.ics", Bytes::from(calendar(&[event(uid, "")]))).unwrap();
    object.uid.unwrap().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_replaced_while_it_is_written_down_is_in_the_file_all_the_same() {
    for seed in 0..5 {
        let house = house(seed).await;
        let place = house.place(Kind::Events, "work").await;
        for number in 0..60 {
            place.put(number, &calendar(&[event(&format!("e{number}"), "")])).await;
        }
        let changes = async {
            for round in 0..40 {
                for number in 0..60 {
                    place.put(number, &calendar(&[event(&format!("e{number}"), &format!("SEQUENCE:{round}\r\n"))])).await;
                }
            }
        };
        let file = tokio::select! {
            file = house.take_out(&place) => file,
            () = changes => panic!("the changes ended before the export"),
        };
        let file = String::from_utf8(file).unwrap();
        for number in 0..60 {
            assert_eq!(file.matches(&format!("UID:e{number}\r\n")).count(), 1, "seed {seed}: e{number}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn what_somebody_puts_meanwhile_is_not_replaced_where_it_shall_stay() {
    let mut met = 0;
    for seed in 0..40 {
        let house = house(seed).await;
        let place = house.place(Kind::Events, "work").await;
        let one = house.take_in(&place, Existing::Refuse, calendar(&[event("one", "LOCATION:of the file\r\n")]).as_bytes()).await;
        let env = house.simulated.env();
        // A client makes the same object at some moment of the import, if it is not there.
        let theirs = async {
            env.sleep(Duration::from_millis(env.below(200))).await;
            let name = format!("{}.ics", uid_name("one"));
            let text = calendar(&[event("one", "LOCATION:of the client\r\n")]);
            let object = penfold_calendar::object(Kind::Events, &name, Bytes::from(text)).unwrap();
            place.mailbox.put_object(place.folder, &object, &|there| there.is_none()).await.unwrap()
        };
        let (done, put) = tokio::join!(house.work(&one), theirs);
        let location = if matches!(put, penfold_mailbox::Put::Done { .. }) { "client" } else { "file" };
        met += usize::from(location == "client");
        let all = place.all().await;
        assert!(all.len() == 1 && all.values().all(|text| text.contains(&format!("of the {location}"))), "seed {seed}: {done:?} {all:?}");
    }
    assert!((1..40).contains(&met), "both are first now and then: {met}");
}
