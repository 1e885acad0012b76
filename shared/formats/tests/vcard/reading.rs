use penfold_formats::vcard::{Birthday, Card, Fault, Kind, Limits, Photo, Selected, Version, What, select, with_uid};

use crate::{FRANK, SIMON, card, fault, wrapped};

#[test]
fn the_author_of_rfc_6350() {
    let card = card(SIMON);
    assert_eq!(card.version(), Version::V4);
    assert_eq!(card.formatted_name().as_deref(), Some("Simon Perreault"));
    let name = card.name().unwrap();
    assert_eq!((name.family.as_str(), name.given.as_str(), name.suffixes.as_str()), ("Perreault", "Simon", "ing. jr,M.Sc."));
    assert_eq!(card.birthday(), Some(Birthday { year: None, month: 2, day: 3 }));
    assert_eq!(card.organization(), ["Viagenie"]);
    let [first, second] = &card.phones()[..] else { panic!("two numbers") };
    assert_eq!((first.value.as_str(), first.preference), ("+1-418-656-9254;ext=102", Some(1)));
    assert_eq!(first.types, ["work", "voice"]);
    assert_eq!((second.value.as_str(), second.preference), ("+1-418-262-6501", None));
    assert_eq!(card.emails()[0].value, "simon.perreault@viagenie.ca");
    assert_eq!((card.uid(), card.kind(), card.bytes()), (None, Kind::Individual, SIMON.as_bytes()));
}

/// RFC 2426 §7. It lacks N, which is tolerated.
#[test]
fn the_author_of_rfc_2426() {
    let card = card(FRANK);
    assert_eq!(card.version(), Version::V3);
    let emails = card.emails();
    assert_eq!((emails[0].value.as_str(), emails[0].preference), ("Frank_Dawson@Lotus.com", Some(1)));
    assert_eq!(emails[0].types, ["internet"]);
    assert_eq!(emails[1].preference, None);
    let address = card.lines().iter().find(|line| line.is("ADR")).unwrap();
    assert_eq!(card.text(address), ";;6544 Battleford Drive;Raleigh;NC;27613-3502;U.S.A.");
}

/// RFC 6350 §6.6.5, and Apple's way in 3.0.
#[test]
fn groups_and_their_members() {
    let text = wrapped("4.0", "KIND:group\r\nFN:The Doe family\r\nMEMBER:urn:uuid:03a0e51f\r\nMEMBER:mailto:x@example.com\r\nUID:u:1");
    let group = card(&text);
    assert_eq!((group.kind(), group.uid().as_deref()), (Kind::Group, Some("u:1")));
    assert_eq!(group.members(), ["urn:uuid:03a0e51f", "mailto:x@example.com"]);
    let text = wrapped("3.0", "FN:Family\r\nX-ADDRESSBOOKSERVER-KIND:Group\r\nX-ADDRESSBOOKSERVER-MEMBER:urn:uuid:b8");
    assert_eq!((card(&text).kind(), card(&text).members()), (Kind::Group, vec!["urn:uuid:b8".to_owned()]));
}

#[test]
fn pictures_are_inline_or_linked() {
    let photo = |version, line: &str| card(&wrapped(version, &format!("FN:x\r\n{line}"))).photo();
    let inline = Some(Photo::Inline { media_type: "image/jpeg".to_owned(), bytes: b"hello".to_vec() });
    assert_eq!(photo("3.0", "PHOTO;ENCODING=b;TYPE=JPEG:aGVs\r\n  bG8="), inline);
    assert_eq!(photo("3.0", "PHOTO;TYPE=jpeg;ENCODING=BASE64:aGVsbG8"), inline);
    assert_eq!(photo("4.0", "PHOTO:data:image/jpeg;base64,aGVsbG8="), inline);
    assert_eq!(photo("4.0", "PHOTO:http://x.example/a.gif"), Some(Photo::Uri("http://x.example/a.gif".to_owned())));
    assert_eq!(photo("3.0", "PHOTO;ENCODING=b:%%%"), None);
}

