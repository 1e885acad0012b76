use super::*;
use penfold_calendar::{check_attachments, sweep_attachments};
use penfold_ports::{Preset, Query, Rights, Sk};
use std::time::Duration;

/// A little more than one.
const DAY: Duration = Duration::from_secs(25 * 3600);

impl House {
    async fn bring(&self, who: &str, path: &str, query: &str, content: &str) -> Heard {
        let headers = [
            ("content-type", "text/html; charset=utf-8"),
            ("content-disposition", "attachment; filename=\"agenda.html\""),
            ("host", "h.test"),
        ];
        self.ask(who, "POST", &format!("{path}?{query}"), &headers, content.to_owned()).await
    }

    async fn sweep(&self) -> usize {
        let scope = self.directory.job_scope(self.account(self.ann).await);
        sweep_attachments(&self.mailboxes.open(&scope).await.unwrap()).await.unwrap()
    }
}

/// The path in ATTACH with this id.
fn path_of(event: &str, id: &str) -> String {
    let text = event.replace("\r\n ", "");
    let line = text
        .lines()
        .find(|line| line.starts_with("ATTACH;") && line.contains(&format!("MANAGED-ID={id}")))
        .unwrap_or_else(|| panic!("{text}"));
    format!("/dav/attachments/{}", line.split("/dav/attachments/").nth(1).unwrap())
}

#[tokio::test(start_paused = true)]
async fn an_attachment_is_brought_replaced_and_removed() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let path = format!("{calendar}a.ics");
    let more = "RRULE:FREQ=DAILY\r\n";
    house.put("ann@one.test", &path, &event("a", 10, more)).await;
    let told = house.propfind("ann@one.test", &calendar, "0", "<c:max-attachment-size/><c:max-attachments-per-resource/>").await;
    assert_eq!((told.within("max-attachment-size"), told.within("max-attachments-per-resource")), ("26214400", "50"));
    let added = house.bring("ann@one.test", &path, "action=attachment-add", "<p>One").await;
    assert_eq!(added.status, StatusCode::CREATED, "{}", added.text);
    let (first, tag) = (added.header("cal-managed-id").to_owned(), added.header("etag").to_owned());
    let now = house.get("ann@one.test", &path).await;
    assert_eq!(now.header("etag"), tag);
    let text = now.text.replace("\r\n ", "");
    assert!(text.contains(&format!("ATTACH;MANAGED-ID={first};FMTTYPE=text/html;SIZE=6;FILENAME=agenda.html:http")), "{text}");
    let file = house.get("ann@one.test", &path_of(&now.text, &first)).await;
    assert_eq!((file.status, file.text.as_str(), file.header("content-type")), (StatusCode::OK, "<p>One", "text/html; charset=utf-8"));
    // Everything else stays as it was written.
    assert!(now.text.starts_with(event("a", 10, more).split("END:VEVENT").next().unwrap()), "{}", now.text);
    let update = format!("action=attachment-update&managed-id={first}");
    let updated = house.bring("ann@one.test", &path, &update, "<p>Two").await;
    assert_eq!(updated.status, StatusCode::NO_CONTENT, "{}", updated.text);
    let second = updated.header("cal-managed-id").to_owned();
    let now = house.get("ann@one.test", &path).await.text;
    assert!(!now.contains(&first) && second != first, "{now}");
    assert_eq!(house.get("ann@one.test", &path_of(&now, &second)).await.text, "<p>Two");
    let remove = format!("action=attachment-remove&managed-id={second}");
    let removed = house.bring("ann@one.test", &path, &remove, "").await;
    assert_eq!(removed.status, StatusCode::NO_CONTENT, "{}", removed.text);
    assert_eq!(house.get("ann@one.test", &path).await.text, event("a", 10, more));
    assert_eq!(house.get("ann@one.test", &path_of(&now, &second)).await.status, StatusCode::NOT_FOUND);
    for (query, precondition) in [
        ("action=attachment-add&rid=M", "valid-rid-parameter"),
        ("action=attachment-add&managed-id=x", "valid-managed-id-parameter"),
        ("action=attachment-remove", "valid-managed-id-parameter"),
        (update.as_str(), "valid-managed-id-parameter"),
        ("action=attachment-eat", "valid-action-parameter"),
        ("", "valid-action-parameter"),
    ] {
        let heard = house.bring("ann@one.test", &path, query, "x").await;
        assert_eq!((heard.status, heard.text.contains(precondition)), (StatusCode::FORBIDDEN, true), "{query}: {}", heard.text);
    }
    assert_eq!(house.sweep().await, 0, "they may be on their way");
    tokio::time::advance(DAY).await;
    assert_eq!(house.sweep().await, 0, "they may be put back");
    tokio::time::advance(DAY).await;
    assert_eq!(house.sweep().await, 2);
}

