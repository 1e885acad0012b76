use penfold_formats::vcard::{Card, Fault, Limits, What, join, split};

use crate::{FRANK, SIMON, wrapped};

fn all(bytes: &[u8]) -> Vec<Result<(u32, String), Fault>> {
    let found = split(bytes, Limits::default());
    found.map(|one| one.map(|found| (found.line, String::from_utf8(found.bytes.into_owned()).unwrap()))).collect()
}

fn one(text: &[u8]) -> String {
    let mut all = all(text);
    assert_eq!(all.len(), 1, "{all:?}");
    all.remove(0).unwrap().1
}

#[test]
fn cards_come_as_they_were_written() {
    let file = join([FRANK.as_bytes(), SIMON.trim_end().as_bytes()]);
    assert_eq!(all(&file), [Ok((1, FRANK.to_owned())), Ok((13, SIMON.to_owned()))]);
}

#[test]
fn a_bad_card_is_told_by_its_line_and_the_next_is_read() {
    let file = "\u{FEFF}junk\r\nmore junk\r\n\r\nBEGIN:VCARD\r\nVERSION:3.0\r\nFN:a\r\n\
                BEGIN:VCARD\r\nVERSION:3.0\r\nFN:b\r\nEND:VCARD\r\n\
                BEGIN:VCARD\r\nVERSION:3.0\r\nFN:c\r\nwrong\r\nEND:VCARD\r\n\
                BEGIN:VCARD\r\nVERSION:9\r\nFN:d\r\nEND:VCARD\r\n\
                begin:vcard\r\nVERSION:3.0\r\nFN:e\r\nend:vcard\r\nBEGIN:VCARD\r\n";
    let summary: Vec<_> = all(file.as_bytes())
        .into_iter()
        .map(|one| one.map(|(line, text)| format!("{line} {}", text.lines().nth(2).unwrap())).map_err(|fault| (fault.line, fault.what)))
        .collect();
    assert_eq!(
        summary,
        [
            Err((1, What::NoCard)),
            Err((4, What::NoCard)),
            Ok("7 FN:b".to_owned()),
            Err((14, What::Syntax)),
            Err((17, What::Version)),
            Ok("20 FN:e".to_owned()),
            Err((24, What::NoCard)),
        ]
    );
}

/// What a telephone of before smartphones writes.
#[test]
fn version_2_becomes_3() {
    let old = b"BEGIN:VCARD\r\nVERSION:2.1\r\nN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:M=C3=BCller;J=C3=B6rg;;;\r\n\
        TEL;CELL;PREF:+49 170 1\r\nTEL;HOME;VOICE:1\r\nEMAIL;INTERNET:a@b\r\n\
        NOTE;ENCODING=QUOTED-PRINTABLE;CHARSET=ISO-8859-1:one, two=\r\n=0D=0Athr=E9e; four\r\n\
        PHOTO;JPEG;ENCODING=BASE64:\r\n aGVs\r\n bG8=\r\n\r\nthis is no line\r\nAGENT:\r\nBEGIN:VCARD\r\nVERSION:2.1\r\nFN:inner\r\nEND:VCARD\r\nTITLE:Chief\r\nEND:VCARD\r\n";
    let new = one(old);
    assert_eq!(
        new,
        wrapped(
            "3.0",
            "N:M\u{fc}ller;J\u{f6}rg;;;\r\nTEL;TYPE=CELL,PREF:+49 170 1\r\nTEL;TYPE=HOME,VOICE:1\r\nEMAIL;TYPE=INTERNET:a@b\r\n\
             NOTE:one\\, two\\nthr\u{e9}e\\; four\r\nPHOTO;TYPE=JPEG;ENCODING=b:aGVsbG8=\r\nTITLE:Chief\r\nFN:J\u{f6}rg M\u{fc}ller"
        )
    );
    assert!(Card::read(new.as_bytes(), Limits::default()).is_ok());
}

#[test]
fn text_of_old_machines_becomes_utf_8() {
    assert_eq!(one(b"BEGIN:VCARD\nVERSION:3.0\nFN:J\xfcrgen\nEND:VCARD\n"), "BEGIN:VCARD\nVERSION:3.0\nFN:J\u{fc}rgen\nEND:VCARD\n");
    // UTF-8 that was folded inside of a character is no text of an old machine.
    let folded = b"BEGIN:VCARD\nVERSION:3.0\nFN:J\xc3\n \xbcrgen\nEND:VCARD\n";
    assert_eq!(split(folded, Limits::default()).next().unwrap().unwrap().bytes, &folded[..]);
}

#[test]
fn who_has_no_name_is_called_by_what_there_is() {
    for (lines, name) in
        [("N:Doe;John;;;", "John Doe"), ("ORG:Acme\\, Inc;x", "Acme\\, Inc"), ("EMAIL:a@b", "a@b"), ("TEL:1", "1"), ("X-A:1", "")]
    {
        assert!(one(wrapped("3.0", lines).as_bytes()).contains(&format!("\r\nFN:{name}\r\n")), "{lines}");
    }
}
