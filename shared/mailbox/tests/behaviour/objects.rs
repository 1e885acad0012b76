//! Items that have names: put, replaced, moved, copied, removed; found by name, UID and time; and what the log says of them.

use crate::support::hooks::Fault;
use crate::support::{House, house};
use bytes::Bytes;
use penfold_mailbox::{
    Became, Kind, Mailbox, NewCollection, NewObject, Object, PROPERTIES_OF_OBJECT, Put, Relocated, Removal, Role, Since, Span, uid_hash,
};
use penfold_types::{FolderId, Kind as Why};
use std::collections::BTreeMap;
use std::time::Duration;

fn event(name: &str, uid: &str, at: i64, text: &str) -> NewObject {
    NewObject {
        name: name.into(),
        bytes: Bytes::copy_from_slice(text.as_bytes()),
        uid: Some(uid_hash(uid)),
        span: Some(Span { first: at, last: Some(at + 3600) }),
        facts: Bytes::copy_from_slice(uid.as_bytes()),
        media: String::new(),
        note: None,
    }
}

async fn calendar(mailbox: &Mailbox) -> FolderId {
    mailbox.collections().await.unwrap().with_role(Role::Calendar).unwrap().id
}

async fn put(mailbox: &Mailbox, folder: FolderId, new: &NewObject) -> Object {
    match mailbox.put_object(folder, new, &|_| true).await.unwrap() {
        Put::Done { object, .. } => object,
        other => panic!("{other:?}"),
    }
}

async fn sound(house: &House, mailbox: &Mailbox) {
    let elsewhere = house.elsewhere().open(mailbox.scope()).await.unwrap();
    assert_eq!(elsewhere.check(false).await.unwrap().problems, Vec::<String>::new());
}

async fn text(mailbox: &Mailbox, folder: FolderId, object: &Object) -> Option<Bytes> {
    mailbox.object_bytes(folder, &[object.item]).await.unwrap().pop().unwrap()
}

#[tokio::test(start_paused = true)]
async fn everybody_has_a_calendar_tasks_contacts_and_files_and_they_are_no_folders_of_mail() {
    let house = house().await;
    let mailbox = house.open(house.ann).await;
    let before = mailbox.folders().await.unwrap();
    let folders = mailbox.collections().await.unwrap();
    let found: Vec<_> = folders.collections().map(|own| (own.kind, own.segment.as_str(), own.name.as_str())).collect();
    let wanted = [
        (Kind::Events, "calendar", "Calendar"),
        (Kind::Tasks, "tasks", "Tasks"),
        (Kind::Contacts, "contacts", "Contacts"),
        (Kind::Files, "files", "Files"),
    ];
    assert_eq!(found, wanted);
    let paths = |folders: &penfold_mailbox::Folders| folders.iter().map(|(path, _)| path.to_owned()).collect::<Vec<_>>();
    assert_eq!(paths(&before), paths(&folders));
    // A folder of mail may be called as they are.
    mailbox.create_folder("Calendar", None).await.unwrap();
    assert_eq!(mailbox.collections().await.unwrap().collections().count(), 4);
    let calendar = calendar(&mailbox).await;
    assert_eq!(mailbox.delete_collection(calendar).await.unwrap_err().kind(), Why::Denied);
    sound(&house, &mailbox).await;
}

fn changed(there: bool) -> Became {
    Became { object: Some(there), folder: false }
}

