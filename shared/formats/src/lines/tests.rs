use super::*;

fn read(input: &str) -> Vec<Result<Line<'_>, Trouble>> {
    Lines::new(input.as_bytes(), Bounds::default()).map(|line| line.map_err(|broken| broken.what)).collect()
}

fn one(input: &str) -> Line<'_> {
    let mut lines = read(input);
    assert_eq!(lines.len(), 1, "{lines:?}");
    lines.remove(0).unwrap()
}

#[test]
fn a_folded_line_is_one_line_and_knows_where_it_stands() {
    let input = "BEGIN:VEVENT\r\nDESCRIPTION:This is a lo\r\n ng description\r\n  that exists\r\nEND:VEVENT\r\n";
    let lines: Vec<_> = read(input).into_iter().map(Result::unwrap).collect();
    assert_eq!(lines[1].value, "This is a long description that exists");
    assert_eq!(lines[1].number, 2);
    assert_eq!(lines[2].number, 5);
    assert_eq!(&input[lines[1].range.clone()], "DESCRIPTION:This is a lo\r\n ng description\r\n  that exists\r\n");
    assert_eq!(lines.iter().map(|line| &input[line.range.clone()]).collect::<String>(), input);
}

#[test]
fn a_fold_may_cut_a_character() {
    let input = b"\xef\xbb\xbfSUMMARY:M\xc3\n \xbcnchen\nLOCATION:here";
    let lines: Vec<_> = Lines::new(input, Bounds::default()).map(Result::unwrap).collect();
    assert_eq!(lines[0].value, "München");
    assert_eq!(lines[1].value, "here");
}

#[test]
fn parameters() {
    let line = one("ATTENDEE;MEMBER=\"mailto:a@x.test\",\"mailto:b@x.test\";cn=\"Doe; J: ^'Jo^'\";ROLE=CHAIR:mailto:j@x.test");
    assert_eq!(line.param("member").unwrap().values, ["mailto:a@x.test", "mailto:b@x.test"]);
    assert_eq!(line.param_value("CN"), Some("Doe; J: \"Jo\""));
    assert_eq!(line.value, "mailto:j@x.test");
    // A quote that is not closed, and one in the middle, are text.
    assert_eq!(one("A;CN=\"x;B=1:v").param_value("CN"), Some("\"x"));
    assert_eq!(one("A;CN=x \"y\" z:v").param_value("CN"), Some("x \"y\" z"));
    // vCard 2.1.
    let line = one("item1.TEL;HOME;PREF:+49 1");
    assert_eq!(line.group.as_deref(), Some("item1"));
    assert_eq!(line.params.iter().map(|param| param.name.as_ref()).collect::<Vec<_>>(), ["HOME", "PREF"]);
}

#[test]
fn circumflex_escapes_come_back() {
    for text in ["plain", "a^b", "\"q\", x", "two\nlines", "^n"] {
        let written = format!("A;P={}:v", parameter_value(text));
        assert_eq!(one(&written).param_value("P"), Some(text), "{written}");
    }
}

#[test]
fn what_is_no_line_is_told_and_reading_goes_on() {
    let got = read("A:1\r\nno line\r\n\r\n:2\r\nB:3");
    assert_eq!(
        got.iter().map(|line| line.as_ref().map(|line| line.number).map_err(|what| *what)).collect::<Vec<_>>(),
        [Ok(1), Err(Trouble::Syntax), Err(Trouble::Syntax), Ok(5)]
    );
}

#[test]
fn limits() {
    let what = |input: &str, bounds: Bounds| Lines::new(input.as_bytes(), bounds).find_map(Result::err).map(|broken| broken.what);
    let few = Bounds { octets: 40, lines: 2, line: 10, params: 2, soft_breaks: false };
    assert_eq!(what("A:1\nB:2\n", few), None);
    assert_eq!(what("A:1\nB:2\nC:3\nD:4", few), Some(Trouble::TooManyLines));
    assert_eq!(what("A:1234\n 5678\n 90\n", few), Some(Trouble::LineTooLong));
    assert_eq!(what("A;B=1,2,3:1\n", Bounds { line: 20, ..few }), Some(Trouble::TooManyParameters));
    assert_eq!(what(&"A:1\n".repeat(11), few), Some(Trouble::TooLong));
    assert_eq!(Lines::new("A:1\n".repeat(9).as_bytes(), few).count(), 3);
}

#[test]
fn soft_breaks_of_vcard_2() {
    let input = b"NOTE;ENCODING=QUOTED-PRINTABLE:one=\r\ntwo=\r\nthree\r\nURL:http://x.test/?a=\r\nB:1";
    let lines: Vec<_> = Lines::new(input, Bounds { soft_breaks: true, ..Bounds::default() }).map(Result::unwrap).collect();
    assert_eq!(lines.iter().map(|line| line.value.as_ref()).collect::<Vec<_>>(), ["onetwothree", "http://x.test/?a=", "1"]);
}

#[test]
fn written_lines_are_folded_between_characters() {
    let text = format!("SUMMARY:{}", "ü".repeat(100));
    let mut out = Vec::new();
    push_line(&mut out, &text);
    assert!(out.split(|byte| *byte == b'\n').all(|line| line.len() <= 76 && std::str::from_utf8(line).is_ok()));
    assert_eq!(Lines::new(&out, Bounds::default()).next().unwrap().unwrap().value, "ü".repeat(100));
}

#[test]
fn text_escapes() {
    let text = "a;b,c\\d\ne";
    assert_eq!(escape(text), "a\\;b\\,c\\\\d\\ne");
    assert_eq!(unescape(&escape(text)), text);
    assert_eq!(split("a\\,b,c\\\\,d", ',').collect::<Vec<_>>(), ["a\\,b", "c\\\\", "d"]);
}
