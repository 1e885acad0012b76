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
