use super::*;

#[tokio::test(start_paused = true)]
async fn what_was_written_comes_back_as_it_was_and_conditions_hold() {
    let house = house().await;
    let path = format!("{}a.ics", house.calendar(house.ann));
    // Odd, and kept: a line that is folded, an unknown property, a trailing blank.
    let text = event("1", 10, "X-ODD;X=\"a:b\":value \r\nDESCRIPTION:long\r\n  er\r\n");
    let heard = house.ask("ann@one.test", "PUT", &path, &[("if-none-match", "*")], text.clone()).await;
    assert_eq!(heard.status, StatusCode::CREATED, "{}", heard.text);
    let tag = heard.header("etag").to_owned();
    let heard = house.get("ann@one.test", &path).await;
    assert_eq!((heard.text, heard.headers["etag"].to_str().unwrap()), (text.clone(), tag.as_str()));
    assert_eq!(
        house.ask("ann@one.test", "PUT", &path, &[("if-none-match", "*")], text.clone()).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    assert_eq!(
        house.ask("ann@one.test", "PUT", &path, &[("if-match", "\"other\"")], text.clone()).await.status,
        StatusCode::PRECONDITION_FAILED
    );
    let heard = house.ask("ann@one.test", "PUT", &path, &[("if-match", &tag)], event("1", 11, "")).await;
    assert_eq!(heard.status, StatusCode::NO_CONTENT);
    assert_ne!(heard.header("etag"), tag);
    assert_eq!(
        house.ask("ann@one.test", "GET", &path, &[("if-none-match", heard.header("etag"))], "").await.status,
        StatusCode::NOT_MODIFIED
    );
    assert_eq!(house.ask("ann@one.test", "DELETE", &path, &[("if-match", &tag)], "").await.status, StatusCode::PRECONDITION_FAILED);
    assert_eq!(house.ask("ann@one.test", "DELETE", &path, &[], "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.get("ann@one.test", &path).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_an_object_is_refused_by_the_name_of_the_rule() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let tasks = format!("/dav/calendars/{}/tasks/", house.ann);
    let contacts = format!("/dav/addressbooks/{}/contacts/", house.ann);
    let many: String = (0..5000).map(|n| format!("ATTENDEE:mailto:p{n}@a.test\r\n")).collect();
    let second =
        event("other", 9, "").replace("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\n", "").replace("END:VCALENDAR\r\n", "");
    let two = event("1", 10, "").replace("END:VCALENDAR\r\n", &format!("{second}END:VCALENDAR\r\n"));
    let method = event("1", 10, "").replace("PRODID", "METHOD:REQUEST\r\nPRODID");
    for (path, body, wanted) in [
        (&calendar, "nothing of the kind".to_owned(), "valid-calendar-data"),
        (&calendar, task("1"), "supported-calendar-component"),
        (&tasks, event("1", 10, ""), "supported-calendar-component"),
        (&calendar, two, "valid-calendar-object-resource"),
        (&calendar, method, "valid-calendar-object-resource"),
        (&calendar, event("1", 10, &many), "max-attendees-per-instance"),
        (&calendar, event("1", 10, &format!("DESCRIPTION:{}\r\n", "x".repeat(2 << 20))), "max-resource-size"),
        (&contacts, event("1", 10, ""), "valid-address-data"),
        (&contacts, "BEGIN:VCARD\r\nVERSION:2.1\r\nFN:x\r\nEND:VCARD\r\n".to_owned(), "supported-address-data"),
    ] {
        let heard = house.ask("ann@one.test", "PUT", &format!("{path}x"), &[], body).await;
        assert_eq!(heard.status, StatusCode::FORBIDDEN, "{wanted} {}", heard.text);
        assert!(heard.text.contains(&format!(":{wanted}")), "{wanted} in {}", heard.text);
        assert_eq!(house.get("ann@one.test", &format!("{path}x")).await.status, StatusCode::NOT_FOUND);
    }
    let heard = house.ask("ann@one.test", "PUT", &format!("{calendar}x"), &[("content-type", "image/png")], event("1", 10, "")).await;
    assert!(heard.text.contains("supported-calendar-data"), "{}", heard.text);
}

#[tokio::test(start_paused = true)]
async fn a_uid_is_taken_once_in_a_calendar() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    assert_eq!(house.put("ann@one.test", &format!("{calendar}a.ics"), &event("1", 10, "")).await.status, StatusCode::CREATED);
    let heard = house.put("ann@one.test", &format!("{calendar}b.ics"), &event("1", 11, "")).await;
    assert_eq!(heard.status, StatusCode::CONFLICT);
    assert!(heard.text.contains(&format!("<c:no-uid-conflict><d:href>{calendar}a.ics</d:href>")), "{}", heard.text);
    let heard = house.put("ann@one.test", &format!("{calendar}a.ics"), &event("2", 11, "")).await;
    assert!(heard.text.contains("no-uid-conflict"), "{}", heard.text);
}

#[tokio::test(start_paused = true)]
async fn objects_are_moved_between_calendars_and_copied_among_files() {
    let house = house().await;
    let (calendar, work) = (house.calendar(house.ann), format!("/dav/calendars/{}/work/", house.ann));
    assert_eq!(house.ask("ann@one.test", "MKCALENDAR", &work, &[], "").await.status, StatusCode::CREATED);
    house.put("ann@one.test", &format!("{calendar}a.ics"), &event("1", 10, "")).await;
    let to = format!("http://host.test{work}a.ics");
    let heard = house.ask("ann@one.test", "MOVE", &format!("{calendar}a.ics"), &[("destination", &to), ("host", "host.test")], "").await;
    assert_eq!(heard.status, StatusCode::CREATED, "{}", heard.text);
    assert_eq!(house.get("ann@one.test", &format!("{work}a.ics")).await.text, event("1", 10, ""));
    let elsewhere = "http://other.test/a";
    let heard = house.ask("ann@one.test", "COPY", &format!("{work}a.ics"), &[("destination", elsewhere), ("host", "host.test")], "").await;
    assert_eq!(heard.status, StatusCode::BAD_GATEWAY);
    let tasks = format!("/dav/calendars/{}/tasks/a.ics", house.ann);
    let heard = house.ask("ann@one.test", "COPY", &format!("{work}a.ics"), &[("destination", &tasks)], "").await;
    assert_eq!(heard.status, StatusCode::FORBIDDEN);
}
