use penfold_formats::vcard::{Version, convert};

use crate::{FRANK, SIMON, card, wrapped};

fn converted(text: &str, to: Version) -> String {
    let out = convert(&card(text), to);
    let text = String::from_utf8(out).unwrap();
    card(&text);
    text
}

fn up(lines: &str) -> String {
    inner(&converted(&wrapped("3.0", lines), Version::V4))
}

fn down(lines: &str) -> String {
    inner(&converted(&wrapped("4.0", lines), Version::V3))
}

/// Without what every card has, unfolded.
fn inner(text: &str) -> String {
    let text = text.replace("\r\n ", "");
    let lines = text.lines().filter(|line| !["BEGIN:", "END:", "VERSION:", "FN:", "N:"].iter().any(|edge| line.starts_with(edge)));
    lines.collect::<Vec<_>>().join("\n")
}

/// RFC 2426 §7 as 4.0: what is the same stays as it was, folds and all.
#[test]
fn the_author_of_rfc_2426_in_4() {
    let expected = FRANK
        .replace("BEGIN:vCard", "BEGIN:VCARD")
        .replace("END:vCard", "END:VCARD")
        .replace("3.0", "4.0")
        .replace("EMAIL;TYPE=INTERNET,PREF:", "EMAIL;PREF=1:")
        .replace("EMAIL;TYPE=INTERNET:", "EMAIL:");
    assert_eq!(converted(FRANK, Version::V4), expected);
}

/// RFC 6350 §8 as 3.0.
#[test]
fn the_author_of_rfc_6350_in_3() {
    assert_eq!(
        inner(&converted(SIMON, Version::V3)),
        "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-03\nX-ANNIVERSARY:20090808T1430-0500\nGENDER:M\nLANG;TYPE=pref:fr\nLANG:en\n\
         ORG;TYPE=work:Viagenie\nADR;TYPE=work:;Suite D2-630;2875 Laurier;Quebec;QC;G1V 2M2;Canada\n\
         TEL;TYPE=\"work,voice\",pref:+1-418-656-9254 ext. 102\nTEL;TYPE=\"work,cell,voice,video,text\":+1-418-262-6501\n\
         EMAIL;TYPE=work:simon.perreault@viagenie.ca\nGEO;TYPE=work:46.772673;-71.282945\n\
         KEY;TYPE=work;VALUE=uri:http://www.viagenie.ca/simon.perreault/simon.asc\nTZ:-05:00\nURL;TYPE=home:http://nomis80.org"
    );
}

#[test]
fn its_own_version_is_its_own_bytes() {
    assert_eq!(converted(FRANK, Version::V3), FRANK);
    assert_eq!(converted(SIMON, Version::V4), SIMON);
}

#[test]
fn each_line_has_its_form_in_the_other_version() {
    for (three, four) in [
        ("PHOTO;ENCODING=b;TYPE=JPEG:aGVsbG8=", "PHOTO:data:image/jpeg;base64,aGVsbG8="),
        ("PHOTO;VALUE=uri;TYPE=GIF:http://x.example/a.gif", "PHOTO;MEDIATYPE=image/gif:http://x.example/a.gif"),
        ("X-ADDRESSBOOKSERVER-KIND:group", "KIND:group"),
        ("X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:1", "MEMBER:urn:uuid:1"),
        ("BDAY:1985-04-12", "BDAY:19850412"),
        ("BDAY;X-APPLE-OMIT-YEAR=1604:1604-04-12", "BDAY:--0412"),
        ("GEO:37.386013;-122.082932", "GEO:geo:37.386013,-122.082932"),
        ("TEL;TYPE=home,pref:+49 1", "TEL;TYPE=home;PREF=1:+49 1"),
        ("item1.X-ABLABEL:_$!<Home>!$_", "item1.X-ABLABEL:_$!<Home>!$_"),
        ("NOTE;X-P=\"a;b\":a\\, b\\nc", "NOTE;X-P=\"a;b\":a\\, b\\nc"),
    ] {
        assert_eq!(up(&format!("FN:x\r\nN:x;;;;\r\n{three}")), four);
        let back = down(&format!("FN:x\r\nN:x;;;;\r\n{four}"));
        let same = |text: &str| {
            let mut params: Vec<_> = text.split_once(':').unwrap().0.split([';', ',']).map(str::to_owned).collect();
            params.sort();
            (params, text.split_once(':').unwrap().1.to_owned())
        };
        assert_eq!(same(&back.replace("TYPE=home;TYPE=pref", "TYPE=home,pref")), same(three), "{back}");
    }
    assert_eq!(up("FN:x\r\nREV:1995-10-31T22:27:10.5Z\r\nPROFILE:VCARD\r\nTZ:-05:00"), "REV:19951031T222710Z\nTZ;VALUE=utc-offset:-0500");
    assert_eq!(down("FN:x\r\nKIND:individual\r\nCLIENTPIDMAP:1;urn:uuid:5\r\nTZ:Europe/Berlin"), "TZ;VALUE=text:Europe/Berlin");
}

#[test]
fn names_that_the_other_version_demands_are_made() {
    assert!(converted(&wrapped("3.0", "N:Doe;John;;Dr.;"), Version::V4).contains("\r\nFN:Dr. John Doe\r\n"));
    let three = converted(&wrapped("4.0", "FN;LANGUAGE=de:Familie Doe\r\nFN;LANGUAGE=fr:Famille Doe"), Version::V3);
    assert!(three.contains("\r\nN:Familie Doe;;;;\r\n") && !three.contains("Famille"), "{three}");
}
