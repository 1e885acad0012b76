use super::*;
use penfold_mailbox::RightsChange;
use penfold_ports::{Grantee, Preset};
use std::collections::BTreeSet;

fn sync(token: &str, limit: Option<usize>) -> String {
    let limit = limit.map(|limit| format!("<d:limit><d:nresults>{limit}</d:nresults></d:limit>")).unwrap_or_default();
    format!("<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>{limit}<d:prop><d:getetag/></d:prop>")
}

#[tokio::test(start_paused = true)]
async fn a_client_that_follows_the_log_sees_everything_once() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    for n in 0..5 {
        house.put("ann@one.test", &format!("{calendar}{n}.ics"), &event(&n.to_string(), 10 + n, "")).await;
    }
    let first = house.report("ann@one.test", &calendar, "d:sync-collection", &sync("", None)).await;
    assert_eq!(first.hrefs().len(), 5, "{}", first.text);
    let token = first.within("sync-token").to_owned();
    let nothing = house.report("ann@one.test", &calendar, "d:sync-collection", &sync(&token, None)).await;
    assert!(nothing.hrefs().is_empty(), "{}", nothing.text);
    house.ask("ann@one.test", "DELETE", &format!("{calendar}1.ics"), &[], "").await;
    house.put("ann@one.test", &format!("{calendar}2.ics"), &event("2", 18, "")).await;
    let changed = house.report("ann@one.test", &calendar, "d:sync-collection", &sync(&token, None)).await;
    assert_eq!(BTreeSet::from_iter(changed.hrefs()), BTreeSet::from([&*format!("{calendar}1.ics"), &*format!("{calendar}2.ics")]));
    assert_eq!(changed.text.matches("404 Not Found").count(), 1, "{}", changed.text);
    for wrong in ["penfold-sync:99999.0", &token.replace(".0", "99999.0"), "penfold-sync:x", "http://elsewhere/1"] {
        let heard = house.report("ann@one.test", &calendar, "d:sync-collection", &sync(wrong, None)).await;
        assert_eq!(heard.status, StatusCode::FORBIDDEN);
        assert!(heard.text.contains("valid-sync-token"), "{}", heard.text);
    }
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_comes_in_pieces_that_lose_nothing() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    for n in 0..7 {
        house.put("ann@one.test", &format!("{calendar}{n}.ics"), &event(&n.to_string(), 10 + n, "")).await;
    }
    let (mut token, mut seen, mut rounds) = (String::new(), BTreeSet::new(), 0);
    loop {
        let heard = house.report("ann@one.test", &calendar, "d:sync-collection", &sync(&token, Some(3))).await;
        assert_eq!(heard.status, StatusCode::MULTI_STATUS, "{}", heard.text);
        seen.extend(heard.hrefs().into_iter().filter(|href| **href != calendar).map(str::to_owned));
        token = heard.within("sync-token").to_owned();
        rounds += 1;
        if rounds == 1 {
            // What comes while the first listing is read is in the changes after it.
            house.put("ann@one.test", &format!("{calendar}0.ics"), &event("0", 19, "")).await;
            house.ask("ann@one.test", "DELETE", &format!("{calendar}6.ics"), &[], "").await;
        }
        if !heard.text.contains("507 Insufficient Storage") {
            break;
        }
        assert!(heard.text.contains("number-of-matches-within-limits"), "{}", heard.text);
    }
    let rest = house.report("ann@one.test", &calendar, "d:sync-collection", &sync(&token, None)).await;
    assert_eq!(BTreeSet::from_iter(rest.hrefs()), BTreeSet::from([&*format!("{calendar}0.ics"), &*format!("{calendar}6.ics")]));
    assert_eq!(seen.len(), 6);
}

/// An answer that would be too large is none that tells less than its token says.
#[tokio::test(start_paused = true)]
async fn what_does_not_fit_is_left_to_the_next_answer() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let begin = house.report("ann@one.test", &calendar, "d:sync-collection", &sync("", None)).await.within("sync-token").to_owned();
    let large = format!("DESCRIPTION:{}\r\n", "x".repeat(1_000_000));
    for n in 0..75 {
        let put = house.put("ann@one.test", &format!("{calendar}{n}.ics"), &event(&n.to_string(), 10, &large)).await;
        assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
    }
    for first in ["", &begin] {
        let (mut token, mut seen, mut more) = (first.to_owned(), BTreeSet::new(), true);
        while more {
            let asked = sync(&token, None).replace("<d:getetag/>", "<d:getetag/><c:calendar-data/>");
            let heard = house.report("ann@one.test", &calendar, "d:sync-collection", &asked).await;
            assert!(heard.text.len() < 80 << 20);
            seen.extend(heard.hrefs().into_iter().filter(|href| **href != calendar).map(str::to_owned));
            more = heard.text.contains("507 Insufficient Storage");
            token = heard.within("sync-token").to_owned();
        }
        assert_eq!(seen.len(), 75);
    }
}

