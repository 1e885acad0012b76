//! What holds for any octets, and for cards with pieces cut out, doubled and exchanged.

use penfold_formats::vcard::{Card, Fields, Limits, Version, build, convert, join, split};
use proptest::prelude::*;

const PIECES: [&str; 30] = [
    "BEGIN:VCARD\r\n",
    "END:VCARD\r\n",
    "VERSION:3.0\r\n",
    "VERSION:4.0\r\n",
    "VERSION:2.1\r\n",
    "FN:a\r\n",
    "N:a;b;c;d;e\r\n",
    "N;ENCODING=QUOTED-PRINTABLE:=C3=BC=\r\n",
    "TEL;CELL:1\r\n",
    "TEL;VALUE=uri;PREF=1:tel:1;ext=2\r\n",
    "EMAIL;TYPE=INTERNET,pref:a@b\r\n",
    "PHOTO;ENCODING=b;TYPE=JPEG:aGVs\r\n bG8=\r\n",
    "PHOTO:data:image/png;base64,aGVsbG8=\r\n",
    "PHOTO;VALUE=uri;TYPE=GIF:http://a\r\n",
    "BDAY:1985-04-12\r\n",
    "BDAY:--0412\r\n",
    "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29\r\n",
    "BDAY:\u{e4}\u{e4}\u{e4}\r\n",
    "REV:1995-10-31T22:27:10.5Z\r\n",
    "GEO:1;2\r\n",
    "GEO:geo:1,2;u=3\r\n",
    "TZ:-05:00\r\n",
    "TZ:+\u{e4}\r\n",
    "KIND:group\r\n",
    "X-ADDRESSBOOKSERVER-MEMBER:a\r\n",
    "item1.X-A;B=\"c;^n\":d\\,e\\\\\r\n",
    "AGENT:\r\n",
    " folded\r\n",
    "junk\r\n",
    "\u{e9}",
];

/// Everything that can be asked of a card.
fn examine(card: &Card<'_>) {
    let _ = (card.uid(), card.kind(), card.members(), card.formatted_name(), card.name(), card.emails(), card.phones());
    let _ = (card.organization(), card.title(), card.nicknames(), card.photo(), card.birthday());
}

fn check(bytes: &[u8]) {
    for found in split(bytes, Limits::default()).flatten() {
        let card = Card::read(&found.bytes, Limits::default()).unwrap();
        examine(&card);
        for version in [Version::V3, Version::V4] {
            let other = convert(&card, version);
            let again = Card::read(&other, Limits::default()).unwrap();
            assert_eq!(again.version(), version);
            assert_eq!(again.formatted_name(), card.formatted_name());
            assert_eq!(again.emails().len(), card.emails().len());
            assert_eq!(again.birthday(), card.birthday());
            assert_eq!(again.photo().is_some(), card.photo().is_some());
        }
    }
    if let Ok(card) = Card::read(bytes, Limits::default()) {
        examine(&card);
    }
}

proptest! {
    #[test]
    fn any_octets(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        check(&bytes);
    }

    #[test]
    fn any_pieces(pieces in proptest::collection::vec(prop::sample::select(&PIECES[..]), 0..20), version in 2..5_usize) {
        let text = pieces.concat();
        check(text.as_bytes());
        check(format!("BEGIN:VCARD\r\n{}{text}END:VCARD\r\n", PIECES[version]).as_bytes());
    }

    /// A file of cards is the cards again.
    #[test]
    fn what_is_built_is_read(names in proptest::collection::vec("[^\u{0}-\u{1f}\u{7f}]{1,40}", 1..5), newline in any::<bool>()) {
        let version = if newline { Version::V3 } else { Version::V4 };
        let names: Vec<String> = names.iter().map(|name| if newline { format!("a{name}\nb") } else { format!("a{name}b") }).collect();
        let cards: Vec<Vec<u8>> = names.iter().map(|name| build(&Fields { name, uid: name, emails: &[name], ..Fields::default() }, version)).collect();
        let file = join(cards.iter().map(Vec::as_slice));
        let found: Vec<_> = split(&file, Limits::default()).map(Result::unwrap).collect();
        prop_assert_eq!(found.len(), cards.len());
        for (found, name) in found.iter().zip(&names) {
            let card = Card::read(&found.bytes, Limits::default()).unwrap();
            let name = Some(name.clone());
            prop_assert_eq!(card.formatted_name(), name.clone());
            prop_assert_eq!(card.uid(), name.clone());
            prop_assert_eq!(card.emails().into_iter().next().map(|point| point.value), name);
        }
    }
}
