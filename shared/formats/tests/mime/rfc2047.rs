//! RFC 2047: encoded words.

use penfold_formats::mime::{addresses, decode_header};

/// §8, the table of what is displayed.
#[test]
fn examples_of_section_8() {
    for (raw, shown) in [
        ("(=?ISO-8859-1?Q?a?=)", "(a)"),
        ("(=?ISO-8859-1?Q?a?= b)", "(a b)"),
        ("(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a?=  =?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a?=\r\n    =?ISO-8859-1?Q?b?=)", "(ab)"),
        ("(=?ISO-8859-1?Q?a_b?=)", "(a b)"),
        ("(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)", "(a b)"),
        ("=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>", "Keith Moore <moore@cs.utk.edu>"),
        ("=?ISO-8859-1?Q?Keld_J=F8rn_Simonsen?= <keld@dkuug.dk>", "Keld J\u{f8}rn Simonsen <keld@dkuug.dk>"),
        ("=?ISO-8859-1?Q?Andr=E9?= Pirard <PIRARD@vm1.ulg.ac.be>", "Andr\u{e9} Pirard <PIRARD@vm1.ulg.ac.be>"),
        (
            "=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n =?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=",
            "If you can read this you understand the example.",
        ),
        (
            "Nathaniel Borenstein <nsb@thumper.bellcore.com>\r\n    (=?iso-8859-8?b?7eXs+SDv4SDp7Oj08A==?=)",
            "Nathaniel Borenstein <nsb@thumper.bellcore.com>    (םולש ןב ילטפנ)",
        ),
    ] {
        assert_eq!(decode_header(raw.as_bytes()), shown, "{raw}");
    }
}

#[test]
fn raw_names_stay_raw_in_an_envelope() {
    let list = addresses(b"=?ISO-8859-1?Q?Olle_J=E4rnefors?= <ojarnef@admin.kth.se>");
    assert_eq!(list[0].name.as_deref(), Some(&b"=?ISO-8859-1?Q?Olle_J=E4rnefors?="[..]));
}

#[test]
fn broken_words_stay_as_they_are() {
    for raw in [
        "=?",
        "=?=",
        "=?utf-8",
        "=?utf-8?",
        "=?utf-8?Q",
        "=?utf-8?Q?",
        "=?utf-8?Q?a",
        "=?utf-8?Q?a?",
        "=?utf-8?Q?a? =",
        "=?utf-8?X?a?=",
        "=?no-such-charset?Q?a?=",
        "=??Q?a?=",
        "=?utf-8?B?*?=",
        "=?utf-8?QQ?a?=",
        "a =?utf-8?Q?b =?utf-8",
        "=?iso-2022-kr?B?YQ==?=",
    ] {
        assert_eq!(decode_header(raw.as_bytes()), raw);
    }
    assert_eq!(decode_header(b"=?utf-8?=?utf-8?Q?a?= =?utf-8?X?b?= c"), "=?utf-8?a =?utf-8?X?b?= c");
}

/// §5 forbids a character split between words; generators do it.
#[test]
fn a_character_in_two_words() {
    assert_eq!(decode_header(b"=?utf-8?B?w6TD?= =?UTF-8?B?pA==?="), "\u{e4}\u{e4}");
    assert_eq!(decode_header(b"=?utf-8?Q?=C3?= =?utf-8?Q?=A4?= x"), "\u{e4} x");
    assert_eq!(decode_header(b"=?utf-8?Q?=C3?= x =?utf-8?Q?=A4?="), "\u{fffd} x \u{fffd}");
}

/// RFC 2231 §5: a language after the charset.
#[test]
fn language_of_a_word() {
    assert_eq!(decode_header(b"=?US-ASCII*EN?Q?Keith_Moore?="), "Keith Moore");
}

#[test]
fn bytes_that_are_no_ascii() {
    assert_eq!(decode_header("Grüße".as_bytes()), "Grüße");
    assert_eq!(decode_header(b"Gr\xfc\xdfe"), "Grüße");
    assert_eq!(decode_header(b"Gr\xfc\xdfe =?utf-8?Q?=C3=A4?= \xfc"), "Grüße ä ü");
}

#[test]
fn nothing_hidden_comes_out_of_a_word() {
    assert_eq!(decode_header(b"a =?utf-8?Q?b=0D=0ABcc:_x=00?="), "a b  Bcc: x ");
    assert_eq!(decode_header(b"a\r\n b\0"), "a b ");
}
