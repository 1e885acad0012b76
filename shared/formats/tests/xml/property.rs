//! What holds for any tree, and for any octets at all.

use penfold_formats::xml::{DAV, Element, Limits, Name, Word, Writer, XML, element_bytes, read};
use proptest::prelude::*;

const PIECES: [&str; 30] = [
    "<",
    ">",
    "/>",
    "</",
    "a",
    "b",
    "p:",
    "<a>",
    "</a>",
    "<p:b ",
    "xmlns",
    "xmlns:p='u'",
    "xmlns=''",
    "=",
    "'",
    "\"",
    "&",
    "&amp;",
    "&#",
    "x41;",
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?xml version='1.0'?>",
    "<!DOCTYPE",
    "[",
    "xml:lang='de'",
    "\r\n",
    "ä",
];

fn name() -> impl Strategy<Value = Name> {
    let ns = prop_oneof![Just(""), Just(DAV), Just("urn:a"), Just("urn:b&\"<>' \r\n\tü"), Just(XML), Just("http://calendarserver.org/ns/")];
    (ns, "[A-Za-z_ä][A-Za-z0-9._-]{0,5}")
        .prop_map(|(ns, local)| Name::new(ns, &local).unwrap())
        .prop_filter("handled apart", |name| name.key() != (XML, "lang"))
}

fn text() -> impl Strategy<Value = String> {
    proptest::collection::vec(
        prop_oneof![
            Just('\r'),
            Just('\n'),
            Just('\t'),
            Just('&'),
            Just(']'),
            Just('>'),
            Just('"'),
            prop::char::range(' ', '~'),
            prop::char::range('\u{80}', '\u{D7FF}')
        ],
        0..12,
    )
    .prop_map(|chars| chars.into_iter().collect())
}

fn languages() -> impl Strategy<Value = Option<Word>> {
    prop_oneof![Just(None), Just(Some(Word::known("de"))), Just(Some(Word::known("en")))]
}

fn leaf() -> impl Strategy<Value = Element> {
    (name(), proptest::collection::vec((name(), text()), 0..4), languages(), text()).prop_map(|(name, mut attributes, lang, text)| {
        attributes.sort();
        attributes.dedup_by(|a, b| a.0 == b.0);
        let mut element = Element::new(name).with_text(&text);
        element.attributes = attributes;
        element.lang = lang;
        element
    })
}

fn tree() -> impl Strategy<Value = Element> {
    leaf().prop_recursive(6, 40, 5, |inner| {
        (leaf(), proptest::collection::vec((inner, text()), 0..5)).prop_map(|(element, children)| {
            children.into_iter().fold(element, |element, (child, text)| element.with(child).with_text(&text))
        })
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(tree in tree()) {
        prop_assert_eq!(&read(&element_bytes(&tree), Limits::default()).unwrap(), &tree);
        let mut writer = Writer::new();
        writer.open(&Name::known(DAV, "prop"));
        writer.element(&tree);
        writer.element(&tree);
        let back = read(&writer.finish(), Limits::default()).unwrap();
        prop_assert!(back.elements().all(|child| *child == tree));
        prop_assert_eq!(back.elements().count(), 2);
    }

    #[test]
    fn any_octets_are_a_tree_that_can_be_written_or_a_fault(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(tree) = read(&bytes, Limits::default()) {
            prop_assert_eq!(read(&element_bytes(&tree), Limits::default()).unwrap(), tree);
        }
    }

    #[test]
    fn so_are_any_pieces(pieces in proptest::collection::vec(prop::sample::select(&PIECES[..]), 0..25)) {
        for text in [pieces.concat(), format!("<a xmlns:p='v'>{}</a>", pieces.concat())] {
            if let Ok(tree) = read(text.as_bytes(), Limits::default()) {
                prop_assert_eq!(read(&element_bytes(&tree), Limits::default()).unwrap(), tree);
            }
        }
    }
}
