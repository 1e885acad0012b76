use penfold_formats::vcard::{Fields, Kind, Photo, Version, build};

use crate::card;

fn text(fields: &Fields<'_>, version: Version) -> String {
    String::from_utf8(build(fields, version)).unwrap()
}

fn person(photo: &Photo) -> Fields<'_> {
    Fields {
        uid: "urn:uuid:1",
        name: "John Doe, Jr.",
        given: "John",
        family: "Doe",
        emails: &["john@example.com", "jd@example.com"],
        phones: &[("+1 2", "cell"), ("+1 3", "")],
        title: "Head; Sales",
        organization: "Acme",
        department: "Sales",
        manager: "Mary Major",
        office: "B 12",
        photo: Some(photo),
        revision: "20261127T014403Z",
        ..Fields::default()
    }
}

#[test]
fn a_person_of_the_directory_in_both_versions() {
    let photo = Photo::Inline { media_type: "image/png".to_owned(), bytes: b"hello".to_vec() };
    assert_eq!(
        text(&person(&photo), Version::V4),
        "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:urn:uuid:1\r\nFN:John Doe\\, Jr.\r\nN:Doe;John;;;\r\n\
         EMAIL;TYPE=work;PREF=1:john@example.com\r\nEMAIL;TYPE=work:jd@example.com\r\nTEL;TYPE=work,cell:+1 2\r\nTEL;TYPE=work:+1 3\r\n\
         TITLE:Head\\; Sales\r\nORG:Acme;Sales\r\nADR;TYPE=work:;B 12;;;;;\r\nX-MS-MANAGER:Mary Major\r\n\
         manager.X-ABRELATEDNAMES:Mary Major\r\nmanager.X-ABLABEL:_$!<Manager>!$_\r\nPHOTO:data:image/png;base64,aGVsbG8=\r\n\
         REV:20261127T014403Z\r\nEND:VCARD\r\n"
    );
    let three = text(&person(&photo), Version::V3);
    assert!(three.contains("\r\nEMAIL;TYPE=INTERNET,WORK,pref:john@example.com\r\nEMAIL;TYPE=INTERNET,WORK:jd@example.com\r\n"), "{three}");
    assert!(three.contains("\r\nPHOTO;ENCODING=b;TYPE=PNG:aGVsbG8=\r\n"), "{three}");
    for written in [three, text(&person(&photo), Version::V4)] {
        let card = card(&written);
        assert_eq!(card.photo().as_ref(), Some(&photo));
        assert_eq!((card.formatted_name().as_deref(), card.title().as_deref()), (Some("John Doe, Jr."), Some("Head; Sales")));
        assert_eq!(card.emails()[0].preference, Some(1));
    }
}

/// Whatever a name holds, it stays a name.
#[test]
fn a_group_and_a_name_that_would_be_a_line() {
    let members = ["urn:uuid:1", "urn:uuid:2"];
    let fields = Fields { uid: "g", name: "All\r\nEND:VCARD", kind: "group", members: &members, ..Fields::default() };
    for version in [Version::V3, Version::V4] {
        let written = text(&fields, version);
        let card = card(&written);
        assert_eq!(card.formatted_name().as_deref(), Some("All\nEND:VCARD"));
        assert_eq!((card.kind(), card.members()), (Kind::Group, vec!["urn:uuid:1".to_owned(), "urn:uuid:2".to_owned()]));
    }
}
