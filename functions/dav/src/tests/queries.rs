use super::*;

const DATA: &str = "<d:prop><d:getetag/><c:calendar-data/></d:prop>";

fn between(from: &str, to: &str) -> String {
    format!(
        "<c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'><c:time-range start='{from}' end='{to}'/></c:comp-filter>\
         </c:comp-filter></c:filter>"
    )
}

#[tokio::test(start_paused = true)]
async fn a_query_by_time_finds_what_is_in_it_and_expands_it() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    house.put("ann@one.test", &format!("{calendar}one.ics"), &event("one", 10, "")).await;
    house.put("ann@one.test", &format!("{calendar}daily.ics"), &event("daily", 12, "RRULE:FREQ=DAILY\r\n")).await;
    house.put("ann@one.test", &format!("{calendar}late.ics"), &event("late", 20, "")).await;
    let query = format!("{DATA}{}", between("20260310T090000Z", "20260310T130000Z"));
    let heard = house.report("ann@one.test", &calendar, "c:calendar-query", &query).await;
    let mut found = heard.hrefs();
    found.sort_unstable();
    assert_eq!(found, [format!("{calendar}daily.ics"), format!("{calendar}one.ics")]);
    let expand = "<d:prop><c:calendar-data><c:expand start='20600101T000000Z' end='20600103T000000Z'/></c:calendar-data></d:prop>";
    let query = format!("{expand}{}", between("20600101T000000Z", "20600103T000000Z"));
    let heard = house.report("ann@one.test", &calendar, "c:calendar-query", &query).await;
    assert_eq!(heard.hrefs(), [format!("{calendar}daily.ics")]);
    assert_eq!(heard.text.matches("BEGIN:VEVENT").count(), 2, "{}", heard.text);
    assert!(heard.text.contains("RECURRENCE-ID:20600101T120000Z") && !heard.text.contains("RRULE"), "{}", heard.text);
    let text = "<c:filter><c:comp-filter name='VCALENDAR'><c:comp-filter name='VEVENT'><c:prop-filter name='SUMMARY'><c:text-match>EVENT LATE\
                </c:text-match></c:prop-filter></c:comp-filter></c:comp-filter></c:filter>";
    let heard = house.report("ann@one.test", &calendar, "c:calendar-query", &format!("{DATA}{text}")).await;
    assert_eq!(heard.hrefs(), [format!("{calendar}late.ics")]);
}

#[tokio::test(start_paused = true)]
async fn a_multiget_answers_for_each_name() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    house.put("ann@one.test", &format!("{calendar}a%20b.ics"), &event("one", 10, "")).await;
    let hrefs = format!("<d:href>{calendar}a%20b.ics</d:href><d:href>{calendar}none.ics</d:href><d:href>/elsewhere/x</d:href>");
    let heard = house.report("ann@one.test", &calendar, "c:calendar-multiget", &format!("{DATA}{hrefs}")).await;
    assert_eq!(heard.hrefs().len(), 3, "{}", heard.text);
    assert_eq!(heard.text.matches("404 Not Found").count(), 2, "{}", heard.text);
    assert!(heard.text.contains("UID:one"), "{}", heard.text);
}

#[tokio::test(start_paused = true)]
async fn busy_times_are_told_by_the_index_and_by_what_recurs() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    for (name, text) in [
        ("a", event("a", 10, "")),
        ("b", event("b", 11, "STATUS:TENTATIVE\r\n")),
        ("c", event("c", 12, "TRANSP:TRANSPARENT\r\n")),
        ("d", event("d", 13, "STATUS:CANCELLED\r\n")),
        ("e", event("e", 14, "RRULE:FREQ=HOURLY;COUNT=2\r\n")),
    ] {
        assert_eq!(house.put("ann@one.test", &format!("{calendar}{name}"), &text).await.status, StatusCode::CREATED);
    }
    let window = "<c:time-range start='20260310T101500Z' end='20260310T170000Z'/>";
    let heard = house.report("ann@one.test", &calendar, "c:free-busy-query", window).await;
    assert_eq!(heard.status, StatusCode::OK, "{}", heard.text);
    let lines: Vec<&str> = heard.text.lines().filter(|line| line.starts_with("FREEBUSY")).collect();
    let wanted = [
        "FREEBUSY;FBTYPE=BUSY:20260310T101500Z/20260310T103000Z",
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260310T110000Z/20260310T113000Z",
        "FREEBUSY;FBTYPE=BUSY:20260310T140000Z/20260310T143000Z",
        "FREEBUSY;FBTYPE=BUSY:20260310T150000Z/20260310T153000Z",
    ];
    assert_eq!(lines, wanted);
}