#[tokio::test(start_paused = true)]
async fn what_would_have_to_be_decoded_is_no_attachment() {
    let house = house().await;
    let path = format!("{}a.ics", house.calendar(house.ann));
    house.put("ann@one.test", &path, &event("a", 10, "")).await;
    for (encoding, status) in
        [("gzip", StatusCode::UNSUPPORTED_MEDIA_TYPE), ("br, gzip", StatusCode::UNSUPPORTED_MEDIA_TYPE), ("Identity", StatusCode::CREATED)]
    {
        let headers = [("content-type", "text/plain"), ("content-encoding", encoding), ("host", "h.test")];
        let heard = house.ask("ann@one.test", "POST", &format!("{path}?action=attachment-add"), &headers, "x").await;
        assert_eq!(heard.status, status, "{encoding}: {}", heard.text);
    }
    assert_eq!(house.get("ann@one.test", &path).await.text.matches("ATTACH;").count(), 1);
}

#[tokio::test(start_paused = true)]
async fn who_is_shown_the_event_reads_what_is_attached_and_nobody_else() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    for (name, more) in [("a", ""), ("p", "CLASS:PRIVATE\r\n")] {
        house.put("ann@one.test", &format!("{calendar}{name}.ics"), &event(name, 10, more)).await;
    }
    let mut paths = Vec::new();
    for name in ["a", "p"] {
        let path = format!("{calendar}{name}.ics");
        let id = house.bring("ann@one.test", &path, "action=attachment-add", "secret").await.header("cal-managed-id").to_owned();
        paths.push(path_of(&house.get("ann@one.test", &path).await.text, &id));
    }
    let never = paths[0].replace(&house.ann.to_string(), &PrincipalId::from_bytes([9; 16]).to_string());
    for (rights, reads) in [
        (Rights::NONE, [false, false]),
        (Preset::AvailabilityOnly.rights(), [false, false]),
        (Preset::LimitedDetails.rights(), [false, false]),
        (Preset::Reviewer.rights(), [true, false]),
        (Preset::Editor.rights(), [true, false]),
    ] {
        let shared = house.open(rights).await;
        for (path, reads) in paths.iter().zip(reads) {
            let heard = house.get("bob@one.test", path).await;
            let nothing = house.get("bob@one.test", &never).await;
            assert_eq!(heard.status == StatusCode::OK, reads, "{rights} {path}");
            assert!(reads || (heard.status, &heard.text) == (nothing.status, &nothing.text), "{rights} {path}");
        }
        let brought = house.bring("bob@one.test", &format!("{shared}a.ics"), "action=attachment-add", "his").await;
        assert_eq!(brought.status == StatusCode::CREATED, rights.has(Rights::WRITE), "{rights}: {}", brought.text);
        let hidden = house.bring("bob@one.test", &format!("{shared}p.ics"), "action=attachment-add", "his").await;
        assert!(hidden.status.is_client_error(), "{}", hidden.text);
    }
    for path in &paths {
        assert_eq!(house.get("zoe@two.test", path).await.status, StatusCode::NOT_FOUND);
        for method in ["PUT", "DELETE", "PROPFIND", "MOVE", "POST"] {
            let heard = house.ask("ann@one.test", method, path, &[], "").await;
            assert!(heard.status.is_client_error(), "{method}: {}", heard.status);
        }
        assert_eq!(house.get("ann@one.test", path).await.text, "secret");
    }
}