#[tokio::test(start_paused = true)]
async fn an_object_is_put_replaced_and_removed_and_its_log_says_so() {
    let house = house().await;
    let mailbox = house.open(house.ann).await;
    let folder = calendar(&mailbox).await;
    let begin = mailbox.objects_now(folder).await.unwrap();
    let first = put(&mailbox, folder, &event("a.ics", "one", 1000, "first")).await;
    assert_eq!(text(&mailbox, folder, &first).await.unwrap(), "first");
    let created = mailbox.put_object(folder, &event("a.ics", "one", 9_000_000, "second"), &|old| old.is_none()).await.unwrap();
    assert_eq!(created, Put::Failed);
    let second = put(&mailbox, folder, &event("a.ics", "one", 9_000_000, "second")).await;
    assert_eq!((second.id, second.made), (first.id, first.made));
    assert_ne!(second.item, first.item);
    assert_eq!(text(&mailbox, folder, &first).await, None);
    assert_eq!(mailbox.objects_between(folder, 0..5000, 10).await.unwrap(), []);
    let hits = mailbox.objects_between(folder, 9_000_000..9_000_001, 10).await.unwrap();
    assert_eq!(hits.iter().map(|hit| (hit.item, &hit.facts[..])).collect::<Vec<_>>(), [(second.item, &b"one"[..])]);
    let changes = mailbox.object_changes(folder, begin, 10).await.unwrap().unwrap();
    assert_eq!(changes.names, BTreeMap::from([("a.ics".to_owned(), changed(true))]));
    assert_eq!(
        mailbox.remove_object(folder, "a.ics", &|old| old.is_some_and(|old| old.item == first.item)).await.unwrap(),
        Removal::Failed
    );
    assert_eq!(mailbox.remove_object(folder, "a.ics", &|_| true).await.unwrap(), Removal::Done);
    assert_eq!(mailbox.remove_object(folder, "a.ics", &|_| true).await.unwrap(), Removal::Missing);
    let after = mailbox.object_changes(folder, changes.upto, 10).await.unwrap().unwrap();
    assert_eq!((after.names, after.more), (BTreeMap::from([("a.ics".to_owned(), changed(false))]), false));
    assert_eq!(mailbox.object_changes(folder, Since { modseq: penfold_types::Modseq(999), entries: 0 }, 10).await.unwrap(), None);
    let head = mailbox.head().await.unwrap();
    assert_eq!((head.items, head.used), (0, 0));
    sound(&house, &mailbox).await;
}

#[tokio::test(start_paused = true)]
async fn a_uid_is_there_once_in_a_folder_and_may_be_in_another() {
    let house = house().await;
    let mailbox = house.open(house.ann).await;
    let folder = calendar(&mailbox).await;
    put(&mailbox, folder, &event("a.ics", "one", 0, "x")).await;
    let again = mailbox.put_object(folder, &event("b.ics", "one", 0, "y"), &|_| true).await.unwrap();
    assert_eq!(again, Put::UidTaken("a.ics".into()));
    let other = mailbox.put_object(folder, &event("a.ics", "two", 0, "y"), &|_| true).await.unwrap();
    assert_eq!(other, Put::UidTaken("a.ics".into()));
    let new = NewCollection { kind: Kind::Events, parent: None, segment: "work".into(), name: "Work".into(), properties: Vec::new() };
    let work = mailbox.create_collection(&new).await.unwrap();
    assert_eq!(mailbox.create_collection(&new).await.unwrap_err().kind(), Why::Conflict);
    put(&mailbox, work, &event("c.ics", "one", 0, "z")).await;
    let mut found = mailbox.objects_of_uid(&uid_hash("one")).await.unwrap();
    found.sort_by(|a, b| a.1.cmp(&b.1));
    assert_eq!(found, [(folder, "a.ics".to_owned()), (work, "c.ics".to_owned())]);
    assert_eq!(
        mailbox.move_object((work, "c.ics"), (folder, "d.ics"), true, &|_| true).await.unwrap(),
        Relocated::UidTaken("a.ics".into())
    );
    mailbox.delete_collection(work).await.unwrap();
    assert_eq!(mailbox.objects_of_uid(&uid_hash("one")).await.unwrap().len(), 1);
    sound(&house, &mailbox).await;
}

