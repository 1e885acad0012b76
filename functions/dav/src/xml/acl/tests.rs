use penfold_formats::xml::{DAV, Name};

use super::{Ace, Principal, read};

fn dav(local: &'static str) -> Name {
    Name::known(DAV, local)
}

/// RFC 3744 §8.1.2, with an inverted and an inherited entry.
#[test]
fn entries_come_in_their_order() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
   <D:acl xmlns:D="DAV:">
     <D:ace>
       <D:principal><D:href>http://www.example.com/users/esedlar</D:href></D:principal>
       <D:grant><D:privilege><D:read/></D:privilege><D:privilege><D:write/></D:privilege></D:grant>
     </D:ace>
     <D:ace>
       <D:principal><D:property><D:owner/></D:property></D:principal>
       <D:grant><D:privilege><D:read-acl/></D:privilege><D:privilege><D:write-acl/></D:privilege></D:grant>
     </D:ace>
     <D:ace>
       <D:invert><D:principal><D:all/></D:principal></D:invert>
       <D:deny><D:privilege><D:read/></D:privilege></D:deny><D:protected/>
       <D:inherited><D:href>/top/</D:href></D:inherited>
     </D:ace>
   </D:acl>"#;
    let plain = |principal, privileges| Ace { principal, inverted: false, deny: false, privileges, protected: false, inherited: None };
    assert_eq!(
        read(body.as_bytes()).unwrap(),
        [
            plain(Principal::Href("http://www.example.com/users/esedlar".to_owned()), vec![dav("read"), dav("write")]),
            plain(Principal::Property(dav("owner")), vec![dav("read-acl"), dav("write-acl")]),
            Ace {
                principal: Principal::All,
                inverted: true,
                deny: true,
                privileges: vec![dav("read")],
                protected: true,
                inherited: Some("/top/".to_owned())
            },
        ]
    );
    assert_eq!(read(b"<acl xmlns='DAV:'/>"), Ok(Vec::new()));
}

#[test]
fn a_wrong_entry_is_refused() {
    let who = "<principal><all/></principal>";
    let grant = "<grant><privilege><read/></privilege></grant>";
    for (ace, status) in [
        (grant.to_owned(), 400),
        (who.to_owned(), 400),
        (format!("{who}{grant}<deny><privilege><read/></privilege></deny>"), 400),
        (format!("{who}<grant/>"), 400),
        (format!("<principal><nobody/></principal>{grant}"), 403),
        (format!("<principal/>{grant}"), 403),
    ] {
        let body = format!("<acl xmlns='DAV:'><ace>{ace}</ace></acl>");
        assert_eq!(read(body.as_bytes()).unwrap_err().status().as_u16(), status, "{ace}");
    }
}