#[tokio::test(start_paused = true)]
async fn clients_carry_attachments_on_and_make_none_up() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let path = format!("{calendar}a.ics");
    house.put("ann@one.test", &path, &event("a", 10, "")).await;
    let id = house.bring("ann@one.test", &path, "action=attachment-add", "kept").await.header("cal-managed-id").to_owned();
    let text = house.get("ann@one.test", &path).await.text;
    let file = path_of(&text, &id);
    // Another version of the same, and another event with the same attachment.
    assert_eq!(house.put("ann@one.test", &path, &text.replace("Event a", "Event A")).await.status, StatusCode::NO_CONTENT);
    let other = format!("{calendar}b.ics");
    assert_eq!(house.put("ann@one.test", &other, &text.replace("UID:a", "UID:b")).await.status, StatusCode::CREATED);
    assert_eq!(house.ask("ann@one.test", "DELETE", &path, &[], "").await.status, StatusCode::NO_CONTENT);
    tokio::time::advance(DAY).await;
    assert_eq!(house.sweep().await, 0);
    assert_eq!(house.get("ann@one.test", &file).await.text, "kept");
    let made_up = text.replace("UID:a", "UID:c").replace(&id, "made-up");
    let heard = house.put("ann@one.test", &format!("{calendar}c.ics"), &made_up).await;
    assert!(heard.status == StatusCode::FORBIDDEN && heard.text.contains("valid-managed-id"), "{}", heard.text);
    // Of what one may not read nothing can be made readable.
    let shared = house.open(Preset::Contributor.rights()).await;
    let heard = house.put("bob@one.test", &format!("{shared}d.ics"), &text.replace("UID:a", "UID:d")).await;
    assert!(heard.status == StatusCode::FORBIDDEN && heard.text.contains("valid-managed-id"), "{}", heard.text);
    // Those of other services are theirs.
    let theirs = made_up.replace("\r\n ", "").replace("/dav/attachments/", "/elsewhere/");
    assert_eq!(house.put("ann@one.test", &format!("{calendar}c.ics"), &theirs).await.status, StatusCode::CREATED);
    assert_eq!(house.ask("ann@one.test", "DELETE", &other, &[], "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.sweep().await, 0);
    tokio::time::advance(DAY).await;
    assert_eq!(house.sweep().await, 1);
}

#[tokio::test(start_paused = true)]
async fn what_was_deleted_is_put_back_with_its_attachment_for_a_day_after_it_was_missed() {
    let house = house().await;
    let path = format!("{}a.ics", house.calendar(house.ann));
    house.put("ann@one.test", &path, &event("a", 10, "")).await;
    let id = house.bring("ann@one.test", &path, "action=attachment-add", "kept").await.header("cal-managed-id").to_owned();
    let text = house.get("ann@one.test", &path).await.text;
    let file = path_of(&text, &id);
    for _ in 0..3 {
        // Long after it came; each time grace begins anew.
        tokio::time::advance(10 * DAY).await;
        assert_eq!(house.ask("ann@one.test", "DELETE", &path, &[], "").await.status, StatusCode::NO_CONTENT);
        assert_eq!(house.sweep().await, 0);
        tokio::time::advance(DAY - Duration::from_secs(3 * 3600)).await;
        assert_eq!(house.sweep().await, 0);
        let heard = house.put("ann@one.test", &path, &text).await;
        assert_eq!(heard.status, StatusCode::CREATED, "{}", heard.text);
        assert_eq!(house.get("ann@one.test", &file).await.text, "kept");
    }
    assert_eq!(house.ask("ann@one.test", "DELETE", &path, &[], "").await.status, StatusCode::NO_CONTENT);
    // Whoever is not its owner cannot tell what it was.
    let shared = house.open(Preset::Editor.rights()).await;
    let heard = house.put("bob@one.test", &format!("{shared}a.ics"), &text).await;
    assert!(heard.status == StatusCode::FORBIDDEN && heard.text.contains("valid-managed-id"), "{}", heard.text);
    assert_eq!(house.sweep().await, 0);
    tokio::time::advance(DAY).await;
    assert_eq!(house.sweep().await, 1);
    let heard = house.put("ann@one.test", &path, &text).await;
    assert!(heard.status == StatusCode::FORBIDDEN && heard.text.contains("valid-managed-id"), "{}", heard.text);
}

#[tokio::test(start_paused = true)]
async fn one_attachment_belongs_to_so_many_events_and_all_of_it_goes_with_it() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let path = format!("{calendar}0.ics");
    house.put("ann@one.test", &path, &event("0", 10, "")).await;
    house.bring("ann@one.test", &path, "action=attachment-add", "kept").await;
    let text = house.get("ann@one.test", &path).await.text;
    let most = penfold_mailbox::USES_OF_ATTACHMENT;
    for number in 1..=most {
        let other = text.replace("UID:0\r\n", &format!("UID:{number}\r\n"));
        let heard = house.put("ann@one.test", &format!("{calendar}{number}.ics"), &other).await;
        assert_eq!(heard.status == StatusCode::CREATED, number < most, "{number}: {}", heard.text);
        assert!(number < most || heard.text.contains("max-attachments-per-resource"), "{}", heard.text);
    }
    // Another version of one of them takes nothing more.
    let changed = text.replace("Event 0", "Event zero");
    assert_eq!(house.put("ann@one.test", &path, &changed).await.status, StatusCode::NO_CONTENT);
    for number in 0..most {
        house.ask("ann@one.test", "DELETE", &format!("{calendar}{number}.ics"), &[], "").await;
    }
    tokio::time::advance(DAY).await;
    assert_eq!(house.sweep().await, 0);
    tokio::time::advance(DAY).await;
    assert_eq!(house.sweep().await, 1);
    let prefix = Sk::text("y#");
    let pk = house.directory.job_scope(house.account(house.ann).await).pk().clone();
    let left = house.world.table.query_all(Query::prefix(pk, &prefix)).await.unwrap();
    assert_eq!(left.len(), 0, "{left:?}");
}

