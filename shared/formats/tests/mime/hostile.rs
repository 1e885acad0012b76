//! What strangers send to break a parser.

use penfold_formats::mime::{MAX_PARTS, Summary, decode_header, header_fields, summarise};

use crate::{check, crlf, shape};

fn nested(depth: usize, close: bool) -> Vec<u8> {
    let mut message = String::new();
    for level in 0..depth {
        message.push_str(&format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n"));
    }
    message.push_str("\r\ncore\r\n");
    for level in (0..depth).rev().filter(|_| close) {
        message.push_str(&format!("--b{level}--\r\n"));
    }
    message.into_bytes()
}

fn depth(summary: &Summary) -> usize {
    let mut part = &summary.root;
    let mut depth = 0;
    while let Some(child) = part.children.first() {
        (part, depth) = (child, depth + 1);
    }
    depth
}

#[test]
fn nesting_is_followed_to_32_levels() {
    for (levels, close) in [(31, true), (32, false), (33, true), (1000, true), (20_000, false)] {
        let summary = check(&nested(levels, close));
        assert_eq!((depth(&summary), summary.cut), (levels.min(32), levels > 32), "{levels}");
        assert_eq!(shape(&summary.root).contains("application/octet-stream"), levels > 32);
    }
}

#[test]
fn messages_in_messages_without_end() {
    let message = "Content-Type: message/rfc822\r\n\r\n".repeat(30_000);
    let summary = check(message.as_bytes());
    assert_eq!(depth(&summary), 32);
}

#[test]
fn a_hundred_thousand_parts() {
    for part in [
        "--x\r\n\r\na\r\n",
        "--x\r\n",
        "--x\r\nContent-Type: message/rfc822\r\n\r\n",
        "--x\r\nContent-Type: multipart/mixed; boundary=y\r\n\r\n--y\r\n",
    ] {
        let message = format!("Content-Type: multipart/mixed; boundary=x\r\n\r\n{}--x--\r\n", part.repeat(100_000));
        let summary = check(message.as_bytes());
        assert!(summary.cut && summary.root.children.len() <= MAX_PARTS);
        let last = summary.root.children.last().unwrap();
        assert_eq!(last.body.end as usize, message.len(), "the last one has the rest");
    }
}

#[test]
fn a_thousand_parts_with_all_that_a_part_can_say() {
    let long = "l".repeat(3000);
    let part = format!(
        "--x\r\nContent-Type: {0}/{0}; {0}={0}; name=\"{long}\"\r\nContent-Transfer-Encoding: {0}\r\nContent-ID: {long}\r\nContent-Description: {long}\r\nContent-MD5: {long}\r\nContent-Location: {long}\r\nContent-Language: {0},{0}\r\nContent-Disposition: {0}; filename={long}\r\n\r\n\r\n",
        "t".repeat(90)
    );
    let nested = "--x\r\nContent-Type: message/rfc822\r\n\r\nDate: 1 Jan 0001 00:00:00 -9900\r\nTo: a@b, c@d\r\nContent-Type: multipart/mixed\r\n\r\n";
    for part in [part.as_str(), nested] {
        let message = format!(
            "Subject: {long}\r\nTo: {}\r\nReferences: {}\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n{}",
            "a@b,".repeat(20_000),
            "<a@b>".repeat(5000),
            part.repeat(1200)
        );
        let summary = check(message.as_bytes());
        assert!(summary.cut);
        assert!(summary.encode().len() > 20_000);
    }
}

#[test]
fn a_header_of_a_megabyte() {
    for unit in [
        "a",
        "a: b\r\n",
        "To: a@b\r\n",
        "a\r\n b\r\n",
        ":\n",
        "\r",
        "(",
        "<",
        "\"",
        ",",
        "@",
        "=?utf-8?Q?a",
        "=?utf-8?Q?a?= ",
        "\\",
        " ",
        ";a=b",
        "; ",
    ] {
        for name in ["To: ", "Content-Type: text/plain;", "Date: ", "References: ", "Subject: ", "Content-Language: ", ""] {
            let junk = unit.repeat(1_000_000 / unit.len());
            let message = format!("{name}{junk}\r\n\r\nbody");
            let summary = check(message.as_bytes());
            assert!(summary.root.body.len() <= 6, "{name}{unit}");
        }
        decode_header(unit.repeat(1_000_000 / unit.len()).as_bytes());
    }
}

#[test]
fn bytes_that_do_not_belong_into_mail() {
    for message in [
        &b"\0\0\0"[..],
        b"\0: \0\r\n\0\r\n\r\n\0",
        b"Subject: \xff\xfe\0\x80\r\nFrom: \xff <\xfe@\xfd>\r\nContent-Type: \xff/\xfe; \xfd=\xfc\r\n\r\n\xff",
        b"\r\n",
        b"\n",
        b"\r",
        b"",
        b"\n\n\n",
        b"--",
        b"Content-Type: multipart/mixed; boundary=\0\n\n--\0\n\nx",
        b"Content-Type: multipart/mixed; boundary=\"a\r\n b\"\n\n--a b\n\nx",
    ] {
        check(message);
    }
    let summary = summarise(b"Subject: \xff\0x\r\n\r\n");
    assert_eq!(summary.envelope.subject.as_deref(), Some(&b"\xff\0x"[..]), "as it came");
}

#[test]
fn no_end_boundary_and_nothing_after_one() {
    let message = crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: text/html\n\ntwo");
    assert_eq!(shape(&check(&message).root), "multipart/mixed(text/plain, text/html)");
    let whole = crlf("Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: text/html\n\none\n--b--");
    for length in 0..whole.len() {
        check(&whole[..length]);
    }
    // A part that only begins is a part.
    let message = crlf("Content-Type: multipart/mixed; boundary=b\n\n--b");
    assert_eq!(shape(&check(&message).root), "multipart/mixed(text/plain)");
}

#[test]
fn the_same_boundary_at_every_level() {
    let level = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n";
    let message = format!("{}\r\nx\r\n{}", level.repeat(50), "--b--\r\n".repeat(50));
    assert_eq!(depth(&check(message.as_bytes())), 32);
}

#[test]
fn damaged_summaries_are_refused_or_read() {
    let encoded = summarise(&nested(5, true)).encode();
    for length in 0..encoded.len() {
        assert_eq!(Summary::decode(&encoded[..length]), None);
    }
    for at in 0..encoded.len() {
        for value in [0, 1, 0x7f, 0x80, 0xff] {
            let mut damaged = encoded.clone();
            damaged[at] = value;
            Summary::decode(&damaged);
        }
    }
    assert_eq!(Summary::decode(&[2]), None);
    // A tree that is deeper than any summary: after an empty envelope, type, encoding, bits (children), three offsets, one child.
    let mut deep = vec![1, 0, 0, 0, 0xc0, 1];
    (0..100_000).for_each(|_| deep.extend([3, 1, 2, 0, 0, 0, 1]));
    assert_eq!(Summary::decode(&deep), None);
}

#[test]
fn fields_are_all_of_the_header() {
    for header in ["a: b\r\n c\r\nd\r\n\te\n: \n", "\r", " \r\n \r\n", "a"] {
        let whole: Vec<u8> = header_fields(header.as_bytes()).flat_map(|(_, whole, _)| whole.to_vec()).collect();
        assert_eq!(whole, header.as_bytes());
    }
}
