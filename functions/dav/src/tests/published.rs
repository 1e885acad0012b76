use super::*;
use penfold_directory::{NewLink, Shows};
use penfold_mailbox::Role;
use penfold_types::FolderId;

const SECRET: &str = "LOCATION:roof\r\nDESCRIPTION:hidden\r\nATTENDEE:mailto:hidden@a.test\r\n";

impl House {
    async fn folder(&self, role: Role) -> FolderId {
        let mailbox = self.mailboxes.open(&self.directory.job_scope(self.account(self.ann).await)).await.unwrap();
        mailbox.collections().await.unwrap().with_role(role).unwrap().id
    }

    async fn publish(&self, folder: FolderId, shows: Shows) -> String {
        let new = NewLink { folder, name: "the club".to_owned(), shows };
        let link = self.directory.operator().make_link(self.account(self.ann).await, &new).await.unwrap();
        format!("/published/{}.ics", link.text)
    }

    async fn read(&self, path: &str, known: &str) -> Heard {
        let request = Request::builder().uri(path).header("if-none-match", known);
        self.raw(request.body(Body::empty()).unwrap()).await
    }

    async fn read_in_the_clear(&self, path: &str) -> Heard {
        let request = Request::builder().uri(path).extension(penfold_rest::Private(false));
        self.raw(request.body(Body::empty()).unwrap()).await
    }
}

async fn with_events() -> House {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    house.put("ann@one.test", &format!("{calendar}a.ics"), &event("a", 10, SECRET)).await;
    house.put("ann@one.test", &format!("{calendar}p.ics"), &event("private", 12, "CLASS:PRIVATE\r\nLOCATION:cellar\r\n")).await;
    house
}