#[tokio::test(start_paused = true)]
async fn cards_are_found_by_what_is_in_them_and_come_in_either_version() {
    let house = house().await;
    let contacts = format!("/dav/addressbooks/{}/contacts/", house.ann);
    let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c1\r\nN:Doe;Jane;;;\r\nFN:Jane Doe\r\nEMAIL;TYPE=WORK:jane@a.test\r\nEND:VCARD\r\n";
    let heard = house.ask("ann@one.test", "PUT", &format!("{contacts}c1.vcf"), &[("content-type", "text/vcard")], card).await;
    assert_eq!(heard.status, StatusCode::CREATED, "{}", heard.text);
    let query = |text: &str, version: &str| {
        format!(
            "<d:prop><card:address-data content-type='text/vcard' version='{version}'/></d:prop><card:filter><card:prop-filter name='EMAIL'>\
             <card:text-match match-type='starts-with'>{text}</card:text-match></card:prop-filter></card:filter>"
        )
    };
    let heard = house.report("ann@one.test", &contacts, "card:addressbook-query", &query("JANE", "4.0")).await;
    assert_eq!(heard.hrefs(), [format!("{contacts}c1.vcf")]);
    assert!(heard.text.contains("VERSION:4.0"), "{}", heard.text);
    assert!(house.report("ann@one.test", &contacts, "card:addressbook-query", &query("doe", "3.0")).await.hrefs().is_empty());
}

