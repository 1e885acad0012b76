//! What else is in a mailbox that is taken out whole.

use super::objects::{Place, calendar, event};
use super::*;
use crate::mailbox::Archive;
use penfold_mailbox::{Kind as Holding, NewCollection, NewObject, Role as Use};
use penfold_types::FolderId;

impl House {
    /// The files of boss's archive, by path.
    async fn archive(&self, place: &Place) -> BTreeMap<String, Vec<u8>> {
        let out = self.work(&self.order(Order::ExportMailbox { mailbox: place.owner }).await).await;
        assert_eq!((out.state, out.failed, Some(out.done)), (State::Done, 0, out.total), "{:?}", self.wrong(&out).await);
        let archive = self.content(&out).await;
        let mut found = BTreeMap::new();
        for file in tar::Archive::new(&archive[..]).entries().unwrap() {
            let mut file = file.unwrap();
            let (path, mut bytes) = (file.path().unwrap().display().to_string(), Vec::new());
            file.read_to_end(&mut bytes).unwrap();
            assert!(found.insert(path.clone(), bytes).is_none(), "{path} is there twice");
        }
        found
    }
}

fn put(name: &str, bytes: Vec<u8>) -> NewObject {
    let (uid, span, note) = (None, None, None);
    NewObject { name: name.to_owned(), bytes: bytes.into(), uid, span, facts: Bytes::new(), media: String::new(), note }
}

#[tokio::test(start_paused = true)]
async fn a_company_that_leaves_takes_calendars_contacts_and_files_along() {
    let house = house(41).await;
    let work = house.place(Holding::Events, "work").await;
    // More than one step and one file takes.
    for n in 0..1100 {
        work.put(n, &calendar(&[event(&format!("e{n}"), "CLASS:PRIVATE\r\n")])).await;
    }
    let mailbox = &work.mailbox;
    let inbox = mailbox.folders().await.unwrap().find("INBOX").unwrap().id;
    let message = NewMessage { bytes: Bytes::from_static(b"Subject: x\r\n\r\nx\r\n"), keywords: Keywords::default(), received: None };
    mailbox.append(inbox, vec![message]).await.unwrap();
    // Two of one name, and one whose name would lead elsewhere.
    let mut books = Vec::new();
    for (segment, name) in [("a", "Friends"), ("b", "friends"), ("c", "../../etc")] {
        let (segment, name) = (segment.to_owned(), name.to_owned());
        let new = NewCollection { kind: Holding::Contacts, parent: None, segment: segment.clone(), name, properties: Vec::new() };
        let folder = mailbox.create_collection(&new).await.unwrap();
        let card = format!("BEGIN:VCARD\r\nVERSION:4.0\r\nUID:{segment}\r\nFN:Of {segment}\r\nEND:VCARD\r\n");
        let card = penfold_calendar::object(Holding::Contacts, "1.vcf", card.into()).unwrap();
        mailbox.put_object(folder, &card, &|_| true).await.unwrap();
        books.push(folder);
    }
    let files = mailbox.collections().await.unwrap().with_role(Use::Files).unwrap().id;
    let (segment, name) = ("Plans".to_owned(), "Plans".to_owned());
    let new = NewCollection { kind: Holding::Files, parent: Some(files), segment, name, properties: Vec::new() };
    let plans = mailbox.create_collection(&new).await.unwrap();
    let large: Vec<u8> = (0..9_000_000u32).map(|n| (n % 251) as u8).collect();
    mailbox.put_object(files, &put("notes.txt", b"hello".to_vec()), &|_| true).await.unwrap();
    mailbox.put_object(plans, &put("large.bin", large.clone()), &|_| true).await.unwrap();

    let found = house.archive(&work).await;
    assert!(found["files/notes.txt"] == b"hello" && found["files/Plans/large.bin"] == large);
    let named = |start: &str| found.keys().filter(|path| path.starts_with(start)).cloned().collect::<Vec<_>>();
    let b = books[1];
    assert_eq!(
        named("contacts/"),
        ["contacts/.._.._etc.vcf".to_owned(), "contacts/Friends.vcf".to_owned(), format!("contacts/friends.{b}.vcf")]
    );
    assert!(String::from_utf8_lossy(&found[&format!("contacts/friends.{b}.vcf")]).contains("FN:Of b\r\n"));
    assert_eq!(named("cur/").len(), 1);
    // Each file is a calendar by itself, and all of them are the calendar.
    let calendars = named("calendars/");
    assert!(calendars.len() == 3 && calendars.contains(&"calendars/The work.ics".to_owned()), "{calendars:?}");
    let to = house.place(Holding::Events, "to").await;
    for path in &calendars {
        let one = house.work(&house.take_in(&to, Existing::Refuse, &found[path]).await).await;
        assert_eq!((one.state, one.failed), (State::Done, 0), "{path}: {:?}", house.wrong(&one).await);
    }
    let all = async |place: &Place| place.all().await.into_values().collect::<std::collections::BTreeSet<_>>();
    assert!(all(&work).await == all(&to).await);
}