#[tokio::test(start_paused = true)]
async fn folders_in_a_folder_of_files_are_told_of_like_what_else_is_in_it() {
    let house = house().await;
    let files = format!("/dav/files/{}/", house.ann);
    let make = async |name: &str| house.ask("ann@one.test", "MKCOL", &format!("{files}{name}"), &[], "").await.status;
    let file = async |name: &str| house.ask("ann@one.test", "PUT", &format!("{files}{name}"), &[], "x").await.status;
    assert_eq!((make("b/").await, make("d/").await), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!((file("a").await, file("c").await, file("e").await), (StatusCode::CREATED, StatusCode::CREATED, StatusCode::CREATED));
    for size in 1..7 {
        let (mut token, mut seen) = (String::new(), Vec::new());
        loop {
            let heard = house.report("ann@one.test", &files, "d:sync-collection", &sync(&token, Some(size))).await;
            let told: Vec<String> = heard.hrefs().into_iter().filter(|href| **href != files).map(str::to_owned).collect();
            assert!(told.len() <= size, "{}", heard.text);
            seen.extend(told);
            token = heard.within("sync-token").to_owned();
            if !heard.text.contains("507 Insufficient Storage") {
                break;
            }
        }
        seen.sort();
        assert_eq!(seen, ["a", "b/", "c", "d/", "e"].map(|name| format!("{files}{name}")), "{size}");
    }
    let token = house.report("ann@one.test", &files, "d:sync-collection", &sync("", None)).await.within("sync-token").to_owned();
    house.ask("ann@one.test", "MOVE", &format!("{files}b/"), &[("destination", &format!("{files}f/"))], "").await;
    house.ask("ann@one.test", "DELETE", &format!("{files}d/"), &[], "").await;
    let heard = house.report("ann@one.test", &files, "d:sync-collection", &sync(&token, None)).await;
    assert_eq!(
        BTreeSet::from_iter(heard.hrefs()),
        BTreeSet::from(["b/", "d/", "f/"].map(|name| format!("{files}{name}")).each_ref().map(String::as_str))
    );
    assert_eq!(heard.text.matches("<d:status>HTTP/1.1 404 Not Found</d:status></d:response>").count(), 2, "{}", heard.text);
}

/// RFC 6578 §5, and RFC 4918 §10.4: lists that are about this resource or another one.
#[tokio::test(start_paused = true)]
async fn what_rests_on_a_token_is_done_while_nothing_has_changed() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let now = async || house.report("ann@one.test", &calendar, "d:sync-collection", &sync("", None)).await.within("sync-token").to_owned();
    let with = async |method: &str, name: &str, condition: &str| {
        let headers = [("if", condition), ("content-type", "text/calendar")];
        house
            .ask(
                "ann@one.test",
                method,
                &format!("{calendar}{name}"),
                &headers,
                if method == "PUT" { event(name, 10, "") } else { String::new() },
            )
            .await
    };
    let first = now().await;
    let put = with("PUT", "a.ics", &format!("<{calendar}> (<{first}>)")).await;
    assert_eq!(put.status, StatusCode::CREATED, "{}", put.text);
    let tag = put.header("etag").to_owned();
    let second = now().await;
    assert_ne!(first, second);
    for (method, name, condition, status) in [
        ("PUT", "b.ics", format!("<{calendar}> (<{first}>)"), StatusCode::PRECONDITION_FAILED),
        ("DELETE", "a.ics", format!("<{calendar}> (<{first}>)"), StatusCode::PRECONDITION_FAILED),
        ("DELETE", "", format!("(<{first}>)"), StatusCode::PRECONDITION_FAILED),
        ("PROPPATCH", "", format!("(<{first}>)"), StatusCode::PRECONDITION_FAILED),
        // A token is a collection's, and of this one alone.
        ("PUT", "a.ics", format!("(<{second}>)"), StatusCode::PRECONDITION_FAILED),
        ("PUT", "b.ics", format!("</dav/files/{}/> (<{second}>)", house.ann), StatusCode::PRECONDITION_FAILED),
        ("PUT", "b.ics", format!("<{calendar}> (<{second}> [{tag}])"), StatusCode::PRECONDITION_FAILED),
        ("PUT", "b.ics", format!("<{calendar}a.ics> ([\"other\"])"), StatusCode::PRECONDITION_FAILED),
        ("PUT", "b.ics", "(<x>".to_owned(), StatusCode::BAD_REQUEST),
        ("PUT", "b.ics", (0..20).map(|n| format!("</dav/{n}/> (<x>)")).collect(), StatusCode::BAD_REQUEST),
        ("PUT", "b.ics", format!("<{calendar}a.ics> ([{tag}])"), StatusCode::CREATED),
        ("PUT", "c.ics", format!("<{calendar}> (<{second}>) (Not <DAV:no-lock>)"), StatusCode::CREATED),
    ] {
        let body = if method == "PROPPATCH" {
            "<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop><x/></d:prop></d:set></d:propertyupdate>"
        } else {
            ""
        };
        let heard = if method == "PROPPATCH" {
            house.ask("ann@one.test", method, &calendar, &[("if", &condition)], body).await
        } else {
            with(method, name, &condition).await
        };
        assert_eq!(heard.status, status, "{method} {name} {condition}: {}", heard.text);
    }
    assert_eq!(with("DELETE", "a.ics", &format!("<{calendar}> (<{}>)", now().await)).await.status, StatusCode::NO_CONTENT);
}