#[tokio::test(start_paused = true)]
async fn moves_and_copies_take_their_properties_along_and_replace_what_is_there() {
    let house = house().await;
    let mailbox = house.open(house.ann).await;
    let files = mailbox.collections().await.unwrap().with_role(Role::Files).unwrap().id;
    let inner = NewCollection { kind: Kind::Files, parent: Some(files), segment: "in".into(), name: "in".into(), properties: Vec::new() };
    let inner = mailbox.create_collection(&inner).await.unwrap();
    let file = |name: &str, text: &str| NewObject { uid: None, span: None, facts: Bytes::new(), ..event(name, "", 0, text) };
    let large = "x".repeat(100_000);
    let source = put(&mailbox, files, &file("a", &large)).await;
    put(&mailbox, inner, &file("b", "old")).await;
    let property = |n: usize| (format!("p{n}").into_bytes(), Bytes::from(vec![b'v'; 16 * 1024]));
    let all: Vec<_> = (0..PROPERTIES_OF_OBJECT).map(property).collect();
    mailbox.set_properties(files, "a", (&all, &[]), None).await.unwrap();
    assert_eq!(mailbox.set_properties(files, "a", (&[property(99)], &[]), None).await.unwrap_err().kind(), Why::Limit);
    mailbox.set_properties(inner, "b", (&[property(99)], &[]), None).await.unwrap();
    assert_eq!(mailbox.move_object((files, "a"), (inner, "b"), false, &|_| true).await.unwrap(), Relocated::Taken);
    let moved = mailbox.move_object((files, "a"), (inner, "b"), true, &|_| true).await.unwrap();
    assert!(matches!(moved, Relocated::Done { created: false, ref object } if object.item == source.item));
    assert_eq!(mailbox.properties(inner, "b").await.unwrap().len(), PROPERTIES_OF_OBJECT);
    assert!(!mailbox.properties(inner, "b").await.unwrap().contains_key(&b"p99"[..]));
    assert!(mailbox.properties(files, "a").await.unwrap().is_empty());
    let copied = mailbox.copy_object((inner, "b"), (files, "c"), false, &|_| true).await.unwrap();
    let Relocated::Done { object, created: true } = copied else { panic!("{copied:?}") };
    assert_eq!(text(&mailbox, files, &object).await.unwrap(), large);
    assert_eq!(mailbox.properties(files, "c").await.unwrap().len(), PROPERTIES_OF_OBJECT);
    sound(&house, &mailbox).await;
    mailbox.delete_collection(inner).await.unwrap();
    sound(&house, &mailbox).await;
    assert_eq!(mailbox.head().await.unwrap().items, 1);
}

#[tokio::test(start_paused = true)]
async fn a_window_finds_what_reaches_into_it_whatever_its_length() {
    let house = house().await;
    let mailbox = house.open(house.ann).await;
    let folder = calendar(&mailbox).await;
    let day = 86_400;
    let spans = [(0, 3600), (0, day), (-5 * day, 6 * day), (-60 * day, 61 * day), (-500 * day, 501 * day), (-4000 * day, 4001 * day)];
    for (n, (first, length)) in spans.iter().enumerate() {
        let new = event(&format!("{n}.ics"), &format!("{n}"), 0, "x");
        put(&mailbox, folder, &NewObject { span: Some(Span { first: *first, last: Some(first + length) }), ..new }).await;
    }
    put(&mailbox, folder, &NewObject { span: Some(Span { first: 5, last: None }), ..event("f.ics", "f", 0, "x") }).await;
    put(&mailbox, folder, &NewObject { span: Some(Span::ALWAYS), ..event("g.ics", "g", 0, "x") }).await;
    put(&mailbox, folder, &event("later.ics", "later", 400 * day, "x")).await;
    let found = mailbox.objects_between(folder, 10..20, 100).await.unwrap();
    assert_eq!(found.len(), 8, "{found:?}");
    assert_eq!(mailbox.objects_between(folder, 10..20, 3).await.unwrap().len(), 4);
    // Far from everything only what never ends is left, and what is as long as reaches there.
    let far = mailbox.objects_between(folder, 9000 * day..9001 * day, 100).await.unwrap();
    assert_eq!(far.iter().map(|hit| hit.name.as_str()).collect::<Vec<_>>(), ["g.ics", "f.ics"]);
}