fn folder(kind: Holding, parent: Option<FolderId>, segment: &str, name: &str) -> NewCollection {
    NewCollection { kind, parent, segment: segment.to_owned(), name: name.to_owned(), properties: Vec::new() }
}

#[tokio::test(start_paused = true)]
async fn names_that_archives_cannot_hold_stay_apart() {
    let house = house(42).await;
    let work = house.place(Holding::Events, "work").await;
    let mailbox = &work.mailbox;
    let files = mailbox.collections().await.unwrap().with_role(Use::Files).unwrap().id;
    let inner = mailbox.create_collection(&folder(Holding::Files, Some(files), "c\\d", "c\\d")).await.unwrap();
    let (odd, long) = ("a\\b.txt", "x".repeat(255));
    for (at, name) in [(files, odd), (files, "a_b.txt"), (files, "c_d"), (inner, "in"), (files, &long)] {
        mailbox.put_object(at, &put(name, name.as_bytes().to_vec()), &|_| true).await.unwrap();
    }
    for segment in ["one", "two"] {
        let calendar = mailbox.create_collection(&folder(Holding::Events, None, segment, &"y".repeat(1000))).await.unwrap();
        Place { mailbox: mailbox.clone(), owner: work.owner, folder: calendar, holds: work.holds }.put(1, &calendar_of("a")).await;
    }
    let found = house.archive(&work).await;
    let held: Vec<&[u8]> = found.values().map(Vec::as_slice).collect();
    assert!([odd, "a_b.txt", "c_d", "in", &long].iter().all(|text| held.contains(&text.as_bytes())), "{:?}", found.keys());
    assert!(found.keys().flat_map(|path| path.split('/')).all(|name| name.len() <= 255), "{:?}", found.keys());
    // None is a folder for another.
    assert!(found.keys().all(|path| !found.keys().any(|other| other.starts_with(&format!("{path}/")))), "{:?}", found.keys());
    assert_eq!(found.keys().filter(|path| path.starts_with("calendars/yyy")).count(), 2);
}

fn calendar_of(uid: &str) -> String {
    calendar(&[event(uid, "")])
}

/// Between two steps whatever is named is named anew.
#[tokio::test(start_paused = true)]
async fn what_was_written_keeps_its_path_whatever_is_renamed_meanwhile() {
    let house = house(43).await;
    let work = house.place(Holding::Events, "work").await;
    let mailbox = &work.mailbox;
    let files = mailbox.collections().await.unwrap().with_role(Use::Files).unwrap().id;
    let plans = mailbox.create_collection(&folder(Holding::Files, Some(files), "Plans", "Plans")).await.unwrap();
    for n in 0..600 {
        mailbox.put_object(plans, &put(&format!("{n:04}"), b"old".to_vec()), &|_| true).await.unwrap();
    }
    let (on, mut one) = (house.worker(), house.order(Order::ExportMailbox { mailbox: work.owner }).await);
    let (mut archive, mut steps) = (Vec::new(), 0);
    loop {
        let step = Archive::begin(&on, &one, work.owner).await.unwrap().step().await.unwrap();
        steps += 1;
        archive.extend(step.parts.concat());
        one.cursor = step.cursor;
        if step.last {
            break;
        }
        if steps == 1 {
            mailbox.move_collection(plans, Some(files), "Other", None).await.unwrap();
            let new = mailbox.create_collection(&folder(Holding::Files, Some(files), "Plans", "Plans")).await.unwrap();
            mailbox.put_object(new, &put("0001", b"new".to_vec()), &|_| true).await.unwrap();
        }
    }
    assert!(steps > 1);
    let mut paths = std::collections::BTreeSet::new();
    for file in tar::Archive::new(&archive[..]).entries().unwrap() {
        let path = file.unwrap().path().unwrap().display().to_string();
        assert!(paths.insert(path.clone()), "{path} is there twice");
    }
    let lies = |start: &str| paths.iter().filter(|path| path.starts_with(start)).count();
    assert_eq!((lies("files/Plans/"), lies("files/Other/"), lies("files/Plans.")), (600, 0, 1));
}