/// What is in the way goes first: that is what the token holds, and the rest follows it.
#[tokio::test(start_paused = true)]
async fn what_is_replaced_on_the_ground_of_a_token_is_replaced_whole_or_not_at_all() {
    let house = house().await;
    let files = format!("/dav/files/{}/", house.ann);
    let ask = async |method: &str, name: &str, headers: &[(&str, &str)]| {
        house.ask("ann@one.test", method, &format!("{files}{name}"), headers, if method == "PUT" { "x" } else { "" }).await.status
    };
    let now = async || house.report("ann@one.test", &files, "d:sync-collection", &sync("", None)).await.within("sync-token").to_owned();
    for method in ["COPY", "MOVE"] {
        for (from, to) in [("file", "dir/"), ("from/", "dir/"), ("from/", "old")] {
            for name in ["file", "old", "from/", "dir/"] {
                ask("DELETE", name, &[]).await;
            }
            for (method, name) in
                [("PUT", "file"), ("PUT", "old"), ("MKCOL", "from/"), ("PUT", "from/in"), ("MKCOL", "dir/"), ("PUT", "dir/in")]
            {
                assert_eq!(ask(method, name, &[]).await, StatusCode::CREATED, "{name}");
            }
            let (before, destination) = (now().await, format!("{files}{to}"));
            ask("PUT", "other", &[]).await;
            let condition = |token: &str| format!("<{files}> (<{token}>)");
            let late = ask(method, from, &[("destination", &destination), ("if", &condition(&before))]).await;
            assert_eq!(late, StatusCode::PRECONDITION_FAILED, "{method} {from} {to}");
            for name in ["file", "old", "from/in", "dir/in"] {
                assert_eq!(ask("GET", name, &[]).await, StatusCode::OK, "{method} {from} {to} {name}");
            }
            let done = ask(method, from, &[("destination", &destination), ("if", &condition(&now().await))]).await;
            assert_eq!(done, StatusCode::NO_CONTENT, "{method} {from} {to}");
            assert_eq!(ask("GET", from, &[]).await == StatusCode::OK, method == "COPY");
            assert_eq!(ask("GET", "dir/in", &[]).await == StatusCode::OK, to == "old" || from == "from/", "{method} {from} {to}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn others_list_anew_where_a_folder_went_that_they_may_have_seen() {
    let house = house().await;
    let files = format!("/dav/files/{}/", house.ann);
    let mailbox = house.mailboxes.open(&house.directory.job_scope(house.account(house.ann).await)).await.unwrap();
    for name in ["shown/", "shown/a/", "shown/b/"] {
        house.ask("ann@one.test", "MKCOL", &format!("{files}{name}"), &[], "").await;
    }
    let folders = mailbox.folders().await.unwrap();
    for name in ["shown", "a"] {
        let folder = folders.collections().find(|own| own.segment == name).unwrap().id;
        let change = RightsChange::Set(Preset::Reviewer.rights());
        mailbox.set_rights(folder, Grantee::Principal(house.bob), change, "test", None, false).await.unwrap();
    }
    let shown = format!("{files}shown/");
    let since = async |token: &str| house.report("bob@one.test", &shown, "d:sync-collection", &sync(token, None)).await;
    let first = since("").await;
    assert_eq!(first.hrefs(), [format!("{shown}a/")], "{}", first.text);
    let token = first.within("sync-token").to_owned();
    house.ask("ann@one.test", "DELETE", &format!("{shown}b/"), &[], "").await;
    let anew = since(&token).await;
    assert!(anew.text.contains("valid-sync-token") && !anew.text.contains("shown/b"), "{}", anew.text);
    assert_eq!(since("").await.hrefs(), [format!("{shown}a/")]);
}
