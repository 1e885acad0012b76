use super::*;
use penfold_mailbox::{RightsChange, Role};
use penfold_ports::{Account, Grantee, Preset, Rights};

impl House {
    pub async fn open(&self, rights: Rights) -> String {
        let account = self.account(self.ann).await;
        let mailbox = self.mailboxes.open(&self.directory.job_scope(account)).await.unwrap();
        let folder = mailbox.collections().await.unwrap().with_role(Role::Calendar).unwrap().id;
        mailbox.set_rights(folder, Grantee::Principal(self.bob), RightsChange::Set(rights), "test", None, false).await.unwrap();
        format!("/dav/calendars/{}/{}.{folder}/", self.bob, self.ann)
    }

    pub async fn account(&self, principal: PrincipalId) -> Account {
        let tenants = self.directory.every_tenant().await.unwrap();
        for tenant in tenants {
            for scope in self.directory.every_account(tenant).await.unwrap() {
                if scope.account().principal == principal {
                    return scope.account();
                }
            }
        }
        panic!("nobody");
    }
}

#[tokio::test(start_paused = true)]
async fn what_is_not_opened_is_not_there_for_anybody() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    house.put("ann@one.test", &format!("{calendar}a.ics"), &event("a", 10, "")).await;
    let never = PrincipalId::from_bytes([9; 16]);
    for who in ["bob@one.test", "zoe@two.test"] {
        for (method, body) in [
            ("GET", String::new()),
            ("PROPFIND", String::new()),
            ("PUT", event("b", 11, "")),
            ("DELETE", String::new()),
            ("REPORT", "<c:free-busy-query xmlns:c='urn:ietf:params:xml:ns:caldav'><c:time-range start='20260310T000000Z' end='20260311T000000Z'/></c:free-busy-query>".to_owned()),
            ("PROPPATCH", "<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop><d:displayname>x</d:displayname></d:prop></d:set></d:propertyupdate>".to_owned()),
            ("ACL", "<d:acl xmlns:d='DAV:'/>".to_owned()),
        ] {
            for name in ["", "a.ics", "b.ics"] {
                let there = house.ask(who, method, &format!("{calendar}{name}"), &[("depth", "0")], body.clone()).await;
                let not = house.ask(who, method, &format!("/dav/calendars/{never}/calendar/{name}"), &[("depth", "0")], body.clone()).await;
                assert_eq!((there.status, &there.text), (not.status, &not.text), "{who} {method} {name}");
                let missing = if method == "PUT" { StatusCode::CONFLICT } else { StatusCode::NOT_FOUND };
                assert_eq!(there.status, missing, "{who} {method} {name}");
            }
        }
        let home = house.propfind(who, &format!("/dav/calendars/{}/", house.ann), "1", "<d:displayname/>").await;
        assert_eq!(home.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(house.get("ann@one.test", &format!("{calendar}a.ics")).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn an_opened_calendar_stands_in_the_home_of_whom_it_was_opened_to() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    house.put("ann@one.test", &format!("{calendar}a.ics"), &event("a", 10, "")).await;
    house.put("ann@one.test", &format!("{calendar}p.ics"), &event("p", 12, "CLASS:PRIVATE\r\nLOCATION:hidden\r\n")).await;
    let shared = house.open(Preset::Reviewer.rights()).await;
    let home = house.propfind("bob@one.test", &format!("/dav/calendars/{}/", house.bob), "1", "<d:displayname/><d:owner/>").await;
    assert!(home.hrefs().contains(&shared.as_str()), "{}", home.text);
    assert!(home.text.contains("Calendar (Ann)"), "{}", home.text);
    assert_eq!(house.get("bob@one.test", &format!("{shared}a.ics")).await.text, event("a", 10, ""));
    // By the owner's own path as well.
    assert_eq!(house.get("bob@one.test", &format!("{calendar}a.ics")).await.status, StatusCode::OK);
    let hidden = house.get("bob@one.test", &format!("{shared}p.ics")).await.text;
    assert!(hidden.contains("SUMMARY:Busy") && !hidden.contains("hidden"), "{hidden}");
    let filter = "<d:prop><c:calendar-data/></d:prop><c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'>\
                  <c:prop-filter name='LOCATION'><c:text-match>hidden</c:text-match></c:prop-filter></c:comp-filter></c:comp-filter></c:filter>";
    assert!(house.report("bob@one.test", &shared, "c:calendar-query", filter).await.hrefs().is_empty());
    for (method, path, body) in [
        ("PUT", format!("{shared}a.ics"), event("a", 11, "")),
        ("PUT", format!("{shared}new.ics"), event("new", 11, "")),
        ("DELETE", format!("{shared}a.ics"), String::new()),
        ("DELETE", shared.clone(), String::new()),
        ("ACL", shared.clone(), "<d:acl xmlns:d='DAV:'/>".to_owned()),
    ] {
        let heard = house.ask("bob@one.test", method, &path, &[], body).await;
        assert_eq!(heard.status, StatusCode::FORBIDDEN, "{method} {path} {}", heard.text);
        assert!(heard.text.contains("need-privileges"), "{method} {path} {}", heard.text);
    }
    // What clients keep beside an event is seen by whoever sees the event.
    let kept =
        "<d:propertyupdate xmlns:d='DAV:' xmlns:x='urn:x'><d:set><d:prop><x:kept>beside</x:kept></d:prop></d:set></d:propertyupdate>";
    for name in ["a.ics", "p.ics"] {
        house.ask("ann@one.test", "PROPPATCH", &format!("{calendar}{name}"), &[], kept).await;
    }
    let asked = "<d:prop><d:getetag/><x:kept xmlns:x='urn:x'/></d:prop>";
    let hrefs = format!("{asked}<d:href>{shared}a.ics</d:href><d:href>{shared}p.ics</d:href>");
    let all = house.propfind("bob@one.test", &shared, "1", "<x:kept xmlns:x='urn:x'/>").await;
    let some = house.report("bob@one.test", &shared, "c:calendar-multiget", &hrefs).await;
    let one = house.propfind("bob@one.test", &format!("{shared}p.ics"), "0", "<x:kept xmlns:x='urn:x'/>").await;
    assert_eq!([all, some, one].map(|heard| heard.text.matches("beside").count()), [1, 1, 0]);
    house.open(Preset::Editor.rights()).await;
    assert_eq!(house.put("bob@one.test", &format!("{shared}new.ics"), &event("new", 11, "")).await.status, StatusCode::CREATED);
    assert_eq!(house.put("bob@one.test", &format!("{shared}p.ics"), &event("p", 11, "")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.ask("bob@one.test", "DELETE", &format!("{shared}p.ics"), &[], "").await.status, StatusCode::FORBIDDEN);
    // Colours are each viewer's own.
    let colour = |colour: &str| {
        format!(
            "<d:propertyupdate xmlns:d='DAV:' xmlns:i='http://apple.com/ns/ical/'><d:set><d:prop><i:calendar-color>{colour}</i:calendar-color></d:prop></d:set></d:propertyupdate>"
        )
    };
    house.ask("ann@one.test", "PROPPATCH", &calendar, &[], colour("#aaaaaa")).await;
    assert_eq!(house.propfind("bob@one.test", &shared, "0", "<i:calendar-color/>").await.within("calendar-color"), "#aaaaaa");
    house.ask("bob@one.test", "PROPPATCH", &shared, &[], colour("#bbbbbb")).await;
    assert_eq!(house.propfind("bob@one.test", &shared, "0", "<i:calendar-color/>").await.within("calendar-color"), "#bbbbbb");
    assert_eq!(house.propfind("ann@one.test", &calendar, "0", "<i:calendar-color/>").await.within("calendar-color"), "#aaaaaa");
    house.open(Rights::NONE).await;
    assert_eq!(house.get("bob@one.test", &format!("{shared}a.ics")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn who_may_know_titles_reads_titles_and_places_and_nothing_else() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let more = "LOCATION:roof\r\nDESCRIPTION:hidden\r\nATTENDEE:mailto:hidden@a.test\r\nX-HIDDEN:hidden\r\n";
    house.put("ann@one.test", &format!("{calendar}a.ics"), &event("a", 10, more)).await;
    house.put("ann@one.test", &format!("{calendar}p.ics"), &event("p", 12, "CLASS:PRIVATE\r\nLOCATION:hidden\r\n")).await;
    let shared = house.open(Preset::LimitedDetails.rights()).await;
    let home = house.propfind("bob@one.test", &format!("/dav/calendars/{}/", house.bob), "1", "<d:displayname/><d:sync-token/>").await;
    assert!(home.hrefs().contains(&shared.as_str()), "{}", home.text);
    let token = house.propfind("bob@one.test", &shared, "0", "<d:sync-token/>").await.within("sync-token").to_owned();
    let one = house.get("bob@one.test", &format!("{shared}a.ics")).await;
    let (tag, one) = (one.header("etag").to_owned(), one.text);
    assert!(one.contains("LOCATION:roof") && one.contains("SUMMARY:") && !one.contains("hidden"), "{one}");
    let data = "<d:prop><d:getetag/><d:displayname/><c:calendar-data/></d:prop>";
    let all = "<c:filter><c:comp-filter name='VCALENDAR'/></c:filter>";
    let asked = format!(
        "{data}<c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'>\
                         <c:prop-filter name='DESCRIPTION'><c:text-match>hidden</c:text-match></c:prop-filter></c:comp-filter></c:comp-filter></c:filter>"
    );
    assert!(house.report("bob@one.test", &shared, "c:calendar-query", &asked).await.hrefs().is_empty());
    let hrefs = format!("{data}<d:href>{shared}a.ics</d:href><d:href>{shared}p.ics</d:href>");
    let since = |token: &str| format!("<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level>{data}");
    house.put("ann@one.test", &format!("{calendar}b.ics"), &event("b", 14, more)).await;
    for heard in [
        house.report("bob@one.test", &shared, "c:calendar-query", &format!("{data}{all}")).await,
        house.report("bob@one.test", &shared, "c:calendar-multiget", &hrefs).await,
        house.report("bob@one.test", &shared, "d:sync-collection", &since("")).await,
        house.report("bob@one.test", &shared, "d:sync-collection", &since(&token)).await,
        house.get("bob@one.test", &shared).await,
        house.propfind("bob@one.test", &shared, "1", "<d:displayname/><d:getetag/>").await,
    ] {
        assert!(heard.status.is_success() && !heard.text.contains("hidden"), "{} {}", heard.status, heard.text);
    }
    for (method, path, body) in [
        ("PUT", format!("{shared}a.ics"), event("a", 11, "")),
        ("PUT", format!("{shared}new.ics"), event("new", 11, "")),
        ("DELETE", format!("{shared}a.ics"), String::new()),
        ("DELETE", shared.clone(), String::new()),
    ] {
        assert_eq!(house.ask("bob@one.test", method, &path, &[], body).await.status, StatusCode::FORBIDDEN, "{method} {path}");
    }
    // What is seen anew in full is something else, for clients that keep what they have read.
    house.open(Preset::Reviewer.rights()).await;
    assert!(house.report("bob@one.test", &shared, "d:sync-collection", &since(&token)).await.text.contains("valid-sync-token"));
    let titles = house.ask("bob@one.test", "GET", &format!("{shared}a.ics"), &[("if-none-match", &tag)], "").await;
    assert!(titles.status == StatusCode::OK && titles.text.contains("DESCRIPTION:hidden"), "{}", titles.text);
    // And what was read in full is not what is seen in part.
    house.open(Preset::LimitedDetails.rights()).await;
    let known = [("if-none-match", titles.header("etag"))];
    let less = house.ask("bob@one.test", "GET", &format!("{shared}a.ics"), &known, "").await;
    assert!(less.status == StatusCode::OK && !less.text.contains("hidden"), "{} {}", less.status, less.text);
    // Who may also change things changes nothing of which they see a part.
    house.open(Preset::LimitedDetails.rights().and(Rights::WRITE).and(Rights::DELETE_ITEM).and(Rights::EXPUNGE)).await;
    assert_eq!(house.put("bob@one.test", &format!("{shared}a.ics"), &event("a", 11, "")).await.status, StatusCode::FORBIDDEN);
    assert_eq!(house.ask("bob@one.test", "DELETE", &format!("{shared}a.ics"), &[], "").await.status, StatusCode::FORBIDDEN);
    assert!(house.get("ann@one.test", &format!("{calendar}a.ics")).await.text.contains("DESCRIPTION:hidden"));
}

#[tokio::test(start_paused = true)]
async fn who_may_know_the_busy_times_learns_nothing_else() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    house.put("ann@one.test", &format!("{calendar}a.ics"), &event("a", 10, "")).await;
    house.open(Preset::AvailabilityOnly.rights()).await;
    let window = "<c:time-range start='20260310T000000Z' end='20260311T000000Z'/>";
    let heard = house.report("bob@one.test", &calendar, "c:free-busy-query", window).await;
    assert_eq!(heard.status, StatusCode::OK, "{}", heard.text);
    assert!(
        heard.text.contains("FREEBUSY;FBTYPE=BUSY:20260310T100000Z/20260310T103000Z") && !heard.text.contains("Event"),
        "{}",
        heard.text
    );
    assert_eq!(house.get("bob@one.test", &format!("{calendar}a.ics")).await.status, StatusCode::NOT_FOUND);
    assert_eq!(house.propfind("bob@one.test", &calendar, "1", "<d:displayname/>").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn rights_are_given_and_taken_by_clients() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    house.put("ann@one.test", &format!("{calendar}a.ics"), &event("a", 10, "")).await;
    let acl = |inner: &str| format!("<d:acl xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'>{inner}</d:acl>");
    let bob = format!(
        "<d:ace><d:principal><d:href>/dav/principals/{}/</d:href></d:principal><d:grant><d:privilege><d:read/></d:privilege></d:grant></d:ace>",
        house.bob
    );
    let heard = house.ask("ann@one.test", "ACL", &calendar, &[], acl(&bob)).await;
    assert_eq!(heard.status, StatusCode::OK, "{}", heard.text);
    assert_eq!(house.get("bob@one.test", &format!("{calendar}a.ics")).await.status, StatusCode::OK);
    let heard = house.propfind("ann@one.test", &calendar, "0", "<d:acl/>").await;
    assert!(heard.text.contains(&format!("/dav/principals/{}/", house.bob)), "{}", heard.text);
    let heard = house.propfind("bob@one.test", &calendar, "0", "<d:acl/><d:current-user-privilege-set/>").await;
    assert!(heard.text.contains("404") && heard.text.contains("<d:read/>") && !heard.text.contains("<d:write/>"), "{}", heard.text);
    for (wrong, name) in [
        (bob.replace("<d:grant>", "<d:deny>").replace("</d:grant>", "</d:deny>"), "grant-only"),
        (bob.replace(&house.bob.to_string(), &house.zoe.to_string()), "recognized-principal"),
        (bob.replace("<d:read/>", "<d:fly/>"), "not-supported-privilege"),
    ] {
        let heard = house.ask("ann@one.test", "ACL", &calendar, &[], acl(&wrong)).await;
        assert!(heard.text.contains(name), "{name} {}", heard.text);
    }
    // A whole list is one change: nobody ever sees half of it.
    let mailbox = house.mailboxes.open(&house.directory.job_scope(house.account(house.ann).await)).await.unwrap();
    let commits = async || mailbox.head().await.unwrap().modseq.get();
    let (before, everybody) = (
        commits().await,
        "<d:ace><d:principal><d:authenticated/></d:principal><d:grant><d:privilege><d:read/></d:privilege></d:grant></d:ace>",
    );
    let more = bob.replace("<d:read/>", "<d:all/>");
    assert_eq!(house.ask("ann@one.test", "ACL", &calendar, &[], acl(&format!("{more}{everybody}"))).await.status, StatusCode::OK);
    assert_eq!(commits().await, before + 1);
    assert_eq!(house.ask("ann@one.test", "ACL", &calendar, &[], acl("")).await.status, StatusCode::OK);
    assert_eq!(commits().await, before + 2);
    assert_eq!(house.get("bob@one.test", &format!("{calendar}a.ics")).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn alarms_in_a_shared_calendar_are_each_one_s_own() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let alarm = |minutes: u32| format!("BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT{minutes}M\r\nEND:VALARM\r\n");
    house.put("ann@one.test", &format!("{calendar}a.ics"), &event("a", 10, &alarm(5))).await;
    let shared = house.open(Preset::Editor.rights()).await;
    assert_eq!(house.get("bob@one.test", &format!("{shared}a.ics")).await.text, event("a", 10, ""));
    let heard = house.put("bob@one.test", &format!("{shared}a.ics"), &event("a", 11, &alarm(30))).await;
    assert_eq!((heard.status, heard.header("etag")), (StatusCode::NO_CONTENT, ""));
    assert_eq!(house.get("bob@one.test", &format!("{shared}a.ics")).await.text, event("a", 11, &alarm(30)));
    assert_eq!(house.get("ann@one.test", &format!("{calendar}a.ics")).await.text, event("a", 11, &alarm(5)));
    // Another object of the name has none of them.
    house.ask("ann@one.test", "DELETE", &format!("{calendar}a.ics"), &[], "").await;
    house.put("ann@one.test", &format!("{calendar}a.ics"), &event("b", 10, "")).await;
    assert_eq!(house.get("bob@one.test", &format!("{shared}a.ics")).await.text, event("b", 10, ""));
}
