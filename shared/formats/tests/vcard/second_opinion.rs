//! calcard reads the same of what we write: people of the directory, conversions, upgrades.

use calcard::vcard::{VCard, VCardProperty, VCardValue};
use penfold_formats::vcard::{Card, Fields, Limits, Photo, Version, build, convert};
use proptest::prelude::*;

use crate::{FRANK, SIMON, card};

/// What the other one read of these properties: values in their order, parts as they are.
fn theirs(text: &str, name: &VCardProperty) -> Vec<String> {
    let other = VCard::parse(text).unwrap_or_else(|entry| panic!("{entry:?}\n{text}"));
    let values = other.entries.iter().filter(|entry| entry.name == *name).flat_map(|entry| entry.values.iter());
    values
        .flat_map(|value| match value {
            VCardValue::Text(text) => vec![text.clone()],
            VCardValue::Component(parts) => vec![parts.join(",")],
            VCardValue::Binary(data) => vec![String::from_utf8_lossy(&data.data).into_owned()],
            other => vec![format!("{other:?}")],
        })
        .collect()
}

fn same(text: &str) {
    let ours = card(text);
    let points = |points: Vec<penfold_formats::vcard::Point>| points.into_iter().map(|point| point.value).collect::<Vec<_>>();
    assert_eq!(theirs(text, &VCardProperty::Fn), [ours.formatted_name().unwrap()], "{text}");
    assert_eq!(theirs(text, &VCardProperty::Email), points(ours.emails()), "{text}");
    let phones: Vec<String> = theirs(text, &VCardProperty::Tel).iter().map(|phone| phone.trim_start_matches("tel:").to_owned()).collect();
    assert_eq!(phones, points(ours.phones()), "{text}");
    assert_eq!(theirs(text, &VCardProperty::Uid), ours.uid().into_iter().collect::<Vec<_>>(), "{text}");
    assert_eq!(theirs(text, &VCardProperty::Title), ours.title().into_iter().collect::<Vec<_>>(), "{text}");
    assert_eq!(theirs(text, &VCardProperty::Org), ours.organization(), "{text}");
    if let Some(Photo::Inline { bytes, .. }) = ours.photo() {
        assert_eq!(theirs(text, &VCardProperty::Photo), [String::from_utf8(bytes).unwrap()], "{text}");
    }
    if let Some(name) = ours.name() {
        let parts = theirs(text, &VCardProperty::N);
        assert_eq!(parts.get(..2).unwrap_or_default(), [name.family, name.given], "{text}");
    }
}

#[test]
fn the_authors_in_both_versions() {
    for text in [FRANK, SIMON] {
        for version in [Version::V3, Version::V4] {
            same(&String::from_utf8(convert(&card(text), version)).unwrap());
        }
    }
}

proptest! {
    #[test]
    fn people_of_the_directory(texts in proptest::collection::vec("[a-zA-Zäß€ ;,:.\\\\\"'=&<>^-]{0,30}[a-z]", 8), four in any::<bool>()) {
        let text = |at: usize| texts[at].trim_start();
        let photo = Photo::Inline { media_type: "image/png".to_owned(), bytes: text(0).as_bytes().to_vec() };
        let (emails, phones) = ([text(1), text(2)], [(text(3), "cell")]);
        let fields = Fields {
            uid: text(4), name: text(5), given: text(6), family: text(7), emails: &emails, phones: &phones, title: text(0), organization: text(1),
            department: text(2), photo: Some(&photo), ..Fields::default()
        };
        let version = if four { Version::V4 } else { Version::V3 };
        let written = build(&fields, version);
        same(std::str::from_utf8(&written).unwrap());
        let card = Card::read(&written, Limits::default()).unwrap();
        let other = convert(&card, if four { Version::V3 } else { Version::V4 });
        same(std::str::from_utf8(&other).unwrap());
    }
}
