//! The organisation's directory as an address book.

use super::*;
use penfold_directory::{Attribute, GroupChange, NewGroup, PersonChange, PostPolicy, ProfileChange};

impl House {
    fn book(&self) -> String {
        format!("/dav/addressbooks/{}/directory/", self.ann)
    }

    fn card(&self, of: PrincipalId) -> String {
        format!("{}{of}.vcf", self.book())
    }

    async fn change(&self, address: &str, change: PersonChange) {
        self.directory.operator().update_person(&address.parse().unwrap(), &change).await.unwrap();
    }

    async fn people(&self, count: usize) {
        for number in 0..count {
            let address = format!("p{number}@one.test").parse().unwrap();
            let new = NewPerson { address, name: format!("Person N{number}"), password: None, quota: None };
            self.directory.operator().create_person(&new).await.unwrap();
        }
    }
}

fn hidden(hidden: bool) -> PersonChange {
    PersonChange { hidden: Some(hidden), ..PersonChange::default() }
}

fn query(filter: &str) -> String {
    format!("<d:prop><d:getetag/><card:address-data/></d:prop><card:filter>{filter}</card:filter>")
}

fn prop(name: &str, kind: &str, text: &str) -> String {
    format!("<card:prop-filter name='{name}'><card:text-match match-type='{kind}'>{text}</card:text-match></card:prop-filter>")
}