#[tokio::test(start_paused = true)]
async fn a_folder_of_files_changes_with_the_folders_in_it() {
    let house = house().await;
    let mailbox = house.open(house.ann).await;
    let files = mailbox.collections().await.unwrap().with_role(Role::Files).unwrap().id;
    let new = |parent, segment: &str| NewCollection {
        kind: Kind::Files,
        parent: Some(parent),
        segment: segment.into(),
        name: segment.into(),
        properties: Vec::new(),
    };
    let told = async |since| mailbox.object_changes(files, since, 10).await.unwrap().unwrap().names.into_keys().collect::<Vec<_>>();
    let mut since = mailbox.objects_now(files).await.unwrap();
    let one = mailbox.create_collection(&new(files, "one")).await.unwrap();
    assert_eq!(told(since).await, ["one"]);
    since = mailbox.objects_now(files).await.unwrap();
    // What lies deeper is the inner folder's own.
    let inner = mailbox.create_collection(&new(one, "inner")).await.unwrap();
    assert_eq!(mailbox.objects_now(files).await.unwrap(), since);
    mailbox.move_collection(one, Some(files), "two", None).await.unwrap();
    assert_eq!(told(since).await, ["one", "two"]);
    since = mailbox.objects_now(files).await.unwrap();
    mailbox.move_collection(inner, Some(files), "inner", None).await.unwrap();
    mailbox.delete_collection(one).await.unwrap();
    assert_eq!(told(since).await, ["inner", "two"]);
    // More at once than one commit takes.
    let mut deep = inner;
    for n in 0..25 {
        deep = mailbox.create_collection(&new(deep, &n.to_string())).await.unwrap();
    }
    for n in 0..25 {
        mailbox.create_collection(&new(inner, &format!("beside {n}"))).await.unwrap();
    }
    since = mailbox.objects_now(files).await.unwrap();
    mailbox.delete_collection(inner).await.unwrap();
    assert_eq!(told(since).await, ["inner"]);
    // A file that makes room for a folder is told of as both.
    put(&mailbox, files, &event("both", "one", 0, "x")).await;
    since = mailbox.objects_now(files).await.unwrap();
    mailbox.remove_object(files, "both", &|_| true).await.unwrap();
    mailbox.create_collection(&new(files, "both")).await.unwrap();
    let became = mailbox.object_changes(files, since, 10).await.unwrap().unwrap().names;
    assert_eq!(became["both"], Became { object: Some(false), folder: true });
    sound(&house, &mailbox).await;
}

#[tokio::test(start_paused = true)]
async fn what_rests_on_a_folder_as_it_was_is_done_while_it_is_so() {
    let house = house().await;
    let mailbox = house.open(house.ann).await;
    let folder = calendar(&mailbox).await;
    let then = mailbox.objects_now(folder).await.unwrap();
    let resting = mailbox.if_unchanged(vec![(folder, then)]);
    put(&resting, folder, &event("a.ics", "one", 0, "x")).await;
    // What follows rests on what was done.
    put(&resting, folder, &event("b.ics", "two", 0, "x")).await;
    let late = mailbox.if_unchanged(vec![(folder, then)]);
    let refused = late.put_object(folder, &event("c.ics", "three", 0, "x"), &|_| true).await.unwrap_err();
    assert!(refused.is_unmet(), "{refused}");
    let work = NewCollection { kind: Kind::Events, parent: None, segment: "work".into(), name: "Work".into(), properties: Vec::new() };
    assert!(late.create_collection(&work).await.unwrap_err().is_unmet());
    let work = mailbox.create_collection(&work).await.unwrap();
    assert!(late.delete_collection(work).await.unwrap_err().is_unmet());
    mailbox.delete_collection(work).await.unwrap();
    assert!(mailbox.object(folder, "c.ics").await.unwrap().is_none());
    sound(&house, &mailbox).await;
}

