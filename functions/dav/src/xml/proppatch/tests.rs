use axum::http::StatusCode;
use penfold_formats::xml::{Name, Word};

use super::{Change, read};

const Z: &str = "http://ns.example.com/standards/z39.50/";

/// RFC 4918 §9.2.2.
#[test]
fn authors_are_set_and_the_copyright_owner_is_removed() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
     <D:propertyupdate xmlns:D="DAV:" xmlns:Z="http://ns.example.com/standards/z39.50/">
       <D:set><D:prop><Z:Authors>
           <Z:Author>Jim Whitehead</Z:Author>
           <Z:Author>Roy Fielding</Z:Author>
       </Z:Authors></D:prop></D:set>
       <D:remove><D:prop><Z:Copyright-Owner/></D:prop></D:remove>
     </D:propertyupdate>"#;
    let changes = read(body.as_bytes()).unwrap();
    let [Change::Set(authors), Change::Remove(owner)] = &changes[..] else { panic!("{changes:?}") };
    assert_eq!(authors.all(Z, "Author").map(|author| author.text()).collect::<Vec<_>>(), ["Jim Whitehead", "Roy Fielding"]);
    assert_eq!(*owner, Name::known(Z, "Copyright-Owner"));
}

/// RFC 4918 §9.2: in document order, and the same name may come again. §4.3: the language in scope is part of the value.
#[test]
fn changes_keep_their_order_and_language() {
    let body = r#"<propertyupdate xmlns="DAV:"><remove><prop><x/></prop></remove>
        <set xml:lang="de"><prop><x>1</x><y xml:lang="en">2</y></prop></set><remove><prop><x>3</x></prop></remove></propertyupdate>"#;
    let changes = read(body.as_bytes()).unwrap();
    let seen: Vec<_> = changes
        .iter()
        .map(|change| match change {
            Change::Set(value) => format!("+{} {} {:?}", value.name.local(), value.text(), value.lang.as_ref().map(Word::as_str)),
            Change::Remove(name) => format!("-{}", name.local()),
        })
        .collect();
    assert_eq!(seen, ["-x", "+x 1 Some(\"de\")", "+y 2 Some(\"en\")", "-x"]);
}

#[test]
fn a_wrong_body_is_refused() {
    let many: String = (0..300).map(|n| format!("<a{n}/>")).collect();
    let large = format!("<propertyupdate xmlns='DAV:'><set><prop>{many}</prop></set></propertyupdate>");
    for (body, status) in [
        ("", StatusCode::BAD_REQUEST),
        ("<propfind xmlns='DAV:'/>", StatusCode::BAD_REQUEST),
        ("<propertyupdate xmlns='DAV:'/>", StatusCode::BAD_REQUEST),
        ("<propertyupdate xmlns='DAV:'><set/></propertyupdate>", StatusCode::BAD_REQUEST),
        (large.as_str(), StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        assert_eq!(read(body.as_bytes()).unwrap_err().status(), status, "{body}");
    }
}
