//! Imports into folders of others, and exports out of them.

use super::objects::{Place, calendar, event};
use super::*;
use penfold_directory::{NewShared, PersonChange};
use penfold_mailbox::{Kind as Holding, NewCollection, RightsChange};
use penfold_ports::{Grantee, Rights};
use penfold_transfers::{Holds, Visit};
use penfold_types::PrincipalId;

const ALARM: &str = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\n";

impl House {
    /// Ann, who is nobody in particular.
    async fn ann(&self) -> PrincipalId {
        let new = NewPerson { address: a("ann@one.test"), name: "Ann".to_owned(), password: None, quota: None };
        self.operator.create_person(&new).await.unwrap();
        self.operator.person(&a("ann@one.test")).await.unwrap().id
    }

    async fn open_to(&self, place: &Place, whom: PrincipalId, letters: &str) {
        let rights = RightsChange::Set(Rights::read(letters).unwrap());
        place.mailbox.set_rights(place.folder, Grantee::Principal(whom), rights, "boss@one.test", None, false).await.unwrap();
    }

    async fn file_of(&self, place: &Place, by: PrincipalId, text: &str) -> One {
        let visit = Some(Visit { by, of: "boss@one.test".to_owned() });
        let order =
            Order::ImportObjects { mailbox: place.owner, folder: place.folder, holds: Holds::Calendar, existing: Existing::Update, visit };
        let one = self.order(order).await;
        let mut upload = self.transfers.upload(&one).await.unwrap();
        upload.put(Bytes::from(text.to_owned())).await.unwrap();
        upload.finish(&self.operator).await.unwrap()
    }

    async fn out_of(&self, place: &Place, by: PrincipalId) -> One {
        let visit = Some(Visit { by, of: "boss@one.test".to_owned() });
        let order = Order::ExportObjects { mailbox: place.owner, folder: place.folder, holds: Holds::Calendar, visit };
        self.work(&self.order(order).await).await
    }
}

#[tokio::test(start_paused = true)]
async fn who_may_insert_takes_in_and_neither_sees_nor_changes_what_is_private() {
    let house = house(31).await;
    let (place, ann) = (house.place(Holding::Events, "work").await, house.ann().await);
    house.open_to(&place, ann, "lrwi").await;
    place.put(1, &calendar(&[event("open", ALARM)])).await;
    place.put(2, &calendar(&[event("secret", "CLASS:PRIVATE\r\nLOCATION:nowhere\r\n")])).await;
    let managed = "ATTACH;MANAGED-ID=abc:https://mail.one.test/dav/attachments/x/abc\r\n";
    let text = calendar(&[
        event("open", &format!("LOCATION:here\r\n{}", ALARM.replace("-PT5M", "-PT9M"))),
        event("secret", "LOCATION:here\r\n"),
        event("new", ALARM),
        event("attached", managed),
    ]);
    let one = house.work(&house.file_of(&place, ann, &text).await).await;
    let wrong: Vec<_> = house.wrong(&one).await.into_iter().map(|wrong| wrong.detail).collect();
    assert_eq!((one.state, one.done, one.failed), (State::Done, 2, 2), "{wrong:?}");
    assert!(wrong.iter().any(|text| text.contains("private")) && wrong.iter().any(|text| text.contains("attached")), "{wrong:?}");
    let all = place.all().await;
    assert_eq!(all.len(), 3);
    // The owner's alarms stay, and ann's ring nowhere but with her.
    assert!(all["1.ics"].contains("LOCATION:here") && all["1.ics"].contains("-PT5M") && !all["1.ics"].contains("-PT9M"));
    assert!(all["2.ics"].contains("LOCATION:nowhere"));
    assert!(all.values().any(|text| text.contains("UID:new") && !text.contains("VALARM")), "{all:?}");
    // The same again is no change.
    let head = place.mailbox.head().await.unwrap().modseq;
    let again = house.work(&house.file_of(&place, ann, &text).await).await;
    assert_eq!((again.done, place.mailbox.head().await.unwrap().modseq), (2, head));
    // It is ann's, and nobody else's.
    assert_eq!(one.order.owner(), Some(ann));
    assert!(house.transfers.find_of(house.tenant, Some(place.owner), one.id, true).await.is_err());
}

#[tokio::test(start_paused = true)]
async fn what_is_open_is_judged_at_each_turn() {
    let house = house(32).await;
    let (place, ann) = (house.place(Holding::Events, "work").await, house.ann().await);
    let text = calendar(&(0..50).map(|n| event(&format!("e{n}"), "")).collect::<Vec<_>>());
    // Never opened; opened to be read; opened and closed again before the first turn.
    for (before, after) in [("", ""), ("lr", "lr"), ("lrwi", ""), ("lrwi", "lr")] {
        house.open_to(&place, ann, before).await;
        let one = house.file_of(&place, ann, &text).await;
        house.open_to(&place, ann, after).await;
        assert_eq!((house.work(&one).await.state, place.all().await.len()), (State::Failed, 0), "{before} {after}");
    }
    // To read all but what is private is not to read all.
    place.put(1, &calendar(&[event("open", "")])).await;
    house.open_to(&place, ann, "lrswipkxte").await;
    let out = house.out_of(&place, ann).await;
    assert_eq!((out.state, house.content(&out).await.len()), (State::Failed, 0));
    // Who is suspended has nothing open.
    let one = house.file_of(&place, ann, &text).await;
    let suspended = PersonChange { status: Some(Status::Suspended), ..PersonChange::default() };
    house.operator.update_person(&a("ann@one.test"), &suspended).await.unwrap();
    assert_eq!((house.work(&one).await.state, place.all().await.len()), (State::Failed, 1));
}

#[tokio::test(start_paused = true)]
async fn members_of_a_shared_mailbox_take_its_calendars_out_and_in() {
    let house = house(33).await;
    let ann = house.ann().await;
    let new = NewShared { address: a("sales@one.test"), name: "Sales".to_owned(), quota: None };
    let sales = house.operator.create_shared(&new).await.unwrap();
    let mailbox = house.mailboxes.open(&house.directory.job_scope(sales)).await.unwrap();
    let collection = |segment: &str| {
        let (segment, name) = (segment.to_owned(), segment.to_owned());
        NewCollection { kind: Holding::Events, parent: None, segment, name, properties: Vec::new() }
    };
    let (owner, holds) = (sales.principal, Holds::Calendar);
    let folder = mailbox.create_collection(&collection("from")).await.unwrap();
    let from = Place { mailbox: mailbox.clone(), owner, folder, holds };
    let folder = mailbox.create_collection(&collection("to")).await.unwrap();
    let to = Place { mailbox, owner, folder, holds };
    for n in 0..30 {
        from.put(n, &calendar(&[event(&format!("e{n}"), "CLASS:PRIVATE\r\n")])).await;
    }
    assert_eq!(house.out_of(&from, ann).await.state, State::Failed, "she is no member yet");
    house.operator.add_shared_members(&a("sales@one.test"), &[a("ann@one.test")]).await.unwrap();
    let out = house.out_of(&from, ann).await;
    assert_eq!((out.state, out.done, out.failed), (State::Done, 30, 0));
    let text = String::from_utf8(house.content(&out).await).unwrap();
    let one = house.work(&house.file_of(&to, ann, &text).await).await;
    assert_eq!((one.state, one.done, one.failed), (State::Done, 30, 0), "{:?}", house.wrong(&one).await);
    let sorted = |all: BTreeMap<String, String>| all.into_values().collect::<std::collections::BTreeSet<_>>();
    assert!(sorted(from.all().await) == sorted(to.all().await));
}