#[test]
fn birthdays_of_both_versions() {
    let day = |version, line: &str| card(&wrapped(version, &format!("FN:x\r\n{line}"))).birthday();
    let full = Some(Birthday { year: Some(1996), month: 4, day: 15 });
    for line in ["BDAY:1996-04-15", "BDAY:19960415", "BDAY;VALUE=date-time:1996-04-15T10:22:00Z"] {
        assert_eq!(day("3.0", line), full, "{line}");
    }
    let leap = Some(Birthday { year: None, month: 2, day: 29 });
    assert_eq!(day("3.0", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29"), leap);
    assert_eq!(day("4.0", "BDAY:--0229"), leap);
    for line in ["BDAY;VALUE=text:circa 1800", "BDAY:1996", "BDAY:1996-04", "BDAY:---15", "BDAY:19961315", "BDAY:19960230"] {
        assert_eq!(day("4.0", line), None, "{line}");
    }
}

#[test]
fn what_is_no_card_is_told_with_its_line() {
    let cases = [
        ("".to_owned(), What::NoCard, 1),
        ("FN:x\r\n".to_owned(), What::NoCard, 1),
        ("BEGIN:VCARD\r\nVERSION:3.0\r\nFN:x\r\n".to_owned(), What::NoCard, 3),
        ("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n".to_owned(), What::NoCard, 1),
        (wrapped("3.0", "FN:x") + &wrapped("3.0", "FN:y"), What::SeveralCards, 5),
        (wrapped("3.0", "FN:x") + "junk", What::SeveralCards, 5),
        (wrapped("3.0", "FN:x\r\nno line"), What::Syntax, 4),
        (wrapped("3.0", "FN:x\r\nBEGIN:VCARD"), What::Syntax, 4),
        (wrapped("2.1", "FN:x"), What::Version, 1),
        (wrapped("5.0", "FN:x"), What::Version, 2),
        ("BEGIN:VCARD\r\nFN:x\r\nEND:VCARD\r\n".to_owned(), What::Version, 1),
        (wrapped("4.0", "N:Doe;;;;"), What::NoName, 1),
        (wrapped("3.0", "EMAIL:a@b"), What::NoName, 1),
    ];
    for (text, what, line) in cases {
        assert_eq!(fault(&text), Fault { what, line }, "{text}");
    }
    assert!(Card::read(wrapped("3.0", "N:Doe;;;;").as_bytes(), Limits::default()).is_ok());
    let latin = b"BEGIN:VCARD\nVERSION:3.0\nFN:J\xfcrgen\nEND:VCARD";
    assert_eq!(Card::read(latin, Limits::default()).unwrap_err(), Fault { what: What::NotUtf8, line: 3 });
}

#[test]
fn limits_hold_with_pictures() {
    let large = wrapped("3.0", &format!("FN:x\r\nPHOTO;ENCODING=b:{}", "A".repeat(2000)));
    let read = |limits| Card::read(large.as_bytes(), limits).map(|_| ()).map_err(|fault| fault.what);
    assert_eq!(read(Limits { octets: 3000, lines: 10 }), Ok(()));
    assert_eq!(read(Limits { octets: 2000, lines: 10 }), Err(What::TooLarge));
    assert_eq!(read(Limits { octets: 3000, lines: 3 }), Err(What::TooLarge));
}

/// RFC 6352 §10.4.2, §8.6.3: what was asked for, as it was written.
#[test]
fn some_properties_only() {
    let text = wrapped(
        "3.0",
        "FN:x\r\nNICKNAME;TYPE=a:m\r\n e\r\nitem1.EMAIL:a@b\r\nitem2.EMAIL:c@d\r\nitem1.X-ABLABEL:l\r\nitem3.NOTE;LANGUAGE=de:secret\r\nUID:1",
    );
    let one = |name: &str, group: Option<&str>, novalue| Selected { name: name.to_owned(), group: group.map(str::to_owned), novalue };
    let wanted = [one("uid", None, false), one("NICKNAME", None, false), one("EMAIL", Some("ITEM1"), false), one("NOTE", None, true)];
    assert_eq!(
        String::from_utf8(select(&card(&text), &wanted)).unwrap(),
        wrapped("3.0", "NICKNAME;TYPE=a:m\r\n e\r\nitem1.EMAIL:a@b\r\nitem3.NOTE;LANGUAGE=de:\r\nUID:1")
    );
}

#[test]
fn a_card_gets_the_uid_that_it_lacks() {
    let text = "BEGIN:VCARD\nVERSION:4.0\nFN:x\nNOTE:a\n b\nEND:VCARD\n";
    let with = with_uid(&card(text), "urn:uuid:1");
    assert_eq!(String::from_utf8(with).unwrap(), "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:1\r\nFN:x\nNOTE:a\n b\nEND:VCARD\r\n");
}
