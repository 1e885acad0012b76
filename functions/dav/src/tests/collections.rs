use super::*;

const SET: &str = "<c:supported-calendar-component-set>";

fn mkcalendar(props: &str) -> String {
    format!(
        "<c:mkcalendar xmlns:d='DAV:' xmlns:c='urn:ietf:params:xml:ns:caldav' xmlns:i='http://apple.com/ns/ical/'><d:set><d:prop>{props}</d:prop>\
         </d:set></c:mkcalendar>"
    )
}

#[tokio::test(start_paused = true)]
async fn calendars_are_made_with_their_properties_or_not_at_all() {
    let house = house().await;
    let home = format!("/dav/calendars/{}/", house.ann);
    let body = mkcalendar(&format!(
        "<d:displayname>Work &amp; more</d:displayname><i:calendar-color>#ff0000</i:calendar-color>{SET}<c:comp name='VTODO'/></c:supported-calendar-component-set>"
    ));
    assert_eq!(house.ask("ann@one.test", "MKCALENDAR", &format!("{home}w/"), &[], body.clone()).await.status, StatusCode::CREATED);
    assert_eq!(house.ask("ann@one.test", "MKCALENDAR", &format!("{home}w/"), &[], body).await.status, StatusCode::METHOD_NOT_ALLOWED);
    let props = "<d:displayname/><i:calendar-color/><c:supported-calendar-component-set/>";
    let heard = house.propfind("ann@one.test", &format!("{home}w/"), "0", props).await;
    assert_eq!(heard.within("displayname"), "Work &amp; more");
    assert_eq!(heard.within("calendar-color"), "#ff0000");
    assert!(heard.text.contains("name=\"VTODO\""), "{}", heard.text);
    let mixed = mkcalendar(&format!("{SET}<c:comp name='VEVENT'/><c:comp name='VTODO'/></c:supported-calendar-component-set>"));
    let heard = house.ask("ann@one.test", "MKCALENDAR", &format!("{home}mixed/"), &[], mixed).await;
    assert_eq!(heard.status, StatusCode::FORBIDDEN);
    assert!(heard.text.contains("mkcalendar-response"), "{}", heard.text);
    let protected = mkcalendar("<d:displayname>x</d:displayname><d:getetag>y</d:getetag>");
    let heard = house.ask("ann@one.test", "MKCALENDAR", &format!("{home}mixed/"), &[], protected).await;
    assert!(heard.text.contains("424 Failed Dependency"), "{}", heard.text);
    assert_eq!(house.propfind("ann@one.test", &format!("{home}mixed/"), "0", "<d:displayname/>").await.status, StatusCode::NOT_FOUND);
    let reserved = house.ask("ann@one.test", "MKCALENDAR", &format!("{home}outbox/"), &[], "").await;
    assert_eq!(reserved.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(house.ask("ann@one.test", "DELETE", &format!("{home}w/"), &[], "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(house.ask("ann@one.test", "DELETE", &format!("{home}calendar/"), &[], "").await.status, StatusCode::FORBIDDEN);
}

#[tokio::test(start_paused = true)]
async fn properties_are_set_all_or_none() {
    let house = house().await;
    let calendar = house.calendar(house.ann);
    let patch = |inner: &str| {
        format!("<d:propertyupdate xmlns:d='DAV:' xmlns:x='urn:x' xmlns:i='http://apple.com/ns/ical/'>{inner}</d:propertyupdate>")
    };
    let body = patch("<d:set><d:prop><d:displayname>Mine</d:displayname><i:calendar-order>3</i:calendar-order></d:prop></d:set>");
    let heard = house.ask("ann@one.test", "PROPPATCH", &calendar, &[], body).await;
    assert_eq!(heard.status, StatusCode::MULTI_STATUS);
    assert!(!heard.text.contains("40"), "{}", heard.text);
    let body = patch("<d:set><d:prop><i:calendar-order>4</i:calendar-order><d:getetag>x</d:getetag></d:prop></d:set>");
    let heard = house.ask("ann@one.test", "PROPPATCH", &calendar, &[], body).await;
    assert!(heard.text.contains("cannot-modify-protected-property") && heard.text.contains("424"), "{}", heard.text);
    let long = format!("<d:set><d:prop><x:long>{}</x:long></d:prop></d:set>", "x".repeat(17 * 1024));
    let heard = house.ask("ann@one.test", "PROPPATCH", &calendar, &[], patch(&long)).await;
    assert!(heard.text.contains("507"), "{}", heard.text);
    let many: String = (0..101).map(|n| format!("<x:p{n}>1</x:p{n}>")).collect();
    let heard = house.ask("ann@one.test", "PROPPATCH", &calendar, &[], patch(&format!("<d:set><d:prop>{many}</d:prop></d:set>"))).await;
    assert!(heard.text.contains("507"), "{}", heard.text);
    let heard = house.propfind("ann@one.test", &calendar, "0", "<d:displayname/><i:calendar-order/><x:long xmlns:x='urn:x'/>").await;
    assert_eq!((heard.within("displayname"), heard.within("calendar-order")), ("Mine", "3"));
    assert!(heard.text.contains("404"), "{}", heard.text);
}