#[tokio::test(start_paused = true)]
async fn a_right_that_was_taken_back_comes_back_by_no_spelling() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let path = format!("{calendar}a.ics");
    house.put("ann@one.test", &path, &event("a", 10, "")).await;
    let id = house.bring("ann@one.test", &path, "action=attachment-add", "secret").await.header("cal-managed-id").to_owned();
    let file = path_of(&house.get("ann@one.test", &path).await.text, &id);
    // Bob, who knows the id, may put things into the calendar and read nothing in it.
    let shared = house.open(Preset::Contributor.rights()).await;
    let elsewhere = format!("ATTACH;MANAGED-ID={id}:https://x.test/\r\n");
    let ours = format!("ATTACH;MANAGED-ID={id}:http://h.test{file}\r\n");
    for more in
        [elsewhere.clone(), elsewhere.replace("MANAGED-ID", "MANAGED-\r\n ID"), format!("{ours}{elsewhere}"), format!("{elsewhere}{ours}")]
    {
        let heard = house.put("bob@one.test", &format!("{shared}b.ics"), &event("a2", 11, &more)).await;
        assert!(heard.status == StatusCode::FORBIDDEN && heard.text.contains("valid-managed-id"), "{more}: {}", heard.text);
    }
    assert_eq!(house.get("bob@one.test", &file).await.status, StatusCode::NOT_FOUND);
    let many: String = (0..60).map(|n| format!("ATTACH;MANAGED-ID=x{n}:https://x.test/\r\n")).collect();
    let heard = house.put("ann@one.test", &format!("{calendar}m.ics"), &event("m", 11, &many)).await;
    assert!(heard.status == StatusCode::FORBIDDEN && heard.text.contains("max-attachments-per-resource"), "{}", heard.text);
}

