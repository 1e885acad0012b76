use super::*;

#[tokio::test(start_paused = true)]
async fn clients_find_everything_from_wherever_they_begin() {
    let house = house().await;
    for path in ["/.well-known/caldav", "/.well-known/carddav"] {
        for method in ["GET", "PROPFIND", "OPTIONS", "POST"] {
            let heard = house.raw(Request::builder().method(method).uri(path).body(Body::empty()).unwrap()).await;
            assert_eq!((heard.status, heard.header("location")), (StatusCode::MOVED_PERMANENTLY, "/dav/"), "{method} {path}");
        }
    }
    for path in ["/", "/dav", "/dav/"] {
        let heard = house.raw(Request::builder().method("PROPFIND").uri(path).header("depth", "0").body(Body::empty()).unwrap()).await;
        assert_eq!(heard.status, StatusCode::UNAUTHORIZED);
        assert!(heard.header("www-authenticate").starts_with("Basic realm="));
        let heard =
            house.propfind("ann@one.test", path, "0", "<d:current-user-principal/><d:resourcetype/><x:none xmlns:x='urn:x'/>").await;
        assert_eq!(heard.status, StatusCode::MULTI_STATUS);
        assert!(
            heard.text.contains(&format!("<d:current-user-principal><d:href>/dav/principals/{}/</d:href>", house.ann)),
            "{}",
            heard.text
        );
        assert!(heard.text.contains("HTTP/1.1 404 Not Found"), "{}", heard.text);
        let given = if path == "/" { "/" } else { "/dav/" };
        assert_eq!(heard.hrefs(), [given]);
    }
    let principal = format!("/dav/principals/{}/", house.ann);
    let props = "<c:calendar-home-set/><card:addressbook-home-set/><c:calendar-user-address-set/><c:schedule-inbox-URL/>\
                 <c:schedule-outbox-URL/><cs:email-address-set/><d:displayname/>";
    let heard = house.propfind("ann@one.test", &principal, "0", props).await;
    for wanted in [
        format!("<c:calendar-home-set><d:href>/dav/calendars/{}/</d:href>", house.ann),
        format!("<card:addressbook-home-set><d:href>/dav/addressbooks/{}/</d:href>", house.ann),
        "<c:calendar-user-address-set><d:href>mailto:ann@one.test</d:href>".to_owned(),
        format!("<c:schedule-inbox-URL><d:href>/dav/calendars/{}/inbox/</d:href>", house.ann),
        "<cs:email-address>ann@one.test</cs:email-address>".to_owned(),
        "<d:displayname>Ann</d:displayname>".to_owned(),
    ] {
        assert!(heard.text.contains(&wanted), "{wanted} in {}", heard.text);
    }
    // No path names anybody by address.
    assert!(!heard.text.contains("/ann"), "{}", heard.text);
}

#[tokio::test(start_paused = true)]
async fn a_home_holds_a_calendar_and_a_list_of_tasks_and_another_the_contacts() {
    let house = house().await;
    let home = format!("/dav/calendars/{}/", house.ann);
    let heard = house
        .propfind("ann@one.test", &home, "1", "<d:resourcetype/><c:supported-calendar-component-set/><cs:getctag/><d:displayname/>")
        .await;
    let wanted = ["", "calendar/", "tasks/", "inbox/", "outbox/"].map(|name| format!("{home}{name}"));
    assert_eq!(heard.hrefs(), wanted);
    assert!(heard.text.contains("<c:comp name=\"VEVENT\"/></c:supported-calendar-component-set>"), "{}", heard.text);
    assert!(heard.text.contains("<c:comp name=\"VTODO\"/></c:supported-calendar-component-set>"), "{}", heard.text);
    let books = format!("/dav/addressbooks/{}/", house.ann);
    let heard = house.propfind("ann@one.test", &books, "1", "<d:resourcetype/>").await;
    assert!(heard.hrefs().contains(&format!("{books}contacts/").as_str()), "{}", heard.text);
    assert!(heard.text.contains("<card:addressbook/>"), "{}", heard.text);
    let heard = house.propfind("ann@one.test", &home, "infinity", "<d:resourcetype/>").await;
    assert_eq!(heard.status, StatusCode::FORBIDDEN);
    assert!(heard.text.contains("propfind-finite-depth"), "{}", heard.text);
}

#[tokio::test(start_paused = true)]
async fn expanded_properties_and_searches_find_people() {
    let house = house().await;
    let inner = "<d:property name='current-user-principal'><d:property name='displayname'/></d:property>";
    let heard = house.report("ann@one.test", "/dav/", "d:expand-property", inner).await;
    assert!(heard.text.contains("<d:displayname>Ann</d:displayname>"), "{}", heard.text);
    let search = |text: &str| {
        format!(
            "<d:property-search><d:prop><d:displayname/></d:prop><d:match>{text}</d:match></d:property-search><d:prop><d:displayname/></d:prop>"
        )
    };
    let heard = house.report("ann@one.test", "/dav/principals/", "d:principal-property-search", &search("bO")).await;
    assert_eq!(heard.hrefs(), [format!("/dav/principals/{}/", house.bob)]);
    // Whoever is of another tenant is not there.
    let heard = house.report("ann@one.test", "/dav/principals/", "d:principal-property-search", &search("zoe")).await;
    assert!(heard.hrefs().is_empty());
    let other = house.propfind("ann@one.test", &format!("/dav/principals/{}/", house.zoe), "0", "<d:displayname/>").await;
    let never =
        house.propfind("ann@one.test", &format!("/dav/principals/{}/", PrincipalId::from_bytes([9; 16])), "0", "<d:displayname/>").await;
    assert_eq!((other.status, other.text), (never.status, never.text));
    assert_eq!(other.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn nobody_signs_in_where_the_password_is_read_along() {
    let house = house().await;
    let ask = |private: bool| {
        let token = BASE64_STANDARD.encode("ann@one.test:secret");
        let request =
            Request::builder().method("PROPFIND").uri("/dav/").header("depth", "0").header("authorization", format!("Basic {token}"));
        request.extension(penfold_rest::Private(private)).body(Body::empty()).unwrap()
    };
    assert_eq!(house.raw(ask(true)).await.status, StatusCode::MULTI_STATUS);
    assert_eq!(house.raw(ask(false)).await.status, StatusCode::FORBIDDEN);
}
