//! RFC 2045: Content-Type, transfer encodings; RFC 2231: parameters.

use penfold_formats::mime::{Part, body_text, decode_body, known_encoding, parameter, summarise};

fn encoded(encoding: &str, body: &[u8]) -> Vec<u8> {
    decode_body(&Part { encoding: encoding.into(), ..Part::default() }, body)
}

fn root(header: &str) -> Part {
    summarise(format!("{header}\r\n\r\nbody\r\n").as_bytes()).root
}

fn params(part: &Part) -> Vec<(&str, &str)> {
    part.params.iter().map(|(name, value)| (name.as_str(), std::str::from_utf8(value).unwrap())).collect()
}

/// §5.1: "the following two forms are completely equivalent".
#[test]
fn quotes_and_comments_of_a_parameter_do_not_count() {
    for header in ["Content-type: text/plain; charset=us-ascii (Plain text)", "Content-type: text/plain; charset=\"us-ascii\""] {
        let part = root(header);
        assert_eq!((part.kind.as_str(), part.subtype.as_str(), params(&part)), ("text", "plain", vec![("charset", "us-ascii")]));
    }
}

/// §5.2: no Content-Type, or one that cannot be read, is text/plain in US-ASCII.
#[test]
fn default_type() {
    for header in
        ["Subject: x", "Content-Type:", "Content-Type: text", "Content-Type: /plain", "Content-Type: \u{e4}/\u{f6}", "Content-Type: ;;;"]
    {
        let part = root(header);
        assert_eq!(
            (part.kind.as_str(), part.subtype.as_str(), params(&part)),
            ("text", "plain", vec![("charset", "us-ascii")]),
            "{header}"
        );
        assert_eq!((part.encoding.as_str(), part.lines), ("7bit", 1));
    }
}

#[test]
fn type_is_folded_and_commented() {
    let part = root("CONTENT-TYPE : (a) Text (b) / (c)\r\n HTML(d);\r\n\tCharSet=\"UTF-8\"; Format = flowed ;; x");
    assert_eq!(
        (part.kind.as_str(), part.subtype.as_str(), params(&part)),
        ("text", "html", vec![("charset", "UTF-8"), ("format", "flowed")])
    );
}

#[test]
fn forgotten_semicolons_and_quotes_of_file_names() {
    let part = root("Content-Type: application/pdf name=Quarterly report (2).pdf; charset=utf-8 size=3");
    assert_eq!(params(&part), [("name", "Quarterly report (2).pdf"), ("charset", "utf-8"), ("size", "3")]);
    let part = root("Content-Type: application/pdf; name=\"a \\\"b\\\" c.pdf\"\r\nContent-Disposition: attachment; filename=\"d;e.pdf");
    assert_eq!(params(&part), [("name", "a \"b\" c.pdf")]);
    assert_eq!(part.filename().as_deref(), Some("d;e.pdf"));
}

/// §6.1, §7, §8 and RFC 1864, RFC 2183, RFC 2557, RFC 3282.
#[test]
fn the_other_fields_of_a_part() {
    let part = root(
        "Content-Type: text/plain\r\nContent-Transfer-Encoding: (x) Quoted-Printable\r\nContent-ID: <a@b>\r\nContent-Description: a\r\n picture\r\n\
         Content-MD5: Q2hlY2sgSW50ZWdyaXR5IQ==\r\nContent-Disposition: Attachment; FileName=x.txt\r\n\
         Content-Language: en, de-AT (x)\r\nContent-Location: http://example.org/x",
    );
    assert_eq!(part.encoding, "quoted-printable");
    assert_eq!(part.id.as_deref(), Some(&b"<a@b>"[..]));
    assert_eq!(part.description.as_deref(), Some(&b"a picture"[..]));
    assert_eq!(part.md5.as_deref(), Some(&b"Q2hlY2sgSW50ZWdyaXR5IQ=="[..]));
    assert_eq!(part.disposition, Some(("attachment".into(), vec![("filename".into(), Box::from(&b"x.txt"[..]))])));
    assert_eq!(part.language, ["en", "de-AT"]);
    assert_eq!(part.location.as_deref(), Some(&b"http://example.org/x"[..]));
}