#[tokio::test(start_paused = true)]
async fn zones_that_everybody_has_come_as_the_client_wants_them() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let zone = "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\n\
                END:STANDARD\r\nEND:VTIMEZONE\r\n";
    let bare = event("a", 10, "")
        .replace("DTSTART:20260310T100000Z\r\nDTEND:20260310T103000Z", "DTSTART;TZID=Europe/Berlin:20260310T100000\r\nDURATION:PT1H");
    let full = bare.replace("BEGIN:VEVENT", &format!("{zone}BEGIN:VEVENT"));
    house.put("ann@one.test", &format!("{calendar}bare.ics"), &bare).await;
    house.put("ann@one.test", &format!("{calendar}full.ics"), &full.replace("UID:a", "UID:b")).await;
    for (wanted, in_bare, in_full) in [(None, false, true), (Some("F"), false, false), (Some("T"), true, true)] {
        for (name, has) in [("bare", in_bare), ("full", in_full)] {
            let headers: Vec<_> = wanted.map(|value| ("caldav-timezones", value)).into_iter().collect();
            let heard = house.ask("ann@one.test", "GET", &format!("{calendar}{name}.ics"), &headers, "").await;
            assert_eq!(heard.text.contains("BEGIN:VTIMEZONE"), has, "{wanted:?} {name}: {}", heard.text);
            let body = format!(
                "<c:calendar-multiget xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'>{DATA}<d:href>{calendar}{name}.ics</d:href></c:calendar-multiget>"
            );
            let heard = house.ask("ann@one.test", "REPORT", &calendar, &headers, body).await;
            assert_eq!(heard.text.contains("BEGIN:VTIMEZONE"), has, "{wanted:?} {name}: {}", heard.text);
            assert!(heard.text.contains("DTSTART;TZID=Europe/Berlin"), "{}", heard.text);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn when_somebody_can_be_met_at_all_counts_in_their_calendar() {
    let house = house().await;
    let (calendar, inbox) = (house.calendar(house.ann), format!("/dav/calendars/{}/inbox/", house.ann));
    let set = |value: &str| {
        format!(
            "<d:propertyupdate xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:set><d:prop><c:calendar-availability>{value}\
             </c:calendar-availability></d:prop></d:set></d:propertyupdate>"
        )
    };
    let hours = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VAVAILABILITY\r\nUID:v\r\nDTSTAMP:20260101T000000Z\r\nBEGIN:AVAILABLE\r\nUID:w\r\n\
                 DTSTAMP:20260101T000000Z\r\nDTSTART:20260101T080000Z\r\nDTEND:20260101T160000Z\r\nRRULE:FREQ=DAILY\r\nEND:AVAILABLE\r\nEND:VAVAILABILITY\r\n\
                 END:VCALENDAR\r\n";
    for wrong in ["", "x", &event("a", 10, "")] {
        let heard = house.ask("ann@one.test", "PROPPATCH", &inbox, &[], set(wrong)).await;
        assert!(heard.text.contains("valid-calendar-data") && heard.text.contains("403"), "{}", heard.text);
    }
    for explosive in ["FREQ=SECONDLY", "FREQ=MINUTELY;INTERVAL=5", "FREQ=SECONDLY;COUNT=999999999;BYHOUR=3", "FREQ=SECONDLY;BYSETPOS=-1"] {
        let heard = house.ask("ann@one.test", "PROPPATCH", &inbox, &[], set(&hours.replace("FREQ=DAILY", explosive))).await;
        assert!(heard.text.contains(":max-instances") && heard.text.contains("403"), "{explosive}: {}", heard.text);
    }
    let heard = house.ask("ann@one.test", "PROPPATCH", &inbox, &[], set(hours)).await;
    assert!(heard.text.contains("200 OK"), "{}", heard.text);
    assert!(house.propfind("ann@one.test", &inbox, "0", "<c:calendar-availability/>").await.text.contains("BEGIN:AVAILABLE"));
    house.put("ann@one.test", &format!("{calendar}a.ics"), &event("a", 10, "")).await;
    // Who sees the calendar does not see that.
    house.open(penfold_ports::Preset::Reviewer.rights()).await;
    assert!(!house.propfind("bob@one.test", &calendar, "0", "<c:calendar-availability/>").await.text.contains("AVAILABLE"));
    house.open(penfold_ports::Preset::AvailabilityOnly.rights()).await;
    let window = "<c:time-range start='20260310T000000Z' end='20260311T000000Z'/>";
    for who in ["ann@one.test", "bob@one.test"] {
        let heard = house.report(who, &calendar, "c:free-busy-query", window).await;
        let mut lines: Vec<&str> = heard.text.lines().filter_map(|line| line.strip_prefix("FREEBUSY;FBTYPE=")).collect();
        lines.sort_unstable();
        let wanted = [
            "BUSY-UNAVAILABLE:20260310T000000Z/20260310T080000Z",
            "BUSY-UNAVAILABLE:20260310T160000Z/20260311T000000Z",
            "BUSY:20260310T100000Z/20260310T103000Z",
        ];
        assert_eq!(lines, wanted, "{who}");
    }
    // Each hour of ten years is more than one answer tells: the calendar's own times are told all the same.
    let hourly = hours.replace("FREQ=DAILY", "FREQ=HOURLY").replace("T160000Z\r\nRRULE", "T083000Z\r\nRRULE");
    assert!(house.ask("ann@one.test", "PROPPATCH", &inbox, &[], set(&hourly)).await.text.contains("200 OK"));
    let years = "<c:time-range start='20260101T000000Z' end='20360101T000000Z'/>";
    let heard = house.report("ann@one.test", &calendar, "c:free-busy-query", years).await;
    assert!(heard.status == StatusCode::OK && heard.text.contains("BUSY:20260310T100000Z/20260310T103000Z"), "{}", heard.text);
    let heard = house.report("ann@one.test", &calendar, "c:free-busy-query", window).await;
    assert_eq!(heard.text.matches("FBTYPE=BUSY-UNAVAILABLE").count(), 24, "{}", heard.text);
}

#[tokio::test(start_paused = true)]
async fn the_zone_of_a_calendar_is_the_one_that_was_set_last() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let clock = event("a", 10, "").replace("0000Z\r\nDTEND", "0000\r\nDTEND").replace("103000Z\r\nSUMMARY", "103000\r\nSUMMARY");
    assert_eq!(house.put("ann@one.test", &format!("{calendar}a.ics"), &clock).await.status, StatusCode::CREATED);
    let id = |name: &str| format!("<c:calendar-timezone-id>{name}</c:calendar-timezone-id>");
    let whole = |name: &str| {
        format!(
            "<c:calendar-timezone>BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//EN\r\nBEGIN:VTIMEZONE\r\nTZID:{name}\r\nBEGIN:STANDARD\r\n\
             DTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0100\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nEND:VCALENDAR\r\n</c:calendar-timezone>"
        )
    };
    for (set, at, has) in [
        (id("Europe/Berlin"), "090000Z", [true, false]),
        (whole("America/New_York"), "140000Z", [false, true]),
        (id("Asia/Tokyo"), "010000Z", [true, false]),
        (whole("Europe/Berlin") + &id("Europe/Berlin"), "090000Z", [true, true]),
    ] {
        let body = format!(
            "<d:propertyupdate xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav'><d:set><d:prop>{set}</d:prop></d:set></d:propertyupdate>"
        );
        let heard = house.ask("ann@one.test", "PROPPATCH", &calendar, &[], body).await;
        assert!(heard.text.contains("200 OK"), "{}", heard.text);
        let window = "<c:time-range start='20260309T000000Z' end='20260312T000000Z'/>";
        let heard = house.report("ann@one.test", &calendar, "c:free-busy-query", window).await;
        assert!(heard.text.contains(&format!("FBTYPE=BUSY:20260310T{at}/")), "{set}: {}", heard.text);
        let heard = house.propfind("ann@one.test", &calendar, "0", "<c:calendar-timezone-id/><c:calendar-timezone/>").await;
        let told = [":calendar-timezone-id>", ":calendar-timezone>"].map(|name| heard.text.contains(name));
        assert_eq!(told, has, "{}", heard.text);
    }
}
