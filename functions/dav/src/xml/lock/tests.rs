use penfold_formats::xml::DAV;

use super::{ActiveLock, answer, read};

/// RFC 4918 §9.10.7, and the answer to it.
#[test]
fn a_lock_and_its_answer() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
     <D:lockinfo xmlns:D='DAV:'>
       <D:lockscope><D:exclusive/></D:lockscope>
       <D:locktype><D:write/></D:locktype>
       <D:owner><D:href>http://example.org/~ejw/contact.html</D:href></D:owner>
     </D:lockinfo>"#;
    let info = read(body.as_bytes()).unwrap();
    assert!(info.exclusive);
    let owner = info.owner.unwrap();
    assert_eq!(owner.child(DAV, "href").unwrap().text(), "http://example.org/~ejw/contact.html");
    let token = Some("urn:uuid:e71d4fae-5dec-22d6-fea5-00a0c91e6be4");
    let lock = ActiveLock {
        exclusive: true,
        infinite: true,
        owner: Some(&owner),
        timeout: 604_800,
        token,
        root: "/workspace/webdav/proposal.doc",
    };
    let text = String::from_utf8(answer(&[lock])).unwrap();
    assert!(
        text.ends_with(
            "<d:lockdiscovery><d:activelock><d:locktype><d:write/></d:locktype><d:lockscope><d:exclusive/></d:lockscope>\
             <d:depth>infinity</d:depth><d:owner><d:href>http://example.org/~ejw/contact.html</d:href></d:owner>\
             <d:timeout>Second-604800</d:timeout><d:locktoken><d:href>urn:uuid:e71d4fae-5dec-22d6-fea5-00a0c91e6be4</d:href></d:locktoken>\
             <d:lockroot><d:href>/workspace/webdav/proposal.doc</d:href></d:lockroot></d:activelock></d:lockdiscovery></d:prop>"
        ),
        "{text}"
    );
}

#[test]
fn a_lock_without_a_kind_is_refused() {
    for inner in [
        "",
        "<lockscope><exclusive/></lockscope>",
        "<lockscope/><locktype><write/></locktype>",
        "<lockscope><some/></lockscope><locktype><write/></locktype>",
    ] {
        assert_eq!(read(format!("<lockinfo xmlns='DAV:'>{inner}</lockinfo>").as_bytes()).unwrap_err().status().as_u16(), 400, "{inner}");
    }
}