#[tokio::test(start_paused = true)]
async fn a_long_log_is_read_in_pieces_that_lose_nothing() {
    let house = house().await;
    let mailbox = house.open(house.ann).await;
    let folder = calendar(&mailbox).await;
    let mut since = mailbox.objects_now(folder).await.unwrap();
    for n in 0..25 {
        put(&mailbox, folder, &event(&format!("{n}.ics"), &format!("{n}"), n, "x")).await;
    }
    // Both entries of a move between folders of one account stand in one commit.
    mailbox.move_object((folder, "3.ics"), (folder, "moved.ics"), false, &|_| true).await.unwrap();
    let mut names = BTreeMap::new();
    let mut rounds = 0;
    loop {
        let page = mailbox.object_changes(folder, since, 1).await.unwrap().unwrap();
        assert!(page.names.len() <= 1);
        names.extend(page.names);
        since = page.upto;
        rounds += 1;
        if !page.more {
            break;
        }
    }
    assert_eq!(rounds, 27);
    assert_eq!(names.len(), 26);
    assert_eq!((names["3.ics"], names["moved.ics"]), (changed(false), changed(true)));
}

#[tokio::test(start_paused = true)]
async fn what_was_replaced_goes_with_the_history_that_names_it() {
    let house = house().await;
    let mailbox = house.open(house.ann).await;
    let folder = calendar(&mailbox).await;
    let large = "y".repeat(50_000);
    put(&mailbox, folder, &event("a.ics", "a", 0, &large)).await;
    put(&mailbox, folder, &event("a.ics", "a", 0, "small")).await;
    put(&mailbox, folder, &event("b.ics", "b", 0, "moved")).await;
    mailbox.move_object((folder, "b.ics"), (folder, "c.ics"), false, &|_| true).await.unwrap();
    let since = mailbox.objects_now(folder).await.unwrap();
    tokio::time::advance(Duration::from_secs(40 * 86_400)).await;
    put(&mailbox, folder, &event("d.ics", "d", 0, "new")).await;
    mailbox.trim(Duration::from_secs(30 * 86_400)).await.unwrap();
    let swept = house.mailboxes.sweep(house.ann.tenant, &[house.scope(house.ann), house.scope(house.bob)], &Default::default()).await;
    assert_eq!(swept.unwrap().blobs, 1);
    sound(&house, &mailbox).await;
    let (objects, more) = mailbox.objects(folder, None, 10).await.unwrap();
    assert_eq!((objects.iter().map(|object| object.name.as_str()).collect::<Vec<_>>(), more), (vec!["a.ics", "c.ics", "d.ics"], false));
    for object in &objects {
        assert!(text(&mailbox, folder, object).await.is_some(), "{}", object.name);
    }
    // Whoever knew the state of then can go on; whoever knew less begins anew.
    assert!(mailbox.object_changes(folder, since, 10).await.unwrap().is_some());
    assert_eq!(mailbox.object_changes(folder, Since::default(), 10).await.unwrap(), None);
}

#[tokio::test(start_paused = true)]
async fn a_repair_takes_out_what_has_no_content_and_what_leads_nowhere() {
    let house = house().await;
    let mailbox = house.open(house.ann).await;
    let folder = calendar(&mailbox).await;
    let lost = put(&mailbox, folder, &event("a.ics", "a", 0, "x")).await;
    put(&mailbox, folder, &event("b.ics", "b", 0, "x")).await;
    let key = mailbox.scope().key(penfold_ports::Sk::content(lost.item));
    house.world.table.put(penfold_ports::Write::delete(key)).await.unwrap();
    let report = mailbox.check(true).await.unwrap();
    assert!(!report.problems.is_empty() && report.repaired > 0, "{report:?}");
    sound(&house, &house.elsewhere().open(mailbox.scope()).await.unwrap()).await;
    let (objects, _) = house.elsewhere().open(mailbox.scope()).await.unwrap().objects(folder, None, 10).await.unwrap();
    assert_eq!(objects.len(), 1);
}

