use penfold_formats::xml::{Fault, Limits, read};

use crate::fault;

fn malformed(text: &str) {
    assert!(matches!(fault(text.as_bytes()), Fault::Malformed { .. }), "{text}");
}

#[test]
fn document_types_are_refused_before_anything_grows() {
    let laughs = r#"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l "ha"><!ENTITY m "&l;&l;&l;&l;">]><a>&m;</a>"#;
    assert!(matches!(fault(laughs.as_bytes()), Fault::Doctype { .. }));
    let outside = r#"<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"#;
    assert!(matches!(fault(outside.as_bytes()), Fault::Doctype { .. }));
    malformed("<a>&m;</a>");
    malformed("<a b='&m;'/>");
}

#[test]
fn what_is_no_document_is_refused() {
    for text in [
        "",
        " ",
        "x",
        "<a>",
        "<a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>x",
        "x<a/>",
        "<a/>&amp;",
        "<a/><![CDATA[]]>",
        "<a><![CDATA[x</a>",
        "<a>]]></a>",
        "<a>&</a>",
        "<a>&#0;</a>",
        "<a>&#xFFFF;</a>",
        "<a>&#x110000;</a>",
        "<a b='&#1;'/>",
        "<a b='<'/>",
        "<a b=c/>",
        "<a b='1' b='2'/>",
        "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>",
        "<a>\u{1}</a>",
        "<1a/>",
        "<a:b/>",
        "<a p:b='1'/>",
        "<a:b:c xmlns:a='u'/>",
        "<xmlns:a/>",
        "<a xmlns:xml='u'/>",
        "<a xmlns:p='u'><b xmlns:p=''><p:c/></b></a>",
        "<a/><?xml version='1.0'?>",
        " <?xml version='1.0'?><a/>",
        "<?xml version='2.0'?><a/>",
        "<?xml version='1.0' encoding='iso-8859-1'?><a/>",
        "<a><!-- -- --></a>",
    ] {
        malformed(text);
    }
    assert!(matches!(fault(b"<a>\xFF</a>"), Fault::Malformed { at: 3, .. }));
    assert!(matches!(fault(b"\xFE\xFF\xD8\x00"), Fault::Malformed { .. }));
}

#[test]
fn what_passes_a_limit_is_refused() {
    let limits = Limits { octets: 2000, elements: 10, depth: 4, attributes: 3 };
    let large = |text: String| match read(text.as_bytes(), limits) {
        Err(Fault::TooLarge { what }) => what,
        other => panic!("{other:?}"),
    };
    assert_eq!(large(" ".repeat(2001)), "octets");
    assert_eq!(large(format!("<a>{}</a>", "<b/>".repeat(10))), "elements");
    assert_eq!(large("<a>".repeat(5)), "elements inside each other");
    assert_eq!(large("<a b='' c='' d='' e=''/>".to_owned()), "attributes");
    assert_eq!(large(format!("<a xmlns='{}'/>", "u".repeat(600))), "octets in the name of a namespace");
    assert_eq!(large(format!("<a xml:lang='{}'/>", "u".repeat(101))), "octets in xml:lang");
    assert!(read(format!("<a>{}</a>", "<b/>".repeat(9)).as_bytes(), limits).is_ok());
    assert!(read(b"<a><a><a><a b='' c='' d=''/></a></a></a>", limits).is_ok());
}