#[tokio::test(start_paused = true)]
async fn an_event_goes_to_nobody_else_without_what_is_attached() {
    let house = house().await;
    let path = format!("{}a.ics", house.calendar(house.ann));
    house.put("ann@one.test", &path, &event("a", 10, "")).await;
    house.bring("ann@one.test", &path, "action=attachment-add", "kept").await;
    let shared = house.open(Preset::Editor.rights()).await;
    let own = format!("{}a.ics", house.calendar(house.bob));
    let heard = house.ask("bob@one.test", "MOVE", &format!("{shared}a.ics"), &[("destination", &own)], "").await;
    assert!(heard.status == StatusCode::FORBIDDEN && heard.text.contains("valid-managed-id"), "{}", heard.text);
    assert_eq!(
        house.ask("bob@one.test", "COPY", &format!("{shared}a.ics"), &[("destination", &own)], "").await.status,
        StatusCode::CREATED
    );
    assert_eq!(house.get("ann@one.test", &path).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn a_check_finds_what_is_named_and_gone_and_what_does_not_know_who_names_it() {
    let house = house().await;
    let mailbox = house.mailboxes.open(&house.directory.job_scope(house.account(house.ann).await)).await.unwrap();
    let mut ids = Vec::new();
    for name in ["a", "b", "c"] {
        let path = format!("{}{name}.ics", house.calendar(house.ann));
        house.put("ann@one.test", &path, &event(name, 10, "ATTACH;MANAGED-ID=theirs:https://x.test/dav/attachments/theirs\r\n")).await;
        ids.push(house.bring("ann@one.test", &path, "action=attachment-add", name).await.header("cal-managed-id").to_owned());
    }
    let found = check_attachments(&mailbox, false).await.unwrap();
    assert!(found.problems.is_empty() && found.unfinished.is_empty(), "{found:?}");
    // What none names is no fault, not even where it is overdue.
    house.ask("ann@one.test", "DELETE", &format!("{}c.ics", house.calendar(house.ann)), &[], "").await;
    tokio::time::advance(DAY).await;
    house.sweep().await;
    assert!(check_attachments(&mailbox, false).await.unwrap().unfinished.is_empty());
    tokio::time::advance(DAY).await;
    let found = check_attachments(&mailbox, false).await.unwrap();
    assert!(found.problems.is_empty() && found.unfinished.len() == 1 && found.unfinished[0].contains(&ids[2]), "{found:?}");
    // One is lost, and of another who has it.
    let (folder, _) = penfold_calendar::attached(&mailbox, &ids[0]).await.unwrap().unwrap();
    mailbox.remove_object(folder, &ids[0], &|_| true).await.unwrap();
    let uses: Vec<_> = mailbox.properties(folder, &ids[1]).await.unwrap().into_keys().collect();
    mailbox.set_properties(folder, &ids[1], (&[], &uses), None).await.unwrap();
    let found = check_attachments(&mailbox, true).await.unwrap();
    assert_eq!((found.problems.len(), found.repaired), (2, 1), "{found:?}");
    assert!(ids[..2].iter().all(|id| found.problems.iter().any(|problem| problem.contains(id))), "{found:?}");
    let found = check_attachments(&mailbox, false).await.unwrap();
    assert!(found.problems.len() == 1 && found.problems[0].contains(&ids[0]) && found.problems[0].contains("a.ics"), "{found:?}");
}