/// What a client was told, and what is there, are one, whatever becomes of answers.
#[tokio::test(start_paused = true)]
async fn every_change_of_an_object_happens_once_when_answers_get_lost() {
    let cases: [&[Fault]; 5] = [
        &[Fault::Lost { done: true }],
        &[Fault::Lost { done: false }],
        &[Fault::Throttled, Fault::Lost { done: true }],
        &[Fault::Lost { done: false }, Fault::Lost { done: true }],
        &[Fault::Fine, Fault::Lost { done: true }],
    ];
    for (case, faults) in cases.into_iter().enumerate() {
        let house = house().await;
        let mailbox = house.open(house.ann).await;
        let folder = calendar(&mailbox).await;
        let arm = || {
            house.hooks.clear();
            house.hooks.next(faults.iter().copied());
        };
        let begin = mailbox.objects_now(folder).await.unwrap();
        arm();
        let new = mailbox.put_object(folder, &event("a.ics", "a", 0, "one"), &|old| old.is_none()).await.unwrap();
        let Put::Done { object: first, created: true } = new else { panic!("{case} {new:?}") };
        arm();
        let again = mailbox.put_object(folder, &event("a.ics", "a", 50, "two"), &|old| old.is_some_and(|old| old.item == first.item)).await;
        let Put::Done { object, created: false } = again.unwrap() else { panic!("{case}") };
        arm();
        mailbox.set_properties(folder, "a.ics", (&[(b"p".to_vec(), Bytes::from_static(b"v"))], &[]), None).await.unwrap();
        arm();
        let moved = mailbox.move_object((folder, "a.ics"), (folder, "b.ics"), false, &|_| true).await.unwrap();
        assert!(matches!(moved, Relocated::Done { object: ref moved, created: true } if moved.item == object.item), "{case} {moved:?}");
        arm();
        assert!(
            matches!(mailbox.copy_object((folder, "b.ics"), (folder, "c.ics"), false, &|_| true).await.unwrap(), Relocated::UidTaken(_)),
            "{case}"
        );
        arm();
        let work = NewCollection { kind: Kind::Events, parent: None, segment: "work".into(), name: "Work".into(), properties: Vec::new() };
        let work = mailbox.create_collection(&work).await.unwrap();
        arm();
        let copied = mailbox.copy_object((folder, "b.ics"), (work, "c.ics"), false, &|_| true).await.unwrap();
        assert!(matches!(copied, Relocated::Done { created: true, .. }), "{case} {copied:?}");
        arm();
        assert_eq!(mailbox.remove_object(folder, "b.ics", &|_| true).await.unwrap(), Removal::Done, "{case}");
        arm();
        mailbox.delete_collection(work).await.unwrap();
        house.hooks.clear();
        let names = mailbox.object_changes(folder, begin, 10).await.unwrap().unwrap().names;
        assert_eq!(names, BTreeMap::from([("a.ics".to_owned(), changed(false)), ("b.ics".to_owned(), changed(false))]), "{case}");
        assert_eq!(mailbox.head().await.unwrap().items, 0, "{case}");
        sound(&house, &mailbox).await;
    }
}

/// Two who write the same name, each on the condition that nobody did: one is first.
#[tokio::test(start_paused = true)]
async fn of_two_processes_that_write_one_name_one_wins() {
    let house = house().await;
    let (here, there) = (house.open(house.ann).await, house.elsewhere().open(&house.scope(house.ann)).await.unwrap());
    let folder = calendar(&here).await;
    for round in 0..20 {
        let name = format!("{round}.ics");
        let (one, other) = (event(&name, &name, 0, "one"), event(&name, &name, 0, "other"));
        let (a, b) =
            tokio::join!(here.put_object(folder, &one, &|old| old.is_none()), there.put_object(folder, &other, &|old| old.is_none()));
        let won = [a.unwrap(), b.unwrap()].into_iter().filter(|put| matches!(put, Put::Done { created: true, .. })).count();
        assert_eq!(won, 1, "{round}");
    }
    sound(&house, &here).await;
}
