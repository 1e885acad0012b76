use penfold_formats::xml::{CALDAV, DAV, Limits, Name, Node, Word, read};

use crate::parsed;

/// RFC 4918 §9.1.1, with the prefixes exchanged: names are equal by their namespace.
#[test]
fn names_are_expanded() {
    let body = r#"<?xml version="1.0" encoding="utf-8" ?>
     <x:propfind xmlns:x="DAV:" xmlns="http://ns.example.com/boxschema/">
       <x:prop><bigbox/><plain xmlns=""/><c:calendar-data xmlns:c="urn:ietf:params:xml:ns:caldav" c:a="1" b="2"/></x:prop>
     </x:propfind>
     <!-- the end --> <?say something?> "#;
    let root = parsed(body);
    assert!(root.is(DAV, "propfind"));
    let prop = root.child(DAV, "prop").unwrap();
    let keys: Vec<_> = prop.elements().map(|element| element.name.key()).collect();
    assert_eq!(keys, [("http://ns.example.com/boxschema/", "bigbox"), ("", "plain"), (CALDAV, "calendar-data")]);
    let data = prop.child(CALDAV, "calendar-data").unwrap();
    assert_eq!(data.attribute("b"), Some("2"));
    // An attribute without prefix has no namespace, and one with it has that of the prefix.
    assert_eq!(data.attribute("a"), None);
    assert_eq!(data.attributes.first().unwrap().0, Name::known(CALDAV, "a"));
}

#[test]
fn a_namespace_is_what_its_references_stand_for() {
    assert_eq!(parsed(r#"<a xmlns="http://x/?a=1&amp;b=2"/>"#).name.ns(), "http://x/?a=1&b=2");
}

#[test]
fn references_and_sections_are_text() {
    let root = parsed("<a>x &lt;&amp;&gt;&quot;&apos; &#65;&#x20AC;<![CDATA[<b>&amp;</b>]]>\r\nz<!-- no -->y</a>");
    assert_eq!(root.children, [Node::Text("x <&>\"' A€<b>&amp;</b>\nzy".to_owned())]);
    assert_eq!(parsed("<a b='x&#10;y\tz&lt;'/>").attribute("b"), Some("x\ny z<"));
}

/// XML 1.0 §2.12: a language holds for all that is inside, until another is said.
#[test]
fn the_language_in_scope_is_kept() {
    let root = parsed(r#"<a xml:lang="de"><b/><c xml:lang="fr"><d xml:lang=""/></c></a>"#);
    let [b, c] = root.elements().collect::<Vec<_>>()[..] else { panic!("two children") };
    assert_eq!(b.lang.as_ref().map(Word::as_str), Some("de"));
    assert_eq!(c.lang.as_ref().map(Word::as_str), Some("fr"));
    assert_eq!(c.elements().next().unwrap().lang, None);
}

#[test]
fn utf_16_with_its_mark_is_read() {
    let text = "<?xml version='1.0' encoding='UTF-16'?><a>ä€</a>";
    let little: Vec<u8> = [0xFF, 0xFE].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let big: Vec<u8> = [0xFE, 0xFF].into_iter().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect();
    for bytes in [little, big] {
        assert_eq!(read(&bytes, Limits::default()).unwrap().text(), "ä€");
    }
    assert_eq!(read(b"\xEF\xBB\xBF<?xml version='1.0'?><a>x</a>", Limits::default()).unwrap().text(), "x");
}