#[tokio::test(start_paused = true)]
async fn whoever_has_a_link_reads_what_it_shows() {
    let house = with_events().await;
    let folder = house.folder(Role::Calendar).await;
    for (shows, shown, not) in [
        (Shows::Times, &["SUMMARY:Busy", "20260310T100000Z"][..], &["Event", "roof", "hidden", "cellar"][..]),
        (Shows::Titles, &["SUMMARY:Event a", "LOCATION:roof", "SUMMARY:Busy"], &["hidden", "cellar", "Event private"]),
        (Shows::Everything, &["SUMMARY:Event a", "DESCRIPTION:hidden", "SUMMARY:Busy"], &["cellar", "Event private"]),
    ] {
        let heard = house.read(&house.publish(folder, shows).await, "").await;
        assert_eq!((heard.status, heard.header("content-type")), (StatusCode::OK, "text/calendar; charset=utf-8"));
        assert_eq!(heard.text.contains("X-WR-CALNAME:Calendar"), shows != Shows::Times, "{}", heard.text);
        assert!(shown.iter().all(|text| heard.text.contains(text)), "{shows:?}: {}", heard.text);
        assert!(!not.iter().any(|text| heard.text.contains(text)), "{shows:?}: {}", heard.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_link_says_what_its_zones_are_and_is_quick_about_large_events() {
    let house = house().await;
    let zoned = event("z", 10, "")
        .replace("DTSTART:20260310T100000Z", "DTSTART;TZID=Europe/Berlin:20260310T100000")
        .replace("DTEND:20260310T103000Z", "DURATION:PT1H");
    house.put("ann@one.test", &format!("{}z.ics", house.calendar(house.ann)), &zoned).await;
    let part = |n: u32| {
        format!(
            "BEGIN:VEVENT\r\nUID:l\r\nDTSTAMP:20260101T000000Z\r\nRECURRENCE-ID:20260301T{:02}{:02}{:02}Z\r\nDTSTART:20260301T100000Z\r\nEND:VEVENT\r\n",
            n / 3600,
            n / 60 % 60,
            n % 60
        )
    };
    let large = event("l", 9, "RRULE:FREQ=DAILY\r\n")
        .replace("END:VCALENDAR", &format!("{}END:VCALENDAR", (0..6000).map(part).collect::<String>()));
    assert_eq!(house.put("ann@one.test", &format!("{}l.ics", house.calendar(house.ann)), &large).await.status, StatusCode::CREATED);
    let heard = house.read(&house.publish(house.folder(Role::Calendar).await, Shows::Times).await, "").await;
    assert!(heard.text.contains("BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin"));
    assert_eq!(heard.text.matches("SUMMARY:Busy").count(), 6002);
}

#[tokio::test(start_paused = true)]
async fn who_has_it_already_is_told_so_until_something_changes() {
    let house = with_events().await;
    let path = house.publish(house.folder(Role::Calendar).await, Shows::Titles).await;
    let tag = house.read(&path, "").await.header("etag").to_owned();
    let (same, cost) = house.spent(house.read(&path, &format!("\"x\", W/{tag}"))).await;
    assert_eq!((same.status, same.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert!(cost.read <= 4 && cost.write == 0, "{cost:?}");
    house.put("ann@one.test", &format!("{}b.ics", house.calendar(house.ann)), &event("b", 14, "")).await;
    let more = house.read(&path, &tag).await;
    assert!(more.status == StatusCode::OK && more.text.contains("Event b"), "{}", more.text);
}

#[tokio::test(start_paused = true)]
async fn a_link_shows_no_more_than_the_tenant_lets_it_and_nothing_once_it_is_gone() {
    let house = with_events().await;
    let (operator, account, folder) = (house.directory.operator(), house.account(house.ann).await, house.folder(Role::Calendar).await);
    let path = house.publish(folder, Shows::Everything).await;
    let nothing = house.read("/published/pfl_x.ics", "").await;
    assert_eq!(nothing.status, StatusCode::NOT_FOUND);
    operator.set_publishing(account.tenant, Some(Shows::Times)).await.unwrap();
    let heard = house.read(&path, "").await.text;
    assert!(heard.contains("SUMMARY:Busy") && !heard.contains("Event"), "{heard}");
    let more = NewLink { folder, name: "more".to_owned(), shows: Shows::Titles };
    assert_eq!(operator.make_link(account, &more).await.unwrap_err().kind(), penfold_types::Kind::Denied);
    operator.set_publishing(account.tenant, None).await.unwrap();
    let mut gone = vec![house.read(&path, "").await];
    operator.set_publishing(account.tenant, Some(Shows::Everything)).await.unwrap();
    assert_eq!(house.read(&path, "").await.status, StatusCode::OK);
    // With another secret, and for a folder of a kind that is not published.
    let wrong = path.replace(&path[path.len() - 8..], "0000.ics");
    gone.push(house.read(&wrong, "").await);
    gone.push(house.read(&house.publish(house.folder(Role::Contacts).await, Shows::Everything).await, "").await);
    let id = house.directory.links(account).await.unwrap()[0].id;
    operator.remove_link(account.tenant, account.principal, id).await.unwrap();
    assert_eq!(operator.remove_link(account.tenant, account.principal, id).await.unwrap_err().kind(), penfold_types::Kind::NotFound);
    gone.push(house.read(&path, "").await);
    for heard in &gone {
        assert_eq!((heard.status, &heard.text, &heard.headers), (nothing.status, &nothing.text, &nothing.headers));
    }
}

#[tokio::test(start_paused = true)]
async fn one_link_is_asked_so_often_and_others_are_not_slowed_by_it() {
    let house = with_events().await;
    let folder = house.folder(Role::Calendar).await;
    let (asked, other) = (house.publish(folder, Shows::Times).await, house.publish(folder, Shows::Titles).await);
    let mut answers = Vec::new();
    // Time goes on between them.
    for _ in 0..2 * crate::published::PER_MINUTE {
        answers.push(house.read(&asked, "").await);
    }
    let refused = answers.iter().position(|heard| heard.status != StatusCode::OK).unwrap();
    assert!(refused >= crate::published::PER_MINUTE as usize, "{refused}");
    assert_eq!((answers[refused].status, answers[refused].header("retry-after")), (StatusCode::TOO_MANY_REQUESTS, "1"));
    assert_eq!(house.read(&other, "").await.status, StatusCode::OK);
    assert_eq!(house.get("ann@one.test", &format!("{}a.ics", house.calendar(house.ann))).await.status, StatusCode::OK);
    house.world.env.sleep(std::time::Duration::from_secs(2)).await;
    assert_eq!(house.read(&asked, "").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_link_is_read_over_https_alone() {
    let house = with_events().await;
    for path in [house.publish(house.folder(Role::Calendar).await, Shows::Times).await, "/published/pfl_x.ics".to_owned()] {
        let heard = house.read_in_the_clear(&path).await;
        assert_eq!(heard.status, StatusCode::FORBIDDEN);
        assert!(heard.text.contains("HTTPS") && !heard.text.contains("password") && !heard.text.contains("VEVENT"), "{}", heard.text);
    }
}

#[tokio::test(start_paused = true)]
async fn two_zones_of_one_name_are_told_apart() {
    let house = house().await;
    for (uid, offset) in [("a", "+0100"), ("b", "+0700")] {
        let zone = format!(
            "BEGIN:VTIMEZONE\r\nTZID:Own\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:{offset}\r\nTZOFFSETTO:{offset}\r\n\
             END:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"
        );
        let zoned =
            event(uid, 10, "").replace("BEGIN:VEVENT", &zone).replace("DTSTART:20260310T100000Z", "DTSTART;TZID=Own:20260310T100000");
        let put = house
            .put("ann@one.test", &format!("{}{uid}.ics", house.calendar(house.ann)), &zoned.replace("20260310T103000Z", "20260311T000000Z"))
            .await;
        assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
    }
    let link = house.publish(house.folder(Role::Calendar).await, Shows::Times).await;
    for text in [house.read(&link, "").await.text, house.get("ann@one.test", &house.calendar(house.ann)).await.text] {
        assert_eq!((text.matches("BEGIN:VTIMEZONE").count(), text.matches("TZID:Own\r\n").count()), (2, 1), "{text}");
        assert_eq!((text.matches("TZID=Own:").count(), text.matches("TZID=Own-").count()), (1, 1), "{text}");
    }
}