#[tokio::test(start_paused = true)]
async fn everybody_of_the_tenant_is_in_it_and_nobody_else() {
    let house = house().await;
    let home = format!("/dav/addressbooks/{}/", house.ann);
    let heard = house.propfind("ann@one.test", &home, "1", "<d:resourcetype/><d:displayname/><d:current-user-privilege-set/>").await;
    let book = heard.text.split("<d:response>").find(|part| part.contains(&house.book())).unwrap();
    assert!(book.contains("addressbook/>") && book.contains("Directory (One)"), "{book}");
    assert!(book.contains("read/>") && !book.contains("write") && !book.contains("bind/>"), "{book}");

    let texts = [(Attribute::Title, "Head, Sales"), (Attribute::Company, "One Inc"), (Attribute::Phone, "+1 555 0100")];
    let texts = texts.into_iter().map(|(attribute, text)| (attribute, Some(text.to_owned()))).collect();
    let profile = ProfileChange { texts, manager: Some(Some(house.ann)) };
    house.change("bob@one.test", PersonChange { name: Some("Bób Müller".into()), profile, ..PersonChange::default() }).await;
    let card = house.get("ann@one.test", &house.card(house.bob)).await;
    assert_eq!(card.status, StatusCode::OK);
    for line in ["FN:Bób Müller", "EMAIL;TYPE=INTERNET,WORK,pref:bob@one.test", "TITLE:Head\\, Sales", "ORG:One Inc", "+1 555 0100", "Ann"]
    {
        assert!(card.text.contains(line), "{line} in {}", card.text);
    }
    assert!(card.text.contains(&format!("UID:{}", house.bob)), "{}", card.text);

    let heard = house.propfind("ann@one.test", &house.book(), "1", "<d:getetag/>").await;
    let mut wanted = vec![house.book(), house.card(house.ann), house.card(house.bob)];
    let mut found = heard.hrefs();
    wanted.sort();
    found.sort_unstable();
    assert_eq!(found, wanted);
    assert!(heard.text.contains(&card.header("etag").replace('"', "&quot;")) || heard.text.contains(card.header("etag")), "{}", heard.text);
    let known = house.ask("ann@one.test", "GET", &house.card(house.bob), &[("if-none-match", card.header("etag"))], "").await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);

    for path in [house.card(house.zoe), format!("{}x.vcf", house.book()), format!("{}x/y", house.book())] {
        assert_eq!(house.get("ann@one.test", &path).await.status, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(house.get("bob@one.test", &house.card(house.bob)).await.status, StatusCode::NOT_FOUND, "it lies in one's own home");
}

#[tokio::test(start_paused = true)]
async fn a_card_changes_its_tag_with_whatever_it_says() {
    let house = house().await;
    let tag = async || house.get("ann@one.test", &house.card(house.bob)).await.header("etag").to_owned();
    let profile = ProfileChange { manager: Some(Some(house.ann)), ..ProfileChange::default() };
    house.change("bob@one.test", PersonChange { profile, ..PersonChange::default() }).await;
    let first = tag().await;
    house.change("ann@one.test", PersonChange { name: Some("Anna".into()), ..PersonChange::default() }).await;
    let second = tag().await;
    assert_ne!(first, second, "the manager is called otherwise");
    house.change("ann@one.test", hidden(true)).await;
    let card = house.get("bob@one.test", &format!("/dav/addressbooks/{}/directory/{}.vcf", house.bob, house.bob)).await;
    assert!(!card.text.contains("Anna") && card.header("etag") != second, "{}", card.text);
}

#[tokio::test(start_paused = true)]
async fn a_card_has_its_photo_and_contacts_have_cards() {
    let house = house().await;
    let operator = house.directory.operator();
    let before = house.get("ann@one.test", &house.card(house.bob)).await;
    let jpeg = [&b"\xff\xd8\xff\xe0"[..], &[7; 600]].concat();
    operator.set_photo(&"bob@one.test".parse().unwrap(), Some(jpeg.clone().into())).await.unwrap();
    let card = house.get("ann@one.test", &house.card(house.bob)).await;
    assert_ne!(card.header("etag"), before.header("etag"));
    let unfolded = card.text.replace("\r\n ", "");
    let line = unfolded.lines().find(|line| line.starts_with("PHOTO")).unwrap();
    assert!(line.contains("TYPE=JPEG") && line.ends_with(&BASE64_STANDARD.encode(jpeg)), "{line}");

    let tenant = house.directory.every_tenant_with_info().await.unwrap().into_iter().find(|one| one.name == "One").unwrap().id;
    let addresses = ["kim@far.test", "k@home.test"].map(|address| address.parse().unwrap()).to_vec();
    let new = penfold_directory::ContactChange { name: Some("Kim Far".into()), addresses: Some(addresses), ..Default::default() };
    let id = operator.create_contact(tenant, &new).await.unwrap();
    let card = house.get("ann@one.test", &house.card(id)).await;
    assert!(card.text.contains("FN:Kim Far") && card.text.contains(":kim@far.test") && card.text.contains(":k@home.test"), "{}", card.text);
    let heard = house.report("ann@one.test", &house.book(), "card:addressbook-query", &query(&prop("EMAIL", "contains", "k@home"))).await;
    assert_eq!(heard.hrefs(), [house.card(id)]);
    assert_eq!(house.propfind("ann@one.test", &house.book(), "1", "<d:getetag/>").await.hrefs().len(), 4);
    let zoe = format!("/dav/addressbooks/{}/directory/{id}.vcf", house.zoe);
    assert_eq!(house.get("zoe@two.test", &zoe).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test(start_paused = true)]
async fn nobody_writes_to_it() {
    let house = house().await;
    let (book, card) = (house.book(), house.card(house.bob));
    let contacts = format!("/dav/addressbooks/{}/contacts/", house.ann);
    let text = "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:c1\r\nN:Doe;Jane;;;\r\nFN:Jane Doe\r\nEND:VCARD\r\n";
    let put = house.ask("ann@one.test", "PUT", &format!("{contacts}c.vcf"), &[("content-type", "text/vcard")], text).await;
    assert_eq!(put.status, StatusCode::CREATED);
    for (method, path, headers, body) in [
        ("PUT", card.clone(), vec![("content-type", "text/vcard")], text),
        ("PUT", format!("{book}new.vcf"), vec![("content-type", "text/vcard")], text),
        ("DELETE", card.clone(), vec![], ""),
        ("DELETE", book.clone(), vec![], ""),
        ("MKCOL", book.clone(), vec![], ""),
        ("ACL", book.clone(), vec![], "<d:acl xmlns:d='DAV:'/>"),
        ("MOVE", card.clone(), vec![("destination", "/dav/x")], ""),
        ("COPY", format!("{contacts}c.vcf"), vec![("destination", card.as_str())], ""),
        ("MOVE", format!("{contacts}c.vcf"), vec![("destination", card.as_str())], ""),
    ] {
        let heard = house.ask("ann@one.test", method, &path, &headers, body).await;
        assert_eq!(heard.status, StatusCode::FORBIDDEN, "{method} {path}");
        assert!(heard.text.contains("need-privileges"), "{method} {path}: {}", heard.text);
    }
    let set = "<d:propertyupdate xmlns:d='DAV:'><d:set><d:prop><d:displayname>Mine</d:displayname></d:prop></d:set></d:propertyupdate>";
    let heard = house.ask("ann@one.test", "PROPPATCH", &book, &[], set).await;
    assert!(heard.text.contains("403"), "{}", heard.text);
    assert_eq!(house.get("ann@one.test", &card).await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn who_is_hidden_is_in_no_list_and_no_search_and_still_shares() {
    let house = house().await;
    house.change("bob@one.test", hidden(true)).await;
    let group = NewGroup { address: "secret@one.test".parse().unwrap(), name: "Secret".into(), who_may_post: PostPolicy::Inside };
    let more = GroupChange { hidden: Some(true), may_leave: Some(false), ..GroupChange::default() };
    house.directory.operator().create_group_with(&group, &more).await.unwrap();
    assert_eq!(house.propfind("ann@one.test", &house.book(), "1", "<d:getetag/>").await.hrefs().len(), 2);
    assert_eq!(house.get("ann@one.test", &house.card(house.bob)).await.status, StatusCode::NOT_FOUND);
    let named = format!("<d:prop><d:getetag/></d:prop><d:href>{}</d:href>", house.card(house.bob));
    let heard = house.report("ann@one.test", &house.book(), "card:addressbook-multiget", &named).await;
    assert!(heard.text.contains("404"), "{}", heard.text);
    for filter in [prop("FN", "contains", "bob"), prop("EMAIL", "contains", "secret"), prop("TEL", "contains", "1"), String::new()] {
        let heard = house.report("ann@one.test", &house.book(), "card:addressbook-query", &query(&filter)).await;
        assert!(heard.hrefs().iter().all(|href| *href == house.card(house.ann)), "{}", heard.text);
    }
    let search =
        "<d:property-search><d:prop><d:displayname/></d:prop><d:match>bob</d:match></d:property-search><d:prop><d:displayname/></d:prop>";
    assert!(house.report("ann@one.test", "/dav/principals/", "d:principal-property-search", search).await.hrefs().is_empty());
    let principal = house.propfind("ann@one.test", &format!("/dav/principals/{}/", house.bob), "0", "<d:displayname/>").await;
    assert_eq!(principal.within("displayname"), "Bob");
}

#[tokio::test(start_paused = true)]
async fn cards_are_found_by_index_and_by_looking() {
    let house = house().await;
    house.people(30).await;
    let texts = [(Attribute::Phone, Some("+1 555 0100".to_owned()))].into_iter().collect();
    house.change("bob@one.test", PersonChange { profile: ProfileChange { texts, manager: None }, ..PersonChange::default() }).await;
    let found = async |filter: String| {
        let heard = house.report("ann@one.test", &house.book(), "card:addressbook-query", &query(&filter)).await;
        assert_eq!(heard.status, StatusCode::MULTI_STATUS, "{}", heard.text);
        heard.text.matches("BEGIN:VCARD").count()
    };
    for (filter, count) in [
        (prop("FN", "starts-with", "person"), 30),
        (prop("FN", "equals", "person n7"), 1),
        (prop("EMAIL", "contains", "p7@one"), 1),
        (prop("TEL", "contains", "555"), 1),
        (prop("TEL", "contains", "556"), 0),
        (format!("{}{}", prop("FN", "contains", "n7"), prop("TEL", "contains", "555")), 2),
        (String::new(), 32),
    ] {
        assert_eq!(found(filter.clone()).await, count, "{filter}");
    }
    let limited = format!("{}<card:limit><card:nresults>5</card:nresults></card:limit>", query(&prop("FN", "contains", "person")));
    let heard = house.report("ann@one.test", &house.book(), "card:addressbook-query", &limited).await;
    assert_eq!((heard.hrefs().len(), heard.text.matches("507").count()), (6, 1), "{}", heard.text);
    let home = format!("/dav/addressbooks/{}/", house.ann);
    let heard = house.report("ann@one.test", &home, "card:addressbook-query", &query(&prop("FN", "contains", "bob"))).await;
    assert_eq!(heard.hrefs(), [house.card(house.bob)]);
}

#[tokio::test(start_paused = true)]
async fn synchronising_tells_all_in_pages_and_then_only_whether_something_changed() {
    let house = house().await;
    house.people(150).await;
    let sync = async |token: &str, limit: usize| {
        let inner = format!(
            "<d:sync-token>{token}</d:sync-token><d:sync-level>1</d:sync-level><d:limit><d:nresults>{limit}</d:nresults></d:limit>\
             <d:prop><d:getetag/></d:prop>"
        );
        house.report("ann@one.test", &house.book(), "d:sync-collection", &inner).await
    };
    let (mut token, mut seen) = (String::new(), 0);
    loop {
        let heard = sync(&token, 60).await;
        assert_eq!(heard.status, StatusCode::MULTI_STATUS, "{}", heard.text);
        token = heard.within("sync-token").to_owned();
        seen += heard.hrefs().len();
        if !heard.text.contains("507") {
            break;
        }
        seen -= 1;
    }
    assert_eq!(seen, 152);
    let ctag = async || house.propfind("ann@one.test", &house.book(), "0", "<cs:getctag/>").await.within("getctag").to_owned();
    let before = ctag().await;
    house.directory.operator().set_password(&"bob@one.test".parse().unwrap(), "other").await.unwrap();
    assert!(sync(&token, 60).await.hrefs().is_empty());
    assert_eq!(ctag().await, before);
    house.change("bob@one.test", hidden(true)).await;
    let heard = sync(&token, 60).await;
    assert_eq!(heard.status, StatusCode::FORBIDDEN);
    assert!(heard.text.contains("valid-sync-token"), "{}", heard.text);
    assert_ne!(ctag().await, before);
    for wrong in ["penfold-directory:", "penfold-directory:1/zz", "penfold-sync:1.1", "x"] {
        assert_eq!(sync(wrong, 60).await.status, StatusCode::FORBIDDEN, "{wrong}");
    }
}