/// §6.7, the example of a soft line break.
#[test]
fn quoted_printable() {
    let body = b"Now's the time =\r\nfor all folk to come=\r\n to the aid of their country.\r\n";
    assert_eq!(encoded("quoted-printable", body), b"Now's the time for all folk to come to the aid of their country.\r\n");
    assert_eq!(encoded("quoted-printable", b"=C3=a4 =3D x \t\r\ny = \t\r\nz"), "\u{e4} = x\r\ny z".as_bytes());
}

#[test]
fn quoted_printable_that_is_broken_stays() {
    for (body, text) in [("a=", "a"), ("a=4", "a=4"), ("=G1=1G", "=G1=1G"), ("==41", "=A"), ("=\n=\n=", ""), ("a  ", "a")] {
        assert_eq!(encoded("quoted-printable", body.as_bytes()), text.as_bytes(), "{body}");
    }
}

/// §6.8, with line breaks, junk, and padding in the middle.
#[test]
fn base64() {
    for (body, text) in [
        ("", ""),
        ("Zg==", "f"),
        ("Zm8=", "fo"),
        ("Zm9v", "foo"),
        ("Zm9v\r\nYmFy\r\n", "foobar"),
        ("Zm9vYg", "foob"),
        ("Z", ""),
        ("Zg==Zm8=", "ffo"),
        ("*Z-m\u{e4} 9 v!", "foo"),
        ("====", ""),
    ] {
        assert_eq!(encoded("base64", body.as_bytes()), text.as_bytes(), "{body}");
    }
}

#[test]
fn unknown_encodings_are_said_to_be_so() {
    let part = root("Content-Transfer-Encoding: x-uuencode");
    assert!(!known_encoding(&part));
    assert_eq!(decode_body(&part, b"M=3D"), b"M=3D");
    assert!(
        ["7bit", "8BIT", "Binary", "base64", "quoted-printable"]
            .iter()
            .all(|encoding| known_encoding(&root(&format!("Content-Transfer-Encoding: {encoding}"))))
    );
}

#[test]
fn text_in_its_charset() {
    let text = |charset: &str, body: &[u8]| {
        body_text(&Part { params: vec![("charset".into(), charset.as_bytes().into())], ..Part::default() }, body)
    };
    assert_eq!(text("iso-8859-1", b"\xe4"), "\u{e4}");
    assert_eq!(text("KOI8-R", b"\xf0\xd2\xc9"), "При");
    assert_eq!(text("iso-2022-jp", b"\x1b$B$3$s\x1b(B"), "こん");
    assert_eq!(text("utf-8", b"\xef\xbb\xbfa\xffb"), "a\u{fffd}b");
    assert_eq!(text("us-ascii", "\u{e4}".as_bytes()), "\u{e4}");
    assert_eq!(text("no-such-thing", b"\xe4"), "\u{e4}");
    assert_eq!(text("iso-2022-kr", b"abc"), "abc");
}

/// RFC 2231 §3, §4 and §4.1: the document's own examples.
#[test]
fn parameters_in_pieces_and_charsets() {
    let header = "Content-Type: message/external-body; access-type=URL;\r\n URL*0=\"ftp://\";\r\n URL*1=\"cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar\"";
    let part = root(header);
    assert_eq!(params(&part)[1], ("url*0", "ftp://"));
    assert_eq!(parameter(&part.params, "url").as_deref(), Some("ftp://cs.utk.edu/pub/moore/bulk-mailer/bulk-mailer.tar"));
    let part = root("Content-Type: application/x-stuff;\r\n title*=us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A");
    assert_eq!(params(&part), [("title*", "us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A")]);
    assert_eq!(parameter(&part.params, "title").as_deref(), Some("This is ***fun***"));
    let part = root(
        "Content-Type: application/x-stuff;\r\n title*0*=us-ascii'en'This%20is%20even%20more%20;\r\n title*1*=%2A%2A%2Afun%2A%2A%2A%20;\r\n title*2=\"isn't it!\"",
    );
    assert_eq!(parameter(&part.params, "title").as_deref(), Some("This is even more ***fun*** isn't it!"));
    let part = root("Content-Disposition: attachment; filename=plain.txt; filename*=iso-8859-1''%e4%zz.txt");
    assert_eq!(part.filename().as_deref(), Some("\u{e4}%zz.txt"));
    let part = root("Content-Disposition: attachment; filename=\"=?utf-8?B?w6QudHh0?=\"");
    assert_eq!(part.filename().as_deref(), Some("\u{e4}.txt"));
}
